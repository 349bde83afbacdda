"""The audit log."""

from studio.wire.rest.schemas.base import Answer


class AuditRow(Answer):
    """Who did, or was refused, what. `kind`: person, key, sandbox, operator, or studio itself; `outcome`: done, denied,
    dropped (refusals that were too many to record), removed (rows older than is kept); `address`: coarse."""

    seq: int
    at_ms: int
    user: str
    kind: str
    credential: str
    domain: str
    action: str
    resource: str
    outcome: str
    detail: str
    request: str
    address: str


class AuditPage(Answer):
    """Newest first; `next`: give it as `before` for the page after this one, null at the end."""

    rows: list[AuditRow]
    next: int | None


class VerifiedAnswer(Answer):
    """Whether every row is as it was written: `broken` is the number of the first that is not. Keep `head` elsewhere to
    find out later whether the newest rows were cut off."""

    rows: int
    first: int | None
    last: int | None
    head: str
    broken: int | None
