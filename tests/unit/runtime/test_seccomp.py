"""The filter of system calls, run by a small machine of its own as the kernel would run it."""

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.runtime import bpf, seccomp

MACHINES = sorted(seccomp.MACHINES)
CLONE = {"x86_64": 56, "aarch64": 220}
UNSHARE = {"x86_64": 272, "aarch64": 97}
IOCTL = {"x86_64": 16, "aarch64": 29}
SOCKET = {"x86_64": 41, "aarch64": 198}
PERSONALITY = {"x86_64": 135, "aarch64": 92}
DENY = 0x00050000 | errno.EPERM
THREAD = 0x003D0F00  # what libc asks of clone for a thread: VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, SETTLS, …
NEW_USER, NEW_NET, SIGCHLD = 0x10000000, 0x40000000, 17


def run(code: bytes, number: int, *arguments: int, mark: int) -> int:
    """What the program in `code` gives for a call: loads, jumps and a return of classic BPF."""
    padded = [argument & 0xFFFFFFFFFFFFFFFF for argument in (*arguments, *[0] * (6 - len(arguments)))]
    data = struct.pack("<iIQ6Q", struct.unpack("i", struct.pack("I", number))[0], mark, 0, *padded)
    program = list(struct.iter_unpack("<HBBI", code))
    accumulator = place = 0
    while True:
        operation, yes, no, value = program[place]
        place += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif operation == 0x06:
            return value
        else:
            holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[operation]
            place += yes if holds else no


def verdict(machine: str, number: int, *arguments: int) -> int:
    code = seccomp.filter_of(machine)
    return run(code, number, *arguments, mark=seccomp.MACHINES[machine].mark)


@pytest.mark.parametrize("machine", MACHINES)
def test_listed_calls_are_refused_and_all_others_allowed(machine: str) -> None:
    refused = seccomp.numbers(machine)
    assert {"mount", "setns", "keyctl", "bpf", "io_uring_setup", "kexec_load", "init_module"} <= refused.keys()
    judged = {CLONE[machine], UNSHARE[machine], IOCTL[machine], SOCKET[machine], PERSONALITY[machine], 435}
    for number in range(600):
        expected = DENY if number in refused.values() else seccomp.ALLOW
        if number not in judged:
            assert verdict(machine, number) == expected, number
    # A C library that is told so starts its threads with clone, whose flags can be seen.
    assert verdict(machine, 435) == 0x00050000 | errno.ENOSYS


@pytest.mark.parametrize("machine", MACHINES)
def test_threads_and_processes_start_and_namespaces_do_not(machine: str) -> None:
    assert verdict(machine, CLONE[machine], THREAD) == seccomp.ALLOW
    assert verdict(machine, CLONE[machine], SIGCHLD) == seccomp.ALLOW
    assert verdict(machine, UNSHARE[machine], 0x400) == seccomp.ALLOW  # its own table of files
    for flags in (NEW_USER, NEW_NET | SIGCHLD, NEW_USER | 0x00020000, 1 << 63 | NEW_USER):
        assert verdict(machine, CLONE[machine], flags) == DENY
        assert verdict(machine, UNSHARE[machine], flags) == DENY
    assert verdict(machine, UNSHARE[machine], 0x80) == DENY  # a namespace of clocks


@pytest.mark.parametrize("machine", MACHINES)
def test_nobody_types_into_a_terminal(machine: str) -> None:
    resize = 0x5414
    assert verdict(machine, IOCTL[machine], 1, resize) == seccomp.ALLOW
    for request in (0x5412, 0x541C, 1 << 32 | 0x5412):  # the kernel drops the upper half
        assert verdict(machine, IOCTL[machine], 1, request) == DENY


@pytest.mark.parametrize("machine", MACHINES)
def test_only_families_that_a_network_namespace_holds(machine: str) -> None:
    for family in (1, 2, 10, 16):
        assert verdict(machine, SOCKET[machine], family) == seccomp.ALLOW
    for family in (17, 38, 40, 1 << 32 | 40):
        assert verdict(machine, SOCKET[machine], family) == 0x00050000 | errno.EAFNOSUPPORT
    assert verdict(machine, PERSONALITY[machine], 0xFFFFFFFF) == seccomp.ALLOW
    assert verdict(machine, PERSONALITY[machine], 0x40000) == DENY


@given(st.sampled_from(MACHINES), st.integers(0, 0xFFFFFFFF), st.integers(0, 600))
def test_another_architecture_ends_the_process(machine: str, mark: int, number: int) -> None:
    own = seccomp.MACHINES[machine].mark
    if mark != own:
        assert run(seccomp.filter_of(machine), number, mark=mark) == seccomp.KILL


@given(st.integers(0x40000000, 0xFFFFFFFE))
def test_the_other_numbers_of_x86_end_the_process(number: int) -> None:
    assert verdict("x86_64", number) == seccomp.KILL
    assert verdict("x86_64", 0xFFFFFFFF) == 0x00050000 | errno.ENOSYS


def test_an_architecture_without_numbers_has_no_filter() -> None:
    assert seccomp.filter_of("riscv64") == b""


def test_what_bpf_cannot_say_is_not_assembled() -> None:
    with pytest.raises(ValueError, match="255"):
        bpf.if_equal(1, bpf.give(0) * 256)
    with pytest.raises(ValueError, match="4096"):
        bpf.encoded(bpf.give(0) * 4097)
    with pytest.raises(ValueError, match="not 0"):
        bpf.encoded([])
