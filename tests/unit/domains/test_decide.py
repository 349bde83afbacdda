"""What to do about a sandbox: pure."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domains.decide import (
    Limit,
    OpenDoor,
    Refuse,
    Start,
    StartForkServer,
    StartLab,
    Stop,
    StopService,
    Terms,
    decide,
)
from studio.domains.labs import lab_state
from studio.domains.sandboxes import Sandbox
from studio.runtime.specs import Limits, SandboxState, ServiceState

WANTED = Sandbox(
    *("demo.ada", "demo", "ada"),
    wanted=True,
    lab_wanted=False,
    nonce="n",
    applied_role="editor",
    role="editor",
    reason="",
    network_mode="studio",
    wanted_ms=1,
    environments=(),
)


def running(*services: str, state: str = "Running", service: str = "Running", revision: str = "") -> SandboxState:
    found = [ServiceState(name, 2, service, 1, revision=revision) for name in services]
    return SandboxState("demo.ada", "demo", "ada", 1, state, "bubblewrap", "studio", 1, services=found)


def test_wanted_and_absent_is_started() -> None:
    assert decide(WANTED, None, {}) == [Start()]


@pytest.mark.parametrize("state", ["Starting", "Draining"])
def test_on_its_way_is_left_alone(state: str) -> None:
    assert decide(WANTED, running(state=state), {}) == []


def test_nobody_wants_it_any_more() -> None:
    assert decide(replace(WANTED, wanted=False), None, {}) == []
    for unwanted in (None, replace(WANTED, wanted=False), replace(WANTED, role="")):
        assert [type(action) for action in decide(unwanted, running(), {})] == [Stop]


def test_removed_owner_is_not_started() -> None:
    assert decide(replace(WANTED, role=""), None, {}) == []


def test_another_role_means_another_sandbox() -> None:
    [action] = decide(replace(WANTED, role="viewer"), running("lab"), {})
    assert isinstance(action, Stop)


def test_lab_and_fork_servers_follow_what_is_wanted() -> None:
    wanted = replace(WANTED, lab_wanted=True, environments=("sklearn", "torch"))
    assert decide(wanted, running(), {"sklearn": ""}) == [OpenDoor(), StartForkServer("sklearn"), StartLab()]
    assert decide(wanted, running("lab", "fork-sklearn"), {"sklearn": ""}) == [OpenDoor()]
    assert decide(WANTED, running("lab", "fork-old", "forwarder"), {}) == [
        OpenDoor(),
        StopService("fork-old"),
        StopService("lab"),
    ]


def test_an_environment_that_was_built_anew_gets_another_fork_server() -> None:
    wanted = replace(WANTED, environments=("sklearn",))
    before = running("fork-sklearn", revision="old")
    assert decide(wanted, before, {"sklearn": "old"}) == [OpenDoor()]
    assert decide(wanted, before, {"sklearn": "new"}) == [
        OpenDoor(),
        StopService("fork-sklearn"),
        StartForkServer("sklearn"),
    ]
    # Its folder is gone: what runs is left alone.
    assert decide(wanted, before, {}) == [OpenDoor()]


READY = {"sklearn": "new", "torch": "new"}


def test_without_a_network_nobody_listens_and_a_lab_has_every_fork_server() -> None:
    cut_off = running("lab")
    cut_off.network = "none"
    wanted = replace(WANTED, lab_wanted=True, environments=("sklearn",))
    assert decide(wanted, cut_off, {"sklearn": "", "torch": ""}) == [
        StartForkServer("sklearn"),
        StartForkServer("torch"),
    ]
    assert decide(replace(wanted, lab_wanted=False), cut_off, {"torch": ""}) == [StopService("lab")]


def test_other_limits_are_set_while_it_runs_and_other_settings_by_a_restart() -> None:
    limits = Limits(cpu=2, memory_mb=500, pids=100)
    assert decide(WANTED, running(), {}, Terms(limits=limits)) == [OpenDoor(), Limit(limits)]
    at_it = running()
    at_it.limits = limits
    assert decide(WANTED, at_it, {}, Terms(limits=limits)) == [OpenDoor()]
    [action] = decide(replace(WANTED, restart=True), running("lab"), {})
    assert isinstance(action, Stop)
    assert decide(replace(WANTED, restart=True), None, {}) == [Start()]


@pytest.mark.parametrize("state", [None, "Starting", "Running", "Draining", "Exited"])
def test_what_requires_more_than_this_host_has_ends_and_never_starts(state: str | None) -> None:
    terms = Terms(("it requires more", "lower it"))
    observed = running("lab", state=state) if state else None
    actions = decide(replace(WANTED, lab_wanted=True), observed, {}, terms)
    assert actions[-1] == Refuse("it requires more", "lower it")
    assert [type(action) for action in actions[:-1]] == ([Stop] if state == "Running" else [])


STATES = st.none() | st.sampled_from(["Starting", "Running", "Draining", "Exited"])


@given(
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "viewer", "editor", "admin"]),
    st.sampled_from(["", "viewer", "editor"]),
    st.lists(st.sampled_from(["sklearn", "torch"]), unique=True),
    STATES,
    st.lists(st.sampled_from(["lab", "fork-sklearn", "fork-torch", "forwarder", "dash"]), unique=True),
    st.sampled_from(["", "old", "new"]),
)
def test_applying_the_decisions_comes_to_rest(
    wanted: bool,
    lab: bool,
    role: str,
    applied: str,
    environments: list[str],
    state: str | None,
    services: list[str],
    revision: str,
) -> None:
    """Whatever is observed, a few rounds lead to what is wanted, and then nothing more is done."""
    row = replace(
        WANTED, wanted=wanted, lab_wanted=lab, role=role, applied_role=applied, environments=tuple(environments)
    )
    observed = running(*services, state=state, revision=revision) if state else None
    for _ in range(8):
        actions = [action for action in decide(row, observed, READY) if action != OpenDoor()]
        if not actions and (observed is None or observed.state == "Running"):
            break
        if observed is not None and observed.state in ("Starting", "Draining"):
            observed = running(*services, revision=revision) if observed.state == "Starting" else None
        for action in actions:
            match action:
                case Start():
                    observed, row = running("forwarder"), replace(row, applied_role=row.role)
                case Stop():
                    observed = None
                case StartForkServer(name):
                    observed = with_service(observed, f"fork-{name}")
                case StartLab():
                    observed = with_service(observed, "lab")
                case StopService(name):
                    assert observed
                    observed.services = [item for item in observed.services if item.name != name]
    is_up = observed is not None and observed.state == "Running"
    assert is_up == (wanted and role != "")
    if observed is not None:
        names = {item.name for item in observed.services}
        assert ("lab" in names) == lab
        assert all(item.revision == "new" for item in observed.services if item.name.startswith("fork-"))
        assert {f"fork-{name}" for name in environments} == {name for name in names if name.startswith("fork-")}
        assert row.applied_role == role


def with_service(observed: SandboxState | None, name: str) -> SandboxState:
    assert observed is not None
    observed.services.append(ServiceState(name, 3, "Running", 1, revision="new"))
    return observed


def test_states_of_a_lab() -> None:
    wanted = replace(WANTED, lab_wanted=True)
    assert lab_state(None, None, is_listening=False).state == "Stopped"
    assert lab_state(WANTED, running("lab"), is_listening=True).state == "Stopped"
    assert lab_state(wanted, None, is_listening=False).state == "Starting"
    assert lab_state(wanted, running("lab"), is_listening=False).state == "Starting"
    assert lab_state(wanted, running("lab"), is_listening=True).state == "Running"
    assert lab_state(replace(wanted, role="viewer"), running("lab"), is_listening=True).state == "Starting"
    failed = lab_state(replace(wanted, reason="no bubblewrap"), None, is_listening=False)
    assert (failed.state, failed.reason) == ("Failed", "no bubblewrap")
