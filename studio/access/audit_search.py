"""Finding rows of the audit log: newest first, page by page, by number."""

from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, select

from studio.access.audit import OUTCOMES, Row
from studio.errors import Invalid
from studio.patterns import ANY
from studio.store.tables.audit import audit
from studio.store.tenancy import Domain, scope_query

MOST = 500
_FIELDS = tuple(name for name in Row.__struct_fields__)


class Sought(Struct, frozen=True):
    """Empty means any. `action` and `resource` are patterns; times in ms, `until_ms` not included."""

    user: str = ""
    action: str = ""
    resource: str = ""
    outcome: str = ""
    since_ms: int | None = None
    until_ms: int | None = None


def search(db: Connection, domain: Domain, sought: Sought, before: int | None, most: int) -> list[Row]:
    """Up to `most` rows with numbers below `before` (None: from the newest)."""
    query = scope_query(select(*(audit.c[name] for name in _FIELDS)), audit, domain).where(*_wanted(sought))
    if before is not None:
        query = query.where(audit.c.seq < before)
    rows = db.execute(query.order_by(audit.c.seq.desc()).limit(most))
    return [Row(**row._mapping) for row in rows]


def _wanted(sought: Sought) -> list[ColumnElement[bool]]:
    if sought.outcome and sought.outcome not in OUTCOMES:
        raise Invalid(f"{sought.outcome[:40]!r} is no outcome.", f"There are {', '.join(OUTCOMES)}.")
    wanted: list[ColumnElement[bool]] = []
    for name in ("user", "outcome"):
        if text := getattr(sought, name):
            wanted.append(audit.c[name] == text)
    for name in ("action", "resource"):
        if text := getattr(sought, name):
            wanted.append(_like(audit.c[name], text))
    if sought.since_ms is not None:
        wanted.append(audit.c.at_ms >= sought.since_ms)
    if sought.until_ms is not None:
        wanted.append(audit.c.at_ms < sought.until_ms)
    return wanted


def _like(column: Any, pattern: str) -> ColumnElement[bool]:
    if ANY not in pattern:
        return bool_(column == pattern)
    if len(pattern) > 200 or pattern.count(ANY) > 4:
        raise Invalid("A pattern has at most 200 characters and four *.", "Make it shorter.")
    escaped = "".join(f"\\{char}" if char in "\\%_" else char for char in pattern)
    return bool_(column.like(escaped.replace(ANY, "%"), escape="\\"))


def bool_(clause: Any) -> ColumnElement[bool]:
    """SQLAlchemy's operators on an untyped column give Any."""
    found: ColumnElement[bool] = clause
    return found
