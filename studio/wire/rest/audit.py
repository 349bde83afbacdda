"""The audit log: looking, taking it along, checking it."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response, StreamingResponse

from studio.access import audit_search
from studio.access.audit import Row
from studio.access.audit_search import Sought
from studio.access.principals import Principal
from studio.store.tenancy import EVERY, Domain
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.run_export import safe
from studio.wire.rest.schemas.audit import AuditPage, AuditRow, VerifiedAnswer

router = APIRouter(tags=["audit"])
IN_DOMAIN, EVERYWHERE = Allow("audit.read"), Allow("installation.audit")
CHUNK = 200  # rows read, or checked, at once: a few milliseconds of this process
_FIELDS = tuple(AuditRow.model_fields)
Form = Literal["jsonl", "csv"]


async def sought(
    user: str = Query("", max_length=80),
    action: str = Query("", max_length=80, description="May have *: jobs.*"),
    resource: str = Query("", max_length=300, description="May have *: endpoint/prod-*"),
    outcome: str = Query("", max_length=16, description="done or denied"),
    since_ms: int | None = None,
    until_ms: int | None = None,
) -> Sought:
    """What is looked for; nothing = all."""
    return Sought(user, action, resource, outcome, since_ms, until_ms)


Wanted = Annotated[Sought, Depends(sought)]
Before = Annotated[int | None, Query(ge=1, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=audit_search.MOST)]


@router.get("/domains/{domain}/audit")
async def list_audit(
    domain: str,
    wanted: Wanted,
    before: Before = None,
    limit: Limit = 100,
    studio: Studio = Depends(studio),
    _: Principal = Depends(IN_DOMAIN),
) -> AuditPage:
    """What was done and refused in the domain, newest first."""
    return await _page(studio, domain, wanted, before, limit)


@router.get("/domains/{domain}/audit/export", response_class=Response)
async def export_audit(
    domain: str,
    wanted: Wanted,
    format: Form = "jsonl",
    studio: Studio = Depends(studio),
    _: Principal = Depends(IN_DOMAIN),
) -> Response:
    """The same, whole, as a file."""
    return _file(studio, domain, wanted, format, f"{domain}-audit")


@router.get("/audit")
async def list_all_audit(
    wanted: Wanted,
    before: Before = None,
    limit: Limit = 100,
    studio: Studio = Depends(studio),
    _: Principal = Depends(EVERYWHERE),
) -> AuditPage:
    """What was done and refused in the whole installation."""
    return await _page(studio, EVERY, wanted, before, limit)


@router.get("/audit/export", response_class=Response)
async def export_all_audit(
    wanted: Wanted, format: Form = "jsonl", studio: Studio = Depends(studio), _: Principal = Depends(EVERYWHERE)
) -> Response:
    """The same, whole, as a file."""
    return _file(studio, EVERY, wanted, format, "audit")


@router.get("/audit/verify")
async def verify_audit(studio: Studio = Depends(studio), _: Principal = Depends(EVERYWHERE)) -> VerifiedAnswer:
    """Goes over every row: whether each is as it was written, and none is missing in between."""
    rows, after = 0, 0
    broken: int | None = None
    first = await studio.store.read(studio.audit.oldest)
    head = await studio.store.read(studio.audit.anchor)
    while broken is None:
        begin, seen = head, after
        count, head, after, broken = await studio.store.read(
            lambda db, begin=begin, seen=seen: studio.audit.check(db, seen, begin, CHUNK)  # type: ignore[misc]
        )
        if not count:
            break
        rows += count
        await asyncio.sleep(0)  # others are let in between
    return VerifiedAnswer(rows=rows, first=first, last=after or None, head=head, broken=broken)


async def _page(studio: Studio, domain: Domain, wanted: Sought, before: int | None, limit: int) -> AuditPage:
    found = await studio.store.read(lambda db: audit_search.search(db, domain, wanted, before, limit))
    rows = [AuditRow.model_validate(row) for row in found]
    return AuditPage(rows=rows, next=rows[-1].seq if len(rows) == limit else None)


def _file(studio: Studio, domain: Domain, wanted: Sought, form: Form, name: str) -> Response:
    media = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson"
    headers = {"content-disposition": f'attachment; filename="{name}.{form}"', "x-content-type-options": "nosniff"}
    return StreamingResponse(_lines(studio, domain, wanted, form), media_type=media, headers=headers)


async def _lines(studio: Studio, domain: Domain, wanted: Sought, form: Form) -> AsyncIterator[str]:
    if form == "csv":
        yield _csv([list(_FIELDS)])
    before: int | None = None
    while True:
        at = before
        found = await studio.store.read(
            lambda db, at=at: audit_search.search(db, domain, wanted, at, CHUNK)  # type: ignore[misc]
        )
        if found:
            yield _text(found, form)
        if len(found) < CHUNK:
            return
        before = found[-1].seq


def _text(rows: list[Row], form: Form) -> str:
    if form == "csv":
        return _csv([[safe(str(getattr(row, name))) for name in _FIELDS] for row in rows])
    return "".join(msgspec.json.encode({name: getattr(row, name) for name in _FIELDS}).decode() + "\n" for row in rows)


def _csv(lines: list[list[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(lines)
    return buffer.getvalue()
