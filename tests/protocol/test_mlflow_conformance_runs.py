"""Experiments and runs: the same conversation with Studio and with a real MLflow server."""

import math
from collections.abc import Callable

import pytest
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    RunTag,
    ViewType,
)

from tests.protocol.conformance import Meet
from tests.protocol.conversation import Conversation

pytestmark = [pytest.mark.usefixtures("client"), pytest.mark.filterwarnings("ignore")]

# Scenario → step → why Studio answers otherwise there.
_OUTSIDE = "artifacts of a domain lie in Studio, nowhere else"
_SAYS = "says what is wrong, where MLflow takes it for nothing"
_HTML = "an error of this wire instead of a page in HTML"
DIFFERENT: dict[str, dict[str, str]] = {
    "experiments": {
        "rename to another's": "RESOURCE_ALREADY_EXISTS instead of the database's own words",
        "rename deleted": "409 instead of 500, on which clients try again for minutes",
    },
    "names_of_experiments": {
        "blank": "a name of spaces cannot be seen",
        "at mlflow-artifacts:/a/../b": "a path that climbs is refused at once",
        "at http://host/x#f": _OUTSIDE,
        "at s3://b/x": _OUTSIDE,
        "at file:///etc": _OUTSIDE,
        "at /etc": _OUTSIDE,
        "at ../x": _OUTSIDE,
        "at dbfs:/x": _OUTSIDE,
        f"at {'x' * 40}": _OUTSIDE,
        "tag twice": "the last counts; MLflow says that the experiment exists, which it does not",
        "tag without key": "says what is missing",
        "search view": _SAYS,
    },
    "metrics": {
        "bool": _SAYS,
        "huge step": _SAYS,
        "half step": _SAYS,
        "half time": _SAYS,
        "huge time": _SAYS,
        "history x": _SAYS,
        "history of none": "says that there is no such run",
        "interval of none": "says that there is no such run",
    },
    "batches": {
        "metrics of text": _HTML,
        "metrics is null": "null is nothing, as everywhere else",
        "value is text": _SAYS,
        "key is a number": "says so",
    },
    "inputs_and_outputs": {
        "no name": _SAYS,
        "no digest": _SAYS,
        "empty name": _SAYS,
        "without data set": _SAYS,
        "data sets of deleted runs": "what only deleted runs used is not offered for a choice",
        "get again": "a model's description is kept as it came",
    },
}


def experiments(talk: Conversation) -> None:
    client, name = talk.client, talk.name("e")
    tags = {"a": "b", "empty": "", "long": "v" * 20_000}
    e = talk("create", client.create_experiment, name, tags=tags)
    talk("get", client.get_experiment, e)
    talk("by name", client.get_experiment_by_name, name)
    talk("create again", client.create_experiment, name)
    talk("default", client.get_experiment, "0")
    talk("unknown", client.get_experiment, "99999999")
    talk("not a number", client.get_experiment, "abc")
    talk("below zero", client.get_experiment, "-1")
    talk("no such name", client.get_experiment_by_name, talk.name("nobody"))
    talk("tag", client.set_experiment_tag, e, "k", "v")
    talk("tag again", client.set_experiment_tag, e, "k", "w")
    talk("long tag", client.set_experiment_tag, e, "k", "v" * 20_001)
    talk("long tag key", client.set_experiment_tag, e, "k" * 251, "v")
    talk("climbing tag key", client.set_experiment_tag, e, "../k", "v")
    talk("tag of none", client.set_experiment_tag, "99999999", "k", "v")
    talk("untag", client.delete_experiment_tag, e, "k")
    talk("untag again", client.delete_experiment_tag, e, "k")
    talk("rename", client.rename_experiment, e, name + "!")
    talk("rename to itself", client.rename_experiment, e, name + "!")
    talk("rename to another's", client.rename_experiment, e, "Default")
    talk("rename to nothing", client.rename_experiment, e, "")
    talk("rename none", client.rename_experiment, "99999999", "x")
    talk("search", client.search_experiments, filter_string=f"name LIKE '{name}%'")
    talk("delete", client.delete_experiment, e)
    talk("delete again", client.delete_experiment, e)
    talk("get deleted", client.get_experiment, e)
    talk("create the deleted one's name", client.create_experiment, name + "!")
    talk("tag deleted", client.set_experiment_tag, e, "k", "v")
    talk("untag deleted", client.delete_experiment_tag, e, "a")
    talk("search deleted", client.search_experiments, ViewType.DELETED_ONLY, filter_string=f"name LIKE '{name}%'")
    talk("search active", client.search_experiments, filter_string=f"name LIKE '{name}%'")
    talk("run in deleted", client.create_run, e)
    talk("rename deleted", client.rename_experiment, e, name + "?")
    talk("restore", client.restore_experiment, e)
    talk("restore again", client.restore_experiment, e)
    talk("restore none", client.restore_experiment, "99999999")
    talk("delete none", client.delete_experiment, "99999999")
    talk("delete the default", client.delete_experiment, "0")
    talk("restore the default", client.restore_experiment, "0")


def names_of_experiments(talk: Conversation) -> None:
    for label, name in (
        ("missing", None), ("empty", ""), ("blank", "  "), ("long", "x" * 501), ("longest", talk.name("x" * 480)),
        ("path", talk.name("/a/b/../c")), ("odd", talk.name("ü 😀 \"'%_\\")), ("line", talk.name("a\nb")),
    ):  # fmt: skip
        talk.post(label, "experiments/create", **({} if name is None else {"name": name}))
    for number, place in enumerate((
        "mlflow-artifacts:/somewhere", "mlflow-artifacts:/a/../b", "http://host/x#f", "http://host/x?y=../z",
        "s3://b/x", "file:///etc", "/etc", "../x", "mlflow-artifacts:/a;b", "dbfs:/x", "x" * 3000, "",
    )):  # fmt: skip
        talk.post(f"at {place[:40]}", "experiments/create", name=talk.name(f"at{number}"), artifact_location=place)
    tags = [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]
    talk.post("tag twice", "experiments/create", name=talk.name("twice"), tags=tags)
    talk.post("tag without value", "experiments/create", name=talk.name("none"), tags=[{"key": "a"}])
    talk.post("tag without key", "experiments/create", name=talk.name("nokey"), tags=[{"value": "a"}])
    talk.post("too long a tag", "experiments/create", name=talk.name("l"), tags=[{"key": "a", "value": "v" * 20_001}])
    talk.post("bad tag", "experiments/create", name=talk.name("bad"), tags=[{"key": "../a", "value": "v"}])
    talk.get("search by GET", "experiments/search", max_results=1, filter=f"name = '{talk.name('none')}'")
    talk.get("search too many", "experiments/search", max_results=50_001)
    talk.get("search none", "experiments/search", max_results=0)
    talk.get("search without number", "experiments/search")
    talk.post(
        "search view", "experiments/search", max_results=1, view_type="NOPE", filter=f"name = '{talk.name('none')}'"
    )


def runs(talk: Conversation) -> None:
    client = talk.client
    e = talk("experiment", client.create_experiment, talk.name("runs"))
    run = talk("create", client.create_run, e, start_time=5, tags={"a": "b"}, run_name="first").info.run_id
    talk("unnamed", client.create_run, e, start_time=6)
    talk("two names", client.create_run, e, tags={"mlflow.runName": "x"}, run_name="y")
    talk("named by tag", client.create_run, e, start_time=7, tags={"mlflow.runName": "by tag"})
    talk("of none", client.create_run, "99999999")
    talk("of not a number", client.create_run, "abc")
    talk("get", client.get_run, run)
    talk("unknown", client.get_run, "0" * 32)
    talk("odd id", client.get_run, "nope/../x")
    talk("update", client.update_run, run, "FAILED", "renamed")
    talk("terminate", client.set_terminated, run, "KILLED", 99)
    talk("again running", client.update_run, run, "RUNNING")
    talk("rename in a tag", client.set_tag, run, "mlflow.runName", "third")
    talk("get renamed", client.get_run, run)
    talk("update none", client.update_run, "0" * 32, "FAILED")
    talk("tag", client.set_tag, run, "k", "v")
    talk("long tag", client.set_tag, run, "k", "v" * 8001)
    talk("long key", client.set_tag, run, "k" * 251, "v")
    talk("climbing key", client.set_tag, run, "a/../b", "v")
    talk("odd key", client.set_tag, run, "a?b", "v")
    talk("tag of none", client.set_tag, "0" * 32, "k", "v")
    talk("untag", client.delete_tag, run, "k")
    talk("untag again", client.delete_tag, run, "k")
    talk("untag none", client.delete_tag, "0" * 32, "k")
    talk("param", client.log_param, run, "p", 1)
    talk("param again", client.log_param, run, "p", 1)
    talk("param changed", client.log_param, run, "p", 2)
    talk("empty param", client.log_param, run, "empty", "")
    talk("long param", client.log_param, run, "long", "x" * 6001)
    talk("long param key", client.log_param, run, "x" * 251, "x")
    talk("climbing param", client.log_param, run, "..", "x")
    talk("param of none", client.log_param, "0" * 32, "p", "x")
    talk("delete", client.delete_run, run)
    talk("delete again", client.delete_run, run)
    talk("delete none", client.delete_run, "0" * 32)
    talk("get deleted", client.get_run, run)
    talk("tag deleted", client.set_tag, run, "k", "v")
    talk("untag deleted", client.delete_tag, run, "a")
    talk("param deleted", client.log_param, run, "q", "v")
    talk("metric deleted", client.log_metric, run, "q", 1)
    talk("batch deleted", client.log_batch, run, [Metric("q", 1, 1, 1)])
    talk("update deleted", client.update_run, run, "FAILED")
    talk("history deleted", client.get_metric_history, run, "q")
    talk("search", client.search_runs, [e])
    talk("search deleted", client.search_runs, [e], run_view_type=ViewType.DELETED_ONLY)
    talk("search all", client.search_runs, [e], run_view_type=ViewType.ALL, order_by=["start_time"], max_results=2)
    talk("restore", client.restore_run, run)
    talk("restore again", client.restore_run, run)
    talk("restore none", client.restore_run, "0" * 32)
    talk("get restored", client.get_run, run)


def metrics(talk: Conversation) -> None:
    client = talk.client
    e = talk("experiment", client.create_experiment, talk.name("metrics"))
    run = talk("run", client.create_run, e, start_time=5).info.run_id
    for n, value in enumerate((1.5, -2.25, 0.1 + 0.2, 1e-320, 5e307, math.inf, -math.inf, math.nan, -0.0)):
        talk(f"value {value}", client.log_metric, run, f"v{n}", value, timestamp=n, step=-n)
    for step in (3, -9, 2**62, -(2**62), 0, 3):
        talk(f"step {step} {len(talk.answers)}", client.log_metric, run, "m", step / 2, timestamp=step % 7, step=step)
    odd = talk("odd run", client.create_run, e, start_time=5).info.run_id
    for label, more in (
        ("early", {"timestamp": -1}), ("far", {"timestamp": 2**62}), ("at zero", {"timestamp": 0}),
        ("long key", {"key": "k" * 251}), ("longest key", {"key": "k" * 250}), ("empty key", {"key": ""}),
        ("climbing", {"key": "../m"}), ("absolute", {"key": "/m"}), ("dots", {"key": "a/./b"}), ("odd", {"key": "a#b"}),
        ("unicode", {"key": "größe/α: 1"}), ("line", {"key": "a\nb"}), ("of none", {"run_id": "0" * 32}),
        ("text number", {"value": "1.25"}), ("words", {"value": "abc"}), ("bool", {"value": True}),
        ("nan", {"value": "NaN"}), ("infinity", {"value": "-Infinity"}), ("null", {"value": None}),
        ("huge step", {"step": 2**63}), ("step as text", {"step": "7"}), ("half step", {"step": 1.5}),
        ("float step", {"step": 2.0}), ("half time", {"timestamp": 1.5}), ("huge time", {"timestamp": 2**63}),
        ("run_uuid", {"run_uuid": "0" * 32}), ("unknown field", {"colour": "red"}),
    ):  # fmt: skip
        body = {"run_id": odd, "key": f"k.{label}".replace(" ", "_"), "value": 1, "timestamp": 5, **more}
        talk.post(label, "runs/log-metric", **body)
    talk("history", client.get_metric_history, run, "m")
    talk("history of nothing", client.get_metric_history, run, "nope")
    talk("history of none", client.get_metric_history, "0" * 32, "m")
    talk("history of nan", client.get_metric_history, run, "v7")
    talk("get", client.get_run, run)
    page = talk.get("history page", "metrics/get-history", run_id=run, metric_key="m", max_results=2)
    token = page.get("next_page_token", "")
    talk.get("history next", "metrics/get-history", run_id=run, metric_key="m", max_results=20, page_token=token)
    for most in (0, -1, "x", 10**6):
        talk.get(f"history {most}", "metrics/get-history", run_id=run, metric_key="m", max_results=most)
    talk.get("history bad token", "metrics/get-history", run_id=run, metric_key="m", max_results=2, page_token="zz")
    other = talk("other", client.create_run, e, start_time=6).info.run_id
    talk("values", client.log_batch, other, [Metric("m", n, n, n) for n in range(1000)])
    both = {"run_ids": [run, other], "metric_key": "m"}
    rule = "metrics/get-history-bulk-interval"
    talk.get("interval", rule, **both, max_results=7)
    talk.get("interval of steps", rule, **both, start_step=2, end_step=500, max_results=7)
    talk.get("interval turned", rule, **both, start_step=5, end_step=2)
    talk.get("interval half", rule, **both, start_step=5)
    talk.get("interval too many", rule, **both, max_results=2501)
    talk.get("interval none", rule, **both, max_results=0)
    talk.get("interval without run", rule, metric_key="m")
    talk.get("interval without key", rule, run_ids=[run])
    talk.get("interval of none", rule, run_ids=["0" * 32], metric_key="m")
    talk.get("interval of 101", rule, run_ids=["0" * 32] * 101, metric_key="m")
    talk.raw(
        "bulk",
        "GET",
        "/ajax-api/2.0/mlflow/metrics/get-history-bulk",
        params={"run_id": [run], "metric_key": "m", "max_results": 9},
    )
    talk.raw("bulk without run", "GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk", params={"metric_key": "m"})


def batches(talk: Conversation) -> None:
    client = talk.client
    e = talk("experiment", client.create_experiment, talk.name("batches"))
    run = talk("run", client.create_run, e, start_time=5).info.run_id
    talk("all", client.log_batch, run, [Metric("m", 1, 1, 1)], [Param("p", "1")], [RunTag("t", "1")])
    talk("nothing", client.log_batch, run)
    talk("of none", client.log_batch, "0" * 32, [Metric("m", 1, 1, 1)])
    talk("again", client.log_batch, run, [Metric("m", 1, 1, 1)], [Param("p", "1")], [RunTag("t", "2")])
    talk("metric twice", client.log_batch, run, [Metric("d", 1, 1, 1), Metric("d", 1, 1, 1), Metric("d", 2, 1, 1)])
    one = {"key": "q", "value": 1, "timestamp": 1, "step": 0}
    param = {"key": "q", "value": "1"}
    rule = "runs/log-batch"
    for label, body in (
        ("1001 metrics", {"metrics": [one] * 1001}), ("1000 metrics", {"metrics": [one] * 1000}),
        ("101 params", {"params": [{"key": f"p{n}", "value": ""} for n in range(101)]}),
        ("100 params", {"params": [{"key": f"p{n}", "value": ""} for n in range(100)]}),
        ("101 tags", {"tags": [{"key": f"t{n}", "value": ""} for n in range(101)]}),
        ("100 tags", {"tags": [{"key": f"t{n}", "value": ""} for n in range(100)]}),
        ("1001 of all", {"metrics": [one] * 950, "params": [{"key": f"r{n}", "value": ""} for n in range(51)]}),
        ("param twice", {"params": [param, {**param, "value": "2"}]}),
        ("param twice alike", {"params": [param, param]}), ("tag twice", {"tags": [param, {**param, "value": "2"}]}),
        ("params changed", {"params": [{"key": "p", "value": "9"}]}),
        ("bad last", {"metrics": [one, {**one, "key": "../q"}], "tags": [{"key": "half", "value": "x"}]}),
        ("bad param", {"params": [{"key": "a?", "value": "1"}]}), ("bad tag", {"tags": [{"key": "", "value": "1"}]}),
        ("long param", {"params": [{"key": "long", "value": "x" * 6001}]}),
        ("long tag", {"tags": [{"key": "l", "value": "x" * 8001}]}),
        ("long keys", {"params": [{"key": "x" * 251, "value": "x"}]}),
        ("no time", {"metrics": [{"key": "q", "value": 1}]}),
        ("no key", {"metrics": [{"value": 1, "timestamp": 1}]}),
        ("no value", {"metrics": [{"key": "q", "timestamp": 1}]}),
        ("no step", {"metrics": [{"key": "nostep", "value": 1, "timestamp": 1}]}),
        ("early", {"metrics": [{**one, "timestamp": -1}]}),
        ("param without value", {"params": [{"key": "novalue"}]}),
        ("tag without value", {"tags": [{"key": "novalue"}]}), ("metrics is a dict", {"metrics": one}),
        ("metrics of text", {"metrics": ["a"]}), ("metrics is null", {"metrics": None}),
        ("value is text", {"metrics": [{**one, "value": "x"}]}),
        ("value is a number's text", {"metrics": [{**one, "key": "t", "value": "1.5"}]}),
        ("value is NaN's text", {"metrics": [{**one, "key": "n", "value": "NaN"}]}),
        ("step is text", {"metrics": [{**one, "key": "s", "step": "9"}]}),
        ("key is a number", {"metrics": [{**one, "key": 5}]}),
        ("too much", {"tags": [{"key": "big", "value": "x" * 1_100_000}]}),
    ):  # fmt: skip
        talk.post(label, rule, run_id=run, **body)
    talk.post("without run", rule, metrics=[one])
    talk("get", client.get_run, run)


def inputs_and_outputs(talk: Conversation) -> None:
    client = talk.client
    e = talk("experiment", client.create_experiment, talk.name("inputs"))
    run = talk("run", client.create_run, e, start_time=5).info.run_id
    model = talk("model", client.create_logged_model, e, "m", source_run_id=run).model_id
    dataset = Dataset("d", "1", "local", "source", "{}", "{}")
    given = DatasetInput(dataset, [InputTag("mlflow.data.context", "train")])
    talk("inputs", client.log_inputs, run, [given])
    talk("inputs again", client.log_inputs, run, [given])
    talk("other context", client.log_inputs, run, [DatasetInput(dataset, [InputTag("mlflow.data.context", "test")])])
    talk("no tags", client.log_inputs, run, [DatasetInput(Dataset("d2", "2", "local", "source"))])
    talk("models", client.log_inputs, run, models=[LoggedModelInput(model)])
    elsewhere = talk("elsewhere", client.create_experiment, talk.name("odd"))
    odd = talk("odd run", client.create_run, elsewhere, start_time=6).info.run_id
    talk("no such model", client.log_inputs, odd, models=[LoggedModelInput("m-nope")])
    talk("inputs of none", client.log_inputs, "0" * 32, [given])
    talk("nothing", client.log_inputs, run)
    talk("outputs", client.log_outputs, run, [LoggedModelOutput(model, 3)])
    talk("outputs of none", client.log_outputs, "0" * 32, [LoggedModelOutput(model, 3)])
    talk("get", client.get_run, run)
    talk.post("outputs empty", "runs/outputs", run_id=run, models=[])
    plain = {"name": "n", "digest": "1", "source_type": "s", "source": "x"}
    for label, change in (
        ("long name", {"name": "n" * 501}), ("long digest", {"digest": "d" * 37}),
        ("long source", {"source": "s" * 65_536}), ("no name", {"name": None}), ("no digest", {"digest": None}),
        ("no source", {"source": None}), ("no type", {"source_type": None}), ("empty name", {"name": ""}),
        ("long schema", {"schema": "s" * 1_048_576}),
    ):  # fmt: skip
        given_ = {key: value for key, value in {**plain, **change}.items() if value is not None}
        talk.post(label, "runs/log-inputs", run_id=odd, datasets=[{"dataset": given_, "tags": []}])
    for label, tag in (
        ("long tag key", {"key": "k" * 256, "value": "v"}),
        ("long tag", {"key": "k", "value": "v" * 501}),
    ):
        talk.post(label, "runs/log-inputs", run_id=odd, datasets=[{"dataset": plain, "tags": [tag]}])
    talk.post("without data set", "runs/log-inputs", run_id=odd, datasets=[{"tags": []}])
    talk.raw("data sets", "POST", "/ajax-api/2.0/mlflow/experiments/search-datasets", json={"experiment_ids": [e]})
    talk("delete", client.delete_run, run)
    talk("inputs of deleted", client.log_inputs, run, [given])
    talk("outputs of deleted", client.log_outputs, run, [LoggedModelOutput(model, 4)])
    talk.raw(
        "data sets of deleted runs",
        "POST",
        "/ajax-api/2.0/mlflow/experiments/search-datasets",
        json={"experiment_ids": [e]},
    )
    talk.raw(
        "data sets of none", "POST", "/ajax-api/2.0/mlflow/experiments/search-datasets", json={"experiment_ids": []}
    )
    talk.raw(
        "data sets of 21", "POST", "/ajax-api/2.0/mlflow/experiments/search-datasets", json={"experiment_ids": [e] * 21}
    )
    old = {"artifact_path": "m", "flavors": {"sklearn": {}}, "utc_time_created": "2026", "run_id": run}
    talk("restore", client.restore_run, run)
    import json

    talk.post("log-model", "runs/log-model", run_id=run, model_json=json.dumps(old))
    talk.post("log-model bad", "runs/log-model", run_id=run, model_json="{")
    talk.post("log-model half", "runs/log-model", run_id=run, model_json="{}")
    talk.post("log-model without", "runs/log-model", run_id=run)
    talk("get again", client.get_run, run)


SCENARIOS = (experiments, names_of_experiments, runs, metrics, batches, inputs_and_outputs)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_answers_are_mlflows(scenario: Callable[[Conversation], None], meet: Meet) -> None:
    meet(scenario, DIFFERENT.get(scenario.__name__, {}))
