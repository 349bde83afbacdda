"""Sessions of browsers, and passwords."""

from pydantic import Field, SecretStr

from studio.wire.rest.schemas.base import Answer, Body


class OpenSession(Answer):
    """A browser that is signed in. `current`: the one that asks; `via`: link or password; `agent` and `address`: where
    it was opened, coarse; `seen_ms`: last used, to the minute; `domains`: whose labs it has opened."""

    id: str
    user: str
    current: bool
    via: str
    agent: str
    address: str
    created_ms: int
    seen_ms: int | None
    expires_ms: int
    domains: list[str]


class EndedSessions(Answer):
    """How many were ended."""

    ended: int


class PasswordAnswer(Answer):
    """The asker's own: whether there is one, and whether changing it needs the old one."""

    has_password: bool
    needs_old: bool


class PasswordBody(Body):
    """A password that who runs the installation sets for somebody."""

    password: SecretStr = Field(max_length=1024)


class OwnPasswordBody(Body):
    """A new password, and the old one unless who asks came with a sign-in link just now."""

    old: SecretStr | None = Field(None, max_length=1024)
    new: SecretStr = Field(max_length=1024)
