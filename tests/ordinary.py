"""Runs a program as an ordinary user of this machine, for tests that run as root.

`python -m tests.ordinary UID FOLDER… -- PROGRAM ARGUMENT…`. A checkout, its Python and its environments may lie where
no other user can enter: in mounts of its own, each FOLDER's files belong to UID (mount_setattr(2), MOUNT_ATTR_IDMAP),
on the disk they stay root's. Exit code 99: this kernel or file system cannot do that."""

import contextlib
import ctypes
import os
import signal
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

CANNOT = 99
_NEW_MOUNTS, _NEW_USERS = 0x00020000, 0x10000000
_PRIVATE = 0x4000 | 0x40000  # MS_REC | MS_PRIVATE
_CLONE, _RECURSIVE, _EMPTY_PATH, _IDMAP, _MOVE_FROM = 1, 0x8000, 0x1000, 0x00100000, 0x4
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_libc = ctypes.CDLL(None, use_errno=True)


def closed(path: Path) -> Path:
    """The highest folder above `path` that others cannot enter, else `path`."""
    for folder in reversed(path.resolve().parents):
        if folder.stat().st_mode & 0o005 != 0o005:
            return folder
    return path


def main(uid: int, folders: list[str], argv: list[str]) -> None:
    """Becomes the program."""
    try:
        _checked(_libc.unshare(_NEW_MOUNTS))
        _checked(_libc.mount(b"none", b"/", None, ctypes.c_ulong(_PRIVATE), None))
        with _mapping(uid) as users:
            for folder in dict.fromkeys(folders):
                _give(folder, users)
    except OSError as error:
        print(f"idmapped mounts: {error}", file=sys.stderr)
        sys.exit(CANNOT)
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    os.execvp(argv[0], argv)


def _give(folder: str, users: int) -> None:
    """Mounts `folder` over itself with its owner mapped."""
    tree = _checked(_libc.syscall(_OPEN_TREE, -100, folder.encode(), _CLONE))
    attributes = struct.pack("=QQQQ", _IDMAP, 0, 0, users)
    _checked(_libc.syscall(_MOUNT_SETATTR, tree, b"", _EMPTY_PATH, attributes, len(attributes)))
    _checked(_libc.syscall(_MOVE_MOUNT, tree, b"", -100, folder.encode(), _MOVE_FROM))
    os.close(tree)


@contextlib.contextmanager
def _mapping(uid: int) -> Iterator[int]:
    """A descriptor of a user namespace in which root is `uid`."""
    begin, go = os.pipe()
    child = os.fork()
    if child == 0:
        os._exit(0 if _libc.unshare(_NEW_USERS) == 0 and os.write(go, b"1") and signal.pause() is None else 1)
    try:
        os.close(go)
        if not os.read(begin, 1):
            raise OSError("no user namespace can be made")
        for kind in ("uid", "gid"):
            Path(f"/proc/{child}/{kind}_map").write_text(f"0 {uid} 1")
        users = os.open(f"/proc/{child}/ns/user", os.O_RDONLY)
        yield users
        os.close(users)
    finally:
        os.close(begin)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


if __name__ == "__main__":
    split = sys.argv.index("--")
    main(int(sys.argv[1]), sys.argv[2:split], sys.argv[split + 1 :])
