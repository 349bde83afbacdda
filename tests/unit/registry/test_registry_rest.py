"""The registry's routes on the real store: approval, deletion, cards from hostile files, files and lineage."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from studio.access.principals import Kind, Role
from studio.environments import environments, versions
from studio.serving import endpoints
from studio.serving.endpoints import Wanted
from studio.store.tables.ledger import ledger
from studio.tracking import inputs, logged_models, places, runs, tags
from studio.tracking.records import Dataset, DatasetInput, Pair
from tests.unit import rest_app
from tests.unit.rest_app import App

INPUTS = json.dumps([{"name": "wind", "type": "double", "required": True}])
MLMODEL = f"""
flavors:
  python_function: {{loader_module: mlflow.sklearn, python_version: 3.11.2, env: {{conda: conda.yaml}}}}
  sklearn: {{sklearn_version: 1.7.0, code: null}}
mlflow_version: 3.17.2
utc_time_created: '2026-11-01 10:00:00'
saved_input_example_info: {{artifact_path: input_example.json, type: dataframe}}
signature: {{inputs: '{INPUTS}', outputs: '[{{"type": "long", "required": true}}]', params: null}}
"""


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with rest_app.running(tmp_path / "home") as started:
        yield started


class Made:
    """A run with a logged model, two versions of it registered as `rain`."""

    def __init__(self, app: App, run_id: str, model_id: str, folder: Path) -> None:
        self.app, self.run_id, self.model_id, self.folder = app, run_id, model_id, folder

    def write(self, name: str, data: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(data)


@pytest.fixture
async def made(app: App) -> Made:
    def write(db: Any) -> tuple[str, str, str]:
        run = runs.create(db, "demo", "0", owner="eve", start_ms=1_000_000).info
        runs.change(db, "demo", run.run_id, status="FINISHED", end_ms=1_000_000 + 1_800_000)
        model = logged_models.create(db, "demo", run.experiment_id, name="m", source_run_id=run.run_id)
        used = DatasetInput(Dataset("weather", "d1", "local", "{}"), [Pair("mlflow.data.context", "training")])
        inputs.log_inputs(db, "demo", run.run_id, [used])
        return run.run_id, model.model_id, model.artifact_uri

    run_id, model_id, uri = await app.store.write(write)
    folder = app.settings.paths.artifacts / "demo" / places.parse(uri).path
    found = Made(app, run_id, model_id, folder)
    found.write("MLmodel", MLMODEL)
    found.write("requirements.txt", "# pinned\nscikit-learn==1.7.0\n\npandas==2.3.0\n")
    found.write("input_example.json", json.dumps({"columns": ["wind"], "data": [[3.5]]}))
    async with app.as_user("eve") as http:
        for _ in range(2):
            assert (await http.post("models/rain/versions", json={"run_id": run_id})).status_code == 201
    return found


async def serve(app: App, version: int) -> None:
    wanted = Wanted("tomorrow", f"models:/rain/{version}")
    await app.store.write(lambda db: endpoints.create(db, "demo", "eve", wanted))


async def test_an_editor_asks_and_an_admin_decides(app: App, made: Made) -> None:
    async with app.as_user("eve") as eve, app.as_user("ann") as ann, app.as_user("vic") as vic:
        path = "models/rain/versions/2/approval"
        asked = await eve.post(path, json={"reason": "better on winter days"})
        assert (asked.status_code, asked.json()["state"], asked.json()["by"]) == (201, "Pending", "eve")
        assert (await eve.put(path, json={"state": "Approved"})).status_code == 403
        assert (await vic.post(path, json={})).status_code == 403
        assert (await ann.put(path, json={"state": "Rejected"})).status_code == 400
        assert (await ann.put(path, json={"state": "Pending"})).status_code in (400, 422)
        assert (await ann.put(path, json={"state": "Approved", "reason": "seen"})).json()["by"] == "ann"
        history = (await vic.get(path)).json()
        assert [(item["state"], item["by"]) for item in history] == [("Approved", "ann"), ("Pending", "eve")]
        [second, first] = (await vic.get("models/rain")).json()["versions"]
        assert (second["approval"]["state"], first["approval"]) == ("Approved", None)
        assert (await vic.get("models")).json()[0]["approval"] == "Approved"


async def test_code_in_an_admins_sandbox_cannot_approve(app: App, made: Made) -> None:
    async with app.as_user("ann", kind=Kind.sandbox, cap=Role.editor) as code:
        path = "models/rain/versions/1/approval"
        assert (await code.put(path, json={"state": "Approved"})).status_code == 403
        change = {"tags": {"studio.approval": "approved"}}
        assert (await code.patch("models/rain/versions/1", json=change)).status_code == 400
        assert (await code.get(path)).json() == []


async def test_what_is_deployed_is_not_deleted(app: App, made: Made) -> None:
    await serve(app, 1)
    async with app.as_user("eve") as http:
        [second, first] = (await http.get("models/rain")).json()["versions"]
        assert [use["name"] for use in first["endpoints"]] == ["tomorrow"]
        assert second["endpoints"] == []
        assert (await http.get("models")).json()[0]["endpoints"] == ["tomorrow"]
        for path in ("models/rain/versions/1", "models/rain"):
            refused = await http.delete(path)
            assert refused.status_code == 409
            assert "tomorrow" in refused.json()["error"]["message"]
        assert (await http.delete("models/rain/versions/2")).status_code == 204
        assert [item["version"] for item in (await http.get("models/rain")).json()["versions"]] == [1]


async def test_descriptions_and_tags_are_changed(app: App, made: Made) -> None:
    async with app.as_user("eve") as http:
        await http.patch("models/rain", json={"description": "# Rain", "tags": {"team": "weather", "old": "x"}})
        assert (await http.patch("models/rain", json={"tags": {"old": None}})).json()["description"] == "# Rain"
        assert (await http.get("models/rain")).json()["tags"] == {"team": "weather"}
        changed = await http.patch("models/rain/versions/2", json={"description": "deeper", "tags": {"depth": "3"}})
        assert (changed.json()["description"], changed.json()["tags"]) == ("deeper", {"depth": "3"})
        assert (await http.patch("models/rain", json={"name": "sun"})).status_code in (400, 422)


async def test_a_card_tells_flavours_signature_and_environment(app: App, made: Made) -> None:
    async with app.as_user("vic") as http:
        card = (await http.get("models/rain/versions/1/card")).json()
        assert card == (await http.get(f"logged-models/{made.model_id}/card")).json()
        assert [flavor["name"] for flavor in card["flavors"]] == ["python_function", "sklearn"]
        assert card["flavors"][1]["details"] == {"sklearn_version": "1.7.0"}
        assert card["signature"]["inputs"] == [{"name": "wind", "type": "double", "required": True}]
        assert (card["python"], card["mlflow_version"]) == ("3.11.2", "3.17.2")
        assert card["requirements"] == ["scikit-learn==1.7.0", "pandas==2.3.0"]
        assert card["example"] == {"columns": ["wind"], "data": [[3.5]]}
        assert card["files"] == 3
        files = (await http.get("models/rain/versions/1/files")).json()
        assert [file["path"] for file in files] == ["MLmodel", "input_example.json", "requirements.txt"]
        listed = (await http.get(f"logged-models/{made.model_id}/artifacts")).json()
        assert [file["path"] for file in listed] == ["MLmodel", "input_example.json", "requirements.txt"]
        part = await http.get(
            f"logged-models/{made.model_id}/artifacts/file", params={"path": "MLmodel"}, headers={"range": "bytes=1-7"}
        )
        assert (part.status_code, part.text) == (206, "flavors")


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['touch /tmp/studio-was-here']",
        "a: &a [x, x]\nb: &b [*a, *a]\n" + "".join(f"c{n}: [*b, *b]\n" for n in range(50)),
        "flavors: [1, 2]\nsignature: 7\nsaved_input_example_info: {artifact_path: ../../../secret}",
        "signature: {inputs: '{\"a\": 1}', outputs: '[1, 2]'}",
        "[" * 2000,
        "\x00\xff",
        "",
    ],
)
async def test_whatever_mlmodel_holds_a_card_is_at_worst_empty(app: App, made: Made, text: str) -> None:
    made.write("MLmodel", text)
    async with app.as_user("vic") as http:
        answer = await http.get(f"logged-models/{made.model_id}/card")
        assert answer.status_code == 200
        card = answer.json()
        assert (card["flavors"], card["signature"], card["example"]) == ([], None, None)


@pytest.mark.parametrize("path", ["../x", "%2e%2e/x", "/etc/passwd", "a\\b", "a/../../x"])
async def test_no_path_leads_out_of_a_model(app: App, made: Made, path: str) -> None:
    async with app.as_user("vic") as http:
        for route in ("artifacts", "artifacts/file", "card"):
            answer = await http.get(f"logged-models/{made.model_id}/{route}", params={"path": path})
            assert answer.status_code == 400, route


async def test_another_domains_model_is_not_there(app: App, made: Made) -> None:
    def write(db: Any) -> str:
        run = runs.create(db, "other", "0", owner="zoe").info
        return logged_models.create(db, "other", run.experiment_id, source_run_id=run.run_id).model_id

    foreign = await app.store.write(write)
    async with app.as_user("ann") as http:
        for route in ("artifacts", "artifacts/file?path=MLmodel", "card"):
            assert (await http.get(f"logged-models/{foreign}/{route}")).status_code == 404


def ids(answer: httpx.Response) -> tuple[set[str], set[tuple[str, str]]]:
    body = answer.json()
    return {node["id"] for node in body["nodes"]}, {(edge["source"], edge["target"]) for edge in body["edges"]}


async def test_lineage_is_the_same_from_all_four_ends(app: App, made: Made) -> None:
    await serve(app, 2)
    data, run = "dataset:weather:d1", f"run:{made.run_id}"
    nodes = {data, run, "version:rain/1", "version:rain/2", "endpoint:tomorrow"}
    edges = {
        (data, run), (run, "version:rain/1"), (run, "version:rain/2"), ("version:rain/2", "endpoint:tomorrow"),
    }  # fmt: skip
    async with app.as_user("vic") as http:
        for query in ({"kind": "run", "name": made.run_id}, {"kind": "model", "name": "rain"}):
            assert ids(await http.get("lineage", params=query)) == (nodes, edges)
        assert ids(await http.get("lineage", params={"kind": "dataset", "name": "weather"})) == (nodes, edges)
        one = ids(await http.get("lineage", params={"kind": "endpoint", "name": "tomorrow"}))
        assert one == (nodes - {"version:rain/1"}, edges - {(run, "version:rain/1")})
        focus = (await http.get("lineage", params={"kind": "model", "name": "rain", "version": 1})).json()["focus"]
        assert focus == ["version:rain/1"]
        for kind, name in (("run", "nope"), ("model", "nope"), ("endpoint", "nope"), ("dataset", "nope")):
            assert (await http.get("lineage", params={"kind": kind, "name": name})).status_code == 404


async def test_a_runs_cost_is_its_jobs_or_its_kernels_or_unknown(app: App, made: Made) -> None:
    async def cost() -> dict[str, Any]:
        async with app.as_user("vic") as http:
            return dict((await http.get(f"runs/{made.run_id}/cost")).json())

    async def entry(resource: str, kind: str, user: str, started_ms: int, ended_ms: int | None, domain: str) -> None:
        row = {"resource": resource, "domain": domain, "user": user, "kind": kind, "name": kind}
        spent = {"instance_type": "std.large", "price_per_hour": 0.08, "started_ms": started_ms, "ticked_ms": 9**9}
        await app.store.write(lambda db: db.execute(insert(ledger).values(**row, **spent, ended_ms=ended_ms)))

    assert (await cost())["basis"] == "unknown"
    await entry("kernel:bob", "kernel", "bob", 0, None, "demo")
    await entry("kernel:gone", "kernel", "eve", 0, 900_000, "demo")
    assert (await cost())["basis"] == "unknown"
    await entry("kernel:eve", "kernel", "eve", 500_000, None, "demo")
    found = await cost()
    assert (found["basis"], found["cost"], found["instance_type"]) == ("kernel", pytest.approx(0.04), "std.large")
    await entry("job-1", "job", "eve", 1_000_000, 4_600_000, "demo")
    await entry("job-2", "job", "eve", 1_000_000, 4_600_000, "other")
    for job, basis in (("job-2", "kernel"), ("kernel:eve", "kernel"), ("job-1", "job")):
        pair = Pair("studio.job_id", job)
        await app.store.write(lambda db, pair=pair: tags.set_all(db, "demo", made.run_id, [pair]))
        assert (await cost())["basis"] == basis, job
    assert (await cost())["cost"] == pytest.approx(0.08)


async def test_a_version_is_deployed_in_the_environment_it_was_made_in(app: App, made: Made) -> None:
    said = [Pair(tags.ENVIRONMENT_TAG, "mine"), Pair(tags.ENVIRONMENT_HASH_TAG, "a" * 32)]
    await app.store.write(lambda db: tags.set_all(db, "demo", made.run_id, said))
    async with app.as_user("eve") as http:
        [second, _] = (await http.get("models/rain")).json()["versions"]
        assert (second["environment"], second["environment_hash"]) == ("mine", "a" * 32)
        wanted = {"model": "models:/rain/2"}
        # The domain has no such environment, or it is not built yet: the domain's choice then.
        before = await http.post("endpoints", json={"name": "before", **wanted})
        assert before.json()["variants"][0]["environment"] == "sklearn"
        await http.post("environments", json={"name": "mine", "source": "sklearn"})
        early = await http.post("endpoints", json={"name": "early", **wanted})
        assert early.json()["variants"][0]["environment"] == "sklearn"
        await app.store.write(lambda db: versions.finish(db, environments.get(db, "demo", "mine").newest, "a" * 32))
        after = await http.post("endpoints", json={"name": "after", **wanted})
        assert after.json()["variants"][0]["environment"] == "mine"
        chosen = await http.post("endpoints", json={"name": "chosen", "environment": "sklearn", **wanted})
        assert chosen.json()["variants"][0]["environment"] == "sklearn"
        uses = (await http.get("environments/mine")).json()["uses"]
        assert [(use["kind"], use["name"]) for use in uses] == [("endpoint", "after")]
        assert (await http.delete("environments/mine")).status_code == 409
