"""The one point where it is decided whether an action is allowed; whatever is not listed is denied.

A role gives actions; rules of the domain's policy deny some of them, which always wins, or allow more. No rule lifts
who somebody is: a stranger, code in a sandbox and a narrowed key stay what they are.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct

from studio import clock
from studio.access import conditions
from studio.access.conditions import Moment
from studio.access.principals import Kind, Principal, Role, Scope
from studio.access.rules import NO_RULES, Policy, Rule
from studio.errors import Denied, StudioError, Unauthenticated
from studio.patterns import ANY, matches, matches_any

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
    "environments.read": Role.viewer,
    "policy.read": Role.viewer,
    "volumes.read": Role.viewer,
    "spaces.read": Role.viewer,
    "data.write": Role.editor,
    "tracking.write": Role.editor,
    "registry.write": Role.editor,
    "registry.approve": Role.admin,
    "jobs.write": Role.editor,
    "serving.write": Role.editor,
    "environments.write": Role.editor,
    "serving.invoke": Role.viewer,
    "monitoring.write": Role.editor,
    "running.stop": Role.editor,
    "volumes.write": Role.editor,
    "spaces.write": Role.editor,
    "volumes.admin": Role.admin,
    "spaces.admin": Role.admin,
    "keys.own": Role.editor,
    "domain.admin": Role.admin,
    "members.write": Role.admin,
    "keys.write": Role.admin,
    "webhooks.admin": Role.admin,
    "policy.write": Role.admin,
    "audit.read": Role.admin,
}
# What anyone who is signed in may do, whatever their role.
SIGNED_IN = frozenset({"session.read", "domains.list", "catalogue.read", "instance-types.read"})
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
        "volumes.quota",
        "domains.remove",
        "users.write",
        "environments.build",
        "environments.collect",
        "instance-types.write",
        "signin-links.create",
        "status.read",
        "installation.audit",
    }
)
# What the resources of an action are, by its first part: `kind/name`. Of the rest it is the domain itself.
KINDS: dict[str, str] = {
    "data": "dataset",
    "tracking": "experiment",
    "registry": "model",
    "jobs": "job",
    "serving": "endpoint",
    "monitoring": "endpoint",
    "environments": "environment",
    "instance-types": "instance-type",
    "members": "member",
    "keys": "key",
    "webhooks": "webhook",
    "running": "running",
    "spaces": "space",
}


class Reason(StrEnum):
    """What decided."""

    anonymous = "nobody is signed in"
    operator = "who runs the installation"
    signed_in = "whoever is signed in"
    personal = "what is one's own"
    service = "Studio's own jobs"
    unknown = "no such action here"
    stranger = "no member"
    cap = "code in a sandbox"
    scope = "the key's scope"
    role = "the role"
    rule = "a rule"


class Ask(Struct, frozen=True):
    """May somebody do `action` in `domain`? `resource`: `kind/name`, "" where it is not about one of them;
    `attributes`: what conditions may ask of the request, such as `instance_type`."""

    action: str
    domain: str | None = None
    resource: str = ""
    attributes: Mapping[str, Any] = {}


class Verdict(Struct, frozen=True):
    """`rule`: the one that decided, if one did."""

    allowed: bool
    reason: Reason
    rule: Rule | None = None


BY_ROLE, NOT_BY_ROLE = Verdict(True, Reason.role), Verdict(False, Reason.role)


def require(
    principal: Principal,
    action: str,
    domain: str | None = None,
    resource: str = "",
    attributes: Mapping[str, Any] | None = None,
) -> None:
    """Returns if `principal` may do `action` on `resource` of `domain`; else raises what says why, and what would."""
    ask = Ask(action, domain, resource, attributes or {})
    verdict = decide(principal, ask, clock.now_ms())
    if not verdict.allowed:
        raise refusal(principal, ask, verdict)


def decide(principal: Principal, ask: Ask, now_ms: int) -> Verdict:
    """Pure. Deny wins over allow, and whatever nothing allows is denied."""
    kind, action = principal.kind, ask.action
    if kind is Kind.anonymous:
        return Verdict(False, Reason.anonymous)
    if action in SERVICE:
        is_service = kind is Kind.sandbox and principal.user == "service" and principal.domain == ask.domain
        return Verdict(is_service, Reason.service)
    if kind is Kind.operator or (principal.operates and action in OPERATOR_ONLY):
        return Verdict(True, Reason.operator)
    if action in SIGNED_IN:
        # Every client asks who it is before anything else.
        is_allowed = action == "session.read" or in_scope(principal.scope, ask)
        return Verdict(is_allowed, Reason.signed_in if is_allowed else Reason.scope)
    if action in PERSONAL:
        return Verdict(kind is Kind.person, Reason.personal)
    if action in OPERATOR_ONLY:
        return Verdict(False, Reason.operator)
    needed = IN_DOMAIN.get(action)
    if needed is None or not ask.domain:
        return Verdict(False, Reason.unknown)
    role = principal.role_in(ask.domain)
    if role is None:
        return Verdict(False, Reason.stranger)
    if principal.cap is not None and (needed.rank > principal.cap.rank or action in NEVER_IN_SANDBOX):
        return Verdict(False, Reason.cap)
    if not in_scope(principal.scope, ask):
        return Verdict(False, Reason.scope)
    return _by_role_and_rules(principal, ask, role, needed, now_ms)


def _by_role_and_rules(principal: Principal, ask: Ask, role: Role, needed: Role, now_ms: int) -> Verdict:
    policy = principal.policies.get(ask.domain or "")
    if policy is None:
        return BY_ROLE if role.rank >= needed.rank else NOT_BY_ROLE
    denying, allowing = policy.on(ask.resource, ask.action, principal.user, role, lambda rule: concerns(rule, ask))
    is_allowed = role.rank >= needed.rank
    if denying or (allowing and not is_allowed):
        moment = Moment(policy.facts, ask.attributes, now_ms)
        for rule in denying:
            if conditions.hold(rule.when, moment):
                return Verdict(False, Reason.rule, rule)
        for rule in allowing if not is_allowed else ():
            if conditions.hold(rule.when, moment):
                return Verdict(True, Reason.rule, rule)
    return BY_ROLE if is_allowed else NOT_BY_ROLE


def policy_of(principal: Principal, domain: str | None) -> Policy:
    """The rules of `domain`, as this asker's request began."""
    return principal.policies.get(domain or "", NO_RULES)


def is_narrow(principal: Principal, action: str, domain: str | None) -> bool:
    """Whether the answer may depend on the resource or the attributes: only then they need be looked up."""
    if not principal.scope.resources and domain not in principal.policies:
        return False  # nearly always, and on every call
    role = principal.role_in(domain) if domain else None
    if principal.kind is Kind.operator or role is None:
        return False
    if not principal.scope.resources and not any(policy_of(principal, domain).of(action, principal.user, role)):
        return False
    # What is denied whatever it is about is denied before anything is looked up for it.
    kind = kind_of(action)
    about = [pattern.partition("/")[0] for pattern in principal.scope.resources]
    if about and not matches_any(about, kind):
        return False
    verdict = decide(principal, Ask(action, domain, f"{kind}/"), clock.now_ms())
    if verdict.reason is Reason.scope:
        return not principal.scope.actions or matches_any(principal.scope.actions, action)
    return verdict.allowed or verdict.reason is Reason.role


def kind_of(action: str) -> str:
    """What the resources of `action` are."""
    return KINDS.get(action.partition(".")[0], "domain")


def concerns(rule: Rule, ask: Ask) -> bool:
    """Whether the rule is about this resource; whom it names and its conditions are other questions.

    A request about no single resource, such as a list, may show any of them: a rule that denies one denies it too."""
    if rule.resource == ANY:
        return True
    named = ask.resource or _named(ask)
    if named:
        return matches(rule.resource, named)
    kind = kind_of(ask.action)
    return rule.resource == f"{kind}/*" or (rule.effect == "deny" and matches(rule.resource.partition("/")[0], kind))


def in_scope(scope: Scope, ask: Ask) -> bool:
    """Whether a key narrowed to `scope` may ask this at all."""
    if scope.actions and not matches_any(scope.actions, ask.action):
        return False
    if not scope.resources:
        return True
    # What is about no single resource is about all of its kind.
    return matches_any(scope.resources, _named(ask) or f"{kind_of(ask.action)}/*")


def _named(ask: Ask) -> str:
    """The resource; what is about no other kind is about the domain."""
    return ask.resource or (f"domain/{ask.domain}" if kind_of(ask.action) == "domain" else "")


def refusal(principal: Principal, ask: Ask, verdict: Verdict) -> StudioError:
    """A verdict that denies, as the error that says which rule it was and what would allow it."""
    # Imported late: it needs the tables above.
    from studio.access import explaining

    kind = Unauthenticated if verdict.reason is Reason.anonymous else Denied
    return kind(*explaining.words(principal, ask, verdict))
