"""What happened to an endpoint, in words, newest last: why it is as it is."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from studio.clock import now_ms
from studio.store.tables.serving import endpoint_events

KEPT = 200
DETAIL_CHARACTERS = 16_000


@dataclass(frozen=True, slots=True)
class EndpointEvent:
    """`detail`: a traceback, or empty."""

    at_ms: int
    text: str
    detail: str


def tell(db: Connection, endpoint: str, text: str, detail: str = "") -> None:
    """Adds a line; the oldest above `KEPT` go."""
    values = {"endpoint": endpoint, "at_ms": now_ms(), "text": text[:2000], "detail": detail[-DETAIL_CHARACTERS:]}
    db.execute(insert(endpoint_events).values(values))
    mine = endpoint_events.c.endpoint == endpoint
    newest_first = select(endpoint_events.c.seq).where(mine).order_by(endpoint_events.c.seq.desc())
    oldest_kept = db.scalar(newest_first.offset(KEPT).limit(1))
    if oldest_kept is not None:
        db.execute(delete(endpoint_events).where(mine, endpoint_events.c.seq <= oldest_kept))


def list_events(db: Connection, endpoint: str, limit: int = 100) -> list[EndpointEvent]:
    """The last `limit` lines, oldest first."""
    columns = (endpoint_events.c.at_ms, endpoint_events.c.text, endpoint_events.c.detail)
    query = select(*columns).where(endpoint_events.c.endpoint == endpoint).order_by(endpoint_events.c.seq.desc())
    return [EndpointEvent(**row._mapping) for row in db.execute(query.limit(limit))][::-1]
