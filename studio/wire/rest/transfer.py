"""Bringing experiments, runs and models from another MLflow: bounded batches, each in one write; files one by one.

The caller reads what is to be brought, wherever that is; no path of this server is ever opened on a caller's word."""

import asyncio
from collections.abc import Iterable
from typing import Literal

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import Connection

from studio.access.principals import Principal
from studio.domains import quotas
from studio.errors import Invalid
from studio.registry import transfer as registry
from studio.tracking import artifacts, places, transfer, uploads
from studio.tracking.records import Dataset, DatasetInput, Metric, ModelOutput, Pair
from studio.wire.context import Studio, studio
from studio.wire.mlflow.artifacts import announced, receive
from studio.wire.mlflow.endpoint import Call
from studio.wire.permission import Allow
from studio.wire.rest.schemas.transfer import (
    TransferExperiment,
    TransferExperimentAnswer,
    TransferFile,
    TransferFinish,
    TransferIds,
    TransferMetrics,
    TransferModel,
    TransferPut,
    TransferRegistered,
    TransferRegisteredAnswer,
    TransferRun,
    TransferRuns,
    TransferSeries,
)

router = APIRouter(prefix="/domains/{domain}/transfer", tags=["transfer"])
READ, WRITE, REGISTER = Allow("tracking.read"), Allow("tracking.write"), Allow("registry.write")
MOST_FILES = 100_000
Kind = Literal["run", "model"]
_ODD = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


@router.post("/experiments")
async def put_experiment(
    domain: str, body: TransferExperiment, studio: Studio = Depends(studio), _: Principal = Depends(WRITE)
) -> TransferExperimentAnswer:
    """Makes an experiment, or finds the one of that name."""
    given = transfer.GivenExperiment(body.name, body.created_ms, body.updated_ms, body.is_default, body.tags)
    found, is_new, stage = await studio.store.write(lambda db: transfer.put_experiment(db, domain, given))
    return TransferExperimentAnswer(experiment_id=found, new=is_new, deleted=stage == "deleted")


@router.post("/runs")
async def put_runs(
    domain: str, body: TransferRuns, studio: Studio = Depends(studio), principal: Principal = Depends(WRITE)
) -> list[TransferPut]:
    """Adds runs with params, tags, inputs, outputs and metrics; what is here already stays."""
    given = [(_run(run), _metrics(run.metrics)) for run in body.runs]
    done = await studio.store.write(lambda db: transfer.put_runs(db, domain, principal.user, given))
    return [
        TransferPut(id=run.run_id, new=is_new, problem=problem)
        for run, (is_new, problem) in zip(body.runs, done, strict=True)
    ]


@router.post("/runs/{run_id}/metrics", status_code=204)
async def put_metrics(
    domain: str, run_id: str, body: TransferMetrics, studio: Studio = Depends(studio), _: Principal = Depends(WRITE)
) -> None:
    """Adds values to a run."""
    given = _metrics(body.metrics)
    await studio.store.write(lambda db: transfer.put_metrics(db, domain, run_id, given))


@router.post("/logged-models")
async def put_logged_model(
    domain: str, body: TransferModel, studio: Studio = Depends(studio), _: Principal = Depends(WRITE)
) -> TransferPut:
    """Adds a logged model."""
    values = [
        Metric(m.key, _value(m.value), m.ts, m.step, body.model_id, m.dataset_name, m.dataset_digest, m.run_id)
        for m in body.metrics
    ]
    what = body.model_dump(exclude={"metrics", "deleted"})
    given = transfer.GivenModel(**what, metrics=values)
    is_new = await studio.store.write(lambda db: transfer.put_model(db, domain, given))
    return TransferPut(id=body.model_id, new=is_new)


@router.post("/models")
async def put_registered(
    domain: str, body: TransferRegistered, studio: Studio = Depends(studio), principal: Principal = Depends(REGISTER)
) -> TransferRegisteredAnswer:
    """Adds a registered model, versions and aliases."""
    what = body.model_dump(exclude={"versions", "aliases"})
    versions = [registry.GivenVersion(**version.model_dump(exclude={"files"})) for version in body.versions]
    given = registry.GivenRegistered(**what)
    done = await studio.store.write(
        lambda db: registry.put_all(db, domain, principal.user, given, versions, body.aliases)
    )
    return TransferRegisteredAnswer.model_validate(done)


@router.post("/finished")
async def get_finished(
    domain: str, body: TransferIds, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> dict[str, str]:
    """Id → digest of those that were brought whole and are still here."""
    return await studio.store.read(lambda db: transfer.finished(db, domain, body.ids))


@router.post("/finish", status_code=204)
async def finish(
    domain: str, body: TransferFinish, studio: Studio = Depends(studio), _: Principal = Depends(WRITE)
) -> None:
    """Says what is here whole now; deletes what was deleted there."""

    def write(db: Connection) -> None:
        transfer.finish(db, domain, body.digests, body.deleted)
        for experiment_id in body.experiments:
            transfer.finish_experiment(db, domain, experiment_id)

    await studio.store.write(write)


@router.get("/files")
async def list_files(
    domain: str, kind: Kind, id: str, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> list[TransferFile]:
    """All files of a run or logged model."""
    place = await studio.store.read(lambda db: transfer.place_of(db, domain, kind, id))
    folder = artifacts.root(studio.settings.paths, domain)

    def listed() -> list[TransferFile]:
        found: list[TransferFile] = []
        for info in artifacts.walk(folder, place):
            if len(found) >= MOST_FILES:
                raise Invalid(f"There are more than {MOST_FILES} files in '{place.path}'.")
            found.append(TransferFile(path=info.path, size=info.file_size or 0))
        return found

    return await asyncio.to_thread(listed)


@router.put("/files", status_code=204)
async def put_file(
    domain: str,
    kind: Kind,
    id: str,
    request: Request,
    path: str = Query(max_length=2000),
    studio: Studio = Depends(studio),
    principal: Principal = Depends(WRITE),
) -> None:
    """Receives a file of a run or logged model, of any size; it is there whole or not at all."""
    quotas.require(studio.full, domain)
    root = await studio.store.read(lambda db: transfer.place_of(db, domain, kind, id))
    place = root.join("/".join(places.split(path)))
    paths = studio.settings.paths
    call = Call(request.scope, request.receive, studio, principal, domain)
    received = await asyncio.to_thread(uploads.Upload, paths, announced(call))
    try:
        await receive(call, received)
        await asyncio.to_thread(received.finish, artifacts.root(paths, domain), place)
    finally:
        await asyncio.to_thread(received.abort)


def _run(run: TransferRun) -> transfer.GivenRun:
    own = {"metrics", "datasets", "model_outputs", "deleted"}
    return transfer.GivenRun(
        **run.model_dump(exclude=own),
        datasets=[
            DatasetInput(
                Dataset(item.name, item.digest, item.source_type, item.source, item.schema_text, item.profile),
                [Pair(key, value) for key, value in item.tags.items()],
            )
            for item in run.datasets
        ],
        model_outputs=[ModelOutput(item.model_id, item.step) for item in run.model_outputs],
    )


def _metrics(series: Iterable[TransferSeries]) -> list[Metric]:
    return [Metric(one.key, _value(value), ts, step) for one in series for ts, value, step in one.points]


def _value(value: float | str) -> float:
    if isinstance(value, str):
        if value not in _ODD:
            raise Invalid(f"{value!r} is no value of a metric.", f"Send a number, or one of {sorted(_ODD)}.")
        return _ODD[value]
    return value
