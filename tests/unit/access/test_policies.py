"""Policies: the pure decision with rules, conditions, what is refused when a rule is written."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from studio import ledger
from studio.access import conditions, explaining, memberships, policies, users
from studio.access.conditions import CONDITIONS, Moment
from studio.access.people import People
from studio.access.permissions import IN_DOMAIN, OPERATOR_ONLY, Ask, Reason, concerns, decide, kind_of, require
from studio.access.principals import Kind, Principal, Role, Scope
from studio.access.rules import Facts, Policy, Rule
from studio.clock import now_ms
from studio.domains import domains, instance_types
from studio.domains.instance_types import InstanceType
from studio.errors import Conflict, Denied, Invalid, NotFound
from studio.patterns import matches
from studio.store import Store

ACTIONS = sorted(IN_DOMAIN)
MONDAY_NOON = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp() * 1000)
FACTS = Facts("studio", 50.0, {"gpu.a": 1, "std.small": 0})
WHENS = st.sampled_from(
    [
        {},
        {"gpu": {"more_than": 0}},
        {"instance_type": {"in": ["gpu.*"]}},
        {"spend": {"from": 40}},
        {"spend": {"below": 40}},
        {"network_mode": {"in": ["open"]}},
        {"time": {"days": ["mon"], "from": "08:00", "to": "18:00", "timezone": "UTC", "outside": False}},
    ]
)
few = settings(max_examples=40)
NAMES = st.sampled_from(["", "a", "b", "prod-1", "prod-2"])
KINDS = st.sampled_from([Kind.person, Kind.key, Kind.sandbox])


@st.composite
def rules(
    draw: Any, effect: str = "", who: tuple[str, ...] = ("*", "role:editor", "role:*", "user:ada", "user:b*")
) -> Rule:
    action = draw(st.sampled_from(["*", "serving.*", "tracking.*", *ACTIONS]))
    covered = [name for name in ACTIONS if matches(action, name)]
    kind = kind_of(draw(st.sampled_from(covered)))
    resource = draw(st.sampled_from(["*", f"{kind}/*", f"{kind}/a", f"{kind}/prod-*"]))
    chosen = effect or draw(st.sampled_from(["allow", "deny"]))
    people = tuple(draw(st.lists(st.sampled_from(who), min_size=1, max_size=2)))
    return policies.check(Rule(f"r{draw(st.integers(0, 99))}", chosen, people, action, resource, draw(WHENS)))


@st.composite
def asks(draw: Any) -> Ask:
    action, name = draw(st.sampled_from(ACTIONS)), draw(NAMES)
    kind = kind_of(action)
    attributes = draw(st.sampled_from([{}, {"instance_type": "gpu.a"}, {"instance_type": "std.small"}]))
    return Ask(action, "demo", f"{kind}/{name}" if name and kind != "domain" else "", attributes)


@st.composite
def people(draw: Any, *given_rules: Rule) -> Principal:
    kind = draw(KINDS)
    cap = Role.editor if kind is Kind.sandbox else None
    roles = {"demo": draw(st.sampled_from(list(Role)))}
    found = tuple(given_rules) or tuple(draw(st.lists(rules(), max_size=5)))
    return Principal(
        kind, draw(st.sampled_from(["ada", "bob"])), cap=cap, roles=roles, policies={"demo": Policy(found, FACTS)}
    )


def with_rules(who: Principal, *found: Rule) -> Principal:
    return Principal(who.kind, who.user, cap=who.cap, roles=who.roles, policies={"demo": Policy(found, FACTS)})


def all_rules(who: Principal) -> tuple[Rule, ...]:
    return who.policies["demo"].rules


@few
@given(people(), asks())
def test_a_rule_that_denies_wins_over_everything(who: Principal, ask: Ask) -> None:
    deny = Rule("deny", "deny", ("*",), ask.action)
    for order in ((deny, *all_rules(who)), (*all_rules(who), deny)):
        verdict = decide(with_rules(who, *order), ask, MONDAY_NOON)
        assert not verdict.allowed


@few
@given(people(), asks(), rules("deny"))
def test_one_more_denial_never_allows_more(who: Principal, ask: Ask, rule: Rule) -> None:
    more = decide(with_rules(who, *all_rules(who), rule), ask, MONDAY_NOON)
    assert not more.allowed or decide(who, ask, MONDAY_NOON).allowed


@few
@given(people(), asks(), rules("allow"))
def test_one_more_permission_never_denies_more(who: Principal, ask: Ask, rule: Rule) -> None:
    before = decide(who, ask, MONDAY_NOON)
    assert not before.allowed or decide(with_rules(who, *all_rules(who), rule), ask, MONDAY_NOON).allowed


@few
@given(st.lists(rules(), max_size=6), asks(), st.randoms())
def test_the_order_of_rules_decides_nothing(found: list[Rule], ask: Ask, random: Any) -> None:
    who = Principal(Kind.person, "ada", roles={"demo": Role.editor})
    shuffled = random.sample(found, len(found))
    answers = {decide(with_rules(who, *some), ask, MONDAY_NOON).allowed for some in (found, shuffled)}
    assert len(answers) == 1


@few
@given(st.lists(rules(who=("*", "user:ada", "user:b*")), max_size=5), asks())
def test_with_rules_on_persons_a_stronger_role_may_at_least_as_much(found: list[Rule], ask: Ask) -> None:
    allowed = [
        decide(with_rules(Principal(Kind.person, "ada", roles={"demo": role}), *found), ask, MONDAY_NOON).allowed
        for role in Role
    ]
    assert allowed == sorted(allowed)


@few
@given(st.lists(rules("allow"), min_size=1, max_size=5), st.sampled_from(list(Role)), asks())
def test_no_rule_lifts_what_a_sandbox_a_stranger_or_a_scope_is(found: list[Rule], role: Role, ask: Ask) -> None:
    code = with_rules(Principal(Kind.sandbox, "ada", cap=Role.editor, roles={"demo": role}), *found)
    if IN_DOMAIN[ask.action] is Role.admin:
        assert decide(code, ask, MONDAY_NOON).reason is Reason.cap
    stranger = with_rules(Principal(Kind.person, "ada", roles={"other": role}), *found)
    assert decide(stranger, ask, MONDAY_NOON).reason is Reason.stranger
    narrowed = replace_scope(
        with_rules(Principal(Kind.key, "ada", roles={"demo": role}), *found), "cost.read", "job/none"
    )
    assert not decide(narrowed, ask, MONDAY_NOON).allowed
    for action in OPERATOR_ONLY:
        assert not decide(code, Ask(action, "demo"), MONDAY_NOON).allowed


def replace_scope(who: Principal, action: str, resource: str) -> Principal:
    return Principal(who.kind, who.user, roles=who.roles, policies=who.policies, scope=Scope((action,), (resource,)))


@few
@given(people(), asks())
def test_the_explanation_agrees_with_the_decision(who: Principal, ask: Ask) -> None:
    verdict = decide(who, ask, MONDAY_NOON)
    message, hint = explaining.words(who, ask, verdict)
    assert message and bool(hint) is not verdict.allowed
    applying = [
        rule for rule in who.policies["demo"].about(ask.action) if not explaining.consider(who, ask, rule, MONDAY_NOON)
    ]
    capped = verdict.reason is Reason.cap
    assert capped or any(rule.effect == "deny" for rule in applying) is (
        not verdict.allowed and verdict.reason is Reason.rule
    )
    if verdict.rule is not None:
        assert verdict.rule in applying and verdict.rule.id in message
    if not verdict.allowed and not capped:
        assert all(rule.effect == "deny" for rule in applying) or any(rule.effect == "deny" for rule in applying)
    try:
        require(who, ask.action, ask.domain, ask.resource, ask.attributes)
    except Denied as error:
        raised = error.hint
    else:
        raised = ""
    # Asked now instead of on that Monday, so only where no rule looks at the clock.
    if not any("time" in rule.when for rule in all_rules(who)):
        assert bool(raised) is not verdict.allowed


def test_a_list_is_denied_where_it_may_show_what_a_rule_denies() -> None:
    rule = Rule("r", "deny", ("role:viewer",), "tracking.read", "experiment/7")
    vera = Principal(Kind.person, "vera", roles={"demo": Role.viewer}, policies={"demo": Policy((rule,), FACTS)})
    assert not decide(vera, Ask("tracking.read", "demo"), 0).allowed
    assert not decide(vera, Ask("tracking.read", "demo", "experiment/7"), 0).allowed
    assert decide(vera, Ask("tracking.read", "demo", "experiment/8"), 0).allowed
    allow = Rule("r", "allow", ("role:viewer",), "tracking.write", "experiment/7")
    assert not concerns(allow, Ask("tracking.write", "demo"))


def test_a_denial_says_which_rule_and_what_would_allow_it() -> None:
    deny = Rule("rule-x", "deny", ("role:editor",), "jobs.write", "*", {"gpu": {"more_than": 0}}, "GPUs are for admins")
    allow = Rule("rule-y", "allow", ("user:vera",), "jobs.write", "*", {"spend": {"below": 40}})
    policy = {"demo": Policy((deny, allow), FACTS)}
    eddy = Principal(Kind.person, "eddy", roles={"demo": Role.editor}, policies=policy)
    with pytest.raises(
        Denied, match=r"editors may not do jobs\.write if .* more than 0 GPUs \(GPUs are for admins\)"
    ) as denied:
        require(eddy, "jobs.write", "demo", "job/a", {"instance_type": "gpu.a"})
    assert "rule-x" in denied.value.message and "instance type" in denied.value.hint
    require(eddy, "jobs.write", "demo", "job/a", {"instance_type": "std.small"})
    vera = Principal(Kind.person, "vera", roles={"demo": Role.viewer}, policies=policy)
    with pytest.raises(Denied, match="needs the role editor in demo; yours is viewer") as denied:
        require(vera, "jobs.write", "demo")
    assert "rule-y allows it if this month's cost of the domain is below 40" in denied.value.hint


@pytest.mark.parametrize(
    ("when", "attributes", "holds"),
    [
        ({"instance_type": {"in": ["gpu.*"]}}, {"instance_type": "gpu.a"}, True),
        ({"instance_type": {"in": ["gpu.*"]}}, {"instance_type": "std.small"}, False),
        ({"instance_type": {"not_in": ["std.*"]}}, {"instance_type": "gpu.a"}, True),
        ({"instance_type": {"not_in": ["std.*"]}}, {}, False),
        ({"gpu": {"more_than": 0}}, {"instance_type": "gpu.a"}, True),
        ({"gpu": {"more_than": 0}}, {"instance_type": "unheard.of"}, False),
        ({"gpu": {"more_than": 1}}, {"gpu": 2}, True),
        ({"spend": {"below": 50}}, {}, False),
        ({"spend": {"from": 50}}, {}, True),
        ({"network_mode": {"not_in": ["open"]}}, {}, True),
        ({"time": {"days": ["mon"], "from": "08:00", "to": "18:00"}}, {}, True),
        ({"time": {"days": ["tue"]}}, {}, False),
        ({"time": {"from": "12:00", "to": "12:01"}}, {}, True),
        ({"time": {"from": "11:00", "to": "12:00"}}, {}, False),
        ({"time": {"from": "11:00", "to": "12:00", "outside": True}}, {}, True),
        ({"time": {"from": "22:00", "to": "13:00", "days": ["sun"]}}, {}, True),  # Sunday's night ends on Monday
        ({"time": {"from": "22:00", "to": "13:00", "days": ["mon"]}}, {}, False),
        ({"time": {"from": "14:00", "to": "16:00", "timezone": "Asia/Tokyo"}}, {}, False),  # 21:00 there
        ({"time": {"from": "21:00", "to": "22:00", "timezone": "Asia/Tokyo"}}, {}, True),
        ({"spend": {"from": 50}, "gpu": {"more_than": 0}}, {}, False),
    ],
)
def test_conditions_hold(when: Any, attributes: Any, holds: bool) -> None:
    checked = conditions.check(when)
    assert conditions.hold(checked, Moment(FACTS, attributes, MONDAY_NOON)) is holds
    assert conditions.check(checked) == checked
    assert conditions.words(checked).startswith("if ")


@pytest.mark.parametrize(
    "when",
    [
        {"moon": {}},
        {"gpu": 1},
        {"gpu": {}},
        {"gpu": {"more_than": "1"}},
        {"gpu": {"more_than": True}},
        {"gpu": {"more_than": float("nan")}},
        {"spend": {"below": 1, "from": 2}},
        {"spend": {"under": 1}},
        {"instance_type": {"in": []}},
        {"instance_type": {"in": ["a"], "not_in": ["b"]}},
        {"instance_type": {"in": [1]}},
        {"network_mode": {"in": ["closed"]}},
        {"time": {"days": ["monday"]}},
        {"time": {"from": "8:00"}},
        {"time": {"from": "25:00"}},
        {"time": {"from": "24:30"}},
        {"time": {"from": "08:00", "to": "08:00"}},
        {"time": {"timezone": "../../etc/passwd"}},
        {"time": {"timezone": "Mars/Olympus"}},
        {"time": {"outside": 1}},
    ],
)
def test_conditions_that_say_nothing_are_refused(when: Any) -> None:
    with pytest.raises(Invalid) as refused:
        conditions.check(when)
    assert refused.value.hint


def test_every_condition_has_an_example_that_it_takes() -> None:
    for name, condition in CONDITIONS.items():
        assert conditions.check({name: condition.example})[name]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"effect": "maybe"}, "allow or deny"),
        ({"who": ()}, "user:NAME"),
        ({"who": ("ada",)}, "user:NAME"),
        ({"who": ("role:owner",)}, "user:NAME"),
        ({"action": "jobs.fly"}, "jobs.write"),
        ({"action": "users.write"}, "jobs.write"),
        ({"action": "domains.create"}, "jobs.write"),
        ({"resource": "anything"}, "KIND/NAME"),
        ({"resource": "planet/x"}, "endpoint"),
        ({"resource": "model/x"}, "Use job"),
        ({"when": {"moon": {}}}, "instance_type"),
        ({"why": "w" * 301}, "Shorten"),
    ],
)
def test_rules_that_mean_nothing_are_refused_naming_what_exists(change: Any, says: str) -> None:
    good = Rule("", "deny", ("role:editor",), "jobs.*", "job/*")
    assert policies.check(good) == good
    with pytest.raises(Invalid) as refused:
        policies.check(replace(good, **change))
    assert says in refused.value.hint


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    found = Store(f"sqlite:///{tmp_path / 'studio.db'}")
    await found.start()

    def write(db: Connection) -> None:
        instance_types.ensure(db)
        instance_types.put(db, InstanceType("gpu.a", 1, 1024, 2, 3.0))
        for user in ("ada", "bob"):
            users.create_user(db, user)
        for name in ("demo", "other"):
            domains.create_domain(db, name)
            memberships.put(db, name, "ada", "admin")
        memberships.put(db, "demo", "bob", "editor")

    await found.write(write)
    yield found
    await found.close()


DENY = Rule("", "deny", ("role:editor",), "jobs.write", "*", {"gpu": {"more_than": 0}}, "no")


async def test_rules_are_each_domains_own(store: Store) -> None:
    made = await store.write(lambda db: policies.add(db, "demo", DENY, "ada"))
    assert await store.read(lambda db: policies.list_rules(db, "demo")) == [made]
    assert await store.read(lambda db: policies.list_rules(db, "other")) == []
    for call in (policies.remove, policies.get):
        with pytest.raises(NotFound):
            await store.write(lambda db, call=call: call(db, "other", made.id))
    changed = await store.write(lambda db: policies.change(db, "demo", made.id, replace(DENY, why="yes")))
    assert (changed.id, changed.why, changed.created_ms) == (made.id, "yes", made.created_ms)
    await store.write(lambda db: policies.remove(db, "demo", made.id))
    assert await store.read(lambda db: policies.list_rules(db, "demo")) == []


async def test_a_text_form_replaces_all_rules_or_none(store: Store) -> None:
    await store.write(lambda db: policies.add(db, "demo", DENY, "ada"))
    with pytest.raises(Invalid):
        await store.write(lambda db: policies.replace_all(db, "demo", [DENY, replace(DENY, action="no")], "ada"))
    assert len(await store.read(lambda db: policies.list_rules(db, "demo"))) == 1
    some = [replace(DENY, why=str(number)) for number in range(3)]
    found = await store.write(lambda db: policies.replace_all(db, "demo", some, "ada"))
    assert [rule.why for rule in found] == ["0", "1", "2"]


async def test_nobody_locks_everybody_out(store: Store) -> None:
    locks = (("role:admin",), ("*",), ("user:ada",))
    for who in locks:
        rule = Rule("", "deny", who, "policy.*", "*", {"time": {"days": ["mon"]}})
        with pytest.raises(Conflict, match="nobody"):
            await store.write(lambda db, rule=rule: policies.add(db, "demo", rule, "ada"))
    assert await store.read(lambda db: policies.list_rules(db, "demo")) == []
    await store.write(lambda db: policies.add(db, "demo", Rule("", "deny", ("user:bob",), "*"), "ada"))


async def test_what_people_are_decided_by_is_what_is_on_record(store: Store) -> None:
    people = People(store)
    ask = Ask("jobs.write", "demo", "job/a", {"instance_type": "gpu.a"})
    assert decide((await people.fresh()).principal(Kind.person, "bob"), ask, 0).allowed
    await store.write(lambda db: policies.add(db, "demo", DENY, "ada"))
    bob = (await people.fresh()).principal(Kind.person, "bob")
    assert not decide(bob, ask, 0).allowed
    await store.write(lambda db: instance_types.put(db, InstanceType("gpu.a", 1, 1024, 0, 3.0)))
    assert decide((await people.fresh()).principal(Kind.person, "bob"), ask, 0).allowed


async def test_money_is_the_ledgers(store: Store) -> None:
    rule = Rule("", "deny", ("*",), "jobs.write", "*", {"spend": {"from": 1}})
    await store.write(lambda db: policies.add(db, "demo", rule, "ada"))
    now = now_ms()
    assert (await store.read(policies.load))["demo"].facts.spend == 0

    def write(db: Connection) -> None:
        ledger.started(db, "demo", "ada", "job", "job:1", "one", "gpu.a", now - 3_600_000)
        ledger.ended(db, "job:1", now)
        ledger.started(db, "other", "ada", "job", "job:2", "two", "gpu.a", now - 3_600_000)
        ledger.ended(db, "job:2", now)

    await store.write(write)
    found = await store.read(lambda db: policies.load(db, at_ms=now))
    assert set(found) == {"demo"}
    assert 0 < found["demo"].facts.spend <= 3.0
