"""Volumes, snapshots, spaces."""

from typing import Literal

from studio.wire.rest.schemas.base import Answer, Body


class HomeUse(Answer):
    """What one person's home holds."""

    user: str
    bytes: int


class VolumeAnswer(Answer):
    """What a domain stores, in bytes on the disk, as of `measured_ms` (null: being measured). `quota_mb` 0: none;
    `level` says in a word how it is enforced here, `enforcement` and `advice` in sentences; `message`: what stands in
    the way of anything new ("": nothing)."""

    domain: str
    used_bytes: int
    quota_mb: int
    shared_bytes: int
    snapshots_bytes: int
    artifacts_bytes: int
    homes: list[HomeUse]
    files: int
    measured_ms: int | None
    disk_free_bytes: int
    cheap_snapshots: bool
    level: Literal["none", "measured"]
    enforcement: str
    advice: str
    over: bool
    message: str


class QuotaBody(Body):
    """In MiB; 0 = none."""

    quota_mb: int


class SnapshotBody(Body):
    """Of the shared folder, or of one's own home."""

    target: Literal["shared", "home"] = "shared"
    title: str = ""


class SnapshotAnswer(Answer):
    """`bytes` of `files`, `is_cheap` of which share their blocks with what they were made of; `changed`: those that
    never stood still while they were copied; `skipped`: sockets, FIFOs, devices. `done` of `total` bytes while it is
    made."""

    id: str
    target: Literal["shared", "home"]
    user: str
    title: str
    state: Literal["Waiting", "Running", "Ready", "Failed", "Deleting"]
    made_by: str
    created_ms: int
    finished_ms: int | None
    bytes: int
    files: int
    is_cheap: int
    skipped: int
    changed: int
    done: int
    total: int
    error: str


class RestoreBody(Body):
    """As a new folder (`folder`, default `restored-<id>`), or `in_place`: then what is there now is kept as a snapshot
    first."""

    folder: str | None = None
    in_place: bool = False


class RestoreAnswer(Answer):
    """`kept`: the snapshot of what was there before."""

    id: str
    snapshot: str
    target: Literal["shared", "home"]
    user: str
    folder: str
    in_place: bool
    kept: str
    state: Literal["Waiting", "Running", "Done", "Failed"]
    made_by: str
    created_ms: int
    finished_ms: int | None
    done: int
    total: int
    error: str


class SpaceBody(Body):
    """A new space; its name is its folder's."""

    name: str
    kind: Literal["private", "shared"] = "private"
    title: str = ""


class SpaceChange(Body):
    """What shall be different."""

    name: str | None = None
    title: str | None = None


class SpaceAnswer(Answer):
    """`path`: its folder in the lab's file browser; `workspace`: JupyterLab's; `address` opens the lab there."""

    id: str
    name: str
    title: str
    kind: Literal["private", "shared"]
    owner: str
    made_by: str
    created_ms: int
    trashed_ms: int | None
    path: str
    workspace: str
    address: str
