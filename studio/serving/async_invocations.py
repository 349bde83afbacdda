"""Predictions that are asked for now and made later, as rows. `loops.async_invocations` has them made."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, delete, func, insert, or_, select, update

from studio.access import memberships
from studio.clock import now_ms
from studio.errors import Conflict, Invalid, NotFound, TooMany
from studio.ids import new_id
from studio.serving import endpoints
from studio.serving.async_decide import ANSWERS, Next, Waiting
from studio.serving.async_states import ENDS, State, may_follow
from studio.serving.states import EndpointState
from studio.store import signal
from studio.store.tables.async_invocations import async_invocations as table
from studio.store.tables.serving import endpoints as served
from studio.store.tenancy import EVERY, FOUND, Domain, scope_query

TOPIC = "async_invocations"
MOST_QUEUED = 1000  # of one endpoint
TTL_S, MOST_TTL_S = 6 * 3600, 6 * 3600  # as SageMaker
TIMEOUT_S, MOST_TIMEOUT_S = 900.0, 3600.0
LOOKED_AT = 64  # of one endpoint's queue, the oldest
_WAITS = ("size", "due_ms", "expires_ms", "attempts")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked. `target`: the variant that must answer, "" for any; `ttl_s`: not begun after so many seconds;
    `timeout_s`: for one try; `notify_url`: told of the end, signed with the secret sealed in `notify_secret`."""

    content_type: str = "application/json"
    accept: str = ""
    inference_id: str = ""
    target: str = ""
    ttl_s: float = TTL_S
    timeout_s: float = TIMEOUT_S
    notify_url: str = ""
    notify_secret: bytes | None = None


class Answer(msgspec.Struct, frozen=True):
    """What the gateway said of an answer: `status` 0: there was none; `type` and `size` (bytes) of the file, if it is
    one; `error`: its words, if it is an error; times in ms."""

    status: int = 0
    type: str = ""
    size: int = 0
    error: str = ""
    variant: str = ""
    version: str = ""
    inference_id: str = ""
    predict_ms: float = 0.0
    latency_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class AsyncInvocation:
    """One. `endpoint` is an id, `name` and `endpoint_state` are the endpoint's; `reason`: why it is tried again, or why
    it ended; `size`: bytes of the body; `notify_ms`: when its end is told next, None: nothing is to be told."""

    number: int
    id: str
    domain: str
    endpoint: str
    name: str
    owner: str
    inference_id: str
    content_type: str
    accept: str
    target: str
    size: int
    timeout_s: float
    state: State
    reason: str
    attempts: int
    due_ms: int
    expires_ms: int
    answer: Answer
    created_ms: int
    started_ms: int | None
    ended_ms: int | None
    notify_url: str
    notify_secret: bytes | None
    notify_tries: int
    notify_ms: int | None
    endpoint_state: EndpointState

    @property
    def waits_for(self) -> str:
        """In words, why it is not made now, or why it ended; "" if nothing is to be said."""
        if self.state is State.queued and self.endpoint_state not in ANSWERS:
            return f"The endpoint {self.name} is {self.endpoint_state}: its page says why. {self.reason}".strip()
        return self.reason


def check(wanted: Wanted) -> Wanted:
    """`wanted` itself, or `Invalid` for times that are not possible."""
    if not 1 <= wanted.ttl_s <= MOST_TTL_S:
        raise Invalid(f"It cannot wait {wanted.ttl_s:g} s.", f"Choose 1 to {MOST_TTL_S} seconds.")
    if not 1 <= wanted.timeout_s <= MOST_TIMEOUT_S:
        raise Invalid(f"{wanted.timeout_s:g} s are no time for an answer.", f"Choose 1 to {MOST_TIMEOUT_S:g} seconds.")
    return wanted


def admit(db: Connection, domain: str, name: str) -> str:
    """The id of the endpoint, if it takes one more; to be asked before a body is received."""
    found = endpoints.get(db, domain, name)
    if found.deleting:
        raise Conflict(f"The endpoint {name} is being deleted.", "Deploy it again when it is gone.")
    waiting = db.scalar(
        scope_query(select(func.count()), table, FOUND).where(table.c.endpoint == found.id, table.c.state.not_in(ENDS))
    )
    if (waiting or 0) >= MOST_QUEUED:
        raise TooMany(f"{MOST_QUEUED} predictions wait for {name} already.", "Ask again when it is done with some.")
    return found.id


def new_invocation_id() -> str:
    """The id of one that is about to be queued: its body is stored under it first."""
    return new_id("async")


def create(db: Connection, domain: str, name: str, owner: str, id: str, size: int, wanted: Wanted) -> AsyncInvocation:
    """Queues one whose body is stored."""
    endpoint, now = admit(db, domain, name), now_ms()
    values = asdict(check(wanted))
    values["expires_ms"] = now + int(values.pop("ttl_s") * 1000)
    values["inference_id"] = wanted.inference_id or id
    row = {"id": id, "domain": domain, "endpoint": endpoint, "owner": owner, "size": size, "created_ms": now}
    db.execute(insert(table).values(**row, **values, state=State.queued, due_ms=now))
    signal(db, TOPIC, domain, id)
    return get(db, domain, name, id)


def get(db: Connection, domain: str, name: str, id: str) -> AsyncInvocation:
    """One of this endpoint of `domain`, or `NotFound`."""
    row = db.execute(_query(domain).where(table.c.id == id)).one_or_none()
    if row is None or row.name != name:
        raise NotFound(f"{name} has no async invocation {id[:60]!r}.", "What has ended is removed after some days.")
    return _of(row)


def find(db: Connection, id: str) -> AsyncInvocation | None:
    """The one with this id, if it is there still."""
    row = db.execute(_query(FOUND).where(table.c.id == id)).one_or_none()
    return None if row is None else _of(row)


def list_all(db: Connection, domain: str, name: str, limit: int = 100) -> list[AsyncInvocation]:
    """Those of one endpoint, newest first."""
    found = endpoints.get(db, domain, name)
    query = _query(domain).where(table.c.endpoint == found.id).order_by(table.c.number.desc()).limit(limit)
    return [_of(row) for row in db.execute(query)]


def waiting(db: Connection) -> list[Waiting]:
    """What has not ended, of all domains, in the order in which it came: all that runs, and the front of each queue."""
    c = table.c
    columns = (c.id, c.endpoint, c.state, c.size, c.due_ms, c.expires_ms, c.attempts, c.number)
    active = scope_query(select(*columns), table, EVERY).where(c.state.in_([State.queued, State.running]))
    of = [
        row.endpoint
        for row in db.execute(
            scope_query(select(c.endpoint), table, EVERY).where(c.state.in_([State.queued, State.running])).distinct()
        )
    ]
    found: list[Row[Any]] = list(db.execute(active.where(c.state == State.running)))
    now = now_ms()
    for endpoint in of:
        front = active.where(c.endpoint == endpoint, c.state == State.queued, or_(c.due_ms <= now, c.expires_ms <= now))
        found += db.execute(front.order_by(c.number).limit(LOOKED_AT))
    found.sort(key=lambda row: row.number)
    return [Waiting(r.id, r.endpoint, State(r.state), *(getattr(r, name) for name in _WAITS)) for r in found]


def begin(db: Connection, id: str) -> AsyncInvocation | None:
    """It is about to be asked for: to be committed first. One that runs already is asked for again, which is no new
    try; None if it is gone, has ended, or nobody is left in whose name it could be."""
    found = find(db, id)
    if found is None or found.state.is_end:
        return None
    if memberships.find(db, found.domain, found.owner) is None:
        _end(db, found, State.failed, f"{found.owner} is no member of {found.domain} any more.")
        return None
    if found.state is State.queued:
        started = found.started_ms or now_ms()
        _move(db, found, State.running, reason="", attempts=found.attempts + 1, started_ms=started)
    return find(db, id)


def settle(db: Connection, id: str, answer: Answer, then: Next) -> None:
    """What became of the try; nothing happens if it was deleted meanwhile."""
    found = find(db, id)
    if found is None or found.state is not State.running:
        return
    said = msgspec.json.encode(answer).decode()
    if then.state is State.queued:
        _move(db, found, then.state, reason=then.reason, answer=said, due_ms=now_ms() + int(then.pause_s * 1000))
    else:
        _end(db, found, then.state, then.reason, answer=said)


def expire(db: Connection, id: str) -> None:
    """It waited too long."""
    found = find(db, id)
    if found is not None and found.state is State.queued:
        last = f" The last try: {found.reason}" if found.reason else ""
        _end(db, found, State.expired, f"It waited longer than its asker wanted.{last}")


def remove(db: Connection, domain: str, name: str, id: str) -> AsyncInvocation:
    """Forgets one, whatever its state; its files are the caller's to remove."""
    found = get(db, domain, name, id)
    db.execute(scope_query(delete(table), table, FOUND).where(table.c.number == found.number))
    signal(db, TOPIC, domain, id)
    return found


def remove_old(db: Connection, before_ms: int, most: int = 500) -> list[AsyncInvocation]:
    """Forgets what ended before `before_ms`; what it was, so that its files can be removed."""
    found = [
        _of(row)
        for row in db.execute(_query(EVERY).where(table.c.state.in_(ENDS), table.c.ended_ms < before_ms).limit(most))
    ]
    numbers = [one.number for one in found]
    db.execute(scope_query(delete(table), table, FOUND).where(table.c.number.in_(numbers)))
    return found


def ids(db: Connection) -> dict[str, set[str]]:
    """Every endpoint's id → the ids of its own, of all domains."""
    known: dict[str, set[str]] = {found.id: set() for found in endpoints.list_endpoints(db)}
    for row in db.execute(scope_query(select(table.c.endpoint, table.c.id), table, EVERY)):
        known.setdefault(row.endpoint, set()).add(row.id)
    return known


def to_tell(db: Connection, most: int) -> list[AsyncInvocation]:
    """Those whose end is to be told now."""
    query = _query(EVERY).where(table.c.notify_ms <= now_ms()).order_by(table.c.notify_ms).limit(most)
    return [_of(row) for row in db.execute(query)]


def told(db: Connection, done: Collection[int], later: dict[int, int | None]) -> None:
    """Numbers of those that were told; of others in how many seconds they are tried again, None: never."""
    rows = scope_query(update(table), table, FOUND)
    for number in [*done, *(number for number, pause_s in later.items() if pause_s is None)]:
        db.execute(rows.where(table.c.number == number).values(notify_ms=None))
    for number, pause_s in later.items():
        if pause_s is not None:
            due = {"notify_ms": now_ms() + pause_s * 1000, "notify_tries": table.c.notify_tries + 1}
            db.execute(rows.where(table.c.number == number).values(**due))


def _end(db: Connection, found: AsyncInvocation, state: State, reason: str, **values: Any) -> None:
    now = now_ms()
    _move(db, found, state, reason=reason, ended_ms=now, notify_ms=now if found.notify_url else None, **values)


def _move(db: Connection, found: AsyncInvocation, state: State, **values: Any) -> None:
    if not may_follow(found.state, state):
        raise Conflict(f"{found.id} is {found.state} and cannot become {state}.", "Look at it again.")
    db.execute(
        scope_query(update(table), table, FOUND).where(table.c.number == found.number).values(state=state, **values)
    )
    signal(db, TOPIC, found.domain, found.id)


def _query(domain: Domain) -> Select[Any]:
    about = (served.c.name, served.c.state.label("endpoint_state"))
    return scope_query(select(table, *about), table, domain).join_from(table, served)


def _of(row: Row[Any]) -> AsyncInvocation:
    values = dict(row._mapping)
    said = values["answer"]
    answer = msgspec.json.decode(said, type=Answer) if said else Answer()
    known = {"state": State(values["state"]), "endpoint_state": EndpointState(values["endpoint_state"])}
    return AsyncInvocation(**values | known | {"answer": answer})
