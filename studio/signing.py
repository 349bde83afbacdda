"""Secrets: making, comparing, and sealing them at rest with a key file of mode 0600."""

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


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
    """The secret kept in `path`, made (mode 0600, its folder 0700) at the first call."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(secret := new_secret())
        file.flush()
        os.fsync(file.fileno())
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
