"""What people decided about versions: asked for, approved, rejected; who, when and why, with the history kept.

The table is the truth. Clients of MLflow read the newest decision as the version's tags `studio.approval`,
`studio.approval.by`, `.at` and `.reason`, and can search by them. No client can write them: `versions.set_tag` refuses
them, and a version that is made with them (as `copy_model_version` does) is made without, since an approval is of one
version and does not travel.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Row, insert, select

from studio.clock import now_ms
from studio.errors import Conflict, Invalid
from studio.registry import names, versions
from studio.store.tables import registry as t
from studio.tracking.records import Pair

MOST_REASON = 2000


class State(StrEnum):
    """A version about which nothing was decided has none of these."""

    pending = "Pending"
    approved = "Approved"
    rejected = "Rejected"


class Decision(Struct, frozen=True):
    """One entry of a version's history."""

    version: int
    state: State
    by: str
    reason: str
    at_ms: int


def record(db: Connection, domain: str, name: str, version: int, state: State, by: str, reason: str) -> Decision:
    """Notes a decision; `Conflict` if it is what holds already, `Invalid` for a rejection without a reason."""
    reason = reason.strip()
    if len(reason) > MOST_REASON:
        raise Invalid(f"A reason has at most {MOST_REASON} characters, not {len(reason)}.")
    if state is State.rejected and not reason:
        raise Invalid("A rejection needs a reason.", "Say what must change, so that the next version can be better.")
    versions.get(db, domain, name, version)
    model = names.find(db, domain, name)
    last = next(iter(history(db, domain, name, version)), None)
    if last is not None and last.state is state:
        raise Conflict(f"{name} version {version} is {state.lower()} already, by {last.by}.", "Nothing was changed.")
    made = Decision(version, state, by, reason, now_ms())
    values = {"model": model.id, "version": version, "state": state, "by": by, "reason": reason, "at_ms": made.at_ms}
    db.execute(insert(t.version_approvals).values(**values))
    versions.put_tags(db, model.id, version, _tags(made))
    names.touch(db, domain, model)
    return made


def history(db: Connection, domain: str, name: str, version: int) -> list[Decision]:
    """All decisions about a version, newest first."""
    c = t.version_approvals.c
    query = select(t.version_approvals).where(c.model == names.find(db, domain, name).id, c.version == version)
    return [_decision(row) for row in db.execute(query.order_by(c.id.desc()))]


def newest(db: Connection, domain: str, name: str) -> dict[int, Decision]:
    """Version → what was decided last, for those about which something was."""
    c = t.version_approvals.c
    query = select(t.version_approvals).where(c.model == names.find(db, domain, name).id).order_by(c.id)
    return {row.version: _decision(row) for row in db.execute(query)}


def _tags(made: Decision) -> Sequence[Pair]:
    prefix = versions.APPROVAL_TAG
    return [
        Pair(prefix, made.state.lower()),
        Pair(f"{prefix}.by", made.by),
        Pair(f"{prefix}.at", datetime.fromtimestamp(made.at_ms / 1000, UTC).isoformat(timespec="seconds")),
        Pair(f"{prefix}.reason", made.reason),
    ]


def _decision(row: Row[Any]) -> Decision:
    return Decision(row.version, State(row.state), row.by, row.reason, row.at_ms)
