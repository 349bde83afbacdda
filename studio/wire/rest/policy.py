"""The policy of a domain: its rules, and what comes of them for somebody."""

from fastapi import APIRouter, Depends, Query, Response

from studio.access import explaining, policies
from studio.access.conditions import CONDITIONS
from studio.access.permissions import IN_DOMAIN, Ask, decide, kind_of, policy_of
from studio.access.principals import Kind, Principal
from studio.access.rules import Rule
from studio.clock import now_ms
from studio.errors import Invalid
from studio.wire import trail
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.policy import (
    ActionAnswer,
    ConditionAnswer,
    ConsideredAnswer,
    PolicyAnswer,
    PolicyBody,
    RuleAnswer,
    RuleBody,
    VerdictAnswer,
)

router = APIRouter(prefix="/domains/{domain}/policy", tags=["policy"])
READ, WRITE = Allow("policy.read"), Allow("policy.write")
_NUMBERS = frozenset({"gpu"})


@router.get("")
async def get_policy(
    domain: str, studio: Studio = Depends(studio), principal: Principal = Depends(READ)
) -> PolicyAnswer:
    """The rules, and all that a rule can say."""
    rules = await studio.store.read(lambda db: policies.list_rules(db, domain))
    may_change = decide(principal, Ask("policy.write", domain), now_ms()).allowed
    return PolicyAnswer(
        rules=[_answer(rule) for rule in rules],
        actions=[ActionAnswer(name=name, role=role, kind=kind_of(name)) for name, role in IN_DOMAIN.items()],
        conditions=[ConditionAnswer.model_validate(item) for item in CONDITIONS.values()],
        kinds=list(policies.RESOURCE_KINDS),
        may_change=may_change,
    )


@router.put("")
async def put_policy(
    domain: str, body: PolicyBody, studio: Studio = Depends(studio), principal: Principal = Depends(WRITE)
) -> list[RuleAnswer]:
    """Replaces all rules, or none if one of them is wrong; they hold everywhere when this returns."""
    given = [_rule(item) for item in body.rules]
    trail.about(detail=f"{len(given)} rules instead of all")
    found = await studio.store.write(lambda db: policies.replace_all(db, domain, given, principal.user))
    await studio.gateway.confirmed()
    return [_answer(rule) for rule in found]


@router.post("/rules", status_code=201)
async def add_rule(
    domain: str, body: RuleBody, studio: Studio = Depends(studio), principal: Principal = Depends(WRITE)
) -> RuleAnswer:
    """One more rule."""
    trail.about(detail=f"new: {explaining.sentence(_rule(body))}")
    made = await studio.store.write(lambda db: policies.add(db, domain, _rule(body), principal.user))
    await studio.gateway.confirmed()
    return _answer(made)


@router.put("/rules/{rule}")
async def change_rule(
    domain: str, rule: str, body: RuleBody, studio: Studio = Depends(studio), _: Principal = Depends(WRITE)
) -> RuleAnswer:
    """Another wording of a rule."""
    trail.about(detail=f"{rule}: {explaining.sentence(_rule(body))}")
    made = await studio.store.write(lambda db: policies.change(db, domain, rule, _rule(body)))
    await studio.gateway.confirmed()
    return _answer(made)


@router.delete("/rules/{rule}", status_code=204)
async def remove_rule(
    domain: str, rule: str, studio: Studio = Depends(studio), _: Principal = Depends(WRITE)
) -> Response:
    """Takes a rule out."""
    trail.about(detail=f"{rule} taken out")
    await studio.store.write(lambda db: policies.remove(db, domain, rule))
    await studio.gateway.confirmed()
    return Response(status_code=204)


@router.get("/explain")
async def explain(
    domain: str,
    user: str = Query(max_length=80),
    action: str = Query(max_length=80),
    resource: str = Query("", max_length=300),
    attr: list[str] = Query([], max_length=20, description="name=value, such as instance_type=std.large"),
    studio: Studio = Depends(studio),
    _: Principal = Depends(READ),
) -> VerdictAnswer:
    """May `user`, signed in as themselves, do `action`? Asked at the same point as when they do it."""
    policies.check_action(action)
    who = studio.people.now.principal(Kind.person, user)
    ask = Ask(action, domain, resource, dict(_attribute(text) for text in attr))
    now = now_ms()
    verdict = decide(who, ask, now)
    message, hint = explaining.words(who, ask, verdict)
    if who.role_in(domain) is None:
        message, hint = f"{user} is no member of {domain}.", "An admin of the domain can add them."
    considered = []
    for rule in policy_of(who, domain).about(action):
        because = explaining.consider(who, ask, rule, now)
        considered.append(ConsideredAnswer(rule=_answer(rule), applies=not because, because=because))
    return VerdictAnswer(
        allowed=verdict.allowed,
        user=user,
        role=who.role_in(domain),
        action=action,
        resource=resource,
        reason=verdict.reason,
        message=message,
        hint=hint,
        rule=verdict.rule.id if verdict.rule else None,
        considered=considered,
    )


def _attribute(text: str) -> tuple[str, str | float]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise Invalid(f"{text[:80]!r} is no attribute.", "Write NAME=VALUE, such as instance_type=std.large.")
    if name not in _NUMBERS:
        return name, value
    try:
        return name, float(value)
    except ValueError as error:
        raise Invalid(f"{name} is a number.", f"Write {name}=1.") from error


def _rule(body: RuleBody) -> Rule:
    # In its one form: it is put into words before it is written, and words take it as it is.
    return policies.check(Rule("new", body.effect, tuple(body.who), body.action, body.resource, body.when, body.why))


def _answer(rule: Rule) -> RuleAnswer:
    same = {name: getattr(rule, name) for name in RuleAnswer.model_fields if name not in ("text", "when", "who")}
    when = {name: dict(params) for name, params in rule.when.items()}
    return RuleAnswer(**same, who=list(rule.who), when=when, text=explaining.sentence(rule))
