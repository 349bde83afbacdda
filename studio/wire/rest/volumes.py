"""What a domain stores, its quota, snapshots of it."""

import asyncio

from fastapi import APIRouter, Depends
from sqlalchemy import Connection

from studio.access.permissions import require
from studio.access.principals import Kind, Principal
from studio.domains import domains, quotas, snapshots, volumes
from studio.domains.quotas import Volume
from studio.domains.snapshots import Restore, Snapshot
from studio.errors import AlreadyExists, Denied, Invalid, NotFound
from studio.runtime import beneath, space, trees
from studio.wire.context import Studio, studio
from studio.wire.owner import owner_of
from studio.wire.permission import Allow
from studio.wire.rest.schemas.volumes import (
    HomeUse,
    QuotaBody,
    RestoreAnswer,
    RestoreBody,
    SnapshotAnswer,
    SnapshotBody,
    VolumeAnswer,
)

router = APIRouter(prefix="/domains/{domain}", tags=["volumes"])
READ, WRITE = Allow("volumes.read"), Allow("volumes.write")


@router.get("/volume")
async def get_volume(domain: str, studio: Studio = Depends(studio), _: Principal = Depends(READ)) -> VolumeAnswer:
    """What the domain stores, its quota, and how that is enforced on this host."""
    return await _volume(studio, await studio.store.read(lambda db: quotas.get(db, domain)))


@router.post("/volume/measure")
async def measure_volume(domain: str, studio: Studio = Depends(studio), _: Principal = Depends(WRITE)) -> VolumeAnswer:
    """Has it measured now; `measured_ms` is null until that is done."""
    return await _volume(studio, await studio.store.write(lambda db: quotas.ask(db, domain)))


@router.put("/volume/quota")
async def put_quota(
    domain: str,
    body: QuotaBody,
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("volumes.quota")),
) -> VolumeAnswer:
    """Sets the quota; it protects the host, so it is set by who runs the installation."""

    def write(db: Connection) -> Volume:
        domains.get(db, domain)
        return quotas.set_quota(db, domain, body.quota_mb)

    return await _volume(studio, await studio.store.write(write))


@router.get("/snapshots")
async def list_snapshots(
    domain: str, studio: Studio = Depends(studio), principal: Principal = Depends(READ)
) -> list[SnapshotAnswer]:
    """Those of the shared folder and of one's own home, newest first."""
    found = await studio.store.read(lambda db: snapshots.list_all(db, domain, _whose(principal)))
    return [_snapshot(item) for item in found]


@router.post("/snapshots", status_code=202)
async def create_snapshot(
    domain: str, body: SnapshotBody, studio: Studio = Depends(studio), principal: Principal = Depends(WRITE)
) -> SnapshotAnswer:
    """Begins a snapshot of the shared folder or of one's own home; a program makes it."""
    quotas.require(studio.full, domain)
    user = owner_of(principal, domain) if body.target == "home" else ""
    title = body.title.strip()
    made = await studio.store.write(lambda db: snapshots.create(db, domain, principal.user, user=user, title=title))
    return _snapshot(made)


@router.get("/snapshots/{snapshot}")
async def get_snapshot(
    domain: str, snapshot: str, studio: Studio = Depends(studio), principal: Principal = Depends(READ)
) -> SnapshotAnswer:
    """One snapshot."""
    return _snapshot(await studio.store.read(lambda db: _seen(db, domain, snapshot, principal)))


@router.delete("/snapshots/{snapshot}", status_code=202)
async def delete_snapshot(
    domain: str, snapshot: str, studio: Studio = Depends(studio), principal: Principal = Depends(WRITE)
) -> SnapshotAnswer:
    """Deletes one's own, or, as an admin, any of the shared folder. Code in a sandbox deletes none: they are what is
    left of files that it has ruined."""
    if principal.kind is Kind.sandbox:
        raise Denied(
            "Code in a sandbox deletes no snapshot.", "Delete it on the domain's page, or in a terminal of the host."
        )

    def write(db: Connection) -> Snapshot:
        found = _seen(db, domain, snapshot, principal)
        if not found.user and found.made_by != principal.user:
            require(principal, "volumes.admin", domain)
        snapshots.delete_snapshot(db, domain, snapshot)
        return snapshots.get(db, domain, snapshot)

    return _snapshot(await studio.store.write(write))


@router.post("/snapshots/{snapshot}/restore", status_code=202)
async def restore_snapshot(
    domain: str,
    snapshot: str,
    body: RestoreBody,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(WRITE),
) -> RestoreAnswer:
    """Restores it as a new folder, or in place (the shared folder: admins only)."""
    quotas.require(studio.full, domain)
    found = await studio.store.read(lambda db: _seen(db, domain, snapshot, principal))
    folder = "" if body.in_place else check_folder(body.folder or f"restored-{snapshot}")
    if body.in_place and body.folder:
        raise Invalid("It is either restored in place or as a folder.", "Leave one of the two out.")
    if body.in_place and not found.user:
        require(principal, "volumes.admin", domain)
    root = volumes.root(studio.settings.paths, domain, found.user)
    is_taken = bool(folder) and await asyncio.to_thread(beneath.exists, root, (folder,))
    if is_taken:
        raise AlreadyExists(f"There is already {folder!r}.", "Choose another name for the folder.")
    made = await studio.store.write(lambda db: snapshots.restore(db, found, principal.user, folder=folder))
    return _restore(made)


@router.get("/restores")
async def list_restores(
    domain: str, studio: Studio = Depends(studio), principal: Principal = Depends(READ)
) -> list[RestoreAnswer]:
    """The newest restores of the shared folder and of one's own home."""
    found = await studio.store.read(lambda db: snapshots.list_restores(db, domain, _whose(principal)))
    return [_restore(item) for item in found]


def check_folder(name: str) -> str:
    """`name` itself if it can be a folder that people see in the file browser."""
    if name.startswith(".") or len(name.encode()) > 100 or any(ord(sign) < 32 for sign in name):
        raise Invalid(f"{name[:80]!r} is no name for the folder.", "Use at most 100 characters, the first not a dot.")
    return beneath.check([name])[0]


async def _volume(studio: Studio, found: Volume) -> VolumeAnswer:
    folder = studio.settings.paths.domain(found.domain)

    def look() -> tuple[int, bool]:
        return space.free_of(folder)[0], trees.can_share(folder)

    free, cheap = await asyncio.to_thread(look)
    rule = quotas.enforcement(found.quota_mb)
    return VolumeAnswer(
        domain=found.domain,
        used_bytes=found.used_bytes,
        quota_mb=found.quota_mb,
        shared_bytes=found.shared_bytes,
        snapshots_bytes=found.snapshots_bytes,
        artifacts_bytes=found.artifacts_bytes,
        homes=[HomeUse(user=user, bytes=size) for user, size in sorted(found.homes.items())],
        files=found.files,
        measured_ms=found.measured_ms or None,
        disk_free_bytes=free,
        cheap_snapshots=cheap,
        level=rule.level,
        enforcement=rule.words,
        advice=rule.advice,
        over=found.is_over,
        message=found.words,
    )


def _whose(principal: Principal) -> str | None:
    return None if principal.kind is Kind.operator else principal.user


def _seen(db: Connection, domain: str, snapshot: str, principal: Principal) -> Snapshot:
    found = snapshots.get(db, domain, snapshot)
    if found.user and _whose(principal) not in (None, found.user):
        raise NotFound(f"There is no snapshot {snapshot!r}.", "See `studio snapshot list`.")
    return found


def _snapshot(item: Snapshot) -> SnapshotAnswer:
    fields = {name: getattr(item, name) for name in SnapshotAnswer.model_fields if name != "target"}
    return SnapshotAnswer(**fields, target="home" if item.user else "shared")


def _restore(item: Restore) -> RestoreAnswer:
    fields = {name: getattr(item, name) for name in RestoreAnswer.model_fields if name not in ("target", "in_place")}
    return RestoreAnswer(**fields, target="home" if item.user else "shared", in_place=not item.folder)
