"""Taking experiments, runs and models to another MLflow: everything that is here of them, page by page."""

import asyncio
import math

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection
from starlette.responses import Response

from studio.access.principals import Principal
from studio.registry import searching, versions
from studio.tracking import artifacts, experiments, history, listing, taking, transfer
from studio.tracking.records import LoggedModel, Run
from studio.wire.context import Studio, studio
from studio.wire.files import ArtifactResponse
from studio.wire.permission import Allow
from studio.wire.rest.schemas.transfer import (
    MOST_POINTS,
    TransferDataset,
    TransferExperiment,
    TransferModel,
    TransferModelMetric,
    TransferModelPage,
    TransferOutput,
    TransferPoints,
    TransferRegistered,
    TransferRun,
    TransferRunPage,
    TransferVersion,
)
from studio.wire.rest.transfer import Kind

router = APIRouter(prefix="/domains/{domain}/transfer", tags=["transfer"])
READ, REGISTRY = Allow("tracking.read"), Allow("registry.read")
MOST_EXPERIMENTS, MOST_MODELS = 50_000, 10_000


@router.get("/experiments")
async def get_experiments(
    domain: str, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> list[TransferExperiment]:
    """All experiments, deleted ones too."""
    found, _token = await studio.store.read(
        lambda db: listing.search_experiments(db, domain, view="ALL", max_results=MOST_EXPERIMENTS)
    )
    return [
        TransferExperiment(
            experiment_id=item.experiment_id,
            name=item.name,
            is_default=item.is_default,
            created_ms=item.created_ms,
            updated_ms=item.updated_ms,
            deleted=item.stage == experiments.DELETED,
            tags={tag.key: tag.value for tag in item.tags},
        )
        for item in found
    ]


@router.get("/runs")
async def get_runs(
    domain: str,
    experiment_id: str,
    page_token: int = Query(0, ge=0),
    studio: Studio = Depends(studio),
    _: Principal = Depends(READ),
) -> TransferRunPage:
    """Runs of an experiment, without the values of their metrics."""
    found = await studio.store.read(lambda db: taking.page_of_runs(db, domain, experiment_id, page_token))
    return TransferRunPage(
        runs=[_run(run) for run in found],
        keys={run.info.run_id: [metric.key for metric in run.metrics] for run in found},
        next_page_token=str(found[-1].info.id) if len(found) == taking.PAGE else None,
    )


@router.get("/runs/{run_id}/metrics")
async def get_points(
    domain: str,
    run_id: str,
    key: str,
    page_token: str | None = None,
    studio: Studio = Depends(studio),
    _: Principal = Depends(READ),
) -> TransferPoints:
    """The values of a metric."""
    found, token = await studio.store.read(lambda db: history.page(db, domain, run_id, key, MOST_POINTS, page_token))
    points = [(metric.timestamp, _number(metric.value), metric.step) for metric in found]
    return TransferPoints(points=points, next_page_token=token)


@router.get("/logged-models")
async def get_logged_models(
    domain: str,
    experiment_id: str,
    page_token: str = "",
    studio: Studio = Depends(studio),
    _: Principal = Depends(READ),
) -> TransferModelPage:
    """Logged models of an experiment."""
    found = await studio.store.read(lambda db: taking.page_of_models(db, domain, experiment_id, page_token))
    token = found[-1].model_id if len(found) == taking.PAGE else None
    return TransferModelPage(models=[_model(model) for model in found], next_page_token=token)


@router.get("/models")
async def get_registered(
    domain: str, studio: Studio = Depends(studio), _: Principal = Depends(REGISTRY)
) -> list[TransferRegistered]:
    """All registered models with their versions."""

    def read(db: Connection) -> list[TransferRegistered]:
        found, _token = searching.search_models(db, domain, max_results=MOST_MODELS)
        return [
            TransferRegistered.model_construct(
                name=item.name,
                description=item.description or "",
                created_ms=item.created_ms,
                updated_ms=item.updated_ms,
                tags={tag.key: tag.value for tag in item.tags},
                aliases=item.aliases,
                versions=[
                    TransferVersion(
                        version=version.version,
                        source=version.source,
                        files=version.location,
                        run_id=version.run_id or "",
                        description=version.description or "",
                        stage=version.stage,
                        created_ms=version.created_ms,
                        updated_ms=version.updated_ms,
                        tags={tag.key: tag.value for tag in version.tags},
                    )
                    for version in versions.of_model(db, domain, item.name)
                ],
            )
            for item in found
        ]

    return await studio.store.read(read)


@router.get("/files/content", response_class=Response)
async def get_file(
    domain: str,
    kind: Kind,
    id: str,
    path: str = Query(max_length=2000),
    studio: Studio = Depends(studio),
    _: Principal = Depends(READ),
) -> Response:
    """A file of a run or logged model."""
    root = await studio.store.read(lambda db: transfer.place_of(db, domain, kind, id))
    place = root.join(path)
    opened = await asyncio.to_thread(artifacts.open_file, artifacts.root(studio.settings.paths, domain), place)
    return ArtifactResponse(opened, place.parts[-1])


def _run(run: Run) -> TransferRun:
    info = run.info
    return TransferRun(
        run_id=info.run_id,
        experiment_id=info.experiment_id,
        name=info.name,
        user_id=info.user_id,
        status=info.status,
        start_ms=info.start_ms or 0,
        end_ms=info.end_ms,
        deleted=info.stage == experiments.DELETED,
        params={param.key: param.value for param in run.params},
        tags={tag.key: tag.value for tag in run.tags},
        datasets=[
            TransferDataset(
                name=item.dataset.name,
                digest=item.dataset.digest,
                source_type=item.dataset.source_type,
                source=item.dataset.source,
                schema_text=item.dataset.schema,
                profile=item.dataset.profile,
                tags={tag.key: tag.value for tag in item.tags},
            )
            for item in run.datasets
        ],
        model_inputs=run.model_inputs,
        model_outputs=[TransferOutput(model_id=item.model_id, step=item.step) for item in run.model_outputs],
    )


def _model(model: LoggedModel) -> TransferModel:
    return TransferModel.model_construct(
        model_id=model.model_id,
        experiment_id=model.experiment_id,
        name=model.name,
        model_type=model.model_type,
        source_run_id=model.source_run_id,
        status=model.status,
        created_ms=model.created_ms,
        updated_ms=model.updated_ms,
        params={param.key: param.value for param in model.params},
        tags={tag.key: tag.value for tag in model.tags},
        metrics=[
            TransferModelMetric(
                key=metric.key,
                ts=metric.timestamp,
                step=metric.step,
                value=_number(metric.value),
                run_id=metric.run_id,
                dataset_name=metric.dataset_name,
                dataset_digest=metric.dataset_digest,
            )
            for metric in model.metrics
        ],
    )


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
