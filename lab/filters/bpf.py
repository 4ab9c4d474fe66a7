"""Classic BPF, run over all frames of a capture at once.

The machine of McCanne and Jacobson (1993; bpf(4), Linux Documentation/networking/filter.rst): an
accumulator, an index register, 16 words of memory. Its programs jump forward only (but for the
loop of libpcap's ``protochain``), so every instruction is done for all frames that have come to
it before the next one is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.packets.each import Each, one_by_one
from lab.packets.frames import Frames

Rows = NDArray[np.int64]
Words = NDArray[np.uint32]

BLOCK = 1 << 15
"""Frames that go through a program together: their registers stay in the processor's cache."""

LD, LDX, ST, STX, ALU, JMP, RET, MISC = range(8)  # the class, bits 0 to 2 of a code
IMM, ABS, IND, MEM, LEN, MSH = range(0, 0xC0, 0x20)  # the mode of LD and LDX, bits 5 to 7
NEG = 0x80
OPERATIONS: dict[int, Callable[[Words, Words], Words]] = {
    0x00: np.add,
    0x10: np.subtract,
    0x20: np.multiply,
    0x30: np.floor_divide,
    0x40: np.bitwise_or,
    0x50: np.bitwise_and,
    0x60: np.left_shift,  # NumPy gives 0 for 32 bits and more, as the machine does
    0x70: np.right_shift,
    0x90: np.remainder,
    0xA0: np.bitwise_xor,
}
DIVIDES = (0x30, 0x90)
ALWAYS = 0x00
TESTS: dict[int, Callable[[Words, Words], NDArray[np.bool_]]] = {
    0x10: np.equal,
    0x20: np.greater,
    0x30: np.greater_equal,
    0x40: lambda first, second: (first & second) != 0,
}
SIZES = {0x00: ">u4", 0x08: ">u2", 0x10: "u1"}
BY_X, BY_A = 0x08, 0x10  # where an operand is, where what is returned is
TXA = 0x80


class Instruction(NamedTuple):
    """One instruction, as ``struct bpf_insn`` has it."""

    code: int
    if_true: int  # instructions to pass over
    if_false: int
    k: int  # operand, 32 bits


Program = tuple[Instruction, ...]


def program(decimal: str) -> Program:
    """Read a program as ``tcpdump -ddd`` prints it: how many instructions, then one a line.

    Raises ValueError if that is not what it is.
    """
    count, *lines = decimal.splitlines() or [""]
    found = tuple(Instruction(*map(int, line.split())) for line in lines if len(line.split()) == 4)
    if not found or len(found) != int(count):
        raise ValueError(f"no BPF program: {decimal}")
    return found


def passing(
    program: Program, frames: Frames, rows: Rows, each: Each = one_by_one
) -> NDArray[np.bool_]:
    """Which of these frames a program lets pass; for ``each`` see `lab.packets.each`.

    What looks beyond the captured octets, or divides by nothing, ends for that frame: it does
    not pass.
    """
    blocks = [rows[begin : begin + BLOCK] for begin in range(0, len(rows), BLOCK)]
    none = [np.zeros(0, np.bool_)]
    return np.concatenate([*none, *each(partial(_block, program, frames), blocks)])


def _block(program: Program, frames: Frames, rows: Rows) -> NDArray[np.bool_]:
    machine = _machine(frames, rows)
    waiting = {0: np.arange(len(rows))}
    while waiting:
        place = min(waiting)
        at, done = waiting.pop(place), program[place]
        for ahead, some in machine.do(done, at):
            if len(some):
                target = place + 1 + ahead
                others = waiting.get(target)
                waiting[target] = some if others is None else np.concatenate((others, some))
    return machine.passed


def _machine(frames: Frames, rows: Rows) -> _Machine:
    return _Machine(
        octets=frames.octets,
        start=frames.start[rows],
        captured=frames.captured[rows].astype(np.int64),
        length=frames.length[rows].astype(np.uint32),
        a=np.zeros(len(rows), np.uint32),
        x=np.zeros(len(rows), np.uint32),
        memory=np.zeros((16, len(rows)), np.uint32),
        passed=np.zeros(len(rows), np.bool_),
    )


Ways = tuple[tuple[int, Rows], ...]
"""Where frames go on: how many instructions are passed over, and which frames."""


class _Machine(Struct):
    """The registers of a block's frames; ``at`` below are positions in that block."""

    octets: NDArray[np.uint8]
    start: Rows
    captured: NDArray[np.int64]
    length: Words
    a: Words
    x: Words
    memory: NDArray[np.uint32]  # (16, frames)
    passed: NDArray[np.bool_]

    def do(self, one: Instruction, at: Rows) -> Ways:
        """Do one instruction for some frames."""
        kind = one.code & 0x07
        if kind == JMP:
            return self._jump(one, at)
        if kind == RET:
            self.passed[at] = self.a[at] != 0 if one.code & 0x18 == BY_A else one.k != 0
            return ()
        if kind in (LD, LDX):
            at = self._load(one, at)
        elif kind == ALU:
            at = self._compute(one, at)
        elif kind in (ST, STX):
            self.memory[one.k, at] = (self.a if kind == ST else self.x)[at]
        elif one.code & 0xF8 == TXA:
            self.a[at] = self.x[at]
        else:
            self.x[at] = self.a[at]
        return ((0, at),)

    def _operand(self, one: Instruction, at: Rows) -> Words:
        return self.x[at] if one.code & BY_X else np.full(len(at), one.k, np.uint32)

    def _jump(self, one: Instruction, at: Rows) -> Ways:
        test = one.code & 0xF0
        if test == ALWAYS:
            return ((one.k - (one.k >> 31 << 32), at),)  # signed: protochain jumps back
        holds = TESTS[test](self.a[at], self._operand(one, at))
        return (one.if_true, at[holds]), (one.if_false, at[~holds])

    def _load(self, one: Instruction, at: Rows) -> Rows:
        """Load a register; returns the frames that have what is asked for."""
        into, mode = self.a if one.code & 0x07 == LD else self.x, one.code & 0xE0
        if mode == IMM:
            into[at] = one.k
        elif mode == MEM:
            into[at] = self.memory[one.k, at]
        elif mode == LEN:
            into[at] = self.length[at]
        elif mode == MSH:
            at, found = self._fetch(at, np.full(len(at), one.k, np.int64), "u1")
            self.x[at] = (found & 0x0F) << 2
        else:
            place = self.x[at].astype(np.int64) if mode == IND else np.zeros(len(at), np.int64)
            at, found = self._fetch(at, place + one.k, SIZES[one.code & 0x18])
            self.a[at] = found
        return at

    def _fetch(self, at: Rows, place: NDArray[np.int64], kind: str) -> tuple[Rows, Words]:
        """The numbers at these places of each frame, of the frames that reach so far."""
        size = np.dtype(kind).itemsize
        inside = place + size <= self.captured[at]
        at, place = at[inside], place[inside]
        if not len(at):
            return at, np.zeros(0, np.uint32)
        every = np.ndarray((len(self.octets) - size + 1,), kind, self.octets, strides=(1,))
        return at, every[self.start[at] + place].astype(np.uint32)

    def _compute(self, one: Instruction, at: Rows) -> Rows:
        """Change the accumulator; returns the frames for which that can be done."""
        operation = one.code & 0xF0
        if operation == NEG:
            self.a[at] = -self.a[at]
            return at
        second = self._operand(one, at)
        if operation in DIVIDES:
            at, second = at[second != 0], second[second != 0]
        self.a[at] = OPERATIONS[operation](self.a[at], second)
        return at
