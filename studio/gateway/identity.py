"""Who is asking: session cookies, access keys, roles in domains."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec

from studio import clock, signing
from studio.errors import Denied, Unauthenticated
from studio.gateway.aws_signature import Signed
from studio.gateway.tables import Tables
from studio.patterns import matches_any

Headers = Sequence[tuple[bytes, bytes]]
_KNOWN = 1024  # keys that are remembered
_NO_KEY = "Make one with `studio key create --domain D --user U`, and send `Authorization: Bearer studio_…`."


class Identity(msgspec.Struct, frozen=True):
    """`credential`: session or key id; `domain`: what the credential is bound to, or ""; `watch`: the table keys whose
    change or removal ends what this identity has open; `actions`, `resources`: patterns that a key is narrowed to;
    `cap`: the strongest role that it acts with."""

    via: str
    user: str = ""
    credential: str = ""
    domain: str = ""
    csrf: str = ""
    expires_ms: int = 0
    watch: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    cap: str = ""

    def require(self, action: str, resource: str) -> None:
        """`Denied` if the key was narrowed to something else."""
        if (self.actions and not matches_any(self.actions, action)) or (
            self.resources and not matches_any(self.resources, resource)
        ):
            raise Denied(
                f"The access key {self.credential} is narrowed: not to {action} on {resource}.",
                "Make one for it: `studio key create`.",
            )


ANONYMOUS = Identity("anonymous")


class Identities:
    """Looks identities up in the tables. Keys that were right are remembered until anything in the tables changes."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._known: dict[bytes, Identity] = {}
        self._used: set[str] = set()
        tables.listen(lambda changed: self._known.clear())

    def session(self, headers: Headers, cookie: str, domain: str | None) -> Identity | None:
        """The session of `cookie`, bound to exactly `domain` (None: the apex). Two cookies of that name count as none:
        another origin may have tossed one of them."""
        values = [value for name, value in cookies(headers) if name == cookie]
        if len(values) != 1 or not values[0]:
            return None
        key = f"sessions/{signing.digest(values[0])}"
        entry = self._tables.get(key)
        if entry is None or entry.get("domain") != domain or _expired(entry):
            return None
        self._used.add(str(entry["id"]))
        return Identity(
            "session",
            str(entry["user"]),
            str(entry["id"]),
            domain or "",
            str(entry.get("csrf") or ""),
            int(entry.get("expires_ms") or 0),
            (key,) if domain is None else (key, f"members/{domain}/{entry['user']}"),
        )

    def key(self, authorization: bytes) -> Identity:
        """The access key in an Authorization header, or `Unauthenticated`; the same words whatever is wrong with it."""
        known = self._known.get(authorization)
        if known is not None and not 0 < known.expires_ms <= clock.now_ms():
            self._used.add(known.credential)
            return known
        found = self._check(authorization)
        self._used.add(found.credential)
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[authorization] = found
        return found

    def _check(self, authorization: bytes) -> Identity:
        token = _token(authorization)
        prefix, _, rest = token.partition("_")
        key_id, _, secret = rest.partition("_")
        entry = self._tables.get(f"keys/{key_id}") if prefix == "studio" and secret else None
        # Compared even when there is no such key, so that the time does not tell which ids exist.
        same = signing.equal(signing.digest(token), str(entry["digest"]) if entry else "0" * 64)
        if entry is None or not same or _expired(entry):
            raise Unauthenticated("The access key is not valid: unknown, revoked or expired.", _NO_KEY)
        return _holder(key_id, entry)

    def signer(self, signed: Signed, body: bytes) -> Identity:
        """Who has signed a request with that body; `Unauthenticated` as above."""
        entry = self.signing_key(signed.key_id)
        signed.check(str(entry["secret"]), body)
        self._used.add(signed.key_id)
        return _holder(signed.key_id, entry)

    def signing_key(self, key_id: str) -> dict[str, Any]:
        """The entry of a key that may sign; asked before a body is waited for."""
        entry = self._tables.get(f"keys/{key_id}")
        if entry is None or not entry.get("secret") or _expired(entry):
            raise Unauthenticated(
                "The access key is not valid: unknown, revoked, expired or made to bear only.", _NO_KEY
            )
        return entry

    def take_used(self) -> list[str]:
        """Ids of the sessions and keys that were shown, rightly, since this was last asked."""
        used, self._used = self._used, set()
        return sorted(used)

    def role(self, domain: str, user: str) -> str | None:
        """`admin`, `editor`, `viewer`, or None for who is not a member."""
        entry = self._tables.get(f"members/{domain}/{user}")
        role = entry.get("role") if entry else None
        return str(role) if role else None


def _holder(key_id: str, entry: dict[str, Any]) -> Identity:
    domain, user = str(entry.get("domain") or ""), str(entry["user"])
    return Identity(
        "key",
        user,
        key_id,
        domain,
        expires_ms=int(entry.get("expires_ms") or 0),
        watch=(f"keys/{key_id}", f"members/{domain}/{user}"),
        actions=tuple(entry.get("actions") or ()),
        resources=tuple(entry.get("resources") or ()),
        cap=str(entry.get("cap") or ""),
    )


def cookies(headers: Headers) -> list[tuple[str, str]]:
    """Every (name, value) of every Cookie header, as sent."""
    found: list[tuple[str, str]] = []
    for name, value in headers:
        if name == b"cookie":
            for pair in value.decode("latin-1").split(";"):
                key, equals, content = pair.strip().partition("=")
                if equals:
                    found.append((key.strip(), content.strip().strip('"')))
    return found


def without_own_cookies(value: bytes) -> bytes:
    """A Cookie header without Studio's own cookies, which nobody behind the gateway may see."""
    pairs = [pair.strip() for pair in value.split(b";")]
    return b"; ".join(pair for pair in pairs if pair and not pair.lower().startswith(b"studio_"))


def _token(authorization: bytes) -> str:
    scheme, _, rest = authorization.decode("latin-1").partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer":
        return rest
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode("latin-1").partition(":")[2]
        except (binascii.Error, ValueError) as error:
            raise Unauthenticated("The Authorization header is not valid Basic.", _NO_KEY) from error
    raise Unauthenticated("The Authorization header has a scheme that is not known here.", _NO_KEY)


def _expired(entry: dict[str, Any]) -> bool:
    expires = entry.get("expires_ms")
    return expires is not None and expires <= clock.now_ms()
