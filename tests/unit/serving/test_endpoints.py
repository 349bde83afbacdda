"""Endpoints as rows: what is asked for, what the gateway is told, what is written of replicas."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from studio.environments import versions
from studio.errors import AlreadyExists, Conflict, Invalid, NotFound
from studio.runtime.sandbox import Layout
from studio.serving import endpoints, events, gateway_table, observing, promotion, variants
from studio.serving.endpoints import Endpoint, Wanted
from studio.serving.states import EndpointState, ReplicaState, VariantState
from studio.settings import Settings
from studio.store.tables.serving import endpoint_events
from studio.store.tables.serving import variants as variant_rows

LAYOUT = Layout(Settings(home=Path("/tmp/x")).paths, "demo", "service", "bubblewrap")


def create(db: Connection, name: str = "rain", model: str = "models:/rain/1", **more: object) -> Endpoint:
    return endpoints.create(db, "demo", "ada", Wanted(name, model, **more))  # type: ignore[arg-type]


def serve(db: Connection, endpoint: Endpoint) -> Endpoint:
    """The waiting variant passes and is routed."""
    waiting = next(v for v in endpoint.variants if v.state is VariantState.waiting)
    variants.change(db, waiting.id, digest="d" * 64)
    variants.add_replica(db, waiting.id, variants.new_replica_id(), ReplicaState.starting)
    [replica] = next(v for v in variants.list_variants(db, endpoint.id) if v.id == waiting.id).replicas
    assert variants.set_replica(db, replica.id, ReplicaState.ready, ready_ms=1)
    variants.route(db, waiting)
    endpoints.change(db, endpoint, state=EndpointState.in_service)
    return endpoints.get(db, "demo", endpoint.name)


def test_the_same_request_twice_is_one_endpoint(db: Connection) -> None:
    assert create(db).id == create(db).id
    assert len(endpoints.list_endpoints(db, "demo")) == 1
    assert len(endpoints.get(db, "demo", "rain").variants) == 1
    with pytest.raises(AlreadyExists, match="Promote"):
        create(db, model="models:/rain/2")
    with pytest.raises(AlreadyExists):
        create(db, mode="serverless")


@pytest.mark.parametrize(
    ("wanted", "error", "names"),
    [
        ({"name": ""}, Invalid, "name"),
        ({"name": "a/b"}, Invalid, "a/b"),
        ({"name": ".."}, Invalid, "name"),
        ({"model": "models:/rain/9"}, NotFound, "9"),
        ({"model": "models:/snow/1"}, NotFound, "snow"),
        ({"model": "rain"}, Invalid, "models:"),
        ({"mode": "sometimes"}, Invalid, "serverless"),
        ({"environment": "torch"}, NotFound, "torch"),
        ({"instance_type": "huge"}, NotFound, "std.small"),
        ({"idle_s": 0.0}, Invalid, "idle"),
    ],
)
def test_bad_requests_write_nothing(db: Connection, wanted: dict[str, object], error: type, names: str) -> None:
    with pytest.raises(error, match=names):
        create(db, **wanted)  # type: ignore[arg-type]
    assert endpoints.list_endpoints(db, "demo") == []


def test_environment_that_is_not_built_is_refused(db: Connection) -> None:
    versions.removed(db, "e" * 32)
    with pytest.raises(Conflict, match="not ready"):
        create(db)


def test_model_of_another_domain_is_not_found(db: Connection) -> None:
    with pytest.raises(NotFound):
        endpoints.create(db, "other", "eve", Wanted("rain", "models:/rain/1"))


def test_promote_and_undo(db: Connection) -> None:
    serve(db, create(db))
    found = promotion.promote(db, "demo", "rain", 2, "ada")
    assert (found.state, [v.state for v in found.variants]) == (EndpointState.updating, ["Serving", "Waiting"])
    assert len(promotion.promote(db, "demo", "rain", 2, "ada").variants) == 2
    with pytest.raises(NotFound):
        promotion.promote(db, "demo", "rain", 9, "ada")
    with pytest.raises(Conflict, match="other version"):
        promotion.undo(db, "demo", "rain", "ada")

    found = promotion.promote(db, "demo", "rain", 1, "ada")  # back to what serves: the other is called off
    assert [v.state for v in found.variants] == ["Serving", "Retiring"]

    endpoints.change(db, found, previous_version=2)
    found = promotion.undo(db, "demo", "rain", "ada")
    assert [v.version for v in found.variants if v.state is VariantState.waiting] == [2]


def test_delete_is_asked_once_and_takes_all_rows(db: Connection) -> None:
    found = serve(db, create(db))
    endpoints.remove(db, "demo", "rain", "ada")
    endpoints.remove(db, "demo", "rain", "ada")
    with pytest.raises(Conflict, match="being deleted"):
        create(db)
    with pytest.raises(Conflict):
        promotion.promote(db, "demo", "rain", 2, "ada")
    endpoints.erase(db, found)
    with pytest.raises(NotFound, match="none yet"):
        endpoints.get(db, "demo", "rain")
    for table in (variant_rows, endpoint_events):
        assert db.scalar(select(func.count()).select_from(table)) == 0


def test_gateway_is_told_weights_sockets_and_how_to_wake(db: Connection) -> None:
    found = create(db, mode="serverless", idle_s=5.0)
    first = gateway_table.entry(found, LAYOUT, {})
    assert [v["replicas"] for v in first["variants"]] == [[]]  # callers are held for what is to come
    found = serve(db, found)
    entry = gateway_table.entry(found, LAYOUT, {"std.small": 2.0})
    [variant] = entry["variants"]
    [replica] = found.variants[0].replicas
    assert (variant["name"], variant["weight"], variant["version"]) == ("v1", 100, "1")
    assert variant["replicas"] == [str(LAYOUT.host_out / "r" / f"{replica.id}.sock")]
    assert entry["wake"] == []
    assert entry["capture"] == {"spool": str(LAYOUT.host_capture / "rain" / "spool"), "percent": 100.0}

    variants.add_replica(db, found.variants[0].id, "r-parked", ReplicaState.parked)
    [wake] = gateway_table.entry(endpoints.get(db, "demo", "rain"), LAYOUT, {"std.small": 2.0})["wake"]
    assert wake["variant"] == "v1"
    assert wake["socket"] == str(LAYOUT.host_out / "fork-sklearn.sock")
    [request] = wake["requests"]
    assert (request["op"], request["kind"], request["name"]) == ("fork", "replica", "r-parked")
    assert request["args"]["socket"] == "/studio/out/r/r-parked.sock"
    assert request["args"]["model_dir"] == "/models/" + "d" * 64
    assert request["env"]["OMP_NUM_THREADS"] == "2"


def test_deleted_endpoints_are_not_in_the_table(db: Connection) -> None:
    create(db)
    paths = Settings(home=Path("/tmp/x")).paths
    assert list(gateway_table.entries(db, paths, "bubblewrap")) == ["endpoints/demo/rain"]
    endpoints.remove(db, "demo", "rain", "ada")
    assert gateway_table.entries(db, paths, "bubblewrap") == {}


def test_replica_states_only_go_forward(db: Connection) -> None:
    found = serve(db, create(db))
    [replica] = found.variants[0].replicas
    assert not variants.set_replica(db, replica.id, ReplicaState.starting)
    assert variants.set_replica(db, replica.id, ReplicaState.stopping)
    assert not variants.set_replica(db, replica.id, ReplicaState.ready)
    variants.forget_replica(db, replica.id, failed=False)
    assert not variants.set_replica(db, replica.id, ReplicaState.ready)


def test_failures_are_counted_until_a_replica_was_steady(db: Connection) -> None:
    found = serve(db, create(db))
    [replica] = found.variants[0].replicas
    variants.change(db, found.variants[0].id, failures=4)
    variants.forget_replica(db, replica.id, failed=True, reason="killed")  # was ready since 1970: steady
    [variant] = endpoints.get(db, "demo", "rain").variants
    assert (variant.failures, variant.reason) == (1, "killed")
    variants.add_replica(db, variant.id, "r-2", ReplicaState.starting)
    variants.forget_replica(db, "r-2", failed=True, reason="killed")
    [variant] = endpoints.get(db, "demo", "rain").variants
    assert variant.failures == 2
    assert variant.retry_ms > found.created_ms


def test_idle_counts_from_the_last_use(db: Connection) -> None:
    found = serve(db, create(db, mode="serverless", idle_s=10.0))
    now = found.created_ms
    assert not observing.is_idle(found, {}, now + 9_000)
    assert observing.is_idle(found, {}, now + 10_000)
    assert not observing.is_idle(found, {"last_ms": now + 5_000}, now + 14_000)
    assert not observing.is_idle(found, {"inflight": 1}, now + 60_000)


def test_stopped_rests_whatever_its_mode(db: Connection) -> None:
    serve(db, create(db))
    endpoints.stop_all(db, "demo")
    found = endpoints.get(db, "demo", "rain")
    seen = observing.observe(
        found, alive=lambda _: True, place=lambda _: True, confirmed=True, stats={"last_ms": 9e15}, now_ms=1
    )
    assert (seen.serverless, seen.idle) == (True, True)
    assert gateway_table.entry(found, LAYOUT, {})["mode"] == "serverless"


def test_only_the_newest_events_are_kept(db: Connection) -> None:
    found = create(db)
    for number in range(events.KEPT + 20):
        events.tell(db, found.id, f"event {number}", "x" * 20_000)
    kept = events.list_events(db, found.id, 1000)
    assert len(kept) == events.KEPT
    assert kept[-1].text == f"event {events.KEPT + 19}"
    assert len(kept[-1].detail) == events.DETAIL_CHARACTERS
