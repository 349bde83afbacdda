"""Assembles classic BPF, the little language of seccomp filters: a list of instructions without loops.

A filter sees `struct seccomp_data` (linux/seccomp.h): the system call's number at 0, the architecture at 4, six
arguments of 64 bits from 16 on. The architectures of `seccomp` are little-endian: an argument's low half is first."""

import struct
from collections.abc import Iterable
from typing import NamedTuple

NUMBER, ARCHITECTURE = 0, 4
_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL, _AT_LEAST, _ANY_BIT = 0x15, 0x35, 0x45  # BPF_JMP | BPF_JEQ, BPF_JGE, BPF_JSET, each with BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K
_LONGEST = 4096  # BPF_MAXINSNS


class Instruction(NamedTuple):
    """`struct sock_filter`: `yes` and `no` say how many instructions a jump skips."""

    code: int
    yes: int
    no: int
    value: int


Block = list[Instruction]


def load(offset: int) -> Block:
    """The 32 bits at `offset` into the accumulator."""
    return [Instruction(_LOAD, 0, 0, offset)]


def argument(index: int) -> Block:
    """The low half of an argument. Of those that are checked here the kernel looks at no more (they are ints to it), so
    nobody slips past by setting higher bits."""
    return load(16 + 8 * index)


def give(result: int) -> Block:
    """Ends the filter with `result`."""
    return [Instruction(_RETURN, 0, 0, result)]


def if_equal(value: int, block: Block) -> Block:
    """`block`, if the accumulator is `value`; it must end the filter if it changes the accumulator."""
    return _conditional(_EQUAL, value, block)


def unless_equal(value: int, block: Block) -> Block:
    """`block`, if the accumulator is not `value`."""
    [test, *rest] = _conditional(_EQUAL, value, block)
    return [test._replace(yes=test.no, no=0), *rest]


def if_at_least(value: int, block: Block) -> Block:
    """`block`, if the accumulator is `value` or more."""
    return _conditional(_AT_LEAST, value, block)


def if_any_bit(bits: int, block: Block) -> Block:
    """`block`, if the accumulator has one of `bits`."""
    return _conditional(_ANY_BIT, bits, block)


def _conditional(code: int, value: int, block: Block) -> Block:
    if len(block) > 255:
        raise ValueError("a jump of BPF skips at most 255 instructions")
    return [Instruction(code, 0, len(block), value & 0xFFFFFFFF), *block]


def joined(blocks: Iterable[Block]) -> Block:
    """One after the other."""
    return [instruction for block in blocks for instruction in block]


def unless_one_of(values: Iterable[int], block: Block) -> Block:
    """`block`, if the accumulator is none of `values`."""
    for value in values:
        block = unless_equal(value, block)
    return block


def encoded(program: Block) -> bytes:
    """As the kernel, and bubblewrap's --seccomp, read it."""
    if not 0 < len(program) <= _LONGEST:
        raise ValueError(f"a BPF program has 1 to {_LONGEST} instructions, not {len(program)}")
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
