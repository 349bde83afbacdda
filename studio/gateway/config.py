"""What the supervisor tells the gateway, once, in a JSON file."""

from pathlib import Path

import msgspec

from studio.errors import Invalid


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`fds`: listening TCP sockets inherited from the supervisor, so that a restarted gateway keeps its port."""

    home: Path
    sockets: Path
    port: int
    fds: list[int]
    secret: Path
    """File with the secret that the server knows us by; it also seals the table at rest."""
    scheme: str = "http"
    hosts: list[str] = []
    """Further names of the apex, such as `studio.example.org`, exactly as browsers send them."""
    hold_s: float = 10.0
    """How long a request waits for a server, lab or replica that is starting again."""
    max_header_bytes: int = 65536
    idle_s: float = 75.0
    log_level: str = "INFO"

    @property
    def table(self) -> Path:
        return self.home / "run" / "gateway.table"

    @property
    def capture(self) -> Path:
        return self.home / "capture"

    @property
    def apex_hosts(self) -> tuple[str, ...]:
        """Every Host of the apex; the first is the one that pages are sent to."""
        return (*self.hosts, f"127.0.0.1:{self.port}", f"localhost:{self.port}")


def load(path: Path) -> Config:
    """The configuration in `path`, or `Invalid` naming what is wrong with it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Config, dec_hook=lambda kind, value: kind(value))
    except (OSError, msgspec.DecodeError) as error:
        raise Invalid(
            f"The gateway's configuration {path} cannot be used: {error}.", "`studio up` writes it."
        ) from error
