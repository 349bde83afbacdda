"""What is to be sent: queued with the change it tells of, tried again later and later, given up in the end."""

import logging
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, delete, func, insert, select, update

from studio.clock import now_ms
from studio.store import signal
from studio.store.tables import webhooks as t
from studio.store.tenancy import EVERY, scope_query
from studio.webhooks import events, webhooks

# Seconds after the first try, the second …; after the last one it is given up.
PAUSES_S = (1, 5, 30, 120, 600, 3600)
MOST_WAITING = 1000  # for one webhook: an address that never answers may not fill the database
log = logging.getLogger(__name__)


class Delivery(Struct, frozen=True):
    """`id` is what the receiver knows it by; `tries` so far."""

    number: int
    id: str
    webhook: str
    domain: str
    url: str
    sealed: bytes | None
    event: str
    body: str
    tries: int


def happened(db: Connection, domain: str, event: str, data: Mapping[str, Any]) -> None:
    """Queues a message for everyone who is told of `event`; to be called in the write that makes it happen."""
    told = webhooks.told_of(db, domain, event)
    if not told:
        return
    text, now = events.body(event, data), now_ms()
    for webhook in told:
        waiting = db.scalar(select(func.count()).where(t.webhook_deliveries.c.webhook == webhook)) or 0
        if waiting >= MOST_WAITING:
            log.warning("webhook %s: %d messages wait already; %s is not sent", webhook, waiting, event)
            continue
        row = {"webhook": webhook, "delivery": str(uuid.uuid4()), "event": event, "body": text}
        db.execute(insert(t.webhook_deliveries).values(**row, tries=0, due_ms=now))
    signal(db, "webhooks", domain)


def due(db: Connection, most: int) -> list[Delivery]:
    """What is to be sent now, at most one for each webhook: its messages go in order."""
    c, w = t.webhook_deliveries.c, t.webhooks.c
    first = select(func.min(c.id)).group_by(c.webhook)
    query = (
        scope_query(select(t.webhook_deliveries, w.domain, w.url, w.secret), w, EVERY)
        .join_from(t.webhook_deliveries, t.webhooks)
        .where(c.id.in_(first), c.due_ms <= now_ms())
        .order_by(c.due_ms, c.id)
        .limit(most)
    )
    return [
        Delivery(row.id, row.delivery, row.webhook, row.domain, row.url, row.secret, row.event, row.body, row.tries)
        for row in db.execute(query)
    ]


def settle(db: Connection, done: Sequence[int], failed: Mapping[int, int | None]) -> None:
    """Takes out what was delivered; puts what failed off by so many seconds, or (None) takes it out too. More may be
    due at once."""
    c = t.webhook_deliveries.c
    for number in [*done, *(number for number, pause_s in failed.items() if pause_s is None)]:
        db.execute(delete(t.webhook_deliveries).where(c.id == number))
    for number, pause_s in failed.items():
        if pause_s is not None:
            later = {"tries": c.tries + 1, "due_ms": now_ms() + pause_s * 1000}
            db.execute(update(t.webhook_deliveries).where(c.id == number).values(**later))
    if done:
        signal(db, "webhooks")


def pause_s(tries: int, status: int) -> int | None:
    """Seconds until the next try after `tries` earlier ones and an answer of `status` (0: none); None to give up.

    As MLflow: what may pass (no answer, 429, 5xx) is tried again, a refusal is not."""
    if status and status != 429 and status < 500:
        return None
    return PAUSES_S[tries] if tries < len(PAUSES_S) else None
