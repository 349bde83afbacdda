"""Who is asking."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from studio.access.rules import Policy


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
        return _RANKS[self]


_RANKS = {role: rank for rank, role in enumerate(Role)}


class Scope(Struct, frozen=True):
    """What a key is narrowed to: patterns of actions and of resources (`kind/name`); empty = all that its user may."""

    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


EVERYTHING = Scope()


class Principal(Struct, frozen=True):
    """`domain` binds a key, a lab's session or a sandbox to one domain; `cap` bounds the role of code in sandboxes;
    `operates`: a person who runs this installation, at the apex, where no page of a domain's own can act for them."""

    kind: Kind
    user: str = ""
    domain: str | None = None
    credential: str = ""  # session, key or sandbox id
    cap: Role | None = None
    roles: Mapping[str, Role] = {}  # the user's role per domain
    operates: bool = False
    scope: Scope = EVERYTHING
    policies: Mapping[str, Policy] = {}  # the rules per domain; a domain without rules is not in it

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
