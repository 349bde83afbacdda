"""Who is asking."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """How the asker proved who they are."""

    operator = "operator"  # the operating system's account that owns this installation, through an owner-only socket
    person = "person"  # a browser's session
    key = "key"  # an access key
    sandbox = "sandbox"  # code inside a sandbox
    anonymous = "anonymous"


class Role(StrEnum):
    """A person's role in a domain, weakest first."""

    viewer = "viewer"
    editor = "editor"
    admin = "admin"

    @property
    def rank(self) -> int:
        """0 viewer, 1 editor, 2 admin."""
        return list(Role).index(self)


@dataclass(frozen=True, slots=True)
class Principal:
    """`domain` binds a key, a lab's session or a sandbox to one domain; `cap` bounds the role of code in sandboxes."""

    kind: Kind
    user: str = ""
    domain: str | None = None
    credential: str = ""  # session, key or sandbox id
    cap: Role | None = None
    roles: Mapping[str, Role] = field(default_factory=dict)  # the user's role per domain

    def role_in(self, domain: str) -> Role | None:
        """The role this asker has in `domain`; none if not a member or bound to another one."""
        if self.domain is not None and self.domain != domain:
            return None
        role = self.roles.get(domain)
        if role is not None and self.cap is not None and self.cap.rank < role.rank:
            return self.cap
        return role


ANONYMOUS = Principal(Kind.anonymous)
OPERATOR = Principal(Kind.operator, user="operator")
