"""The table of runs as CSV, sent while it is read."""

import csv
import functools
import io
import math
import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from studio.access.principals import Principal
from studio.tracking import run_rows, run_table
from studio.tracking.records import Run
from studio.tracking.run_table import Column
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.run_table import query_of
from studio.wire.rest.schemas.run_table import ColumnName, RunTableQuery

router = APIRouter(prefix="/domains/{domain}/runs", tags=["tracking"])
READ = Allow("tracking.read")
CHUNK = 100  # runs read and written at once: a few milliseconds of this process
_ALWAYS = ("run_id", "run_name", "status", "start_time", "duration", "user")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@router.get("/export", response_class=Response)
async def export_runs(
    domain: str,
    experiment_ids: list[str] | None = Query(None, max_length=5000),
    filter: str = Query("", max_length=10_000),
    view: str = "ACTIVE_ONLY",
    archived: bool = False,
    order: list[str] = Query([], max_length=8, description="A column, with DESC after a space if descending"),
    columns: list[ColumnName] | None = Query(None, max_length=600, description="Without: every metric and param"),
    studio: Studio = Depends(studio),
    _: Principal = Depends(READ),
) -> Response:
    """All runs that match, in order: a line each, beside what names them the columns."""
    body = RunTableQuery(experiment_ids=experiment_ids, filter=filter, view=view, archived=archived)
    terms = [run_table.term(text.removesuffix(" DESC"), text.endswith(" DESC")) for text in order]

    def start(db: Connection) -> tuple[str, list[str]]:
        query = query_of(db, domain, body)
        names = columns
        if names is None:
            keys = run_table.keys(db, query)
            names = [f"{kind}.{key.name}" for kind in ("metrics", "params") for key in keys[kind]]
        return run_table.order(db, query, terms), names

    numbers, names = await studio.store.read(start)
    wanted = [run_table.column(name) for name in names]
    shown = [item for item in wanted if item.entity != "attribute"]
    head = [*_ALWAYS, *(name for name, item in zip(names, wanted, strict=True) if item.entity != "attribute")]
    headers = {"content-disposition": f'attachment; filename="{domain}-runs.csv"', "x-content-type-options": "nosniff"}
    lines = _lines(studio, domain, numbers, head, shown)
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


async def _lines(
    studio: Studio, domain: str, numbers: str, head: Sequence[str], columns: Sequence[Column]
) -> AsyncIterator[str]:
    yield _text([list(head)])
    at = 0
    while at < len(numbers):
        end = _nth_comma(numbers, at)
        chunk = [int(number) for number in numbers[at:end].split(",")]
        runs = await studio.store.read(
            functools.partial(run_rows.by_number, domain=domain, numbers=chunk, columns=columns)
        )
        yield _text([_line(run, columns) for run in runs])
        at = end + 1


def _nth_comma(text: str, start: int) -> int:
    """Where CHUNK numbers from `start` end."""
    at = start - 1
    for _ in range(CHUNK):
        at = text.find(",", at + 1)
        if at < 0:
            return len(text)
    return at


def _line(run: Run, columns: Sequence[Column]) -> list[str]:
    info = run.info
    started = "" if info.start_ms is None else datetime.fromtimestamp(info.start_ms / 1000, UTC).isoformat()
    took = "" if info.end_ms is None or info.start_ms is None else repr((info.end_ms - info.start_ms) / 1000)
    latest = {metric.key: metric for metric in run.metrics}
    held = {"param": {pair.key: pair.value for pair in run.params}, "tag": {pair.key: pair.value for pair in run.tags}}
    line = [info.run_id, safe(info.name), info.status, started, took, safe(info.owner or info.user_id)]
    for column in columns:
        if column.entity in held:
            line.append(safe(held[column.entity].get(column.key, "")))
            continue
        metric = latest.get(column.key)
        bound = {"metric_min": "low", "metric_max": "high"}.get(column.entity, "value")
        value = None if metric is None else getattr(metric, bound)
        line.append("" if value is None else "NaN" if math.isnan(value) else repr(value))
    return line


def safe(text: str) -> str:
    """`text` as a cell that no spreadsheet takes for a formula: what is no number and begins as one gets a quote."""
    if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def _text(lines: Sequence[Sequence[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(lines)
    return buffer.getvalue()
