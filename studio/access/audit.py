"""Who did what, and what was refused: rows that are only ever added, each sealed to the one before it.

Recorded are all changes but tracking writes and predictions, and all refusals of somebody who is known; never bodies,
never secrets. A change is written in its own transaction. Each row's hash covers the row and the hash before it under
the installation's key, so a row that was changed, taken out or put in between is found by `verify`; rows cut off at the
newest end are not, unless somebody keeps the head that it tells.
"""

import hashlib
import hmac
import logging

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, func, insert, select

from studio.clock import monotonic, now_ms
from studio.errors import StudioError
from studio.store import Store
from studio.store.cache import cache
from studio.store.tables.audit import audit
from studio.store.tenancy import EVERY, scope_query

DONE, DENIED, DROPPED, REMOVED = "done", "denied", "dropped", "removed"
OUTCOMES = (DONE, DENIED, DROPPED, REMOVED)
STUDIO = "studio"  # the kind of rows that Studio writes about the log itself
# Refusals that are written: many at once, few for long, so that whoever is refused in a loop fills no disk.
BURST, PER_S = 200, 0.1
BURST_EACH, PER_S_EACH = 30, 0.05
MOST_ASKERS = 1000
_LENGTHS = {"user": 80, "credential": 160, "domain": 80, "action": 80, "resource": 400, "detail": 500, "address": 64}
_COLUMNS = ("at_ms", "user", "kind", "credential", "domain", "action", "resource", "outcome", "detail", "request")
_HEAD = "audit.head"
log = logging.getLogger(__name__)


class Entry(Struct, frozen=True):
    """`user` did, or was refused, `action` on `resource` (`kind/name`); `kind`: how they proved who they are;
    `request`: the id that the answer carries; `address`: coarse."""

    user: str
    kind: str
    action: str
    outcome: str = DONE
    domain: str = ""
    resource: str = ""
    detail: str = ""
    credential: str = ""
    request: str = ""
    address: str = ""


class Row(Entry, frozen=True, kw_only=True):
    """An entry on record."""

    seq: int
    at_ms: int


class Audit:
    """The log of one installation; `secret` is its master key."""

    def __init__(self, store: Store, secret: str) -> None:
        self._store = store
        self._key = hashlib.sha256(f"audit {secret}".encode()).digest()
        self._all = _Allowance(BURST, PER_S)
        self._each: dict[str, _Allowance] = {}
        self._dropped = 0

    def append(self, db: Connection, entry: Entry) -> None:
        """Adds a row; to be called inside a write, with the change that it tells of."""
        known = cache(db)
        head = known.get(_HEAD)
        if head is None:
            head = (
                db.scalar(scope_query(select(audit.c.hash), audit, EVERY).order_by(audit.c.seq.desc()).limit(1)) or ""
            )
        values = msgspec.structs.asdict(entry) | {"at_ms": now_ms()}
        values |= {name: _plain(values[name])[:most] for name, most in _LENGTHS.items()}
        values["hash"] = known[_HEAD] = self._seal(head, values)
        db.execute(insert(audit).values(values))

    async def refused(self, entry: Entry) -> None:
        """Records a refusal, or counts it when there are too many. It never fails: what is refused stays refused."""
        if not self._may_write(f"{entry.kind} {entry.user or entry.address}"):
            self._dropped += 1
            return
        try:
            await self._store.write(lambda db: self.append(db, entry))
        except StudioError as error:
            self._dropped += 1
            log.warning("a refusal could not be recorded: %s", error)

    def dropped(self, count: int) -> None:
        """So many refusals were not told of."""
        self._dropped += count

    async def tell_dropped(self) -> None:
        """Writes how many refusals were not, if any."""
        count, self._dropped = self._dropped, 0
        if not count:
            return
        entry = Entry(
            "", STUDIO, "audit.drop", DROPPED, detail=f"{count} refusals were not recorded: too many at once."
        )
        try:
            await self._store.write(lambda db: self.append(db, entry))
        except StudioError:
            self._dropped += count
            raise

    def remove_before(self, db: Connection, at_ms: int, most: int) -> int:
        """Takes out up to `most` rows from the oldest on that are older than `at_ms`, and says so; how many."""
        kept = db.scalar(scope_query(select(func.min(audit.c.seq)), audit, EVERY).where(audit.c.at_ms >= at_ms))
        query = scope_query(select(audit.c.seq, audit.c.hash), audit, EVERY).order_by(audit.c.seq).limit(most)
        gone = db.execute(query if kept is None else query.where(audit.c.seq < kept)).all()
        # A row about this alone is no reason for another.
        if not gone or (kept is None and len(gone) <= 1):
            return 0
        last = gone[-1]
        what = f"{len(gone)} rows up to {last.seq} were older than is kept."
        entry = Entry("", STUDIO, "audit.remove", REMOVED, resource=f"audit/{last.hash}", detail=what)
        self.append(db, entry)
        db.execute(scope_query(delete(audit), audit, EVERY).where(audit.c.seq <= last.seq))
        return len(gone)

    def anchor(self, db: Connection) -> str:
        """The hash that the oldest row must follow: of the last one that was taken out, "" if none was."""
        query = scope_query(select(audit.c.resource), audit, EVERY).where(audit.c.outcome == REMOVED)
        query = query.order_by(audit.c.seq.desc()).limit(1)
        return (db.scalar(query) or "").removeprefix("audit/")

    def oldest(self, db: Connection) -> int | None:
        """The number of the first row that is kept."""
        found: int | None = db.scalar(scope_query(select(func.min(audit.c.seq)), audit, EVERY))
        return found

    def check(self, db: Connection, after: int, head: str, most: int) -> tuple[int, str, int, int | None]:
        """Goes over up to `most` rows after number `after`, the row before having the hash `head`; (rows that are
        right, hash of the last of them, its number, number of one that is wrong)."""
        query = scope_query(select(audit), audit, EVERY).where(audit.c.seq > after).order_by(audit.c.seq).limit(most)
        count = 0
        for row in db.execute(query):
            values = {name: getattr(row, name) for name in (*_COLUMNS, "address")}
            if not hmac.compare_digest(self._seal(head, values), row.hash):
                return count, head, after, row.seq
            count, head, after = count + 1, row.hash, row.seq
        return count, head, after, None

    def _seal(self, head: str, values: dict[str, object]) -> str:
        text = msgspec.json.encode([head, *(values[name] for name in _COLUMNS), values["address"]])
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()

    def _may_write(self, asker: str) -> bool:
        if len(self._each) >= MOST_ASKERS and asker not in self._each:
            self._each.clear()
        each = self._each.setdefault(asker, _Allowance(BURST_EACH, PER_S_EACH))
        return each.has_one() and self._all.has_one() and each.take() and self._all.take()


class _Allowance:
    """A bucket of `burst` that fills by `per_s`."""

    def __init__(self, burst: float, per_s: float) -> None:
        self._burst, self._per_s = burst, per_s
        self._left, self._at = burst, monotonic()

    def has_one(self) -> bool:
        now = monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        return self._left >= 1

    def take(self) -> bool:
        self._left -= 1
        return True


def _plain(text: str) -> str:
    """Without characters that no database or terminal likes: what was refused may be written by an attacker."""
    return "".join(char if char.isprintable() else "�" for char in text)
