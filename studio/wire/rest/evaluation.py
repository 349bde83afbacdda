"""The confusion matrix of a run with a test set, and the rows behind its cells."""

import asyncio
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection

from studio.access.principals import Principal
from studio.errors import NotFound
from studio.monitoring import evaluation
from studio.monitoring.evaluation import Cell, Evaluation
from studio.tracking import artifacts, places, runs
from studio.tracking.places import Place
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.evaluation import CellRowsAnswer, EvaluationAnswer

router = APIRouter(prefix="/domains/{domain}/runs/{run_id}/evaluation", tags=["evaluation"])


@router.get("")
async def get_evaluation(
    domain: str,
    run_id: str,
    threshold: float | None = Query(None),
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("tracking.read")),
) -> EvaluationAnswer:
    """Matrix and figures at `threshold` (default: the one it was evaluated with)."""
    found = await _load(studio, domain, run_id)
    return EvaluationAnswer.model_validate(evaluation.quality(found, threshold))


@router.get("/rows")
async def get_rows(
    domain: str,
    run_id: str,
    cell: Cell,
    threshold: float | None = Query(None),
    limit: int = Query(100, ge=1, le=20_000),
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("tracking.read")),
) -> CellRowsAnswer:
    """The rows of one cell."""
    found = await _load(studio, domain, run_id)
    columns, rows, ids = evaluation.cell_rows(found, cell, threshold, limit)
    return CellRowsAnswer(columns=columns, rows=rows, row_ids=ids)


async def _load(studio: Studio, domain: str, run_id: str) -> Evaluation:
    def read(db: Connection) -> Place:
        return places.parse(runs.info(db, domain, run_id).artifact_uri)

    place = (await studio.store.read(read)).join(evaluation.FILE)
    return await asyncio.to_thread(_cached_file, artifacts.root(studio.settings.paths, domain), place)


def _cached_file(root: Path, place: Place) -> Evaluation:
    try:
        stat = (root / place.path).lstat()
    except OSError:
        hint = "Call `sdk.evaluate(model, X_test, y_test)` inside the run."
        raise NotFound("The run has no evaluation on a test set.", hint) from None
    return _cached(root, place, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _cached(root: Path, place: Place, _modified: int, _size: int) -> Evaluation:
    """A threshold is moved many times over the same file: it is read and sorted once."""
    return evaluation.load(artifacts.read_bytes(root, place, evaluation.MAX_BYTES))
