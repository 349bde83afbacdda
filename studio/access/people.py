"""All that deciding about a request needs, in memory: memberships, sessions, keys, policies, names of domains."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from studio.access import keys, memberships, passwords, policies, sessions
from studio.access.keys import Key
from studio.access.principals import EVERYTHING, Kind, Principal, Role, Scope
from studio.access.rules import Policy
from studio.access.sessions import Session
from studio.clock import monotonic, now_ms
from studio.store import Signal, Store
from studio.store.tables.domains import domains

TOPICS = frozenset({"members", "sessions", "keys", "users", "domains", "policy", "instance-types"})
MONEY_S = 5.0  # a rule on what the domain has cost knows it as of at most so long ago


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One consistent view. `roles`: user → domain → role; `passwords`: who has one."""

    domains: frozenset[str] = frozenset()
    roles: Mapping[str, Mapping[str, Role]] = field(default_factory=dict)
    sessions: Mapping[str, Session] = field(default_factory=dict)
    keys: Mapping[str, Key] = field(default_factory=dict)
    passwords: frozenset[str] = frozenset()
    policies: Mapping[str, Policy] = field(default_factory=dict)

    def principal(
        self,
        kind: Kind,
        user: str,
        domain: str | None = None,
        credential: str = "",
        *,
        cap: Role | None = None,
        operates: bool = False,
        scope: Scope = EVERYTHING,
    ) -> Principal:
        """Who asks, with their roles and the rules that bind them. Whoever is let in is made here."""
        roles = self.roles.get(user, {})
        return Principal(kind, user, domain, credential, cap, roles, operates, scope, self.policies)

    def roles_of(self, user: str) -> Mapping[str, Role]:
        """The person's role in each of their domains."""
        return self.roles.get(user, {})

    def session(self, session_id: str) -> Session | None:
        """A session that has not ended."""
        found = self.sessions.get(session_id)
        return found if found is not None and found.expires_ms > now_ms() else None

    def key(self, key_id: str) -> Key | None:
        """A key that is neither revoked nor expired."""
        found = self.keys.get(key_id)
        if found is None or (found.expires_ms is not None and found.expires_ms <= now_ms()):
            return None
        return found


def load(db: Connection) -> Snapshot:
    """Reads the snapshot."""
    roles: dict[str, dict[str, Role]] = {}
    for member in memberships.list_all(db):
        roles.setdefault(member.user, {})[member.domain] = member.role
    return Snapshot(
        domains=frozenset(db.execute(select(domains.c.name)).scalars()),
        roles=roles,
        sessions={session.id: session for session in sessions.list_all(db)},
        keys={key.id: key for key in keys.list_all(db)},
        passwords=passwords.holders(db),
        policies=policies.load(db),
    )


class People:
    """The newest snapshot. A committed change is seen by every request that begins after its acknowledgement."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._snapshot = Snapshot()
        self._stale = True
        self._until = math.inf  # on the monotonic clock: from then on what was read is too old
        self._loading = asyncio.Lock()
        store.signals.listen(self._heard)

    def _heard(self, signal: Signal) -> None:
        if signal.topic in TOPICS:
            self._stale = True

    async def fresh(self) -> Snapshot:
        """The snapshot, read again if anything in it was changed, or its money has become old."""
        if self._stale or monotonic() > self._until:
            async with self._loading:
                while self._stale or monotonic() > self._until:
                    self._stale = False
                    try:
                        self._snapshot = await self._store.read(load)
                    except BaseException:
                        self._stale = True
                        raise
                    asks_money = any(policy.asks_money for policy in self._snapshot.policies.values())
                    self._until = monotonic() + MONEY_S if asks_money else math.inf
        return self._snapshot

    @property
    def now(self) -> Snapshot:
        """The snapshot of the last `fresh`; for code that runs in a request, after it was authenticated."""
        return self._snapshot
