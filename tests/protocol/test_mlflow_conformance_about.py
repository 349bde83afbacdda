"""What the server says of itself, workspaces, artifacts' listings; and everything that Studio leaves out."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest

from tests.protocol import rules
from tests.protocol.conformance import Meet
from tests.protocol.conftest import Running
from tests.protocol.conversation import Conversation

pytestmark = [pytest.mark.usefixtures("client"), pytest.mark.filterwarnings("ignore")]

# Scenario → step → why Studio answers otherwise there.
_HTML = "an error of this wire instead of a page in HTML"
DIFFERENT: dict[str, dict[str, str]] = {
    "artifacts": {
        "text": "an empty object, as of any other call",
        "dict": "an empty object, as of any other call",
        "get": "with its type",
    },
    "about": {
        "server info": "workspaces are domains; there is no gateway, and artifacts go through the server",
        "no such rule": _HTML,
        "wrong method": _HTML,
        "no such version": _HTML,
        "no JSON": "says what is wrong; MLflow takes it for an empty body",
        "no UTF-8": "says what is wrong; MLflow takes it for an empty body",
        "a list": _HTML,
    },
}


def about(talk: Conversation) -> None:
    talk.raw("health", "GET", "/health")
    talk.raw("version", "GET", "/version")
    talk.get("server info", "server-info", 3)
    talk.get("no such rule", "runs/nope")
    talk.raw("wrong method", "PUT", "/api/2.0/mlflow/runs/create", json={})
    talk.raw("no such version", "GET", "/api/9.0/mlflow/runs/get")
    path, headers = "/api/2.0/mlflow/experiments/create", rules.signed()
    for label, kind, body in (
        ("no JSON", "application/json", b"{no"), ("a form", "application/x-www-form-urlencoded", b"name=x"),
        ("text", "text/plain", b'{"name": "x"}'), ("a list", "application/json", b"[]"), ("nothing", "", b""),
        ("no UTF-8", "application/json", b'{"name": "\xff"}'), ("JSON in JSON", "application/json", b'"{}"'),
        ("with charset", "application/json; charset=utf-8", b'{"name": ""}'), ("empty", "application/json", b""),
    ):  # fmt: skip
        talk.raw(label, "POST", path, data=body, headers={**headers, "content-type": kind} if kind else headers)


def artifacts(talk: Conversation) -> None:
    client = talk.client
    e = talk("experiment", client.create_experiment, talk.name("files"))
    run = talk("run", client.create_run, e, start_time=1).info.run_id
    talk("text", client.log_text, run, "hello", "a/b c.txt")
    talk("dict", client.log_dict, run, {"a": 1}, "top.json")
    talk("list", client.list_artifacts, run)
    talk("list below", client.list_artifacts, run, "a")
    talk("list a file", client.list_artifacts, run, "top.json")
    talk("list nothing", client.list_artifacts, run, "nope")
    talk("list of none", client.list_artifacts, "0" * 32)
    talk.get("list by the run", "artifacts/list", run_id=run)
    talk.get("list by the run below", "artifacts/list", run_id=run, path="a")
    talk.get("list out", "artifacts/list", run_id=run, path="../..")
    talk.get("list absolute", "artifacts/list", run_id=run, path="/etc")
    talk.get("list nobody's", "artifacts/list")
    talk("load", client.download_artifacts, run, "a/b c.txt")
    files = "/api/2.0/mlflow-artifacts/artifacts"
    root = f"{files}/{e}/{run}/artifacts"
    talk.raw("get", "GET", f"{root}/top.json")
    talk.raw("get nothing", "GET", f"{root}/nope")
    talk.raw("list all", "GET", files, params={"path": f"{e}/{run}/artifacts"})
    talk.raw("list outside", "GET", files, params={"path": "../x"})
    talk.raw("delete", "DELETE", f"{root}/top.json")
    talk.raw("delete again", "DELETE", f"{root}/top.json")
    talk("delete run", client.delete_run, run)
    talk("list deleted", client.list_artifacts, run)


def test_workspaces_are_domains(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    client = mlflow.MlflowClient(server.url, server.url)
    assert [item.name for item in client.list_workspaces()] == ["demo"]
    assert client.get_workspace("demo").name == "demo"
    for call in (
        lambda: client.create_workspace("new"),
        lambda: client.update_workspace("demo", "about"),
        lambda: client.delete_workspace("demo"),
    ):
        with pytest.raises(mlflow.MlflowException, match="studio domain create") as refused:
            call()
        assert refused.value.error_code == "PERMISSION_DENIED"
    with pytest.raises(mlflow.MlflowException, match="demo") as refused:
        client.get_workspace("other")
    assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    monkeypatch.setenv("MLFLOW_WORKSPACE", "demo")
    assert client.get_experiment("0").name == "Default"
    monkeypatch.setenv("MLFLOW_WORKSPACE", "other")
    with pytest.raises(mlflow.MlflowException, match="demo"):
        client.get_experiment("0")


def test_data_sets_are_found_by_the_odd_spelling_too(server: Running) -> None:
    with server.http() as http:
        for path in ("/api/2.0mlflow/", "/ajax-api/2.0mlflow/", "/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/"):
            answer = http.post(f"{path}experiments/search-datasets", json={"experiment_ids": ["0"]})
            assert answer.status_code == 200, path


SCENARIOS = (about, artifacts)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_answers_are_mlflows(scenario: Callable[[Conversation], None], meet: Meet) -> None:
    meet(scenario, DIFFERENT.get(scenario.__name__, {}))


def test_every_rule_of_mlflow_is_called_or_left_out_on_purpose() -> None:
    known = set(rules.CALLED) | set(rules.ELSEWHERE)
    missing = {rule for rule in rules.every() if rule not in known and not rules.is_left_out(rule)}
    assert missing == set()
    assert known - rules.every().keys() == set(), "no longer rules of MLflow"
    assert {rule for rule in known if rules.is_left_out(rule)} == set(), "both called and left out"
    scenarios = {scenario.__name__ for file in _files() for scenario in file.SCENARIOS}
    assert set(rules.CALLED.values()) <= scenarios
    assert all((Path(__file__).parent / name).exists() for name in rules.ELSEWHERE.values())


def _files() -> list[Any]:
    names = (path.stem for path in Path(__file__).parent.glob("test_mlflow_conformance_*.py"))
    files = (importlib.import_module(f"tests.protocol.{name}") for name in names)
    return [file for file in files if hasattr(file, "SCENARIOS")]


def test_what_is_left_out_says_so(server: Running) -> None:
    left_out = [rule for rule in rules.every() if rules.is_left_out(rule)]
    assert len(left_out) > 80
    with server.http() as http:
        for rule in left_out:
            method, path = rule.split(" ", 1)
            for place in {path, path.replace("/api/", "/ajax-api/")}:
                answer = http.request(method, place.replace("<", "").replace(">", ""))
                assert (answer.status_code, answer.json()["error_code"]) == (501, "NOT_IMPLEMENTED"), rule
                assert set(answer.json()) == {"error_code", "message"}
