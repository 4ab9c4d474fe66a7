"""Interview mode: a question, a spoken answer against the clock, then the proof, then the next."""

from __future__ import annotations

from collections.abc import Mapping

from lab.questions.base import Question

TIME = 90 * 10**9  # ns for a spoken answer
CHAINS = (("HS01", "HS03", "HS08"), ("TD01", "TD02", "TD07"), ("BS01", "BS02", "FC05"))
LENGTH = 3


def chain(first: Question, known: Mapping[str, Question]) -> tuple[Question, ...]:
    """What an interviewer asks one after another: a chain that begins so, else by ``then``."""
    for ids in CHAINS:
        if first.id == ids[0] and all(one in known for one in ids):
            return tuple(known[one] for one in ids)
    found = [first]
    while len(found) < LENGTH:
        further = (known[one] for one in found[-1].then if one in known)
        following = next((one for one in further if one not in found and one.values), None)
        if following is None:
            break
        found.append(following)
    return tuple(found)
