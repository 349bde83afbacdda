"""Saved views of the table of runs."""

import msgspec
from fastapi import APIRouter, Depends, Query

from studio.access.principals import Principal
from studio.tracking import run_views
from studio.tracking.run_views import View
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.run_table import RunViewAnswer, RunViewBody

router = APIRouter(prefix="/domains/{domain}/run-views", tags=["tracking"])
READ = Allow("tracking.read")
WRITE = Allow("tracking.write")


@router.get("")
async def list_views(
    domain: str, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> list[RunViewAnswer]:
    """The views of the domain by name."""
    return [_answer(view) for view in await studio.store.read(lambda db: run_views.all_of(db, domain))]


@router.put("")
async def save_view(
    domain: str, body: RunViewBody, studio: Studio = Depends(studio), principal: Principal = Depends(WRITE)
) -> RunViewAnswer:
    """Saves a view under its name, over what was there."""
    state = msgspec.json.encode(body.state).decode()
    saved = await studio.store.write(
        lambda db: run_views.put(db, domain, body.name, principal.user, state, body.is_default)
    )
    return _answer(saved)


@router.delete("")
async def delete_view(
    domain: str,
    name: str = Query(max_length=100),
    studio: Studio = Depends(studio),
    _: Principal = Depends(WRITE),
) -> RunViewAnswer:
    """Deletes a view; the answer is what was deleted, to be saved again by who thinks better of it."""
    return _answer(await studio.store.write(lambda db: run_views.remove(db, domain, name)))


def _answer(view: View) -> RunViewAnswer:
    return RunViewAnswer(
        name=view.name,
        owner=view.owner,
        state=msgspec.json.decode(view.state),
        is_default=view.is_default,
        updated_ms=view.updated_ms,
    )
