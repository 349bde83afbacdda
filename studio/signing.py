"""Secrets: making, comparing, and sealing them at rest with a key file of mode 0600."""

import base64
import hashlib
import hmac
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import Invalid

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

LEAST = 32  # characters of a secret that is believed to be one


def new_secret() -> str:
    """43 URL-safe characters, 256 bits."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """SHA-256 in hex. Tokens are random 256-bit values, so a plain hash is enough to keep them unusable at rest."""
    return hashlib.sha256(token.encode()).hexdigest()


def equal(left: str, right: str) -> bool:
    """Compares in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


def keyed(secret: str, text: str) -> str:
    """HMAC-SHA-256 of `text`, URL-safe."""
    raw = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def secret_file(path: Path) -> str:
    """The secret kept in `path`, made (mode 0600, its folder 0700) at the first call; `Invalid` for one that others can
    read or change, or that is a link: it may be known to them."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not os.path.lexists(path):
        # Whole or not there: a key of which only the beginning was written would be a known one.
        temporary = path.with_name(f"{path.name}.{new_secret()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(new_secret())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(temporary, path)
        temporary.unlink()
    return _read_secret(path)


def _read_secret(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise Invalid(f"The key file {path} cannot be read: {error.strerror}.", f"See `ls -l {path}`.") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid not in (os.geteuid(), 0):
            raise Invalid(f"The key file {path} is not a file of this account.", f"See `ls -l {path}`.")
        if mode := stat.S_IMODE(found.st_mode) & 0o077:
            raise Invalid(
                f"The key file {path} can be read or changed by others (mode {mode:03o} for them).",
                f"Say `chmod 600 {path}`. If somebody else may have read it, make new access keys afterwards.",
            )
        secret = os.read(descriptor, 4096).decode("ascii", "replace").strip()
    finally:
        os.close(descriptor)
    if len(secret) < LEAST:
        raise Invalid(f"The key file {path} is empty or cut off.", "Restore it from a backup of the home.")
    return secret


def seal(secret: str, data: bytes) -> bytes:
    """Encrypted and authenticated (Fernet) under a key derived from `secret`."""
    return _fernet(secret).encrypt(data)


def unseal(secret: str, sealed: bytes) -> bytes:
    """What was sealed; `cryptography.fernet.InvalidToken` if the key or the bytes are not the same."""
    return _fernet(secret).decrypt(sealed)


def _fernet(secret: str) -> "Fernet":
    # Imported late: guests import this module and their environments need not have cryptography.
    from cryptography.fernet import Fernet

    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()))
