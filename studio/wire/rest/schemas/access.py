"""Session, people, members, keys, sign-in links."""

from pydantic import Field

from studio.wire.rest.schemas.base import Answer, Body


class DomainLink(Answer):
    """A domain as the domain switch shows it; `address` opens its lab."""

    name: str
    title: str
    role: str
    address: str


class Isolation(Answer):
    """What keeps domains apart on this host: `level` bubblewrap or none."""

    level: str
    network: str
    detail: str


class SessionAnswer(Answer):
    """Who is asking. `domain` and `role`: of the lab's origin or the key; empty at the apex. `operates`: whether they
    run this installation and may, at the apex, make domains and people."""

    user: str
    kind: str
    role: str | None
    domain: str | None
    csrf: str | None
    operates: bool
    domains: list[DomainLink]
    isolation: Isolation
    version: str
    address: str
    currency: str


class UserBody(Body):
    """A new person."""

    name: str


class UserAnswer(Answer):
    """A person."""

    name: str
    created_ms: int


class MemberBody(Body):
    """Who is to have which role."""

    user: str
    role: str


class MemberAnswer(Answer):
    """A membership."""

    user: str
    role: str


class KeyBody(Body):
    """A new access key: for whom, what for, for how long."""

    user: str
    name: str | None = Field(None, max_length=200)
    expires_days: float | None = None


class KeyAnswer(Answer):
    """A key without its secret."""

    id: str
    user: str
    name: str
    created_ms: int
    expires_ms: int | None


class NewKeyAnswer(KeyAnswer):
    """A key with its secret, shown this once; `env` and `curl` are ready to paste."""

    secret: str
    token: str
    env: dict[str, str]
    curl: str


class SigninBody(Body):
    """For whom; nobody = who asks."""

    user: str | None = None


class SigninAnswer(Answer):
    """A link that works once."""

    url: str
    expires_ms: int
