"""The same requests to Studio and to a real `mlflow server`: same status, code, and body but for ids and times."""

import json
import re
import uuid
from typing import Any

import httpx
import pytest

from studio.wire import mlflow as wire
from tests.protocol.conftest import Running

API = "/api/2.0/mlflow/"
FILES = "/api/2.0/mlflow-artifacts/"
# Where Studio answers otherwise on purpose; (label → why).
DIFFERENT = {
    "rename a deleted experiment": "409 instead of 500, on which clients try again for minutes",
    "not JSON": "400 BAD_REQUEST says what is wrong; MLflow takes it for an empty body",
    "unknown status": "refused; MLflow ignores it",
    "s3 source": "refused: a version's files are the domain's own",
    "search versions": "with their aliases, which MLflow forgets there",
    "download uri": "the place itself: replicas need no second look",
    "folder": "in the wire's own form",
    "put": "an empty object, as of any other call",
    "multipart": "taken; MLflow takes parts for cloud storage only",
    "presigned": "given for every file; MLflow has them for cloud storage only",
    "filter ends with AND": "refused with the position",
}
# Rules of MLflow that Studio does not have, by what follows /mlflow/ (or the whole rule).
LEFT_OUT = (
    "datasets", "demo", "gateway", "genai", "get-online-trace-details", "graphql", "issues", "jobs", "label-schemas",
    "prompt-optimization", "review-queues", "scorer", "scorers", "unified-traces", "webhooks", "workspaces",
    "assessments", "evaluate", "traces",
)  # fmt: skip
_TIMES = re.compile(r"(time|timestamp|_ms)")


class Session:
    """One server's answers, masked, by label."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.known: dict[str, str] = {}
        self.answers: dict[str, Any] = {}

    def call(self, label: str, method: str, path: str, **more: Any) -> Any:
        """Sends a request whose texts may name what is known as {name}."""
        for part in ("json", "params"):
            if part in more:
                more[part] = self._filled(more[part])
        answer = self.http.request(method, path.format(**self.known), **more)
        is_json = "json" in answer.headers.get("content-type", "")
        body = answer.json() if is_json and answer.content else {}
        if answer.status_code >= 400:
            self.answers[label] = (answer.status_code, body.get("error_code"))
        else:
            self.answers[label] = (answer.status_code, self._masked(body) if is_json else answer.text)
        return body

    def _filled(self, data: Any) -> Any:
        if isinstance(data, dict):
            return {key: self._filled(value) for key, value in data.items()}
        if isinstance(data, list):
            return [self._filled(value) for value in data]
        return re.sub(r"\{(\w+)\}", lambda m: self.known[m[1]], data) if isinstance(data, str) else data

    def _masked(self, data: Any, key: str = "") -> Any:
        if isinstance(data, dict):
            rows = {name: self._masked(value, name) for name, value in data.items() if name not in ("workspace",)}
            return dict(sorted(rows.items()))
        if isinstance(data, list):
            items = [self._masked(value, key) for value in data]
            return sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) if key != "runs" else items
        if isinstance(data, int) and not isinstance(data, bool) and _TIMES.search(key) and data > 10**12:
            return "<time>"
        if isinstance(data, str):
            for name, value in self.known.items():
                if len(value) > 8:
                    data = data.replace(value, f"<{name}>")
            data = re.sub(r"mlflow-artifacts:/\d+", "mlflow-artifacts:/<e>", data)
            return re.sub(r"\b[0-9a-f]{32}\b", "<hex>", "<e>" if key == "experiment_id" else data)
        return data


def play(http: httpx.Client) -> dict[str, Any]:
    """What an ordinary session asks, and what is often wrong; the same for both servers."""
    s = Session(http)
    s.known["name"] = f"n-{uuid.uuid4().hex}"
    _experiments(s)
    _runs(s)
    _searches(s)
    _models(s)
    _files(s)
    _ends(s)
    return s.answers


def _experiments(s: Session) -> None:
    body = {"name": "{name}", "tags": [{"key": "a", "value": "b"}]}
    s.known["e"] = s.call("create", "POST", API + "experiments/create", json=body)["experiment_id"]
    s.call("get", "GET", API + "experiments/get", params={"experiment_id": "{e}"})
    s.call("get by name", "GET", API + "experiments/get-by-name", params={"experiment_name": "{name}"})
    s.call("create again", "POST", API + "experiments/create", json=body)
    s.call("without name", "POST", API + "experiments/create", json={})
    s.call("name is a number", "POST", API + "experiments/create", json={"name": 5})
    s.call(
        "location outside", "POST", API + "experiments/create", json={"name": "x", "artifact_location": "http://h/#x"}
    )
    s.call("not JSON", "POST", API + "experiments/create", content=b"{no", headers={"content-type": "application/json"})
    s.call("a form", "POST", API + "experiments/create", content=b"{}", headers={"content-type": "text/plain"})
    s.call("get unknown", "GET", API + "experiments/get", params={"experiment_id": "999999"})
    s.call("get odd", "GET", API + "experiments/get", params={"experiment_id": "abc"})
    s.call(
        "tag", "POST", API + "experiments/set-experiment-tag", json={"experiment_id": "{e}", "key": "k", "value": "v"}
    )
    s.call("untag", "POST", API + "experiments/delete-experiment-tag", json={"experiment_id": "{e}", "key": "nope"})
    body = {"max_results": 5, "filter": "name = '{name}'"}
    s.call("search experiments", "POST", API + "experiments/search", json=body)
    s.call("search none", "POST", API + "experiments/search", json={})


def _runs(s: Session) -> None:
    body = {"experiment_id": "{e}", "start_time": 1, "user_id": "u", "run_name": "r"}
    body["tags"] = [{"key": "x", "value": "y"}]  # type: ignore[assignment]
    made = s.call("create run", "POST", API + "runs/create", json=body)
    s.known["run"] = made["run"]["info"]["run_id"]
    run = {"run_id": "{run}"}
    for label, value in (("nan", "NaN"), ("inf", "Infinity"), ("text", "1.5"), ("bad", "abc"), ("number", -2.5)):
        metric = {**run, "key": f"m.{label}", "value": value, "timestamp": 5, "step": -3}
        s.call(f"metric {label}", "POST", API + "runs/log-metric", json=metric)
    for label, change in (
        ("climbs", {"key": "../m"}), ("early", {"timestamp": -5}), ("of no run", {"run_id": "nope"}),
        ("odd key", {"key": "a\u00e9?"}), ("long key", {"key": "k" * 251}), ("no key", {"key": ""}),
    ):  # fmt: skip
        metric = {**run, "key": "m", "value": 1, "timestamp": 5, **change}
        s.call(f"metric {label}", "POST", API + "runs/log-metric", json=metric)
    s.call("param", "POST", API + "runs/log-parameter", json={**run, "key": "p", "value": "1"})
    s.call("param again", "POST", API + "runs/log-parameter", json={**run, "key": "p", "value": "1"})
    s.call("param changed", "POST", API + "runs/log-parameter", json={**run, "key": "p", "value": "2"})
    one = {"key": "q", "value": 1, "timestamp": 1, "step": 0}
    two = [{"key": "d", "value": "1"}, {"key": "d", "value": "2"}]
    s.call("batch", "POST", API + "runs/log-batch", json={**run, "metrics": [one, {**one, "step": 4}], "tags": two})
    s.call("batch too large", "POST", API + "runs/log-batch", json={**run, "metrics": [one] * 1001})
    s.call("batch of 101 params", "POST", API + "runs/log-batch", json={**run, "params": two * 51})
    s.call("batch without time", "POST", API + "runs/log-batch", json={**run, "metrics": [{"key": "q", "value": 1}]})
    s.call("batch twice", "POST", API + "runs/log-batch", json={**run, "params": two})
    s.call("long tag", "POST", API + "runs/set-tag", json={**run, "key": "t", "value": "v" * 9000})
    s.call("name tag", "POST", API + "runs/set-tag", json={**run, "key": "mlflow.runName", "value": "other"})
    s.call("no such tag", "POST", API + "runs/delete-tag", json={**run, "key": "nope"})
    dataset = {"name": "d", "digest": "1", "source_type": "s", "source": "src", "schema": "{}", "profile": "{}"}
    given = {"tags": [{"key": "mlflow.data.context", "value": "train"}], "dataset": dataset}
    s.call("inputs", "POST", API + "runs/log-inputs", json={**run, "datasets": [given]})
    s.call("get run", "GET", API + "runs/get", params={"run_id": "{run}"})
    s.call("no such run", "GET", API + "runs/get", params={"run_id": "abc"})
    s.call("history", "GET", API + "metrics/get-history", params={"run_id": "{run}", "metric_key": "q"})
    s.call("history page", "GET", API + "metrics/get-history", params={**run, "metric_key": "q", "max_results": 5})
    s.call("history none", "GET", API + "metrics/get-history", params={**run, "metric_key": "q", "max_results": 0})
    s.call("interval", "GET", API + "metrics/get-history-bulk-interval", params={"run_ids": "{run}", "metric_key": "q"})
    bulk = {"run_id": "{run}", "metric_key": "m.inf"}
    s.call("bulk", "GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk", params=bulk)
    s.call("unknown status", "POST", API + "runs/update", json={**run, "status": "NOPE"})
    s.call("finish", "POST", API + "runs/update", json={**run, "status": "FINISHED", "end_time": 9})


def _searches(s: Session) -> None:
    for text in (
        "metrics.q > 0", "metrics.q > 'a'", "params.p = 1", "foo.bar = 'x'", "attributes.nope = 'x'", "metrics.q ~ 1",
        "metrics.q > 1 OR metrics.q < 2", "(metrics.q > 1)", "params.p = '1", "params.p LIKE '1%' and tags.x = \"y\"",
        "attributes.status IN ('RUNNING')", "run_id IN ('{run}')", "params.`p` IS NOT NULL", "params.z IS NULL",
        "metrics.q IS NULL", "start_time = 1", "start_time = 'x'", "metrics.m.inf > 1e300", "a",
        "metrics.q > 1; metrics.q < 2", "run_name LIKE 'oth%'", "run_name ILIKE 'OTH%'", "run_name LIKE 'OTH%'",
        "metrics.\"q\" > 0", "params.p IN ('1')", "dataset.name = 'd'", "dataset.context = 'train'",
        "tags.x != 'z'", "tags.zzz != 'z'", "attr.run_name NOT IN ('x')", "created > 0", "status = 'FINISHED'",
    ):  # fmt: skip
        body = {"experiment_ids": ["{e}"], "filter": text}
        s.call(f"filter {text}", "POST", API + "runs/search", json=body)
    s.call(
        "filter ends with AND",
        "POST",
        API + "runs/search",
        json={"experiment_ids": ["{e}"], "filter": "params.p = 'x' and"},
    )
    for text in (
        "metrics.q", "metrics.q DESC", "start_time asc", "foo", "attributes.status desc", "params.p, tags.x",
        "metrics.q foo", "run_id", "end_time desc", "tags.x", "dataset.name", "Created DESC", "run_name",
    ):  # fmt: skip
        s.call(f"order {text}", "POST", API + "runs/search", json={"experiment_ids": ["{e}"], "order_by": [text]})
    for most in (0, 1, 50001):
        s.call(f"search {most}", "POST", API + "runs/search", json={"experiment_ids": ["{e}"], "max_results": most})
    s.call("search token", "POST", API + "runs/search", json={"experiment_ids": ["{e}"], "page_token": "zz"})
    s.call("search nothing", "POST", API + "runs/search", json={"experiment_ids": []})


def _models(s: Session) -> None:
    body = {"experiment_id": "{e}", "name": "mm", "source_run_id": "{run}", "params": [{"key": "a", "value": "1"}]}
    s.known["model"] = s.call("logged", "POST", API + "logged-models", json=body)["model"]["info"]["model_id"]
    path = API + "logged-models/{model}"
    s.call("logged odd name", "POST", API + "logged-models", json={**body, "name": "a/b"})
    s.call("logged ready", "PATCH", path, json={"model_id": "{model}", "status": "LOGGED_MODEL_READY"})
    s.call("logged tags", "PATCH", path + "/tags", json={"tags": [{"key": "k", "value": "v"}]})
    s.call("logged untag", "DELETE", path + "/tags/nope")
    s.call(
        "outputs",
        "POST",
        API + "runs/outputs",
        json={"run_id": "{run}", "models": [{"model_id": "{model}", "step": 1}]},
    )
    metric = {"run_id": "{run}", "key": "lm", "value": 1, "timestamp": 5, "model_id": "{model}", "dataset_name": "d"}
    s.call("logged metric", "POST", API + "runs/log-metric", json={**metric, "dataset_digest": "1"})
    s.call("logged get", "GET", path)
    s.call("logged search", "POST", API + "logged-models/search", json={"experiment_ids": ["{e}"]})
    s.call("logged unknown", "GET", API + "logged-models/m-nope")
    s.call("run with models", "GET", API + "runs/get", params={"run_id": "{run}"})
    name = {"name": "{name}"}
    s.call("register", "POST", API + "registered-models/create", json={**name, "description": "d"})
    s.call("register again", "POST", API + "registered-models/create", json=name)
    s.call("register odd", "POST", API + "registered-models/create", json={"name": "a/b"})
    source = {**name, "source": "models:/{model}", "model_id": "{model}", "tags": [{"key": "a", "value": "b"}]}
    s.call("version", "POST", API + "model-versions/create", json=source)
    s.call(
        "version of run",
        "POST",
        API + "model-versions/create",
        json={**name, "source": "runs:/{run}/x", "run_id": "{run}"},
    )
    s.call(
        "file source", "POST", API + "model-versions/create", json={**name, "source": "file:///etc/", "run_id": "{run}"}
    )
    s.call(
        "climbing",
        "POST",
        API + "model-versions/create",
        json={**name, "source": "mlflow-artifacts:/1/../2", "run_id": "{run}"},
    )
    s.call("get version", "GET", API + "model-versions/get", params={**name, "version": "1"})
    s.call("no version", "GET", API + "model-versions/get", params={**name, "version": "77"})
    s.call("odd version", "GET", API + "model-versions/get", params={**name, "version": "x"})
    s.call("alias", "POST", API + "registered-models/alias", json={**name, "alias": "champ", "version": "1"})
    s.call("alias latest", "POST", API + "registered-models/alias", json={**name, "alias": "latest", "version": "1"})
    s.call("alias v1", "POST", API + "registered-models/alias", json={**name, "alias": "v1", "version": "1"})
    s.call("by alias", "GET", API + "registered-models/alias", params={**name, "alias": "champ"})
    s.call("no alias", "GET", API + "registered-models/alias", params={**name, "alias": "nope"})
    s.call("set tag", "POST", API + "registered-models/set-tag", json={**name, "key": "k", "value": "v"})
    s.call("get model", "GET", API + "registered-models/get", params=name)
    s.call("no model", "GET", API + "registered-models/get", params={"name": "nope"})
    s.call("search models", "GET", API + "registered-models/search", params={"filter": "name = '{name}'"})
    s.call("search versions", "GET", API + "model-versions/search", params={"filter": "name='{name}'"})
    s.call("search odd", "GET", API + "model-versions/search", params={"filter": "nope='x'"})
    s.call("download uri", "GET", API + "model-versions/get-download-uri", params={**name, "version": "2"})
    s.call("describe", "PATCH", API + "model-versions/update", json={**name, "version": "1", "description": "dd"})
    stage = {**name, "version": "1", "stage": "production", "archive_existing_versions": True}
    s.call("stage", "POST", API + "model-versions/transition-stage", json=stage)
    s.call("odd stage", "POST", API + "model-versions/transition-stage", json={**stage, "stage": "nope"})
    s.call("latest", "POST", API + "registered-models/get-latest-versions", json=name)
    s.call("unversion", "DELETE", API + "model-versions/delete", json={**name, "version": "1"})
    s.call("unregister", "DELETE", API + "registered-models/delete", json=name)


def _files(s: Session) -> None:
    root = FILES + "artifacts/{e}/{run}/artifacts"
    s.call("put", "PUT", root + "/a/b.txt", content=b"hello")
    s.call("list run", "GET", API + "artifacts/list", params={"run_id": "{run}"})
    s.call("list below", "GET", API + "artifacts/list", params={"run_id": "{run}", "path": "a"})
    s.call("list nothing", "GET", API + "artifacts/list", params={"run_id": "{run}", "path": "nope"})
    s.call("list climbing", "GET", API + "artifacts/list", params={"run_id": "{run}", "path": "../.."})
    s.call("list files", "GET", FILES + "artifacts", params={"path": "{e}/{run}/artifacts"})
    s.call("list out", "GET", FILES + "artifacts", params={"path": "../x"})
    s.call("get file", "GET", root + "/a/b.txt")
    s.call("no file", "GET", root + "/a/nope")
    s.call("folder", "GET", root + "/a")
    s.call("multipart", "POST", FILES + "mpu/create/{e}/x", json={"path": "x", "num_parts": 1})
    s.call("presigned", "GET", FILES + "presigned/{e}/x")


def _ends(s: Session) -> None:
    run, experiment = {"run_id": "{run}"}, {"experiment_id": "{e}"}
    s.call("delete run", "POST", API + "runs/delete", json=run)
    metric = {**run, "key": "m", "value": 1, "timestamp": 5}
    s.call("metric of a deleted run", "POST", API + "runs/log-metric", json=metric)
    s.call("restore run", "POST", API + "runs/restore", json=run)
    s.call("delete", "POST", API + "experiments/delete", json=experiment)
    s.call("delete again", "POST", API + "experiments/delete", json=experiment)
    s.call("run in a deleted one", "POST", API + "runs/create", json=experiment)
    renamed = {**experiment, "new_name": "{name}2"}
    s.call("rename a deleted experiment", "POST", API + "experiments/update", json=renamed)
    s.call("restore", "POST", API + "experiments/restore", json=experiment)
    s.call("rename", "POST", API + "experiments/update", json=renamed)


def test_answers_are_those_of_a_real_server(server: Running, peer: str) -> None:
    with server.http() as ours, httpx.Client(base_url=peer, timeout=60) as theirs:
        found, wanted = play(ours), play(theirs)
    assert found.keys() == wanted.keys()
    different = {label: (found[label], wanted[label]) for label in found if found[label] != wanted[label]}
    unexpected = {label: pair for label, pair in different.items() if label not in DIFFERENT}
    assert unexpected == {}


def test_every_rule_is_there_or_left_out_on_purpose() -> None:
    handlers = pytest.importorskip("mlflow.server.handlers")
    ours = {(method, re.sub(r"\{[^}]*\}", "{}", route.path)) for route in wire.routes for method in route.methods or ()}
    missing = []
    for rule, handler, methods in handlers.get_endpoints():
        path = re.sub(r"<[^>]*>", "{}", rule)
        parts = path.partition("/mlflow/")[2].split("/")
        is_left_out = parts[0] in LEFT_OUT or "/gateway" in path or handler.__name__ == "_not_implemented"
        known = any(
            (method, path) in ours or (method, re.sub("mpu/[a-z]+", "mpu/{}", path)) in ours for method in methods
        )
        if not known and not is_left_out and "/graphql" not in path and path.startswith(("/api", "/ajax-api")):
            missing.append((methods, path))
    assert missing == []


def test_what_is_left_out_says_so_in_this_wires_form(server: Running) -> None:
    with server.http() as http:
        for path in ("webhooks", "workspaces", "scorers/list", "gateway/secrets/list", "issues"):
            answer = http.get(f"/api/3.0/mlflow/{path}")
            assert (answer.status_code, answer.json()["error_code"]) == (501, "NOT_IMPLEMENTED")
        answer = http.post("/api/2.0/mlflow/runs/nope")
        assert (answer.status_code, answer.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
        assert http.get("/version").text == "3.17.2"
        assert http.get("/api/3.0/mlflow/server-info").json()["store_type"] == "SqlStore"
