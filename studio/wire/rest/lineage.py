"""Data set → run → version → endpoint, asked from any of them."""

from typing import Literal

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection

from studio.access.principals import Principal
from studio.wire import lineage
from studio.wire.context import Studio, studio
from studio.wire.lineage import Graph
from studio.wire.permission import Allow
from studio.wire.rest.schemas.lineage import EdgeAnswer, LineageAnswer, NodeAnswer

router = APIRouter(prefix="/domains/{domain}/lineage", tags=["lineage"])


@router.get("")
async def get_lineage(
    domain: str,
    kind: Literal["dataset", "run", "model", "endpoint"],
    name: str = Query(max_length=500, description="Of the data set, model or endpoint; the id of a run"),
    version: int | None = Query(None, ge=1, description="Of a model: this version only"),
    digest: str = Query("", max_length=36, description="Of a data set: these bytes only"),
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("tracking.read")),
) -> LineageAnswer:
    """What it was made of, and what was made of it."""

    def read(db: Connection) -> Graph:
        match kind:
            case "run":
                return lineage.of_run(db, domain, name)
            case "model":
                return lineage.of_model(db, domain, name, version)
            case "endpoint":
                return lineage.of_endpoint(db, domain, name)
            case "dataset":
                return lineage.of_dataset(db, domain, name, digest)

    found = await studio.store.read(read)
    return LineageAnswer(
        focus=found.focus,
        nodes=[NodeAnswer.model_validate(node) for node in found.nodes.values()],
        edges=[EdgeAnswer.model_validate(edge) for edge in found.edges.values()],
        cut=found.cut,
    )
