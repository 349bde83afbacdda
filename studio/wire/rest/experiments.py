"""Experiments for the panels: the list, and making, renaming, deleting, restoring one."""

from fastapi import APIRouter, Depends
from sqlalchemy import Connection

from studio.access.principals import Principal
from studio.tracking import experiments, listing
from studio.tracking.records import Experiment
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.run_table import ExperimentChange, NewExperiment
from studio.wire.rest.schemas.tracking import ExperimentAnswer

router = APIRouter(prefix="/domains/{domain}/experiments", tags=["tracking"])
READ = Allow("tracking.read")
WRITE = Allow("tracking.write")
MOST_EXPERIMENTS = 5000


@router.get("")
async def list_experiments(
    domain: str, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> list[ExperimentAnswer]:
    """The active experiments, last used first."""

    def read(db: Connection) -> list[ExperimentAnswer]:
        found, _token = listing.search_experiments(db, domain, max_results=MOST_EXPERIMENTS)
        counts = listing.run_counts(db, domain)
        answers = [_answer(item, *counts.get(item.experiment_id, (0, None))) for item in found]
        return sorted(answers, key=lambda answer: -answer.last_update_ms)

    return await studio.store.read(read)


@router.post("", status_code=201)
async def create_experiment(
    domain: str, body: NewExperiment, studio: Studio = Depends(studio), _: Principal = Depends(WRITE)
) -> ExperimentAnswer:
    """A new experiment without runs."""

    def write(db: Connection) -> ExperimentAnswer:
        made = experiments.create(db, domain, body.name.strip())
        return _answer(experiments.get(db, domain, made), 0, None)

    return await studio.store.write(write)


@router.patch("/{experiment_id}")
async def change_experiment(
    domain: str,
    experiment_id: str,
    body: ExperimentChange,
    studio: Studio = Depends(studio),
    _: Principal = Depends(WRITE),
) -> ExperimentAnswer:
    """Renames an experiment, deletes it with its runs, or restores both."""

    def write(db: Connection) -> ExperimentAnswer:
        if body.deleted is False:
            experiments.restore(db, domain, experiment_id)
        if body.name is not None:
            experiments.rename(db, domain, experiment_id, body.name.strip())
        if body.deleted:
            experiments.remove(db, domain, experiment_id)
        item = experiments.get(db, domain, experiment_id)
        return _answer(item, *listing.run_counts(db, domain).get(item.experiment_id, (0, None)))

    return await studio.store.write(write)


def _answer(item: Experiment, runs: int, newest_ms: int | None) -> ExperimentAnswer:
    return ExperimentAnswer(
        experiment_id=item.experiment_id,
        name=item.name,
        runs=runs,
        created_ms=item.created_ms,
        last_update_ms=max(item.updated_ms, newest_ms or 0),
    )
