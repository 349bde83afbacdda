"""`python tests/lowered.py PROGRAM WORD...`: runs it as another account than root, as long as its parent lives.

Standard library only: it is a program's first breath, and costs as long as its imports do."""

import ctypes
import os
import pwd
import signal
import sys

_PR_SET_PDEATHSIG = 1


def account() -> pwd.struct_passwd | None:
    """Whom root runs such a program as; None for anybody else, who stays who they are."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError("There is neither an account 'postgres' nor 'nobody' to become.")


if __name__ == "__main__":
    other = account()
    if other is not None:
        os.setgroups([])
        os.setgid(other.pw_gid)
        os.setuid(other.pw_uid)
    if sys.platform == "linux":
        # After the change of account, which would forget it.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
    os.execv(sys.argv[1], sys.argv[1:])
