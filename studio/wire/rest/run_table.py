"""The table of runs: its order, windows of it, groups, keys and values, changes of many, CSV."""

import hashlib
from collections.abc import Callable
from typing import TypeVar

import msgspec
from fastapi import APIRouter, Depends
from sqlalchemy import Connection
from starlette.responses import Response

from studio.access.principals import Principal
from studio.tracking import experiments, run_changes, run_groups, run_rows, run_table
from studio.tracking.run_table import Query
from studio.tracking.searching import Term
from studio.wire.context import Studio, studio
from studio.wire.rest.schemas.run_table import (
    RunColumnOrder,
    RunGroupsAnswer,
    RunGroupsQuery,
    RunKeysAnswer,
    RunOrderAnswer,
    RunOrderQuery,
    RunRowsQuery,
    RunsChange,
    RunsChanged,
    RunTableQuery,
    RunValueAnswer,
    RunValuesQuery,
    RunVaryingQuery,
    RunWindowAnswer,
    RunWindowQuery,
)
from studio.wire.rest.schemas.tracking import RunAnswer
from studio.wire.rest.tracking import READ, WRITE, fields

router = APIRouter(prefix="/domains/{domain}/runs", tags=["tracking"])
T = TypeVar("T")


@router.post("/window", response_model=RunWindowAnswer)
async def open_window(
    domain: str, body: RunWindowQuery, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> Response:
    """The first rows and how many there are: what the table shows before anything else is asked."""
    terms = terms_of(body.order)
    columns = None if body.columns is None else [run_table.column(name) for name in body.columns]

    def read(db: Connection) -> bytes:
        query = query_of(db, domain, body)
        numbers = run_table.first(db, query, terms, body.first)
        total = run_table.count(db, query)
        everything = Query(domain, query.experiment_ids, view=body.view, archived=body.archived)
        rows = [fields(run) for run in run_rows.by_number(db, domain, numbers, columns)]
        whole = run_table.count(db, everything) if body.filter.strip() else total
        return msgspec.json.encode({"total": total, "all": whole, "runs": rows})

    return _json(await studio.store.read(read))


@router.post("/order", response_model=RunOrderAnswer)
async def get_order(
    domain: str, body: RunOrderQuery, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> Response:
    """The numbers of all runs in order, so that the table knows how far it scrolls and what to ask for."""
    terms = terms_of(body.order)
    text = await studio.store.read(lambda db: run_table.order(db, query_of(db, domain, body), terms))
    digest = hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
    # Put together by hand: a hundred thousand numbers as Python objects would hold the server up.
    numbers = "null" if digest == body.known else f"[{text}]"
    return _json(f'{{"hash":"{digest}","numbers":{numbers}}}'.encode())


@router.post("/rows", response_model=list[RunAnswer])
async def get_rows(
    domain: str, body: RunRowsQuery, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> Response:
    """A window of runs; those that are not this domain's are left out."""
    columns = None if body.columns is None else [run_table.column(name) for name in body.columns]

    def read(db: Connection) -> bytes:
        found = run_rows.by_number(db, domain, body.numbers, columns) if body.numbers else []
        found += run_rows.by_id(db, domain, body.run_ids, columns) if body.run_ids else []
        return msgspec.json.encode([fields(run) for run in found])

    return _json(await studio.store.read(read))


@router.post("/keys")
async def list_keys(
    domain: str, body: RunTableQuery, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> RunKeysAnswer:
    """What can be a column."""
    found = await _read(studio, domain, body, run_table.keys)
    return RunKeysAnswer.model_validate(found)


@router.post("/values")
async def list_values(
    domain: str, body: RunValuesQuery, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> list[RunValueAnswer]:
    """The most common values of a param, tag or attribute."""
    found = await _read(studio, domain, body, lambda db, query: run_table.values(db, query, body.column, body.begins))
    return [RunValueAnswer(value=value, runs=runs) for value, runs in found]


@router.post("/varying")
async def list_varying(
    domain: str, body: RunVaryingQuery, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> list[str]:
    """The columns in which the runs differ."""
    return await _read(studio, domain, body, lambda db, query: run_table.varying(db, query, body.columns))


@router.post("/groups")
async def list_groups(
    domain: str, body: RunGroupsQuery, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> RunGroupsAnswer:
    """Groups with mean, deviation and bounds of the columns."""
    by, columns = run_table.column(body.by), [run_table.column(name) for name in body.columns]
    groups, total = await _read(studio, domain, body, lambda db, query: run_groups.groups(db, query, by, columns))
    return RunGroupsAnswer.model_validate({"groups": groups, "total": total})


@router.post("/change")
async def change_runs(
    domain: str, body: RunsChange, studio: Studio = Depends(studio), _: Principal = Depends(WRITE)
) -> RunsChanged:
    """Deletes, restores or tags many runs at once; one that cannot be changed leaves all as they were."""

    def write(db: Connection) -> RunsChanged:
        if body.deleted is False:
            run_changes.set_stage(db, domain, body.run_ids, deleted=False)
        if body.tags:
            run_changes.change_tags(db, domain, body.run_ids, body.tags)
        if body.deleted:
            run_changes.set_stage(db, domain, body.run_ids, deleted=True)
        return RunsChanged(changed=len(set(body.run_ids)))

    return await studio.store.write(write)


def query_of(db: Connection, domain: str, body: RunTableQuery) -> Query:
    """What `body` asks for, with the experiments filled in."""
    ids = experiments.active_ids(db, domain) if body.experiment_ids is None else body.experiment_ids
    return Query(domain, ids, body.filter, body.view, body.archived)


def terms_of(order: list[RunColumnOrder]) -> list[Term]:
    """The order of a table as searches know it."""
    return [run_table.term(item.column, item.descending) for item in order]


async def _read(studio: Studio, domain: str, body: RunTableQuery, function: Callable[[Connection, Query], T]) -> T:
    return await studio.store.read(lambda db: function(db, query_of(db, domain, body)))


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")
