"""The metrics of many runs in one request, few enough points to draw."""

import math
from functools import partial

import msgspec
from fastapi import APIRouter, Depends
from sqlalchemy import Connection
from starlette.responses import Response

from studio.access.principals import Principal
from studio.errors import Invalid
from studio.tracking import curves
from studio.tracking.curves import Window
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.curves import INT64, CurvesAnswer, CurvesQuery

router = APIRouter(prefix="/domains/{domain}", tags=["tracking"])
READ = Allow("tracking.read")
MOST_POINTS = 200_000  # of all curves: 8 MB of JSON


@router.post("/curves", response_model=CurvesAnswer)
async def get_curves(
    domain: str, body: CurvesQuery, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> Response:
    """Curves of every run and metric named, thinned so that ends, peaks and what is no number stay."""
    _check(body)
    found: list[msgspec.Raw] = []
    keys = list(dict.fromkeys(body.keys))
    for run_id in dict.fromkeys(body.run_ids):
        # A read of its own for each run: no reader is held for long, and other requests come between.
        window = Window(body.max_points, body.since.get(run_id, body.from_step), body.to_step, body.is_log)
        found += await studio.store.read(partial(_read, domain=domain, run_id=run_id, keys=keys, window=window))
    return Response(msgspec.json.encode({"curves": found}), media_type="application/json")


def _check(body: CurvesQuery) -> None:
    asked = len(body.run_ids) * len(body.keys) * body.max_points
    if asked > MOST_POINTS:
        raise Invalid(
            f"{len(body.run_ids)} runs, {len(body.keys)} metrics and {body.max_points} points of each are up to "
            f"{asked:,} points; {MOST_POINTS:,} are the most of one request.",
            "Ask for fewer points of each, or in several requests.",
        )
    if any(abs(step) > INT64 for step in body.since.values()):
        raise Invalid("A step in `since` is no 64-bit number.", "Give the step of a point of that run.")


def _read(db: Connection, domain: str, run_id: str, keys: list[str], window: Window) -> list[msgspec.Raw]:
    """A run's curves as JSON: written in the reader's thread, since all of them would hold the server's loop."""
    return [
        msgspec.Raw(
            msgspec.json.encode(
                {
                    "run_id": curve.run_id,
                    "key": curve.key,
                    "points": [(step, ts, _value(value)) for step, ts, value in curve.points],
                    "is_thinned": curve.is_thinned,
                    "means": curve.means,
                }
            )
        )
        for curve in curves.of_run(db, domain, run_id, keys, window)
    ]


def _value(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
