"""`POST /domains/{domain}/curves`: many runs and metrics at once, bounded, refused in words."""

import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from studio.tracking import metrics, runs
from studio.tracking.records import Metric
from tests.unit.rest_app import App, running


@pytest_asyncio.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with running(tmp_path) as found:
        yield found


async def run_of(app: App, domain: str = "demo", points: int = 3000) -> str:
    """A run with the metrics `loss` and `train/auc`; one value of each is no number."""

    def write(db: Any) -> str:
        run_id = runs.create(db, domain, "0", owner="ann").info.run_id
        odd = {10: math.nan, 20: math.inf, 30: -math.inf}
        for key in ("loss", "train/auc"):
            metrics.log(db, domain, run_id, [Metric(key, odd.get(n, 1 / (n + 1)), 5000 + n, n) for n in range(points)])
        return run_id

    return await app.store.write(write)


async def ask(app: App, user: str = "vic", **body: Any) -> Any:
    async with app.as_user(user) as client:
        return await client.post("curves", json=body)


async def test_several_runs_and_metrics_in_one_answer(app: App) -> None:
    ids = [await run_of(app), await run_of(app)]
    answer = await ask(app, run_ids=[*ids, ids[0]], keys=["loss", "train/auc", "never"], max_points=100)
    assert answer.status_code == 200
    curves = answer.json()["curves"]
    assert [(curve["run_id"], curve["key"]) for curve in curves] == [(i, k) for i in ids for k in ("loss", "train/auc")]
    for curve in curves:
        points = curve["points"]
        assert len(points) <= 100
        assert (points[0], points[-1]) == ([0, 5000, 1.0], [2999, 7999, 1 / 3000])
        assert curve["is_thinned"]
        assert [point for point in points if isinstance(point[2], str)] == [[10, 5010, "NaN"]]


async def test_values_that_are_no_numbers_are_named(app: App) -> None:
    run_id = await run_of(app, points=40)
    (curve,) = (await ask(app, run_ids=[run_id], keys=["loss"])).json()["curves"]
    assert len(curve["points"]) == 40
    assert [curve["points"][n][2] for n in (10, 20, 30)] == ["NaN", "Infinity", "-Infinity"]


async def test_only_what_is_new_since_a_step(app: App) -> None:
    old, new = await run_of(app), await run_of(app)
    answer = await ask(app, run_ids=[old, new], keys=["loss"], since={old: 2998}, from_step=2990)
    found = {curve["run_id"]: [point[0] for point in curve["points"]] for curve in answer.json()["curves"]}
    assert found == {old: [2998, 2999], new: list(range(2990, 3000))}


async def test_unknown_and_foreign_runs_are_refused_alike(app: App) -> None:
    foreign = await run_of(app, domain="other")
    for run_id in (foreign, "f" * 32, "'; DROP TABLE metrics; --"):
        answer = await ask(app, run_ids=[run_id], keys=["loss"])
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == f"Run with id={run_id} not found"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"run_ids": []}, "run_ids"),
        ({"keys": []}, "keys"),
        ({"max_points": 5001}, "max_points"),
        ({"max_points": 3}, "max_points"),
        ({"run_ids": ["a" * 32] * 101}, "run_ids"),
        ({"from_step": 2**63}, "from_step"),
        ({"since": {"a" * 32: 2**70}}, "64-bit"),
        ({"points": 10}, "points"),
        ({"run_ids": ["a" * 32] * 100, "keys": ["loss"] * 100, "max_points": 400}, "4,000,000 points"),
    ],
)
async def test_too_much_or_wrong_is_refused_with_a_way_out(app: App, body: dict[str, Any], said: str) -> None:
    answer = await ask(app, **{"run_ids": ["a" * 32], "keys": ["loss"]} | body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert said in error["message"]
    assert error["hint"]


async def test_strangers_see_nothing(app: App) -> None:
    run_id = await run_of(app)
    assert (await ask(app, "mallory", run_ids=[run_id], keys=["loss"])).status_code in (403, 404)
