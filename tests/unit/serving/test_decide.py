"""Decisions of serving: single cases."""

from studio.serving.actions import (
    Adopt,
    Fail,
    Forget,
    Materialise,
    Park,
    Probe,
    Remove,
    Retire,
    Route,
    StartReplica,
    StopReplica,
)
from studio.serving.decide import CRASH_LIMIT, START_LIMIT, decide, retry_delay_ms
from studio.serving.observed import Observed, Replica, Variant
from studio.serving.states import EndpointState, ReplicaState, VariantState

READY = Replica("r1", ReplicaState.ready, alive=True)


def variant(state: VariantState, *replicas: Replica, **changes: object) -> Variant:
    values: dict[str, object] = {"materialised": True, "place": True, **changes}
    return Variant(state.value, 1, state, replicas=replicas, **values)  # type: ignore[arg-type]


def seen(*variants: Variant, **changes: object) -> Observed:
    return Observed(variants=variants, **changes)  # type: ignore[arg-type]


def test_new_endpoint_materialises_first() -> None:
    decision = decide(seen(variant(VariantState.waiting, materialised=False)), 0)
    assert decision.actions == (Materialise("Waiting"),)
    assert decision.state is EndpointState.creating


def test_without_a_place_nothing_is_started() -> None:
    decision = decide(seen(variant(VariantState.waiting, place=False)), 0)
    assert decision.actions == ()
    assert "sandbox" in decision.reason


def test_materialised_starts_then_probes_then_routes() -> None:
    assert decide(seen(variant(VariantState.waiting)), 0).actions == (StartReplica("Waiting"),)
    starting = Replica("r1", ReplicaState.starting, alive=True)
    assert decide(seen(variant(VariantState.waiting, starting)), 0).actions == (Probe("r1"),)
    assert decide(seen(variant(VariantState.waiting, READY)), 0).actions == (Route("Waiting"),)


def test_not_in_service_before_a_replica_is_ready() -> None:
    starting = Replica("r1", ReplicaState.starting, alive=True)
    assert decide(seen(variant(VariantState.waiting, starting)), 0).state is EndpointState.creating
    assert decide(seen(variant(VariantState.serving, READY)), 0).state is EndpointState.in_service


def test_failed_update_leaves_the_old_serving() -> None:
    broken = Replica("r2", ReplicaState.failed, alive=True, reason="no package xgboost")
    decision = decide(seen(variant(VariantState.serving, READY), variant(VariantState.waiting, broken)), 0)
    assert decision.actions == (Fail("Waiting", "no package xgboost"), StopReplica("r2"))
    decision = decide(
        seen(variant(VariantState.serving, READY), variant(VariantState.failed), notice="Version 2 failed"), 0
    )
    assert decision.actions == (Retire("Failed"),)
    assert (decision.state, decision.reason) == (EndpointState.in_service, "Version 2 failed")


def test_failed_alone_stays_as_evidence() -> None:
    decision = decide(seen(variant(VariantState.failed, reason="boom")), 0)
    assert decision == decide(seen(variant(VariantState.failed, reason="boom")), 10)
    assert (decision.state, decision.reason, decision.actions) == (EndpointState.failed, "boom", ())


def test_retiring_waits_for_the_gateway() -> None:
    old = variant(VariantState.retiring, READY)
    new = variant(VariantState.serving, Replica("r2", ReplicaState.ready, alive=True))
    assert decide(seen(new, old), 0).actions == ()
    drained = variant(VariantState.retiring, READY, unrouted=True)
    assert decide(seen(new, drained), 0).actions == (StopReplica("r1"),)
    ended = variant(VariantState.retiring, Replica("r1", ReplicaState.stopping), unrouted=True)
    assert decide(seen(new, ended), 0).actions == (Forget("r1"),)
    assert decide(seen(new, variant(VariantState.retiring)), 0).actions == (Retire("Retiring"),)


def test_killed_replica_is_replaced() -> None:
    dead = Replica("r1", ReplicaState.ready, alive=False)
    decision = decide(seen(variant(VariantState.serving, dead)), 0)
    assert decision.actions == (Forget("r1", failed=True),)
    after = variant(VariantState.serving, failures=1, retry_ms=0, reason="Killed by signal 9.")
    decision = decide(seen(after), 0)
    assert decision.actions == (StartReplica("Serving"),)
    assert decision.state is EndpointState.updating
    assert "signal 9" in decision.reason


def test_crash_loop_backs_off_then_fails() -> None:
    assert [retry_delay_ms(n) for n in (1, 2, 3, 4, 7, 60)] == [0, 1000, 2000, 4000, 30_000, 30_000]
    backing_off = variant(VariantState.serving, failures=3, retry_ms=500)
    assert decide(seen(backing_off), 100).actions == ()
    assert decide(seen(backing_off), 500).actions == (StartReplica("Serving"),)
    out = decide(seen(variant(VariantState.serving, failures=CRASH_LIMIT, reason="Out of memory.")), 10**9).actions
    assert isinstance(out[0], Fail)
    assert "Out of memory" in out[0].reason
    start = decide(seen(variant(VariantState.waiting, failures=START_LIMIT)), 10**9).actions
    assert isinstance(start[0], Fail)


def test_serverless_parks_before_it_stops() -> None:
    up = variant(VariantState.serving, READY)
    assert decide(seen(up, serverless=True, idle=True), 0).actions == (Park("Serving"),)
    parked = Replica("r2", ReplicaState.parked)
    waiting_for_gateway = variant(VariantState.serving, READY, parked)
    assert decide(seen(waiting_for_gateway, serverless=True, idle=True), 0).actions == ()
    told = variant(VariantState.serving, READY, parked, unrouted=True)
    assert decide(seen(told, serverless=True, idle=True), 0).actions == (StopReplica("r1"),)
    zero = decide(seen(variant(VariantState.serving, parked), serverless=True, idle=True), 0)
    assert (zero.state, zero.actions) == (EndpointState.idle, ())


def test_woken_replica_is_adopted() -> None:
    woken = Replica("r2", ReplicaState.parked, alive=True)
    assert decide(seen(variant(VariantState.serving, woken), serverless=True, idle=True), 0).actions == (Adopt("r2"),)


def test_panel_wakes_under_the_parked_name() -> None:
    parked = Replica("r2", ReplicaState.parked)
    decision = decide(seen(variant(VariantState.serving, parked), serverless=True, idle=False), 0)
    assert decision.actions == (StartReplica("Serving", "r2"),)


def test_delete_waits_for_the_gateway_then_leaves_nothing() -> None:
    up = variant(VariantState.serving, READY)
    assert decide(seen(up, deleting=True), 0).actions == ()
    assert decide(seen(up, deleting=True, unrouted=True), 0).actions == (StopReplica("r1"),)
    assert decide(seen(deleting=True, unrouted=True), 0).actions == (Remove(),)
