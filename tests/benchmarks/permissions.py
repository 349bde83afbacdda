"""What one permission check costs: without rules, and in a domain with many, all with conditions that must be asked."""

import time

from studio.access.permissions import require
from studio.access.policies import check
from studio.access.principals import Kind, Principal, Role, Scope
from studio.access.rules import Facts, Policy, Rule
from tests.benchmarks import report
from tests.benchmarks.report import Row
from tests.live import Live

LIMIT_US = 50.0
MANY = 40  # rules of a domain; half of them concern the call and have to be asked
ASKED = {"instance_type": "std.small"}


def measure(_: Live) -> list[Row]:
    """Microseconds per call of `require`, as routes call it."""
    plain = Principal(Kind.person, "ann", roles={"demo": Role.editor})
    ruled = Principal(Kind.person, "ann", roles={"demo": Role.editor}, policies={"demo": Policy(rules(), facts())})
    narrow = Scope(("serving.*", "jobs.*"), ("endpoint/prod-*", "job/*"))
    key = Principal(Kind.key, "ann", roles={"demo": Role.editor}, policies=ruled.policies, scope=narrow)
    shown = {
        "permission check": plain,
        f"permission check, {MANY} rules": ruled,
        "permission check, key and rules": key,
    }
    return [
        Row(name, "µs", [per_call(who) for _ in range(report.ROUNDS)], limit=LIMIT_US) for name, who in shown.items()
    ]


def rules() -> tuple[Rule, ...]:
    """Denials that are about the call but whose conditions do not hold, and as many about other actions."""
    when = {"gpu": {"more_than": 0}, "time": {"days": ["sun"], "from": "08:00", "to": "18:00"}}
    here = [Rule(f"here-{n}", "deny", ("role:editor",), "serving.*", "endpoint/prod-*", when) for n in range(MANY // 2)]
    other = [Rule(f"other-{n}", "deny", ("user:bob",), "jobs.write", "*", when) for n in range(MANY // 2)]
    return tuple(check(rule) for rule in [*here, *other])


def facts() -> Facts:
    """What is known of the domain."""
    return Facts("studio", 12.5, {"std.small": 0, "gpu.a": 1})


def per_call(who: Principal) -> float:
    """Microseconds, over as many calls as fit into the time."""
    count, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < report.SECONDS:
        for _ in range(200):
            require(who, "serving.write", "demo", "endpoint/prod-1", ASKED)
        count += 200
    return spent / count * 1e6
