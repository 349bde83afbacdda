"""What rules of policies say to predictions and to open labs, for the gateway, which decides those alone.

Conditions are answered here, each time the table is made (every two seconds at the latest), and only who is meant is
left to the gateway. While the server is away, what was answered last holds.
"""

from typing import Any

from sqlalchemy import Connection

from studio.access import conditions, explaining, policies
from studio.access.conditions import Moment
from studio.access.permissions import Ask, Reason, Verdict, concerns
from studio.access.principals import Kind, Principal
from studio.access.rules import Policy
from studio.serving.endpoints import list_endpoints

INVOKE, READ, LAB = "serving.invoke", "serving.read", "lab.open"


def entries(db: Connection, now_ms: int) -> dict[str, dict[str, Any]]:
    """ "refusals/<domain>/<endpoint>" → {"rules": [{who, message, hint}]} of what denies predictions of it now,
    "refusals/<domain>" the same of the domain's figures, "closed/<domain>" of its labs. Domains without such rules have
    none."""
    asked = {
        name: policy
        for name, policy in policies.load(db, at_ms=now_ms).items()
        if any(rule.effect == "deny" for action in (INVOKE, READ, LAB) for rule in policy.about(action))
    }
    found = {f"refusals/{name}": _rules(policy, Ask(READ, name), now_ms) for name, policy in asked.items()}
    found |= {f"closed/{name}": _rules(policy, Ask(LAB, name), now_ms) for name, policy in asked.items()}
    for endpoint in list_endpoints(db) if asked else ():
        if endpoint.domain in asked:
            attributes = {"instance_type": endpoint.instance_type}
            ask = Ask(INVOKE, endpoint.domain, f"endpoint/{endpoint.name}", attributes)
            found[f"refusals/{endpoint.domain}/{endpoint.name}"] = _rules(asked[endpoint.domain], ask, now_ms)
    return {key: {"rules": rules} for key, rules in found.items() if rules}


def _rules(policy: Policy, ask: Ask, now_ms: int) -> list[dict[str, Any]]:
    moment = Moment(policy.facts, ask.attributes, now_ms)
    denying = [rule for rule in policy.about(ask.action) if rule.effect == "deny"]
    found = []
    for rule in denying:
        if concerns(rule, ask) and conditions.hold(rule.when, moment):
            message, hint = explaining.words(Principal(Kind.key), ask, Verdict(False, Reason.rule, rule))
            found.append({"who": list(rule.who), "message": message, "hint": hint})
    return found
