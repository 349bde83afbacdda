"""What runs, what it costs, ending it: through the routes on the real store."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from studio import ledger
from studio.access.principals import Kind, Role
from studio.clock import now_ms
from studio.cost import stops
from studio.domains import sandboxes
from studio.jobs import jobs
from studio.ledger import periods
from tests.unit import rest_app
from tests.unit.rest_app import App

HOUR = 3_600_000


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with rest_app.running(tmp_path / "home") as started:
        await started.store.write(fill)
        yield started


def fill(db: Connection) -> None:
    """Eve's lab and kernel, bob's kernel, an endpoint with two replicas: an hour old each."""
    begun = now_ms() - HOUR
    sandboxes.want(db, "demo", "eve", lab=True)
    things = [
        ("eve", "lab", "lab:demo.eve:lab:1", "JupyterLab"),
        ("eve", "kernel", "kernel:demo.eve:k1:1", "sklearn"),
        ("bob", "kernel", "kernel:demo.bob:k2:1", "sklearn"),
        ("ann", "endpoint", "replica:demo.service:r1:1", "rain"),
        ("ann", "endpoint", "replica:demo.service:r2:1", "rain"),
    ]
    for user, kind, resource, name in things:
        ledger.started(db, "demo", user, kind, resource, name, "std.small", begun)
        ledger.tick(db, resource, begun + HOUR, memory_bytes=1000, cpu_ms=HOUR // 2)


async def test_the_list_of_what_runs(app: App) -> None:
    app.studio.gateway_stats["demo/rain"] = {"last_ms": float(now_ms() - 5000)}
    async with app.as_user("eve") as http:
        lines = {item["id"]: item for item in (await http.get("running")).json()}
    assert len(lines) == 4
    endpoint = lines["endpoint:rain"]
    assert (endpoint["memory_bytes"], endpoint["cpu_percent"]) == (2000, 100.0)
    assert endpoint["price_per_hour"] == pytest.approx(0.04)
    assert endpoint["cost"] == pytest.approx(0.04)
    assert endpoint["idle_s"] == pytest.approx(5, abs=2)
    assert lines["kernel:demo.eve:k1:1"]["stoppable"]
    assert not lines["kernel:demo.bob:k2:1"]["stoppable"]
    assert lines["kernel:demo.eve:k1:1"]["idle_s"] is None


async def test_the_bill(app: App) -> None:
    async with app.as_user("vic") as http:
        bill = (await http.get("cost?days=7")).json()
    assert bill["currency"] == "€"
    assert sum(day["cost"] for day in bill["daily"]) == pytest.approx(0.1)
    assert len(bill["daily"]) == 7
    assert bill["daily"][-1]["cost"] == pytest.approx(bill["today"])
    assert {item["name"]: round(item["cost"], 6) for item in bill["by_kind"]} == {
        "endpoint": 0.04,
        "kernel": 0.04,
        "lab": 0.02,
    }
    assert {item["name"] for item in bill["by_user"]} == {"ann", "bob", "eve"}
    assert bill["by_resource"][0] == {"name": "endpoint rain", "cost": pytest.approx(0.04), "hours": pytest.approx(2)}


async def test_stopping_a_kernel_is_a_request_for_the_loop(app: App) -> None:
    async with app.as_user("eve") as http:
        for _ in range(2):
            assert (await http.post("running/kernel:demo.eve:k1:1/stop")).status_code == 202
        assert (await http.post("running/kernel:demo.bob:k2:1/stop")).status_code == 403
        assert (await http.post("running/kernel:demo.eve:none:1/stop")).status_code == 404
    [stop] = await app.store.read(stops.pending)
    assert (stop.resource, stop.kind, stop.is_over) == ("kernel:demo.eve:k1:1", "kernel", False)
    await app.store.write(lambda db: ledger.ended(db, stop.resource, now_ms()))
    [stop] = await app.store.read(stops.pending)
    assert stop.is_over
    await app.store.write(lambda db: stops.forget(db, stop.resource))
    assert await app.store.read(stops.pending) == []


async def test_stopping_a_lab_unwants_it(app: App) -> None:
    async with app.as_user("eve") as http:
        assert (await http.post("running/lab:demo.eve:lab:1/stop")).status_code == 202
    assert not (await app.store.read(lambda db: sandboxes.get(db, "demo.eve"))).lab_wanted


async def test_viewers_and_code_in_sandboxes_stop_nothing_of_others(app: App) -> None:
    async with app.as_user("vic") as http:
        assert (await http.post("stop-all")).status_code == 403
        assert not any(item["stoppable"] for item in (await http.get("running")).json())
    # Ann is an admin; her notebook is not.
    async with app.as_user("ann", kind=Kind.sandbox, cap=Role.editor) as http:
        assert (await http.post("running/kernel:demo.bob:k2:1/stop")).status_code == 403


async def test_stop_all_ends_what_the_caller_may_end(app: App) -> None:
    async with app.as_user("eve") as http:
        job_id = (await http.post("jobs", json={"script": "print(1)"})).json()["id"]
        answer = (await http.post("stop-all")).json()
    assert set(answer["stopping"]) == {"kernel:demo.eve:k1:1", "endpoint:rain", job_id}
    assert answer["kept"] == ["kernel:demo.bob:k2:1"]
    assert (await app.store.read(lambda db: jobs.get(db, "demo", job_id))).is_stop_requested
    async with app.as_user("ann") as http:
        answer = (await http.post("stop-all")).json()
    assert "kernel:demo.bob:k2:1" in answer["stopping"]
    assert answer["kept"] == []


async def test_the_overview_counts_everything(app: App) -> None:
    async with app.as_user("eve") as http:
        job_id = (await http.post("jobs", json={"script": "print(1)", "name": "retrain"})).json()["id"]
        seen = (await http.get("overview")).json()
    assert (seen["kernels"], seen["runs"], seen["models"], seen["datasets"]) == (2, 0, 0, 0)
    assert len(seen["running"]) == 4
    assert seen["recent"] == [
        {
            "kind": "job",
            "title": "retrain",
            "detail": "Queued",
            "at_ms": seen["recent"][0]["at_ms"],
            "link": f"jobs/{job_id}",
        }
    ]
    assert seen["cost_today"] >= 0
    assert seen["cores"] >= 1


def test_days_follow_the_calendar_where_clocks_change() -> None:
    zone = ZoneInfo("Europe/Berlin")
    now = int(datetime(2026, 3, 30, 12, tzinfo=zone).timestamp() * 1000)
    edges = periods.day_edges(now, 3, zone)
    assert [(last - first) // HOUR for first, last in pairwise(edges)] == [24, 23, 12]
    assert [periods.date_of(edge, zone) for edge in edges[:3]] == ["2026-03-28", "2026-03-29", "2026-03-30"]
    first = datetime.fromtimestamp(periods.month_start(now, UTC) / 1000, UTC)
    assert (first.month, first.day, first.hour) == (3, 1, 0)
