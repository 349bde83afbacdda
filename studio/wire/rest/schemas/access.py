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
    has_password: bool


class MembershipAnswer(Answer):
    """A domain that a person is in."""

    domain: str
    role: str


class UserDetail(UserAnswer):
    """A person, with what is theirs: domains and roles, how many browsers are signed in, how many keys there are."""

    memberships: list[MembershipAnswer]
    sessions: int
    keys: int


class RemovedUser(Answer):
    """What stays of a removed person: the folders of their files on the host, which a later user of that name gets."""

    name: str
    domains: list[str]
    folders: list[str]


class MemberBody(Body):
    """Who is to have which role."""

    user: str
    role: str


class MemberAnswer(Answer):
    """A membership."""

    user: str
    role: str


class KeyBody(Body):
    """A new access key: for whom (nobody = who asks), what for, for how long. `actions` and `resources`: patterns that
    it is narrowed to, such as `tracking.*` and `experiment/7`; empty = all that its user may."""

    user: str | None = None
    name: str | None = Field(None, max_length=200)
    expires_days: float | None = None
    actions: list[str] = Field([], max_length=1000)
    resources: list[str] = Field([], max_length=1000)


class KeyAnswer(Answer):
    """A key without its secret. `used_ms`: last used, to the minute."""

    id: str
    user: str
    name: str
    actions: list[str]
    resources: list[str]
    created_ms: int
    expires_ms: int | None
    used_ms: int | None


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
