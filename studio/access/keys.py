"""Access keys: an id and a secret for programs; only a digest of the token is kept."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from studio import signing
from studio.access import memberships
from studio.clock import now_ms
from studio.errors import Invalid, NotFound
from studio.ids import new_id
from studio.store import signal
from studio.store.tables.access import access_keys

DAY_MS = 86_400_000
MOST_PER_DOMAIN = 1000


@dataclass(frozen=True, slots=True)
class Key:
    """`domain` is what the key belongs to and gives; `expires_ms` None: never."""

    id: str
    domain: str
    user: str
    title: str
    digest: str
    created_ms: int
    expires_ms: int | None


def create_key(
    db: Connection, domain: str, user: str, title: str = "", expires_days: float | None = None
) -> tuple[Key, str]:
    """A new key that acts as `user` in `domain`, and its secret, which nobody can read again."""
    if memberships.find(db, domain, user) is None:
        raise NotFound(f"{user} is no member of {domain}.", "Add them to the domain first.")
    if len(title) > 200:
        raise Invalid("A key's name has at most 200 characters.", "Shorten it.")
    if expires_days is not None and not 0 < expires_days <= 3650:
        raise Invalid("A key expires after more than 0 and at most 3650 days.", "Leave it out for one that does not.")
    count = select(func.count()).select_from(access_keys).where(access_keys.c.domain == domain)
    if db.execute(count).scalar_one() >= MOST_PER_DOMAIN:
        raise Invalid(f"{domain} has {MOST_PER_DOMAIN} keys.", "Revoke some that are not used any more.")
    made = now_ms()
    secret = signing.new_secret()
    key_id = new_id("key")
    expires = None if expires_days is None else made + int(expires_days * DAY_MS)
    key = Key(key_id, domain, user, title, signing.digest(token(key_id, secret)), made, expires)
    values = {"title": title, "digest": key.digest, "created_ms": made, "expires_ms": expires}
    db.execute(insert(access_keys).values(id=key_id, domain=domain, user=user, **values))
    signal(db, "keys", domain, key_id)
    return key, secret


def token(key_id: str, secret: str) -> str:
    """What a program sends as bearer token or as password: `studio_<id>_<secret>`."""
    return f"studio_{key_id}_{secret}"


def revoke(db: Connection, domain: str, key_id: str) -> None:
    """Ends a key of `domain`; wait for the gateway's confirmation before telling people."""
    which = (access_keys.c.id == key_id) & (access_keys.c.domain == domain)
    if not db.execute(delete(access_keys).where(which)).rowcount:
        raise NotFound(f"There is no key {key_id!r} in {domain}.", "See `studio key list`.")
    signal(db, "keys", domain, key_id)


def list_all(db: Connection, domain: str | None = None) -> list[Key]:
    """All keys (of one domain), oldest first."""
    query = select(access_keys).order_by(access_keys.c.created_ms, access_keys.c.id)
    rows = db.execute(query if domain is None else query.where(access_keys.c.domain == domain))
    return [Key(**row._mapping) for row in rows]
