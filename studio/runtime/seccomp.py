"""Which system calls code in a sandbox may not make: everything is allowed but what is listed here.

What is refused reaches parts of the kernel that no notebook needs and that sandboxes have been left through before:
mounts, new namespaces, keys, BPF, io_uring, modules, clocks, and sockets of families that a network namespace does not
hold (a virtual machine's VSOCK leads to its host). Debuggers (ptrace within the sandbox), multiprocessing and terminals
go on working. The kernel remembers a verdict per number, so what is allowed whatever its arguments costs nothing.
Numbers: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h of Linux 6.18."""

import errno
import functools
import platform
from typing import NamedTuple

from studio.runtime import bpf
from studio.runtime.bpf import Block

ALLOW, KILL = 0x7FFF0000, 0x80000000  # SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS
_ERRNO = 0x00050000  # SECCOMP_RET_ERRNO, with the number in its low bits
DENY = _ERRNO | errno.EPERM
ABSENT = _ERRNO | errno.ENOSYS
NO_FAMILY = _ERRNO | errno.EAFNOSUPPORT
_X32 = 0x40000000  # set in the number of a call by x86_64's 32-bit pointers variant, which has numbers of its own

# clone and unshare: CGROUP, UTS, IPC, USER, PID, NET and the mount namespace.
NAMESPACES = 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000 | 0x00020000
NEW_TIME = 0x80  # only unshare knows it: in clone these bits are the signal at the end
# ioctls that type into the terminal of whoever started the process: TIOCSTI, TIOCLINUX.
TYPING = (0x5412, 0x541C)
FAMILIES = (1, 2, 10, 16)  # unix, IPv4, IPv6 and netlink (which lists the interfaces)
PERSONALITIES = (0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)  # Linux, its 32 bits, its old uname; the last one asks


class Machine(NamedTuple):
    """An architecture: its mark in seccomp's data, and which column of `_DENIED` holds its numbers."""

    mark: int
    column: int


MACHINES = {"x86_64": Machine(0xC000003E, 0), "aarch64": Machine(0xC00000B7, 1)}

# Name, number on x86_64, number on aarch64 (-: there is none).
_TABLE = """
    mount 165 40  umount2 166 39  pivot_root 155 41  chroot 161 51  setns 308 268
    open_tree 428 428  move_mount 429 429  fsopen 430 430  fsconfig 431 431
    fsmount 432 432  fspick 433 433  mount_setattr 442 442  open_tree_attr 467 467
    open_by_handle_at 304 265  quotactl 179 60  quotactl_fd 443 443  migrate_pages 256 238
    add_key 248 217  request_key 249 218  keyctl 250 219  bpf 321 280  perf_event_open 298 241
    userfaultfd 323 282  fanotify_init 300 262  io_uring_setup 425 425
    io_uring_enter 426 426  io_uring_register 427 427  init_module 175 105
    finit_module 313 273  delete_module 176 106  create_module 174 -
    query_module 178 -  get_kernel_syms 177 -  kexec_load 246 104
    kexec_file_load 320 294  reboot 169 142  swapon 167 224  swapoff 168 225
    acct 163 89  syslog 103 116  vhangup 153 58  settimeofday 164 170
    clock_settime 227 112  sethostname 170 161  setdomainname 171 162
    iopl 172 -  ioperm 173 -  uselib 134 -  ustat 136 -  _sysctl 156 -
    nfsservctl 180 42  lookup_dcookie 212 18
""".split()
_DENIED = list(zip(_TABLE[0::3], zip(_TABLE[1::3], _TABLE[2::3], strict=True), strict=True))
# Calls whose arguments decide, and the one that hides its flags behind a pointer: without it libc uses clone.
_CLONE, _UNSHARE, _CLONE3 = (56, 220), (272, 97), (435, 435)
_IOCTL, _SOCKET, _PERSONALITY = (16, 29), (41, 198), (135, 92)


def numbers(machine: str) -> dict[str, int]:
    """The refused calls of an architecture by name, those with conditions left out."""
    column = MACHINES[machine].column
    return {name: int(pair[column]) for name, pair in _DENIED if pair[column] != "-"}


def program(machine: str) -> Block:
    """The filter of an architecture; `KeyError` for one without numbers here."""
    mark, column = MACHINES[machine]
    blocks = [
        bpf.load(bpf.ARCHITECTURE),
        # Another architecture's numbers mean other calls: a program of one (32-bit x86) ends at its first.
        bpf.unless_equal(mark, bpf.give(KILL)),
        bpf.load(bpf.NUMBER),
    ]
    if machine == "x86_64":
        # -1 is what a debugger writes to skip a call.
        blocks += [bpf.if_equal(-1, bpf.give(ABSENT)), bpf.if_at_least(_X32, bpf.give(KILL))]
    blocks += [bpf.if_equal(pair[column], block) for pair, block in _conditions()]
    blocks += [bpf.if_equal(number, bpf.give(DENY)) for number in numbers(machine).values()]
    return bpf.joined([*blocks, bpf.give(ALLOW)])


def _conditions() -> list[tuple[tuple[int, int], Block]]:
    """Calls that are judged by an argument; each block ends the filter."""
    clone = [*bpf.argument(0), *bpf.if_any_bit(NAMESPACES, bpf.give(DENY)), *bpf.give(ALLOW)]
    unshare = [*bpf.argument(0), *bpf.if_any_bit(NAMESPACES | NEW_TIME, bpf.give(DENY)), *bpf.give(ALLOW)]
    typing = bpf.joined(bpf.if_equal(number, bpf.give(DENY)) for number in TYPING)
    socket = [*bpf.argument(0), *bpf.unless_one_of(FAMILIES, bpf.give(NO_FAMILY)), *bpf.give(ALLOW)]
    persona = [*bpf.argument(0), *bpf.unless_one_of(PERSONALITIES, bpf.give(DENY)), *bpf.give(ALLOW)]
    return [
        (_IOCTL, [*bpf.argument(1), *typing, *bpf.give(ALLOW)]),
        (_CLONE, clone),
        (_CLONE3, bpf.give(ABSENT)),
        (_UNSHARE, unshare),
        (_SOCKET, socket),
        (_PERSONALITY, persona),
    ]


@functools.cache
def filter_of(machine: str = platform.machine()) -> bytes:
    """The filter as bytes for bubblewrap's --seccomp; empty for an architecture that has none here."""
    return bpf.encoded(program(machine)) if machine in MACHINES else b""
