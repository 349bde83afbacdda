"""Captured rows, labels and quality over REST, with the job run in place of the sandbox's."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from studio.domains import sandboxes
from studio.loops.monitoring import arguments
from studio.monitoring import captures, collect, monitors
from studio.monitoring.redaction import SHOWN
from studio.registry import models
from studio.runtime.sandbox import Layout
from studio.serving import endpoints, variants
from studio.serving.endpoints import Wanted
from studio.store.tables.registry import model_versions, registered_models
from tests.unit import rest_app
from tests.unit.monitoring.test_truth import answer
from tests.unit.rest_app import App

PATH = "endpoints/rain"


def fill(db: Connection) -> None:
    """The endpoint `rain`, serving version 1 with a copy of it as shadow; `deaf` captures nothing."""
    models.create(db, "demo", "rain", owner="ann")
    place = "mlflow-artifacts:/0/models/m-1/artifacts"
    given = {
        "model": db.scalar(select(registered_models.c.id)),
        "version": 1,
        "owner": "ann",
        "stage": "None",
        "source": place,
        "location": place,
    }
    db.execute(model_versions.insert().values(**given, status="READY", created_ms=1, updated_ms=1))
    endpoints.create(db, "demo", "ann", Wanted("rain", "models:/rain/1"))
    endpoints.create(db, "demo", "ann", Wanted("deaf", "models:/rain/1", capture=False))
    rain = endpoints.get(db, "demo", "rain")
    copied = variants.Wanted(1, "sklearn", "std.small", name="copy", weight=10, shadow=True, joins=True)
    variants.add(db, rain.id, copied)
    variants.change(db, rain.variants[0].id, digest="d" * 64)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with rest_app.running(tmp_path / "home") as started:
        await started.store.write(fill)
        yield started


async def collected(app: App) -> Path:
    """Runs the job with the loop's own words for it; the endpoint's folder."""
    root = captures.root(app.settings.paths.capture, "demo", "rain")
    root.mkdir(parents=True, exist_ok=True)
    layout = Layout(app.settings.paths, "demo", sandboxes.SERVICE, "none")
    endpoint = await app.store.read(lambda db: endpoints.get(db, "demo", "rain"))
    monitor = await app.store.write(lambda db: monitors.ensure(db, endpoint))
    task = collect.parse(["--run", "run-a", *arguments(endpoint, monitor, layout)])
    assert task.root == root
    assert collect.run(task).error == ""
    return root


async def ask(app: App, method: str, path: str, user: str = "eve", **more: Any) -> Any:
    async with app.as_user(user) as client:
        return await client.request(method, path, **more)


def labels(*rows: tuple[str, int, Any]) -> dict[str, Any]:
    return {"rows": [{"inference_id": id, "row": row, "label": label} for id, row, label in rows]}


async def test_rows_labels_and_quality(app: App) -> None:
    root = await collected(app)
    answer(root, "a", [1, 0], variant="v1")
    answer(root, "a", [1, 1], variant="copy")
    said = await ask(app, "POST", f"{PATH}/ground-truth", json=labels(("a", 0, 1), ("a", 1, 1), ("z", 0, 1)))
    assert (said.status_code, said.json()) == (202, {"accepted": 3})
    await collected(app)
    found = (await ask(app, "GET", f"{PATH}/captures", "vic", params={"ids": "a.1", "limit": 2000})).json()["rows"]
    assert {(row["variant"], row["output"], row["truth"], row["shadow"]) for row in found} == {
        ("v1", 0, 1, False),
        ("copy", 1, 1, True),
    }
    narrow = await ask(app, "GET", f"{PATH}/captures", params={"variant": "copy", "truth": "true", "status": 200})
    assert [row["id"] for row in narrow.json()["rows"]] == ["a.1", "a.0"]
    quality = (await ask(app, "GET", f"{PATH}/quality", "vic")).json()
    assert quality["waiting"] == 1
    assert {one["variant"]: (one["n"], one["accuracy"]) for one in quality["variants"]} == {
        "v1": (2, 0.5),
        "copy": (2, 1),
    }
    [wrong] = [cell for cell in quality["variants"][1]["matrix"] if cell["label"] != cell["prediction"]]
    assert wrong == {"label": "1", "prediction": "0", "n": 1, "row_ids": ["a.1"]}


async def test_without_labels_there_is_no_quality(app: App) -> None:
    quality = await ask(app, "GET", f"{PATH}/quality", params={"from_ms": 5, "to_ms": 7})
    assert quality.json() == {"from_ms": 5, "to_ms": 7, "width_ms": 0, "waiting": 0, "variants": []}


async def test_a_bad_label_is_refused_whole(app: App) -> None:
    for body in (labels(("a", 0, 1), ("a", 1, [2])), {"rows": []}, {}, [], {"rows": [{"inference_id": "a"}]}):
        answered = await ask(app, "POST", f"{PATH}/ground-truth", json=body)
        assert answered.status_code == 400
        assert answered.json()["error"]["hint"]
    assert (
        "rows[1].label"
        in (await ask(app, "POST", f"{PATH}/ground-truth", json=labels(("a", 0, 1), ("a", 1, [2])))).text
    )
    assert not captures.root(app.settings.paths.capture, "demo", "rain").exists()


async def test_who_may_not(app: App) -> None:
    body = labels(("a", 0, 1))
    assert (await ask(app, "POST", f"{PATH}/ground-truth", "vic", json=body)).status_code == 403
    assert (await ask(app, "POST", f"{PATH}/ground-truth", "nobody", json=body)).status_code == 403
    assert (await ask(app, "GET", f"{PATH}/quality", "nobody")).status_code == 403
    assert (await ask(app, "POST", "endpoints/absent/ground-truth", json=body)).status_code == 404
    deaf = await ask(app, "POST", "endpoints/deaf/ground-truth", json=body)
    assert (deaf.status_code, "capture" in deaf.text) == (409, True)
    await app.store.write(lambda db: endpoints.remove(db, "demo", "rain", "eve"))
    assert (await ask(app, "POST", f"{PATH}/ground-truth", json=body)).status_code == 409
    assert not captures.root(app.settings.paths.capture, "demo", "rain").exists()


async def test_a_redacted_column_is_shown_nowhere(app: App) -> None:
    root = await collected(app)
    (app.settings.paths.models / "demo" / ("d" * 64)).mkdir(parents=True)
    inputs = json.dumps([{"name": "x", "type": "double"}])
    (app.settings.paths.models / "demo" / ("d" * 64) / "MLmodel").write_text(f"signature: {{inputs: '{inputs}'}}")
    answer(root, "before", [1])
    await collected(app)
    shown = await ask(app, "GET", f"{PATH}/captures")
    assert shown.json()["rows"][0]["inputs"] == {"x": 0}

    def hide(db: Connection) -> None:
        endpoint = endpoints.get(db, "demo", "rain")
        endpoints.change(db, endpoint, redact='["x"]', capture_percent=25.0, capture_days=3)

    await app.store.write(hide)
    shown = await ask(app, "GET", f"{PATH}/captures")
    assert shown.json()["rows"][0]["inputs"] == {"x": SHOWN}
    answer(root, "after", [1])
    await collected(app)
    shown = await ask(app, "GET", f"{PATH}/captures")
    assert [row["inputs"] for row in shown.json()["rows"]] == [{"x": SHOWN}] * 2
    monitor = (await ask(app, "GET", "monitors/rain")).json()
    assert (monitor["redacted"], monitor["percent"], monitor["days"]) == (["x"], 25.0, 3)
