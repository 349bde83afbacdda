"""What a domain stores and how much it may: measured by a program every so often, and what follows from being over."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select, update

from studio.clock import now_ms
from studio.errors import Invalid, OutOfSpace
from studio.store import signal
from studio.store.tables.volumes import volumes
from studio.store.tenancy import EVERY, scope_query

MOST_MB = 1 << 30
ACTIVE_S = 60  # how often a domain is measured in which somebody works
QUIET_S = 3600
SHARE = 60  # the time of a measurement is at most one part in so many


@dataclass(frozen=True, slots=True)
class Volume:
    """Bytes on the disk as last measured (`measured_ms` None: it is to be measured now, 0: it is being measured).
    `quota_mb` in MiB, 0 = none. Snapshots and artifacts count too: they lie on the same disk."""

    domain: str
    quota_mb: int = 0
    shared_bytes: int = 0
    homes: dict[str, int] = field(default_factory=dict)
    snapshots_bytes: int = 0
    artifacts_bytes: int = 0
    files: int = 0
    took_ms: int = 0
    measured_ms: int | None = None

    @property
    def used_bytes(self) -> int:
        """All of it together."""
        return self.shared_bytes + sum(self.homes.values()) + self.snapshots_bytes + self.artifacts_bytes

    @property
    def is_over(self) -> bool:
        """Whether there is a quota and it is used up."""
        return bool(self.quota_mb) and self.used_bytes >= self.quota_mb << 20

    @property
    def words(self) -> str:
        """Why nothing new begins here, for people; "" if nothing stands in the way."""
        if not self.is_over:
            return ""
        return f"{self.domain} stores {size(self.used_bytes)}; its quota is {size(self.quota_mb << 20)}."


@dataclass(frozen=True, slots=True)
class Enforcement:
    """How a quota is enforced on this host, in words. `level`: none, or measured (the system itself stops no write)."""

    level: str
    words: str
    advice: str


def enforcement(quota_mb: int) -> Enforcement:
    """What holds for a domain with this quota; claims no more than Studio does."""
    if not quota_mb:
        return Enforcement(
            "none",
            "The domain has no quota: it may fill the disk. Uploads leave some of it to the database.",
            "Set one: studio volume quota NAME --mb N.",
        )
    return Enforcement(
        "measured",
        f"Studio measures every {ACTIVE_S} s while somebody works here. Over the quota it takes no upload, snapshot, "
        "space, job or kernel; when the disk itself is nearly full it ends the sandboxes of domains that are over "
        "theirs. A program that writes is not stopped in between.",
        "For a limit that the system enforces, put the home on a file system of its own, or one with project quotas.",
    )


def size(count: int) -> str:
    """Bytes for people."""
    for power, unit in ((40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")):
        if count >= 1 << power:
            return f"{count / (1 << power):.3g} {unit}"
    return f"{count} bytes"


def require(full: Mapping[str, str], domain: str) -> None:
    """`OutOfSpace` if `domain` is among those over their quota (name → why)."""
    if why := full.get(domain):
        raise OutOfSpace(why, "Remove files, snapshots or runs that nobody needs, or ask who runs Studio for more.")


def due(volume: Volume, is_active: bool, at_ms: int) -> bool:
    """Whether it is time to measure: sooner where somebody works, later where it takes long."""
    if volume.measured_ms is None:
        return True
    pause_s = max(ACTIVE_S if is_active else QUIET_S, volume.took_ms * SHARE // 1000)
    return at_ms - volume.measured_ms > pause_s * 1000


def get(db: Connection, domain: str) -> Volume:
    """What is known of the volume of `domain`; zeros before the first measurement."""
    row = db.execute(scope_query(select(volumes), volumes, domain)).one_or_none()
    return Volume(domain) if row is None else Volume(**row._mapping)


def list_all(db: Connection) -> dict[str, Volume]:
    """By domain, those that have a row."""
    return {row.domain: Volume(**row._mapping) for row in db.execute(scope_query(select(volumes), volumes, EVERY))}


def set_quota(db: Connection, domain: str, quota_mb: int) -> Volume:
    """`quota_mb` in MiB, 0 = none; it is measured anew."""
    if not 0 <= quota_mb <= MOST_MB:
        raise Invalid("That is no quota.", f"Give it in MiB, from 0 (none) to {MOST_MB}.")
    return _put(db, domain, quota_mb=quota_mb, measured_ms=None)


def ask(db: Connection, domain: str) -> Volume:
    """It shall be measured now."""
    return _put(db, domain, measured_ms=None)


def begin(db: Connection, names: Iterable[str]) -> None:
    """Their measurement has begun: who asks from now on asks for another one."""
    for name in names:
        if get(db, name).measured_ms is None:
            _put(db, name, measured_ms=0)


def measured(db: Connection, found: Volume) -> None:
    """Takes in a measurement; the quota stays, and so does it that somebody has asked for another one since."""
    row = db.execute(scope_query(select(volumes.c.measured_ms), volumes, found.domain)).one_or_none()
    is_asked = row is not None and row.measured_ms is None
    values = {name: getattr(found, name) for name in _MEASURED}
    _put(db, found.domain, **values, measured_ms=None if is_asked else now_ms())


def _put(db: Connection, domain: str, **values: object) -> Volume:
    if not db.execute(scope_query(update(volumes), volumes, domain).values(**values)).rowcount:
        empty = {"quota_mb": 0, **dict.fromkeys(_MEASURED, 0), "homes": {}}
        db.execute(insert(volumes).values(domain=domain, **{**empty, **values}))
    signal(db, "volumes", domain)
    return get(db, domain)


_MEASURED = ("shared_bytes", "homes", "snapshots_bytes", "artifacts_bytes", "files", "took_ms")
