"""Passwords as they are kept: a memory-hard hash with its salt and what it was made with, in one line of text.

scrypt (RFC 7914) of OpenSSL; the form is that of the PHC string format: `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`."""

import base64
import hashlib
import hmac
import os
import re
import unicodedata
from dataclasses import dataclass

_KEPT = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})")
_MOST_LOG_N = 20  # 1 GiB: more than that was not written by this program


@dataclass(frozen=True, slots=True)
class Cost:
    """2^`log_n` blocks of 128 · `r` bytes, gone over `p` times. The default takes 32 MiB and about 0.3 s of a core: one
    of those that OWASP's cheat sheet on storing passwords holds to be enough."""

    log_n: int = 15
    r: int = 8
    p: int = 3


DEFAULT = Cost()


def hash_password(password: str, cost: Cost = DEFAULT) -> str:
    """What to keep of `password`; no two calls give the same. CPU-bound, without the interpreter's lock."""
    salt = os.urandom(16)
    return _line(cost, salt, _derive(password, salt, cost))


def decoy(cost: Cost = DEFAULT) -> str:
    """What no password fits; checking against it takes as long as against a real one."""
    return _line(cost, os.urandom(16), os.urandom(32))


def fits(password: str, kept: str) -> bool:
    """Whether `kept` was made of `password`; compared in constant time. CPU-bound, without the interpreter's lock."""
    found = _read(kept)
    if found is None:
        return False
    cost, salt, expected = found
    return hmac.compare_digest(_derive(password, salt, cost), expected)


def is_made_with(kept: str, cost: Cost = DEFAULT) -> bool:
    """False for one that is to be made again, at the next sign-in."""
    found = _read(kept)
    return found is not None and found[0] == cost


def normalised(password: str) -> str:
    """The same characters typed on another keyboard are the same password (Unicode's NFKC)."""
    return unicodedata.normalize("NFKC", password)


def _derive(password: str, salt: bytes, cost: Cost) -> bytes:
    blocks = 1 << cost.log_n
    room = 128 * cost.r * (blocks + cost.p + 2) + (1 << 20)
    text = normalised(password).encode()
    return hashlib.scrypt(text, salt=salt, n=blocks, r=cost.r, p=cost.p, maxmem=room, dklen=32)


def _line(cost: Cost, salt: bytes, derived: bytes) -> str:
    return f"$scrypt$ln={cost.log_n},r={cost.r},p={cost.p}${_text(salt)}${_text(derived)}"


def _read(kept: str) -> tuple[Cost, bytes, bytes] | None:
    found = _KEPT.fullmatch(kept)
    if found is None:
        return None
    cost = Cost(int(found[1]), int(found[2]), int(found[3]))
    if not 1 <= cost.log_n <= _MOST_LOG_N or not cost.r or not cost.p:
        return None
    return cost, _bytes(found[4]), _bytes(found[5])


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
