"""Rules and verdicts in words, for whoever was denied and whoever writes policies."""

from studio.access import conditions
from studio.access.conditions import Moment
from studio.access.permissions import IN_DOMAIN, NEVER_IN_SANDBOX, Ask, Reason, Verdict, concerns, policy_of
from studio.access.principals import Kind, Principal
from studio.access.rules import Rule
from studio.patterns import ANY, is_one_of


def words(principal: Principal, ask: Ask, verdict: Verdict) -> tuple[str, str]:
    """(why, what would allow it; "" where it is allowed)."""
    action, domain = ask.action, ask.domain
    what = action + (f" on {ask.resource}" if ask.resource else "")
    if verdict.allowed:
        return _allowed(principal, ask, verdict, what), ""
    match verdict.reason:
        case Reason.anonymous:
            return "Nobody is signed in.", "Open the sign-in link, or send an access key as bearer token."
        case Reason.service:
            return f"{action} is for Studio's own jobs.", "Use the panels or the API instead."
        case Reason.operator:
            return f"{action} is for who runs this installation.", "Ask them, or use `studio` on the host."
        case Reason.personal:
            return f"{action} is for people, in a browser.", "Sign in, and do it there."
        case Reason.stranger:
            # The same words whether the domain exists or not: names of foreign domains are nobody's business.
            return f"You are no member of a domain {domain!r}.", "Ask one of its admins to add you."
        case Reason.cap:
            needed = IN_DOMAIN[action]
            message = f"{action} needs the role {needed} in {domain}; code in a sandbox is an editor at most."
            if action in NEVER_IN_SANDBOX:
                message = f"{action} is not for code in a sandbox, whatever its owner's role."
            return message, "Do it in Studio's pages or with `studio`, as yourself: no rule allows it to code."
        case Reason.scope:
            return _out_of_scope(principal, what), "Ask for a key with a wider scope, or use one without."
        case Reason.rule if verdict.rule is not None:
            return f"A rule of {domain} denies {what}: {sentence(verdict.rule)}", _around(ask, verdict.rule)
        case Reason.role:
            role, needed = principal.role_in(domain or ""), IN_DOMAIN[action]
            return f"{what} needs the role {needed} in {domain}; yours is {role}.", _wider(principal, ask, needed)
    return f"{action} is not an action that can be allowed here.", "Report this; it is denied by default."


def _allowed(principal: Principal, ask: Ask, verdict: Verdict, what: str) -> str:
    if verdict.rule is not None:
        return f"A rule of {ask.domain} allows {what}: {sentence(verdict.rule)}"
    if verdict.reason is Reason.role:
        return f"The role {principal.role_in(ask.domain or '')} in {ask.domain} may do {what}."
    return f"Allowed to {verdict.reason}."


def _out_of_scope(principal: Principal, what: str) -> str:
    scope = principal.scope
    limits = [f"to {' '.join(scope.actions)}"] if scope.actions else []
    limits += [f"on {' '.join(scope.resources)}"] if scope.resources else []
    outside = "is outside" if "/" in what or not scope.resources else "may be about more than that"
    return f"This key is narrowed {' '.join(limits)}: {what} {outside}."


def _around(ask: Ask, rule: Rule) -> str:
    """What somebody whom `rule` denies can do."""
    if rule.when:
        return f"It does not apply unless {conditions.words(rule.when)[3:]}; or ask an admin of {ask.domain}."
    if rule.resource != ANY and not ask.resource:
        return f"Ask for a single one that is not {rule.resource}; or ask an admin of {ask.domain}."
    return f"Ask an admin of {ask.domain} to change the rule {rule.id}."


def _wider(principal: Principal, ask: Ask, needed: str) -> str:
    role = principal.role_in(ask.domain or "")
    for rule in policy_of(principal, ask.domain).of(ask.action, principal.user, role or "")[1]:
        if concerns(rule, ask):
            return f"The rule {rule.id} allows it {conditions.words(rule.when)}."
    add = f"studio policy add --domain {ask.domain} --allow --who user:{principal.user} --action {ask.action}"
    return f"Ask an admin of the domain for the role {needed}, or for a rule: `{add}`."


def sentence(rule: Rule) -> str:
    """A rule as one sentence: "editors may not do serving.write on endpoint/prod-* if …"."""
    who = _people(rule)
    denies = rule.effect == "deny" and who != "nobody"
    where = "" if rule.resource == ANY else f" on {rule.resource}"
    condition = f" {text}" if (text := conditions.words(rule.when)) else ""
    reason = f" ({rule.why})" if rule.why else ""
    action = "anything" if rule.action == ANY else rule.action
    return f"{who} may {'not ' if denies else ''}do {action}{where}{condition}{reason} [{rule.id}]."


def _people(rule: Rule) -> str:
    if ANY in rule.who:
        return "nobody" if rule.effect == "deny" else "every member"
    named = [item.removeprefix("user:") if item.startswith("user:") else f"{item[5:]}s" for item in rule.who]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def consider(principal: Principal, ask: Ask, rule: Rule, now_ms: int) -> str:
    """Why `rule` does not apply, or "" if it does. For rules whose action covers what is asked."""
    role = principal.role_in(ask.domain or "")
    if principal.kind is Kind.operator or role is None:
        return "rules are for members"
    if not is_one_of(rule.who, principal.user, role):
        return f"it is about {_people(rule)}"
    if not concerns(rule, ask):
        return f"it is about {rule.resource}"
    moment = Moment(policy_of(principal, ask.domain).facts, ask.attributes, now_ms)
    if not conditions.hold(rule.when, moment):
        return f"it applies only {conditions.words(rule.when)}"
    return ""
