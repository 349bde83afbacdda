"""Access keys: an id and a secret for programs, narrowed to what they are for.

As a bearer token a key is checked by its digest. The secret itself lies sealed beside it, since a signed request can
only be checked by who knows the secret."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.fernet import InvalidToken
from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from studio import signing
from studio.access import memberships
from studio.access.principals import Scope
from studio.clock import now_ms
from studio.errors import Invalid, NotFound
from studio.ids import new_id
from studio.store import signal
from studio.store.tables.access import access_keys
from studio.store.tenancy import EVERY, scope_query

DAY_MS = 86_400_000
MOST_PER_DOMAIN = 1000


@dataclass(frozen=True, slots=True)
class Key:
    """`domain` is what the key belongs to and gives; `expires_ms` None: never; `used_ms`: last used, to the minute.
    `actions` and `resources` are patterns that it is narrowed to; empty: all that its user may."""

    id: str
    domain: str
    user: str
    title: str
    digest: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    created_ms: int
    expires_ms: int | None
    used_ms: int | None

    @property
    def scope(self) -> Scope:
        """What its holder is narrowed to."""
        return Scope(self.actions, self.resources)


_KEYS = select(*(access_keys.c[name] for name in Key.__dataclass_fields__))


def create_key(
    db: Connection,
    domain: str,
    user: str,
    title: str = "",
    expires_days: float | None = None,
    *,
    actions: Sequence[str] = (),
    resources: Sequence[str] = (),
    master: str | None = None,
) -> tuple[Key, str]:
    """A new key that acts as `user` in `domain`, and its secret, which people see this once. `master`: the
    installation's key, under which the secret is kept for checking signatures; None: it is a bearer token only."""
    if memberships.find(db, domain, user) is None:
        raise NotFound(f"{user} is no member of {domain}.", "Add them to the domain first.")
    if len(title) > 200:
        raise Invalid("A key's name has at most 200 characters.", "Shorten it.")
    if expires_days is not None and not 0 < expires_days <= 3650:
        raise Invalid("A key expires after more than 0 and at most 3650 days.", "Leave it out for one that does not.")
    count = scope_query(select(func.count()).select_from(access_keys), access_keys, domain)
    if db.execute(count).scalar_one() >= MOST_PER_DOMAIN:
        raise Invalid(f"{domain} has {MOST_PER_DOMAIN} keys.", "Revoke some that are not used any more.")
    made = now_ms()
    secret = signing.new_secret()
    key_id = new_id("key")
    expires = None if expires_days is None else made + int(expires_days * DAY_MS)
    digest = signing.digest(token(key_id, secret))
    key = Key(key_id, domain, user, title, digest, tuple(actions), tuple(resources), made, expires, None)
    values: dict[str, object] = {name: getattr(key, name) for name in Key.__dataclass_fields__}
    values |= {"actions": list(key.actions), "resources": list(key.resources)}
    values["sealed"] = None if master is None else signing.seal(master, f"{key_id} {secret}".encode())
    db.execute(insert(access_keys).values(values))
    signal(db, "keys", domain, key_id)
    return key, secret


def token(key_id: str, secret: str) -> str:
    """What a program sends as bearer token or as password: `studio_<id>_<secret>`."""
    return f"studio_{key_id}_{secret}"


def secrets(db: Connection, master: str) -> dict[str, str]:
    """The secrets of all keys that can sign, by id; for the gateway, which checks signatures. One that was made before
    secrets were kept bears only."""
    rows = db.execute(scope_query(select(access_keys.c.id, access_keys.c.sealed), access_keys, EVERY))
    return {row.id: secret for row in rows if (secret := _unsealed(row.id, row.sealed, master))}


@lru_cache(maxsize=4096)
def _unsealed(key_id: str, sealed: bytes | None, master: str) -> str:
    try:
        # The id lies inside too: a secret that was moved to another key's row is none.
        kept_id, _, secret = signing.unseal(master, sealed or b"").decode().partition(" ")
    except InvalidToken:
        return ""
    return secret if kept_id == key_id else ""


def revoke(db: Connection, domain: str, key_id: str, user: str | None = None) -> None:
    """Ends a key of `domain` (only of `user`, if given); wait for the gateway's confirmation before telling people."""
    which = access_keys.c.id == key_id
    if user is not None:
        which &= access_keys.c.user == user
    if not db.execute(scope_query(delete(access_keys), access_keys, domain).where(which)).rowcount:
        raise NotFound(f"There is no key {key_id[:80]!r} in {domain}.", "See `studio key list`.")
    signal(db, "keys", domain, key_id)


def get(db: Connection, domain: str, key_id: str) -> Key:
    """A key of `domain`, or `NotFound`."""
    query = scope_query(_KEYS, access_keys, domain).where(access_keys.c.id == key_id)
    row = db.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"There is no key {key_id[:80]!r} in {domain}.", "See `studio key list`.")
    return _key(row._mapping)


def note_used(db: Connection, ids: Iterable[str], at_ms: int) -> None:
    """They were used; tells nobody, since nothing is decided by it."""
    if known := list(ids):
        query = scope_query(update(access_keys), access_keys, EVERY).where(access_keys.c.id.in_(known))
        db.execute(query.values(used_ms=at_ms))


def list_all(db: Connection, domain: str | None = None) -> list[Key]:
    """All keys (of one domain), oldest first."""
    query = scope_query(_KEYS, access_keys, domain or EVERY)
    rows = db.execute(query.order_by(access_keys.c.created_ms, access_keys.c.id))
    return [_key(row._mapping) for row in rows]


def _key(values: RowMapping) -> Key:
    lists = {name: tuple(values[name]) for name in ("actions", "resources")}
    return Key(**dict(values) | lists)
