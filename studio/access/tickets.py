"""Signed addresses: one short-lived right to one file, for clients that send such an address no credential.

A ticket is no better than the credential it was given to: when that is revoked, or its person leaves the domain or
loses the role, the ticket ends with it."""

import base64
import binascii

import msgspec

from studio import clock, signing
from studio.access.people import Snapshot
from studio.access.permissions import require
from studio.access.principals import EVERYTHING, Kind, Principal, Role
from studio.errors import Unauthenticated

LIFE_S = 15 * 60


class Ticket(msgspec.Struct, frozen=True):
    """`action` on `path` in `domain`, by whoever `kind`, `user` and `credential` say; `upload` and `part` narrow it."""

    action: str
    domain: str
    path: str
    kind: str
    user: str
    credential: str
    expires_ms: int
    upload: str = ""
    part: int = 0


def ticket(principal: Principal, action: str, domain: str, path: str, upload: str = "", part: int = 0) -> Ticket:
    """A new ticket for what `principal` may do now."""
    expires_ms = clock.now_ms() + LIFE_S * 1000
    who = (str(principal.kind), principal.user, principal.credential)
    return Ticket(action, domain, path, *who, expires_ms, upload, part)


def sign(secret: str, given: Ticket) -> str:
    """The ticket as one component of a path."""
    payload = base64.urlsafe_b64encode(msgspec.json.encode(given)).rstrip(b"=").decode()
    return f"{payload}.{_seal(secret, payload)}"


def open_(secret: str, text: str, people: Snapshot) -> Ticket:
    """The ticket that `sign` gave; `Unauthenticated` if it is not that or over, `Denied` if its holder may not."""
    payload, _, seal = text.partition(".")
    if not seal or not signing.equal(seal, _seal(secret, payload)):
        raise _over()
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=Ticket)
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise _over() from error
    if found.expires_ms <= clock.now_ms():
        raise _over()
    require(_holder(found, people), found.action, found.domain, resource_of(found.path))
    return found


def _holder(found: Ticket, people: Snapshot) -> Principal:
    """Who the ticket was given to, as they are now."""
    kind = Kind(found.kind)
    key = people.key(found.credential) if kind is Kind.key else None
    if (kind is Kind.person and people.session(found.credential) is None) or (kind is Kind.key and key is None):
        raise _over()
    # Code in a sandbox: its own door asks for its token besides.
    cap = Role.editor if kind is Kind.sandbox else None
    scope = EVERYTHING if key is None else key.scope
    return people.principal(kind, found.user, found.domain, found.credential, cap=cap, scope=scope)


def resource_of(path: str) -> str:
    """Whose a file is: what Studio places itself lies below the number of its experiment; "" for other places."""
    first = path.lstrip("/").partition("/")[0]
    return f"experiment/{first}" if first.isascii() and first.isdigit() else ""


def _seal(secret: str, payload: str) -> str:
    # What is signed says what for, so that nothing else signed with this key can be taken for a ticket.
    return signing.keyed(secret, f"ticket {payload}")


def _over() -> Unauthenticated:
    return Unauthenticated("This address is not valid, or no longer.", "Ask for a new one: it holds for 15 minutes.")
