"""Data sets."""

import asyncio

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection

from studio.access.principals import Principal
from studio.data import datasets, sources
from studio.data.datasets import Dataset
from studio.data.states import State
from studio.wire.context import Studio, studio
from studio.wire.owner import owner_of
from studio.wire.permission import Allow
from studio.wire.rest.schemas.data import DatasetAnswer, DatasetBody, DatasetDetail, ProfileAnswer, VersionAnswer
from studio.wire.waiting import until

router = APIRouter(prefix="/domains/{domain}/datasets", tags=["data"])


@router.get("")
async def list_datasets(
    domain: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("data.read"))
) -> list[DatasetAnswer]:
    """The domain's data sets, by name."""
    found = await studio.store.read(lambda db: datasets.list_all(db, domain))
    return [DatasetAnswer.model_validate(item) for item in found]


@router.post("", status_code=202)
async def register_dataset(
    domain: str,
    body: DatasetBody,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("data.write")),
) -> DatasetAnswer:
    """Registers a file under a name; it is hashed and profiled in the caller's sandbox. The same content again
    stays the same version, changed content becomes the next one."""
    owner = owner_of(principal, domain)
    await asyncio.to_thread(sources.check, studio.settings.paths, domain, owner, body.path)
    found = await studio.store.write(lambda db: datasets.register(db, domain, body.name, body.path, owner))
    return DatasetAnswer.model_validate(found)


@router.get("/{name}")
async def get_dataset(
    domain: str,
    name: str,
    version: int | None = Query(None, ge=1, description="Whose profile; default: the newest version's."),
    wait_s: float = Query(0, ge=0, le=30, description="Waits so long while the file is being profiled."),
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("data.read")),
) -> DatasetDetail:
    """A data set with its profile and versions."""
    await until(studio, "datasets", wait_s, lambda: studio.store.read(lambda db: _is_settled(db, domain, name)))
    return await studio.store.read(lambda db: _detail(db, domain, name, version))


def _is_settled(db: Connection, domain: str, name: str) -> bool:
    return datasets.get(db, domain, name).state is not State.profiling


def _detail(db: Connection, domain: str, name: str, version: int | None) -> DatasetDetail:
    found: Dataset = datasets.get(db, domain, name)
    profile = datasets.profile(db, domain, name, version)
    return DatasetDetail(
        **DatasetAnswer.model_validate(found).model_dump(),
        profile=None if profile is None else ProfileAnswer.model_validate(profile),
        versions=[VersionAnswer.model_validate(item) for item in datasets.versions(db, domain, name)],
    )
