"""Every rule with each of its fields missing, empty, or of another type: the same refusals as MLflow's."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.protocol.conformance import Meet
from tests.protocol.conversation import Conversation

pytestmark = [pytest.mark.usefixtures("client"), pytest.mark.filterwarnings("ignore")]

# Scenario → step → why Studio answers otherwise there.
_NOT_500 = "400 that says what is wrong, instead of 500 with a page in HTML"
_SAYS = "says what is wrong, where MLflow takes it for nothing"
_NULL = "null is nothing, as everywhere else; MLflow breaks on it"
_DEFAULT = "the domain's default experiment; MLflow's database complains"
DIFFERENT: dict[str, dict[str, str]] = {
    "bodies_of_runs": {
        "POST runs/create: experiment_id missing": _DEFAULT,
        "POST runs/create: experiment_id null": _DEFAULT,
        "POST runs/create: start_time list": _NOT_500,
        "POST runs/create: start_time object": _NOT_500,
        "POST runs/create: user_id number": _SAYS,
        "POST runs/create: user_id list": _SAYS,
        "POST runs/create: user_id object": _SAYS,
        "POST runs/create: tags empty": _SAYS,
        "POST runs/create: tags number": _SAYS,
        "POST runs/create: tags object": _SAYS,
        "POST runs/update: end_time list": _NOT_500,
        "POST runs/update: end_time object": _NOT_500,
        "POST runs/log-metric: value list": _NOT_500,
        "POST runs/log-metric: value object": _NOT_500,
        "POST runs/log-metric: timestamp list": _NOT_500,
        "POST runs/log-metric: timestamp object": _NOT_500,
        "POST runs/log-metric: step list": _NOT_500,
        "POST runs/log-metric: step object": _NOT_500,
        "POST runs/log-batch: metrics null": _NULL,
        "POST runs/log-batch: params null": _NULL,
        "POST runs/log-batch: tags null": _NULL,
        "POST runs/search: max_results list": _NOT_500,
        "POST runs/search: max_results object": _NOT_500,
        "POST runs/search: max_results null": _NULL,
        "POST logged-models/search: max_results list": _NOT_500,
        "POST logged-models/search: max_results object": _NOT_500,
        "GET metrics/get-history: run_id odd": "says that there is no such run",
        "GET metrics/get-history: max_results empty": _SAYS,
        "GET metrics/get-history: max_results odd": _SAYS,
    },
}

_ODD: dict[str, Any] = {"empty": "", "number": 5, "list": [1], "object": {"a": 1}, "null": None}


def _changed(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(what was changed, the body) for each field and each way in which it can be wrong."""
    for field, value in body.items():
        yield f"{field} missing", {name: item for name, item in body.items() if name != field}
        for kind, odd in _ODD.items():
            if type(odd) is not type(value):
                yield f"{field} {kind}", {**body, field: odd}


def _ask(talk: Conversation, method: str, path: str, body: dict[str, Any]) -> None:
    for label, changed in _changed(body):
        talk.raw(f"{method} {path.split('/', 4)[-1]}: {label}", method, path, json=changed)


def bodies_of_runs(talk: Conversation) -> None:
    client, api = talk.client, "/api/2.0/mlflow/"
    e = talk("experiment", client.create_experiment, talk.name("bodies"))
    run = talk("run", client.create_run, e, start_time=1).info.run_id
    none = talk("none there", client.create_experiment, talk.name("none"))
    model = talk("model", client.create_logged_model, e, "m", run).model_id
    metric = {"key": "m", "value": 1.5, "timestamp": 5, "step": 0}
    pair = {"key": "k", "value": "v"}
    data = {"dataset": {"name": "d", "digest": "1", "source_type": "s", "source": "x"}, "tags": [pair]}
    for path, body in (
        ("experiments/create", {"name": talk.name("x"), "artifact_location": "mlflow-artifacts:/x", "tags": [pair]}),
        ("experiments/update", {"experiment_id": e, "new_name": talk.name("y")}),
        ("experiments/set-experiment-tag", {"experiment_id": e, **pair}),
        ("experiments/delete-experiment-tag", {"experiment_id": e, "key": "none"}),
        ("runs/create", {"experiment_id": e, "start_time": 1, "run_name": "r", "user_id": "u", "tags": [pair]}),
        ("runs/update", {"run_id": run, "status": "RUNNING", "end_time": 5, "run_name": "s"}),
        ("runs/log-metric", {"run_id": run, **metric}),
        ("runs/log-parameter", {"run_id": run, **pair}),
        ("runs/set-tag", {"run_id": run, **pair}),
        ("runs/delete-tag", {"run_id": run, "key": "none"}),
        ("runs/log-batch", {"run_id": run, "metrics": [metric], "params": [pair], "tags": [pair]}),
        ("runs/log-inputs", {"run_id": run, "datasets": [data], "models": [{"model_id": model}]}),
        ("runs/outputs", {"run_id": run, "models": [{"model_id": model, "step": 1}]}),
        ("runs/search", {"experiment_ids": [none], "filter": "", "order_by": ["run_id"], "max_results": 5}),
        ("logged-models", {"experiment_id": e, "name": "n", "model_type": "t", "tags": [pair], "params": [pair]}),
        ("logged-models/search", {"experiment_ids": [none], "filter": "", "max_results": 5}),
        ("runs/delete", {"run_id": run}),
        ("runs/restore", {"run_id": run}),
        ("experiments/delete", {"experiment_id": e}),
        ("experiments/restore", {"experiment_id": e}),
    ):
        _ask(talk, "POST", api + path, body)
    for path, query in (
        ("experiments/get", {"experiment_id": e}),
        ("experiments/get-by-name", {"experiment_name": talk.name("bodies")}),
        ("runs/get", {"run_id": run}),
        ("metrics/get-history", {"run_id": run, "metric_key": "m", "max_results": "5"}),
        ("artifacts/list", {"run_id": run, "path": "a"}),
    ):
        for field in query:
            for kind, odd in (("missing", None), ("empty", ""), ("odd", "ü/..")):
                changed = {**query, field: odd}
                talk.get(f"GET {path}: {field} {kind}", path, **{k: v for k, v in changed.items() if v is not None})
    talk("at the end", client.get_run, run)


def bodies_of_models(talk: Conversation) -> None:
    client, api = talk.client, "/api/2.0/mlflow/"
    e = talk("experiment", client.create_experiment, talk.name("bodies"))
    run = talk("run", client.create_run, e, start_time=1)
    name = talk.name("model")
    talk("register", client.create_registered_model, name)
    talk("version", client.create_model_version, name, run.info.artifact_uri, run.info.run_id, await_creation_for=0)
    pair = {"key": "k", "value": "v"}
    one = {"name": name, "version": "1"}
    source = {"source": run.info.artifact_uri, "run_id": run.info.run_id, "description": "d", "tags": [pair]}
    for method, path, body in (
        ("POST", "registered-models/create", {"name": talk.name("x"), "description": "d", "tags": [pair]}),
        ("PATCH", "registered-models/update", {"name": name, "description": "d"}),
        ("POST", "registered-models/rename", {"name": talk.name("none"), "new_name": talk.name("n")}),
        ("POST", "registered-models/set-tag", {"name": name, **pair}),
        ("DELETE", "registered-models/delete-tag", {"name": name, "key": "none"}),
        ("POST", "registered-models/alias", {"name": name, "alias": "a", "version": "1"}),
        ("DELETE", "registered-models/alias", {"name": name, "alias": "none"}),
        ("POST", "registered-models/get-latest-versions", {"name": name, "stages": ["None"]}),
        ("POST", "model-versions/create", {"name": name, **source}),
        ("PATCH", "model-versions/update", {**one, "description": "d"}),
        ("POST", "model-versions/transition-stage", {**one, "stage": "Staging", "archive_existing_versions": False}),
        ("POST", "model-versions/set-tag", {**one, **pair}),
        ("DELETE", "model-versions/delete-tag", {**one, "key": "none"}),
        ("DELETE", "model-versions/delete", {"name": talk.name("none"), "version": "1"}),
        ("DELETE", "registered-models/delete", {"name": talk.name("none")}),
    ):
        _ask(talk, method, api + path, body)
    for path, query in (
        ("registered-models/get", {"name": name}),
        ("registered-models/alias", {"name": name, "alias": "a"}),
        ("model-versions/get", one),
        ("model-versions/get-download-uri", one),
    ):
        for field in query:
            for kind, odd in (("missing", None), ("empty", ""), ("odd", "ü/..")):
                changed = {**query, field: odd}
                talk.get(f"GET {path}: {field} {kind}", path, **{k: v for k, v in changed.items() if v is not None})


SCENARIOS = (bodies_of_runs, bodies_of_models)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_answers_are_mlflows(scenario: Callable[[Conversation], None], meet: Meet) -> None:
    meet(scenario, DIFFERENT.get(scenario.__name__, {}))
