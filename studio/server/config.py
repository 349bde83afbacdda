"""What the supervisor tells the server, once, in a JSON file."""

from pathlib import Path
from typing import Any

import msgspec

from studio.errors import Invalid


class Secrets(msgspec.Struct, frozen=True):
    """Files: what the gateway proves itself with, and the installation's master key."""

    gateway: Path
    master: Path


class Config(msgspec.Struct, frozen=True):
    """`address`: of the gateway, as browsers see it."""

    home: Path
    sockets: Path
    supervisor: Path
    address: str
    secrets: Secrets
    host: str = "127.0.0.1"
    port: int = 0


def load(path: Path) -> Config:
    """The configuration in `path`, or `Invalid` naming what is wrong with it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Config, dec_hook=_path)
    except (OSError, msgspec.DecodeError) as error:
        raise Invalid(
            f"The server's configuration {path} cannot be used: {error}.", "`studio up` writes it."
        ) from error


def _path(kind: type, value: Any) -> Any:
    """msgspec knows no paths."""
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"{kind.__name__} is not expected")
