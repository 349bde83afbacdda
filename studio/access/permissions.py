"""The one point where it is decided whether an action is allowed; whatever is not listed is denied."""

from studio.access.principals import Kind, Principal, Role
from studio.errors import Denied, Unauthenticated

# Action → the weakest role in the domain that may do it.
IN_DOMAIN: dict[str, Role] = {
    "domain.read": Role.viewer,
    "lab.open": Role.viewer,
    "data.read": Role.viewer,
    "tracking.read": Role.viewer,
    "registry.read": Role.viewer,
    "jobs.read": Role.viewer,
    "serving.read": Role.viewer,
    "monitoring.read": Role.viewer,
    "cost.read": Role.viewer,
    "data.write": Role.editor,
    "tracking.write": Role.editor,
    "registry.write": Role.editor,
    "registry.approve": Role.admin,
    "jobs.write": Role.editor,
    "serving.write": Role.editor,
    "serving.invoke": Role.viewer,
    "monitoring.write": Role.editor,
    "running.stop": Role.editor,
    "keys.own": Role.editor,
    "domain.admin": Role.admin,
    "members.write": Role.admin,
    "keys.write": Role.admin,
    "webhooks.admin": Role.admin,
}
# What anyone who is signed in may do, whatever their role.
SIGNED_IN = frozenset({"session.read", "domains.list", "environments.read", "instance-types.read"})
# What a person does with what is theirs, in a browser; programs and code in sandboxes do not act on it.
PERSONAL = frozenset({"sessions.own", "password.own"})
# What code in a sandbox may not do, whatever its owner's role.
NEVER_IN_SANDBOX = frozenset({"keys.own"})
# What only the service sandbox of a domain may do: results of Studio's own jobs.
SERVICE = frozenset({"service.report"})
# The rest is the operator's: domains.create users.write environments.build instance-types.write signin-links.create …
OPERATOR_ONLY = frozenset(
    {
        "domains.create",
        "users.write",
        "environments.build",
        "instance-types.write",
        "signin-links.create",
        "status.read",
    }
)


def require(principal: Principal, action: str, domain: str | None = None) -> None:
    """Returns if `principal` may do `action` (in `domain`); else raises what says who they are or what it needs."""
    if principal.kind is Kind.anonymous:
        raise Unauthenticated("Nobody is signed in.", "Open the sign-in link, or send an access key as bearer token.")
    if action in SERVICE:
        if principal.kind is Kind.sandbox and principal.user == "service" and principal.domain == domain:
            return
        raise Denied(f"{action} is for Studio's own jobs.", "Use the panels or the API instead.")
    if principal.kind is Kind.operator or action in SIGNED_IN:
        return
    if action in PERSONAL:
        if principal.kind is Kind.person:
            return
        raise Denied(f"{action} is for people, in a browser.", "Sign in, and do it there.")
    if action in NEVER_IN_SANDBOX and principal.kind is Kind.sandbox:
        raise Denied(f"{action} is not for code in a sandbox.", "Use the panels or `studio`, outside of it.")
    if action in OPERATOR_ONLY and principal.operates:
        return
    if action in OPERATOR_ONLY:
        raise Denied(f"{action} is for who runs this installation.", "Ask them, or use `studio` on the host.")
    if action not in IN_DOMAIN or not domain:
        raise Denied(f"{action} is not an action that can be allowed here.", "Report this; it is denied by default.")
    role = principal.role_in(domain)
    needed = IN_DOMAIN[action]
    if role is None:
        # The same words whether the domain exists or not: names of foreign domains are nobody's business.
        raise Denied(f"You are no member of a domain {domain!r}.", "Ask one of its admins to add you.")
    if role.rank < needed.rank:
        raise Denied(f"{action} needs the role {needed} in {domain}; yours is {role}.", "Ask an admin of the domain.")
