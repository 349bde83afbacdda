"""Every setting with its default: `STUDIO_*` variables, read once at the start of a process."""

import functools
import hashlib
import importlib.util
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from studio.errors import Invalid
from studio.ids import check_name

POSTGRESQL = frozenset({"postgres", "postgresql", "postgresql+psycopg"})


def _assets() -> Path:
    """`assets/` of a wheel lies inside the package, that of a checkout beside it."""
    package = Path(__file__).resolve().parent
    packaged = package / "assets"
    return packaged if packaged.is_dir() else package.parent / "assets"


@dataclass(frozen=True, slots=True)
class Paths:
    """Where everything lies under one home; removing Studio is deleting `home` and the sockets' folder."""

    home: Path
    sockets: Path
    environments: Path

    @property
    def database(self) -> Path:
        return self.home / "studio.db"

    @property
    def artifacts(self) -> Path:
        return self.home / "artifacts"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def capture(self) -> Path:
        return self.home / "capture"

    @property
    def invocations(self) -> Path:
        """Bodies and answers of predictions that are made later."""
        return self.home / "invocations"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def keys(self) -> Path:
        return self.home / "keys"

    def domain(self, domain: str) -> Path:
        """The domain's volume; the name is checked, so that no odd one can mean the parent of all domains."""
        return self.home / "domains" / check_name(domain, "domain")

    def shared(self, domain: str) -> Path:
        """The folder that all members of `domain` share."""
        return self.domain(domain) / "shared"

    def user(self, domain: str, user: str) -> Path:
        """The private folder of `user` in `domain`; HOME in their sandbox."""
        return self.domain(domain) / "users" / check_name(user, "user")

    def box(self, sandbox: str) -> Path:
        """The socket folder of one sandbox: `in` is the host's, `out` is the sandbox's."""
        return self.sockets / "b" / sandbox


class Settings(BaseSettings):
    """One installation. Each field is `STUDIO_<NAME>` in the environment."""

    model_config = SettingsConfigDict(env_prefix="STUDIO_", extra="ignore")

    home: Path = Field(default_factory=lambda: Path.home() / ".studio", description="Folder that holds everything.")
    host: str = Field("127.0.0.1", description="Address the gateway listens on; only loopback without TLS.")
    port: int = Field(
        8600, ge=0, le=65535, description="First port to try; the next free one is taken if it is in use."
    )
    database_url: str = Field(
        "", description="postgresql://user@host/database; empty means the SQLite file in the home."
    )
    database_wait_seconds: float = Field(30.0, ge=0, description="How long a call waits for a database that is away.")
    environments: Path | None = Field(None, description="Store of built environments; default: inside the home.")
    environment_days: float = Field(
        30.0, ge=0, description="Built environments that nothing used for so long are removed; 0: never."
    )
    isolation: str = Field("auto", description="auto: bubblewrap where it works; none: never (labelled not isolated).")
    first_domain: str = Field("demo", description="Name of the domain made at the first start.")
    first_environment: str = Field("sklearn", description="Built at the first start; a lab has its fork server ready.")
    currency: str = Field("€", description="Sign shown before costs.")
    browser: bool = Field(True, description="Open the browser at the end of `studio up`.")
    audit_days: int = Field(365, ge=1, le=36_500, description="How long a row of the audit log is kept.")
    webhook_hosts: str = Field(
        "", description="Webhooks may go to these though they are not public: host, host:port, network/bits; commas."
    )
    async_body_mb: int = Field(256, ge=1, le=1024, description="Largest body of a prediction that is made later, MiB.")
    async_days: float = Field(7.0, gt=0, description="How long such predictions and their answers are kept.")
    async_at_once: int = Field(2, ge=1, le=16, description="How many of them one endpoint is asked at once.")
    monitor_seconds: float = Field(5.0, description="How often monitors look for new captured rows.")
    assets: Path = Field(default_factory=_assets, description="Sample data, notebooks, environment definitions.")

    @field_validator("database_url")
    @classmethod
    def _check_database(cls, url: str) -> str:
        return check_database_url(url) if url else url

    @property
    def paths(self) -> Paths:
        """The folders of this installation."""
        return _paths(self.home, self.environments, os.environ.get("XDG_RUNTIME_DIR", ""))

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.paths.database}"


def check_database_url(url: str) -> str:
    """`url` itself, if this installation can work with such a database; else `Invalid`, which does not repeat it."""
    kind, sign, _ = url.partition("://")
    if not sign or kind not in POSTGRESQL | {"sqlite"}:
        # There may be a password in it.
        raise Invalid("STUDIO_DATABASE_URL is no URL that Studio works with.", "Write postgresql://user@host/database.")
    if kind in POSTGRESQL and importlib.util.find_spec("psycopg") is None:
        raise Invalid(
            "STUDIO_DATABASE_URL names a PostgreSQL database, and its driver is not installed.",
            "Install it: pip install 'jupyterlab-studio[postgresql]'.",
        )
    return url


@functools.lru_cache
def _paths(given: Path, environments: Path | None, runtime: str) -> Paths:
    # Kept, since asking the file system for every path costs half a millisecond and loops ask often.
    home = given.expanduser().resolve()
    return Paths(home, _sockets(home, runtime), (environments or home / "environments").resolve())


def _sockets(home: Path, runtime: str) -> Path:
    """A short folder, since a unix socket's path ends at 107 bytes and a home may be deep."""
    name = f"studio-{os.getuid()}-{hashlib.sha256(str(home).encode()).hexdigest()[:8]}"
    base = runtime if runtime and len(runtime) <= 24 and Path(runtime).is_dir() else "/tmp"
    return Path(base if Path(base).is_dir() else tempfile.gettempdir()) / name
