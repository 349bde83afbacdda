"""A domain's rules on record: checked when they are written, read by every request from memory."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from studio import ledger
from studio.access import conditions, memberships
from studio.access.permissions import IN_DOMAIN, KINDS, Ask, decide, kind_of
from studio.access.principals import Kind, Principal, Role
from studio.access.rules import Facts, Policy, Rule
from studio.clock import now_ms
from studio.errors import Conflict, Invalid, NotFound
from studio.ids import new_id
from studio.ledger import periods
from studio.patterns import ANY, matches
from studio.store import signal
from studio.store.tables.domains import domains, instance_types
from studio.store.tables.policy import policy_rules
from studio.store.tenancy import EVERY, Domain, scope_query

MOST = 200  # rules of a domain
MOST_WHO = 50
RESOURCE_KINDS = tuple(sorted({*KINDS.values(), "domain"}))
_ROLES = ", ".join(f"role:{role}" for role in Role)
_HOW = f"Write user:NAME, one of {_ROLES}, or * for every member."


def check(rule: Rule) -> Rule:
    """The rule in its one form; `Invalid` says what is wrong with it and what exists."""
    if rule.effect not in ("allow", "deny"):
        raise Invalid(f"{str(rule.effect)[:40]!r} is no effect of a rule.", "A rule says allow or deny.")
    who = tuple(dict.fromkeys(_check_who(item) for item in rule.who))
    if not 0 < len(who) <= MOST_WHO:
        raise Invalid(f"A rule names 1 to {MOST_WHO} kinds of people.", _HOW)
    covered = check_action(rule.action)
    check_resource(rule.resource, covered)
    if len(rule.why) > 300:
        raise Invalid("The reason of a rule has at most 300 characters.", "Shorten it.")
    return replace(rule, who=who, when=conditions.check(rule.when), why=rule.why.strip())


def _check_who(text: str) -> str:
    kind, _, name = text.partition(":")
    is_role = kind == "role" and any(matches(name, role) for role in Role)
    if len(text) > 80 or not (text == ANY or is_role or (kind == "user" and name)):
        raise Invalid(f"{text[:80]!r} names nobody.", _HOW)
    return text


def check_action(pattern: str) -> list[str]:
    """The actions in a domain that `pattern` covers; `Invalid` if there are none."""
    covered = [action for action in IN_DOMAIN if matches(pattern, action)]
    if len(pattern) > 80 or not covered:
        known = ", ".join(sorted(IN_DOMAIN))
        raise Invalid(f"{pattern[:80]!r} is no action in a domain.", f"There are {known}; serving.* is all of serving.")
    return covered


def check_resource(pattern: str, covered: Iterable[str]) -> None:
    """Returns if `pattern` can be the resource of one of the actions `covered`."""
    kinds = sorted({kind_of(action) for action in covered})
    if pattern == ANY:
        return
    kind, slash, name = pattern.partition("/")
    if len(pattern) > 300 or not slash or not name or kind not in RESOURCE_KINDS:
        raise Invalid(f"{pattern[:80]!r} is no resource.", f"Write KIND/NAME; kinds are {', '.join(RESOURCE_KINDS)}.")
    if kind not in kinds:
        raise Invalid(f"These actions are not about a {kind}: the rule would never apply.", f"Use {', '.join(kinds)}.")


def add(db: Connection, domain: str, rule: Rule, by: str) -> Rule:
    """Writes one more rule."""
    made = replace(check(rule), id=new_id("rule"), created_by=by, created_ms=now_ms())
    count = scope_query(select(func.count()).select_from(policy_rules), policy_rules, domain)
    if db.execute(count).scalar_one() >= MOST:
        raise Conflict(f"{domain} has {MOST} rules.", "Take some out, or say more with one pattern.")
    _insert(db, domain, made)
    return _changed(db, domain, made)


def change(db: Connection, domain: str, rule_id: str, rule: Rule) -> Rule:
    """Replaces what a rule says; it keeps its id and its maker."""
    before = get(db, domain, rule_id)
    made = replace(check(rule), id=before.id, created_by=before.created_by, created_ms=before.created_ms)
    db.execute(_of(delete(policy_rules), domain, rule_id))
    _insert(db, domain, made)
    return _changed(db, domain, made)


def remove(db: Connection, domain: str, rule_id: str) -> None:
    """Takes a rule out; `NotFound` if the domain has none of that id."""
    db.execute(_of(delete(policy_rules), domain, get(db, domain, rule_id).id))
    signal(db, "policy", domain, rule_id)


def replace_all(db: Connection, domain: str, rules: Iterable[Rule], by: str) -> list[Rule]:
    """The rules of a text form instead of those that are there; all of them or none."""
    checked = [check(rule) for rule in rules]
    if len(checked) > MOST:
        raise Invalid(f"A domain has at most {MOST} rules.", "Say more with one pattern.")
    db.execute(scope_query(delete(policy_rules), policy_rules, domain))
    # One millisecond apart, so that they stay in their order.
    first = now_ms()
    for number, rule in enumerate(checked):
        _insert(db, domain, replace(rule, id=new_id("rule"), created_by=by, created_ms=first + number))
    found = list_rules(db, domain)
    for rule in found:
        _changed(db, domain, rule)
    signal(db, "policy", domain)
    return found


def get(db: Connection, domain: str, rule_id: str) -> Rule:
    """One rule, or `NotFound`."""
    row = db.execute(_of(select(policy_rules), domain, rule_id)).one_or_none()
    if row is None:
        raise NotFound(f"{domain} has no rule {rule_id[:80]!r}.", f"See `studio policy show --domain {domain}`.")
    return _rule(row)


def list_rules(db: Connection, domain: str) -> list[Rule]:
    """The domain's rules, oldest first; their order decides nothing."""
    query = scope_query(select(policy_rules), policy_rules, domain)
    return [_rule(row) for row in db.execute(query.order_by(policy_rules.c.created_ms, policy_rules.c.id))]


def load(db: Connection, domain: Domain = EVERY, at_ms: int | None = None) -> dict[str, Policy]:
    """The policies (of all domains) that have rules, with what their conditions may ask, as of `at_ms`."""
    found: dict[str, list[Rule]] = {}
    query = scope_query(select(policy_rules), policy_rules, domain)
    for row in db.execute(query.order_by(policy_rules.c.created_ms, policy_rules.c.id)):
        found.setdefault(row.domain, []).append(_rule(row))
    if not found:
        return {}
    gpus = {row.name: row.gpu for row in db.execute(select(instance_types.c.name, instance_types.c.gpu))}
    modes = {row.name: row.network_mode for row in db.execute(select(domains.c.name, domains.c.network_mode))}
    now = now_ms() if at_ms is None else at_ms
    policies: dict[str, Policy] = {}
    for name, rules in found.items():
        policy = Policy(tuple(rules), Facts(modes.get(name, ""), 0.0, gpus))
        if policy.asks_money:
            spend = ledger.total(db, name, periods.month_start(now), now)
            policy = Policy(policy.rules, replace(policy.facts, spend=spend))
        policies[name] = policy
    return policies


def _changed(db: Connection, domain: str, rule: Rule) -> Rule:
    """Tells of it, unless nobody in the domain could take it back."""
    signal(db, "policy", domain, rule.id)
    if rule.effect == "deny" and matches(rule.action, "policy.write"):
        # As if every condition held: what is locked on Mondays only is locked for whoever looks on a Monday.
        strict = tuple(replace(item, when={}) for item in list_rules(db, domain) if item.effect == "deny")
        policies: Mapping[str, Policy] = {domain: Policy(strict, Facts())}
        members = memberships.list_all(db, domain)
        asked = (Principal(Kind.person, m.user, roles={domain: m.role}, policies=policies) for m in members)
        if members and not any(decide(who, Ask("policy.write", domain), 0).allowed for who in asked):
            raise Conflict(
                "With this rule nobody in the domain could change its policy any more.", "Leave an admin out."
            )
    return rule


def _insert(db: Connection, domain: str, rule: Rule) -> None:
    named = ("id", "effect", "action", "resource", "why", "created_by", "created_ms")
    values: dict[str, Any] = {name: getattr(rule, name) for name in named}
    condition = {name: dict(params) for name, params in rule.when.items()}
    db.execute(insert(policy_rules).values(**values, domain=domain, who=list(rule.who), condition=condition))


def _of(statement: Any, domain: str, rule_id: str) -> Any:
    return scope_query(statement, policy_rules, domain).where(policy_rules.c.id == rule_id)


def _rule(row: Any) -> Rule:
    who, when = tuple(row.who), dict(row.condition)
    same = {name: getattr(row, name) for name in ("id", "effect", "action", "resource", "why", "created_by")}
    return Rule(**same, who=who, when=when, created_ms=row.created_ms)
