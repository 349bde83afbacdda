"""Experiments and runs for the panels."""

import asyncio
import math

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection
from starlette.responses import Response

from studio.access.principals import Principal
from studio.registry import versions
from studio.registry.records import ModelVersion
from studio.tracking import (
    artifacts,
    conditions,
    curves,
    experiments,
    loading,
    logged_models,
    places,
    searching,
    tags,
)
from studio.tracking import runs as run_rows
from studio.tracking.curves import Window
from studio.tracking.records import Latest, LoggedModel, Pair, Run
from studio.wire.context import Studio, studio
from studio.wire.files import ArtifactResponse
from studio.wire.permission import Allow
from studio.wire.rest.schemas.tracking import (
    ArtifactAnswer,
    RunAnswer,
    RunChange,
    RunDatasetAnswer,
    RunDetailAnswer,
    RunModelAnswer,
    RunPageAnswer,
    RunQuery,
    SeriesAnswer,
)

router = APIRouter(prefix="/domains/{domain}", tags=["tracking"])
READ = Allow("tracking.read")
WRITE = Allow("tracking.write")
_STATUSES = {1: "Pending", 2: "Ready", 3: "Failed"}


@router.post("/runs/search")
async def search_runs(
    domain: str, body: RunQuery, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> RunPageAnswer:
    """A page of runs, newest first unless ordered. A filter that cannot be read is refused, with the place."""

    def read(db: Connection) -> RunPageAnswer:
        ids = body.experiment_ids
        if ids is None:
            ids = experiments.active_ids(db, domain)
        page = searching.search(
            db,
            domain,
            ids,
            filter_text=body.filter,
            view=body.view,
            max_results=body.max_results,
            order_by=body.order_by,
            page_token=body.page_token,
        )
        total = searching.count(db, domain, ids, body.filter, body.view)
        answers = [RunAnswer(**fields(run)) for run in page.runs]
        return RunPageAnswer.model_construct(runs=answers, next_page_token=page.token, total=total)

    return await studio.store.read(read)


@router.get("/runs/{run_id}")
async def get_run(
    domain: str, run_id: str, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> RunDetailAnswer:
    """A run with its files, models and data sets."""

    def read(db: Connection) -> tuple[Run, list[LoggedModel], list[ModelVersion]]:
        run = loading.get(db, domain, run_id)
        return run, logged_models.of_run(db, domain, run_id), versions.of_run(db, domain, run_id)

    run, models, registered = await studio.store.read(read)
    place = places.parse(run.info.artifact_uri)
    files = await asyncio.to_thread(artifacts.list_files, artifacts.root(studio.settings.paths, domain), place)
    return RunDetailAnswer(
        **fields(run),
        artifact_uri=run.info.artifact_uri,
        artifacts=[ArtifactAnswer.model_validate(item) for item in files],
        models=_models(models, registered),
        datasets=[
            RunDatasetAnswer(
                name=item.dataset.name,
                digest=item.dataset.digest,
                context=next((tag.value for tag in item.tags if tag.key == conditions.CONTEXT_TAG), ""),
            )
            for item in run.datasets
        ],
    )


@router.patch("/runs/{run_id}")
async def change_run(
    domain: str, run_id: str, body: RunChange, studio: Studio = Depends(studio), _: Principal = Depends(WRITE)
) -> RunAnswer:
    """Renames, tags, deletes or restores a run. Its note is the tag mlflow.note.content."""

    def write(db: Connection) -> RunAnswer:
        if body.deleted is False:
            run_rows.restore(db, domain, run_id)
        if body.name:
            run_rows.change(db, domain, run_id, name=body.name)
        if kept := [Pair(key, value) for key, value in body.tags.items() if value is not None]:
            tags.set_all(db, domain, run_id, kept)
        for key in (key for key, value in body.tags.items() if value is None):
            tags.delete_one(db, domain, run_id, key)
        if body.deleted:
            run_rows.remove(db, domain, run_id)
        return RunAnswer(**fields(loading.get(db, domain, run_id)))

    return await studio.store.write(write)


@router.get("/runs/{run_id}/metrics/{key:path}")
async def get_series(
    domain: str,
    run_id: str,
    key: str,
    max_points: int = Query(400, ge=8, le=10_000),
    studio: Studio = Depends(studio),
    _: Principal = Depends(READ),
) -> SeriesAnswer:
    """The curve of a metric."""
    found = await studio.store.read(lambda db: curves.of_run(db, domain, run_id, [key], Window(max_points)))
    points = found[0].points if found else []
    return SeriesAnswer(key=key, points=[(step, ts, _number(value)) for step, ts, value in points])


@router.get("/runs/{run_id}/artifacts")
async def list_artifacts(
    domain: str,
    run_id: str,
    path: str = "",
    studio: Studio = Depends(studio),
    _: Principal = Depends(READ),
) -> list[ArtifactAnswer]:
    """What lies directly in a folder of the run."""
    info = await studio.store.read(lambda db: run_rows.info(db, domain, run_id))
    below = "/".join(places.split(path))
    place = places.parse(info.artifact_uri).join(below)
    files = await asyncio.to_thread(artifacts.list_files, artifacts.root(studio.settings.paths, domain), place)
    prefix = f"{below}/" if below else ""
    return [ArtifactAnswer(path=prefix + item.path, is_dir=item.is_dir, file_size=item.file_size) for item in files]


@router.get("/runs/{run_id}/artifacts/file", response_class=Response)
async def get_artifact(
    domain: str,
    run_id: str,
    path: str,
    studio: Studio = Depends(studio),
    _: Principal = Depends(READ),
) -> Response:
    """A file of the run, as a download: nothing in it runs in the panel's origin."""
    info = await studio.store.read(lambda db: run_rows.info(db, domain, run_id))
    place = places.parse(info.artifact_uri).join(path)
    opened = await asyncio.to_thread(artifacts.open_file, artifacts.root(studio.settings.paths, domain), place)
    return ArtifactResponse(opened, place.parts[-1])


def fields(run: Run) -> dict[str, object]:
    """A run as this wire shows it, as plain data: RunAnswer's."""
    info = run.info
    return {
        "number": info.id,
        "run_id": info.run_id,
        "name": info.name,
        "experiment_id": info.experiment_id,
        "status": info.status,
        "stage": info.stage,
        "user": info.owner or info.user_id,
        "start_ms": info.start_ms or 0,
        "end_ms": info.end_ms,
        "metrics": {metric.key: _summary(metric) for metric in run.metrics},
        "params": {param.key: param.value for param in run.params},
        "tags": {tag.key: tag.value for tag in run.tags},
        "job_id": info.job_id,
    }


def _summary(metric: Latest) -> dict[str, object]:
    low, high = metric.low, metric.high
    return {
        "last": _number(metric.value),
        "min": None if low is None else _number(low),
        "max": None if high is None else _number(high),
        "step": metric.step,
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _models(models: list[LoggedModel], registered: list[ModelVersion]) -> list[RunModelAnswer]:
    by_id = {version.model_id: version for version in registered if version.model_id}
    answers = []
    for model in models:
        version = by_id.get(model.model_id)
        answers.append(
            RunModelAnswer(
                model_id=model.model_id,
                name=model.name,
                status=_STATUSES[model.status],
                registered=version.name if version else None,
                version=version.version if version else None,
                artifact_path=model.name,
            )
        )
    return answers
