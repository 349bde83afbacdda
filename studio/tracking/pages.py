"""Pages that stay right while rows are added: a token holds the last row's sort values, not a number of rows."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_

from studio.errors import Invalid


@dataclass(frozen=True, slots=True)
class Sort:
    """One column of an order; nulls come last either way, as in MLflow."""

    column: ColumnElement[Any]
    descending: bool = False
    nullable: bool = False


def order(sorts: Sequence[Sort]) -> list[ColumnElement[Any]]:
    """The ORDER BY of `sorts`."""
    clauses: list[ColumnElement[Any]] = []
    for sort in sorts:
        if sort.nullable:
            clauses.append(sort.column.is_(None))
        clauses.append(sort.column.desc() if sort.descending else sort.column.asc())
    return clauses


def after(sorts: Sequence[Sort], values: Sequence[Any]) -> ColumnElement[bool]:
    """Whether a row comes after the one that had `values`."""
    cases: list[ColumnElement[bool]] = []
    same: list[ColumnElement[bool]] = []
    for sort, value in zip(sorts, values, strict=True):
        cases.append(and_(*same, _beyond(sort, value)))
        same.append(sort.column.is_(None) if value is None else sort.column == value)
    first, value = sorts[0], values[0]
    if first.nullable or value is None:
        return or_(*cases)
    # Says nothing new, but lets the database begin in the middle of an index.
    reach = first.column <= value if first.descending else first.column >= value
    return and_(reach, or_(*cases))


def _beyond(sort: Sort, value: Any) -> ColumnElement[bool]:
    if value is None:
        return false()
    further = sort.column < value if sort.descending else sort.column > value
    return or_(further, sort.column.is_(None)) if sort.nullable else further


def encode(search: Sequence[Any], values: Sequence[Any]) -> str:
    """The token after the row with `values` in `search` (everything that decides its rows and order)."""
    text = json.dumps([_mark(search), list(values)])
    return base64.urlsafe_b64encode(text.encode()).decode()


def decode(token: str | None, search: Sequence[Any], width: int | None = None) -> list[Any] | None:
    """The values in a token, or none without one; `Invalid` if it is not a token of this very search, which has `width`
    sort values."""
    if not token:
        return None
    try:
        mark, values = json.loads(base64.b64decode(token.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise Invalid("Invalid page token, could not base64-decode.", "Begin again without a page token.") from error
    if mark != _mark(search) or not isinstance(values, list):
        raise Invalid(
            "Invalid page token: it belongs to another search.", "Keep filter and order while paging, or begin again."
        )
    if width not in (None, len(values)) or not all(map(_is_plain, values)):
        raise Invalid("Invalid page token: nobody was given it.", "Begin again without a page token.")
    return values


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | float) or (isinstance(value, int) and -(2**63) <= value < 2**63)


def _mark(search: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(search, default=str).encode()).hexdigest()[:12]
