"""Any BPF program lets the frames pass that a machine for one frame, written after bpf(4), lets pass."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lab.filters.bpf import Instruction, passing, program
from lab.packets.reader import read_capture
from tests.handmade import pcap

WORD = 2**32
LOADS = [0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x00, 0x60, 0x80, 0x01, 0x61, 0x81, 0xB1]
STORES, MOVES = [0x02, 0x03], [0x07, 0x87]
SUMS = [0x04 | operation | source for operation in range(0, 0xB0, 0x10) for source in (0, 8)]
JUMPS = [0x05 | test | source for test in (0x10, 0x20, 0x30, 0x40) for source in (0, 8)]
RETURNS = [0x06, 0x16]

LETTERS = st.binary(max_size=12)
NUMBERS = st.integers(0, 20) | st.integers(0, WORD - 1)


def instructions(left: int) -> st.SearchStrategy[Instruction]:
    """An instruction with this many after it, the last of which returns."""
    anything = st.builds(
        Instruction, st.sampled_from(LOADS + SUMS + MOVES), *[st.just(0)] * 2, NUMBERS
    )
    memory = st.builds(
        Instruction, st.sampled_from([*STORES, 0x60, 0x61]), *[st.just(0)] * 2, st.integers(0, 15)
    )
    ahead = st.integers(0, left - 1)
    jumps = st.builds(Instruction, st.sampled_from(JUMPS), ahead, ahead, NUMBERS)
    always = st.builds(Instruction, st.just(0x05), st.just(0), st.just(0), ahead)
    ends = st.builds(Instruction, st.sampled_from(RETURNS), *[st.just(0)] * 2, NUMBERS)
    bounded = anything.map(
        lambda one: one._replace(k=one.k % 16) if one.code in (0x60, 0x61) else one
    )
    return bounded | memory | jumps | always | ends


PROGRAMS = st.integers(1, 12).flatmap(
    lambda count: st.tuples(
        *(instructions(count - place) for place in range(count)),
        st.just(Instruction(0x16, 0, 0, 0)),
    )
)


def one_frame(steps: tuple[Instruction, ...], frame: bytes, length: int) -> bool:
    """The machine of bpf(4) for a single frame."""
    a = x = place = 0
    memory = [0] * 16
    while True:
        code, if_true, if_false, k = steps[place]
        place += 1
        kind, other = code & 7, x if code & 8 else k
        if kind == 6:
            return (a if code & 0x18 == 0x10 else k) != 0
        if kind == 5:
            test = code & 0xF0
            holds = {0x10: a == other, 0x20: a > other, 0x30: a >= other, 0x40: a & other != 0}
            place += k if test == 0 else if_true if holds[test] else if_false
        elif kind in (0, 1):
            mode, size = code & 0xE0, {0x00: 4, 0x08: 2, 0x10: 1}[code & 0x18]
            at = k + (x if mode == 0x40 else 0)
            if mode in (0x20, 0x40, 0xA0) and at + size > len(frame):
                return False
            found = int.from_bytes(frame[at : at + size], "big")
            value = {0x00: k, 0x60: memory[k % 16], 0x80: length, 0xA0: (found & 15) * 4}.get(
                mode, found
            )
            a, x = (value, x) if kind == 0 else (a, value)
        elif kind == 4:
            operation = code & 0xF0
            if operation in (0x30, 0x90) and other == 0:
                return False
            a = {
                0x00: lambda a=a, b=other: a + b,
                0x10: lambda a=a, b=other: a - b,
                0x20: lambda a=a, b=other: a * b,
                0x30: lambda a=a, b=other: a // b,
                0x40: lambda a=a, b=other: a | b,
                0x50: lambda a=a, b=other: a & b,
                0x60: lambda a=a, b=other: a << b if b < 32 else 0,
                0x70: lambda a=a, b=other: a >> b if b < 32 else 0,
                0x80: lambda a=a: -a,
                0x90: lambda a=a, b=other: a % b,
                0xA0: lambda a=a, b=other: a ^ b,
            }[operation]() % WORD
        elif kind == 2:
            memory[k] = a
        elif kind == 3:
            memory[k] = x
        else:
            a, x = (x, x) if code & 0x80 else (a, a)


@given(PROGRAMS, st.lists(LETTERS, min_size=1, max_size=6), st.integers(1, 12))
def test_all_frames_at_once_are_as_one_by_one(steps, contents, cut):
    frames = read_capture(pcap(contents, cut=cut)).frames
    found = passing(steps, frames, frames.start.argsort())
    assert found.tolist() == [one_frame(steps, each[:cut], len(each)) for each in contents]


@given(PROGRAMS)
def test_a_program_is_read_as_tcpdump_prints_it(steps):
    lines = [str(len(steps)), *(" ".join(map(str, one)) for one in steps)]
    assert program("\n".join(lines) + "\n") == steps
