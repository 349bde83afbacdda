"""Captured rows, what they turned out to be, and how right the predictions were."""

import asyncio

import msgspec
from fastapi import APIRouter, Depends, Query, Request

from studio.access.principals import Principal
from studio.monitoring import captures, figures, ground_truth, monitors
from studio.monitoring.results import LABELLED_ROWS, TRUTH_ROWS, TruthRow
from studio.serving import endpoints
from studio.wire import trail
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas import monitoring as schemas
from studio.wire.rest.schemas.monitoring import CapturesAnswer, QualityAnswer, TruthAnswer

router = APIRouter(prefix="/domains/{domain}/endpoints/{name}", tags=["monitoring"])
MAX_IDS = 1000
_ROW = msgspec.json.schema(TruthRow)["$defs"]["TruthRow"]
_ROWS = {
    "title": "TruthBody",
    "type": "object",
    "required": ["rows"],
    "properties": {"rows": {"type": "array", "minItems": 1, "maxItems": TRUTH_ROWS, "items": _ROW}},
}
# Read by the slice, in a tenth of the time that the framework would take for ten thousand rows.
TRUTH_FORM = {"requestBody": {"required": True, "content": {"application/json": {"schema": _ROWS}}}}


class Narrowed:
    """Which captured rows somebody asks for."""

    def __init__(
        self,
        limit: int = Query(100, ge=1, le=LABELLED_ROWS),
        from_ms: int = 0,
        to_ms: int = Query(0, description="before then; 0: now"),
        ids: str = Query("", description="ids of rows or of requests, separated by commas"),
        variant: str = "",
        version: int | None = None,
        status: int | None = None,
        truth: bool = Query(False, description="with a label only"),
    ) -> None:
        named = frozenset([part for part in ids.split(",") if part][:MAX_IDS])
        self.wanted = captures.Wanted(limit, from_ms, to_ms, named, variant, version, status, truth)


@router.get("/captures")
async def get_captures(
    domain: str,
    name: str,
    asked: Narrowed = Depends(),
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("monitoring.read")),
) -> CapturesAnswer:
    """The newest captured rows, newest first. They appear some seconds after the request. Among the newest 500 of all;
    with `ids` or `truth` also among the newest 2,000 with a label."""
    endpoint = await studio.store.read(lambda db: endpoints.get(db, domain, name))
    folder = captures.root(studio.settings.paths.capture, domain, name)
    found = await asyncio.to_thread(captures.rows, folder, asked.wanted, endpoint.redact)
    rows = [schemas.CapturedRowAnswer.model_validate(row) for row in found.rows]
    return CapturesAnswer(columns=found.columns, rows=rows)


@router.post("/ground-truth", status_code=202, openapi_extra=TRUTH_FORM)
async def put_truth(
    domain: str,
    name: str,
    request: Request,
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("monitoring.write")),
) -> TruthAnswer:
    """What captured rows turned out to be, by the inference id of their answer (header `x-studio-inference-id`) and
    their line in the request. The last word on a row counts, so the same call again changes nothing; labels of rows
    that are not here yet wait for them. A call with a wrong row is refused whole. Example:

        curl -X POST $STUDIO_URL/api/v1/domains/demo/endpoints/rain/ground-truth
             -H "authorization: Bearer $STUDIO_TOKEN" -H "content-type: application/json"
             -d '{"rows": [{"inference_id": "…", "row": 0, "label": 1}]}'
    """
    truth = ground_truth.read(await request.body())
    trail.about(detail=f"{len(truth.rows)} labels")
    await studio.store.write(lambda db: monitors.labelled(db, domain, name))
    root = captures.root(studio.settings.paths.capture, domain, name)
    await asyncio.to_thread(ground_truth.keep, root, truth)
    return TruthAnswer(accepted=len(truth.rows))


@router.get("/quality")
async def get_quality(
    domain: str,
    name: str,
    from_ms: int = Query(0, ge=0, le=1 << 53),
    to_ms: int = Query(0, ge=0, le=1 << 53, description="0: now"),
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("monitoring.read")),
) -> QualityAnswer:
    """How often each variant was right where the label is known, or how far off. The figures follow labels and captured
    rows within seconds; times are rounded to whole stretches, an hour each or longer where there is much."""
    await studio.store.read(lambda db: endpoints.get(db, domain, name))
    folder = captures.root(studio.settings.paths.capture, domain, name)
    found = await asyncio.to_thread(captures.quality, folder)
    within = figures.span(found, from_ms, to_ms)
    answers = [schemas.VariantQualityAnswer.model_validate(one) for one in figures.figures(found, within)]
    return QualityAnswer(
        from_ms=within.from_ms, to_ms=within.to_ms, width_ms=found.width_ms, waiting=found.waiting, variants=answers
    )
