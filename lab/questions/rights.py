"""What a proof is made of: claims that cite their evidence, and the right values with their slips."""

from __future__ import annotations

from lab.questions.base import Claim, Missing, Proof, Right, Slip, Value
from lab.questions.pieces import Called, Datagram, Packet, Piece, Segment
from lab.text import Text, same


def claim(holds: bool, words: Text, *pieces: Piece) -> Claim:
    """One thing that the run shows. ``words`` have this run's numbers filled in."""
    return Claim(bool(holds), words, tuple(piece.cite for piece in pieces))


def part(proof: Proof, claims: tuple[int, ...], *keys: str) -> Proof:
    """Some of a proof's claims, by their index, and of its key: what another question needs of it."""
    if max(claims) >= len(proof.claims):
        raise Missing(same(f"{max(claims)} >= {len(proof.claims)}"))
    return Proof(tuple(proof.claims[at] for at in claims), {key: proof.key[key] for key in keys})


def joined(*proofs: Proof) -> Proof:
    """One proof of several, in order; no two have a key in common."""
    return Proof(
        tuple(one for proof in proofs for one in proof.claims),
        {key: right for proof in proofs for key, right in proof.key.items()},
    )


def frame(piece: Packet, *others: Packet, instead: Packet | None = None) -> Right:
    """The number of a frame; any of the others will do as well.

    Args:
        piece: the frame that is shown as right.
        others: frames that the protocol allows as well.
        instead: the retransmission that is easily taken for it (or its original, if it is later).
    """
    slips: list[tuple[Slip, Value]] = []
    if instead is not None:
        slip = Slip.RETRANSMISSION if instead.time > piece.time else Slip.ORIGINAL
        slips.append((slip, instead.number))
    pieces = (piece, *others)
    numbers = tuple(dict.fromkeys(one.number for one in pieces))
    return Right(numbers, tuple(one.cite for one in pieces), slips=tuple(slips))


def sequence(piece: Segment, *, ack: bool = False) -> Right:
    """The sequence number of a segment, or its acknowledgment number; relative is as good.

    Of a SYN only the absolute one will do: it is the ISN that is asked for.
    """
    if not ack and "SYN" in piece.flags:  # relative it is 0 in every run: that proves nothing
        return Right((piece.absolute,), (piece.cite,), slips=((Slip.RELATIVE, 0),))
    absolute, relative = (piece.absolute_ack, piece.ack) if ack else (piece.absolute, piece.seq)
    slips = ((Slip.SYN_COUNTS_ONE, (absolute - 1) % (1 << 32)),) if ack else ()
    return Right((absolute,), (piece.cite,), slips=slips, relative=relative)


def count(number: int, *pieces: Piece, slips: tuple[tuple[Slip, Value], ...] = ()) -> Right:
    """So many of something; cites what was counted (or the capture, if it is much)."""
    return Right((number,), tuple(piece.cite for piece in pieces), slips=slips)


def octets(number: int, *pieces: Piece, characters: int | None = None, tolerance: int = 0) -> Right:
    """An amount of data; ``characters``: what one gets who counts those."""
    slips = ((Slip.CHARACTERS, characters),) if characters is not None else ()
    cites = tuple(piece.cite for piece in pieces)
    return Right((number,), cites, tolerance=tolerance, slips=slips)


def window(piece: Segment) -> Right:
    """The window that a segment announces, in octets."""
    scaled = piece.window if piece.scaled is None else piece.scaled
    slips = ((Slip.UNSCALED, piece.window),) if scaled != piece.window else ()
    return Right((scaled,), (piece.cite,), slips=slips)


def span(ns: int, *pieces: Piece, tolerance: float = 0.05) -> Right:
    """A time between two pieces of evidence; ``tolerance`` is a share, of at least 1 ms."""
    allowed = max(int(abs(ns) * tolerance), 1_000_000)
    return Right((ns,), tuple(piece.cite for piece in pieces), tolerance=allowed)


def state(name: str, *pieces: Piece, others: tuple[str, ...] = ()) -> Right:
    """A state, as RFC 9293 writes it; ``others``: states that are right as well."""
    return Right((name, *others), tuple(piece.cite for piece in pieces))


def error(piece: Called) -> Right:
    """How a call ended: the name of its error, or "ok"."""
    return Right((piece.outcome,), (piece.cite,))


def name(word: str, *pieces: Piece, others: tuple[str, ...] = ()) -> Right:
    """A host, a call, flags, an address, the id of a choice."""
    return Right((word, *others), tuple(piece.cite for piece in pieces))


def order(ids: tuple[str, ...], *pieces: Piece, others: tuple[tuple[str, ...], ...] = ()) -> Right:
    """Choices in order; ``others``: orders that are right as well."""
    return Right((ids, *others), tuple(piece.cite for piece in pieces))


def payload(piece: Segment | Datagram, begin: int = 0, end: int | None = None) -> Right:
    """Octets of a payload, in hex."""
    return Right((piece.frame.payload[begin:end].hex(),), (piece.cite,))
