"""Webhooks of a domain: an address that is told of some events. Secrets come and are kept sealed."""

import re
import uuid
from collections.abc import Sequence
from typing import Any

from msgspec import Struct, structs
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from studio.clock import now_ms
from studio.errors import Conflict, Invalid, NotFound
from studio.store import signal
from studio.store.tables import webhooks as t
from studio.store.tenancy import FOUND, scope_query

ACTIVE, DISABLED = "ACTIVE", "DISABLED"
MOST = 100  # in a domain
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?", re.IGNORECASE)
_MOST_TEXT = 5000


class Webhook(Struct, frozen=True):
    """`events` as `events.check` gives them; `sealed` is the secret that its messages are signed with, or None."""

    id: str
    domain: str
    name: str
    url: str
    events: tuple[str, ...]
    description: str | None
    status: str
    sealed: bytes | None
    created_ms: int
    updated_ms: int


class Change(Struct, frozen=True):
    """What of a webhook is to be another; None leaves it."""

    name: str | None = None
    url: str | None = None
    events: tuple[str, ...] | None = None
    description: str | None = None
    status: str | None = None
    sealed: bytes | None = None


def create(db: Connection, domain: str, wanted: Change) -> Webhook:
    """A new one; its address has been checked."""
    _check(wanted)
    if not wanted.name or not wanted.url or not wanted.events:
        raise Invalid("A webhook has a name, a URL and events.", "Send all three.")
    if db.scalar(scope_query(select(func.count()), t.webhooks, domain)) >= MOST:  # type: ignore[operator]
        raise Conflict(f"A domain has at most {MOST} webhooks.", "Delete one first.")
    now = now_ms()
    made = Webhook(
        str(uuid.uuid4()),
        domain,
        wanted.name,
        wanted.url,
        tuple(dict.fromkeys(wanted.events)),
        wanted.description or None,
        wanted.status or ACTIVE,
        wanted.sealed,
        now,
        now,
    )
    db.execute(insert(t.webhooks).values(**_row(made)))
    return made


def get(db: Connection, domain: str, webhook: str) -> Webhook:
    """One webhook of this domain, or `NotFound`."""
    c = t.webhooks.c
    row = db.execute(scope_query(select(t.webhooks), c, domain).where(c.id == webhook)).first()
    if row is None:
        raise NotFound(f"Webhook with ID {webhook} not found.")
    return _of(row)


def list_all(db: Connection, domain: str) -> list[Webhook]:
    """All of a domain, newest first."""
    c = t.webhooks.c
    query = scope_query(select(t.webhooks), c, domain).order_by(c.created_ms.desc(), c.id)
    return [_of(row) for row in db.execute(query)]


def change(db: Connection, domain: str, webhook: str, wanted: Change) -> Webhook:
    """Another name, address …; what was waiting goes to the new address, or nowhere if it is DISABLED now."""
    _check(wanted)
    found = get(db, domain, webhook)
    given = {name: value for name, value in structs.asdict(wanted).items() if value is not None}
    made = structs.replace(found, **given, updated_ms=now_ms())
    db.execute(
        scope_query(update(t.webhooks), t.webhooks, FOUND).where(t.webhooks.c.id == webhook).values(**_row(made))
    )
    if made.status == DISABLED:
        db.execute(delete(t.webhook_deliveries).where(t.webhook_deliveries.c.webhook == webhook))
    signal(db, "webhooks", domain, webhook)
    return made


def remove(db: Connection, domain: str, webhook: str) -> None:
    """Deletes it and what was waiting for it."""
    get(db, domain, webhook)
    db.execute(delete(t.webhook_deliveries).where(t.webhook_deliveries.c.webhook == webhook))
    db.execute(scope_query(delete(t.webhooks), t.webhooks, FOUND).where(t.webhooks.c.id == webhook))


def told_of(db: Connection, domain: str, event: str) -> Sequence[str]:
    """The ids of those that are told of `event`."""
    c = t.webhooks.c
    rows = db.execute(scope_query(select(c.id, c.events), c, domain).where(c.status == ACTIVE))
    return [row.id for row in rows if event in row.events.split()]


def _check(wanted: Change) -> None:
    if wanted.name is not None and not _NAME.fullmatch(wanted.name):
        raise Invalid(
            f"Webhook name {wanted.name[:80]!r} is invalid.",
            "At most 63 letters, digits, dots, underscores and hyphens; it starts and ends with a letter or digit.",
        )
    if wanted.events is not None and not wanted.events:
        raise Invalid("Webhook events cannot be empty.", "Name at least one.")
    if wanted.status not in (None, ACTIVE, DISABLED):
        raise Invalid(f"Invalid webhook status: {wanted.status!r}.", f"It is {ACTIVE} or {DISABLED}.")
    if len(wanted.description or "") > _MOST_TEXT:
        raise Invalid(f"The description is longer than {_MOST_TEXT} characters.", "Shorten it.")


def _row(made: Webhook) -> dict[str, Any]:
    values = structs.asdict(made) | {"events": " ".join(made.events)}
    return values | {"secret": values.pop("sealed")}


def _of(row: Row[Any]) -> Webhook:
    return Webhook(
        row.id,
        row.domain,
        row.name,
        row.url,
        tuple(row.events.split()),
        row.description,
        row.status,
        row.secret,
        row.created_ms,
        row.updated_ms,
    )
