"""Filters and orders, right and wrong: the same conversation with Studio and with a real MLflow server."""

from collections.abc import Callable

import pytest
from mlflow.entities import Dataset, DatasetInput, InputTag

from tests.protocol.conformance import Meet
from tests.protocol.conversation import Conversation

pytestmark = [pytest.mark.usefixtures("client"), pytest.mark.filterwarnings("ignore")]

# Scenario → step → why Studio answers otherwise there.
_WORDS = "in its own words, with the place in the filter"
DIFFERENT: dict[str, dict[str, str]] = {
    "searches": {
        "filter attributes.status IN ('RUNNING')": _WORDS,
        "filter a": "says what a filter may begin with",
        "filter metrics.q > 1; metrics.q < 2": _WORDS,
        "filter params.p IN ('1')": _WORDS,
        "filter attr.run_name NOT IN ('x')": _WORDS,
    },
}

_FILTERS = (
    "metrics.q > 0", "metrics.q > 'a'", "params.p = 1", "foo.bar = 'x'", "attributes.nope = 'x'", "metrics.q ~ 1",
    "metrics.q > 1 OR metrics.q < 2", "(metrics.q > 1)", "params.p = '1", "params.p LIKE '1%' and tags.x = \"y\"",
    "attributes.status IN ('RUNNING')", "run_id IN ('{run}')", "params.`p` IS NOT NULL", "params.z IS NULL",
    "metrics.q IS NULL", "start_time = 1", "start_time = 'x'", "metrics.inf > 1e300", "a", "params.p = 'x' and",
    "metrics.q > 1; metrics.q < 2", "run_name LIKE 'oth%'", "run_name ILIKE 'OTH%'", "run_name LIKE 'OTH%'",
    "metrics.\"q\" > 0", "params.p IN ('1')", "dataset.name = 'd'", "dataset.context = 'train'", "dataset.x = 'd'",
    "tags.x != 'z'", "tags.zzz != 'z'", "attr.run_name NOT IN ('x')", "created > 0", "status = 'FINISHED'",
    "metrics.nan > 0", "metrics.nan != 0", "tags.`mlflow.runName` = 'other'", "params.\"p\" = '1'", "tags.x IS NULL",
    "user_id = 'u'", "end_time > 0", "artifact_uri LIKE '%{run}%'",
)  # fmt: skip
_ORDERS = (
    "metrics.q", "metrics.q DESC", "start_time asc", "foo", "attributes.status desc", "params.p, tags.x", "run_name",
    "metrics.q foo", "end_time desc", "tags.x", "dataset.name", "Created DESC", "metrics.nan", "metrics.inf",
)  # fmt: skip


def searches(talk: Conversation) -> None:
    client = talk.client
    e = talk("experiment", client.create_experiment, talk.name("search"))
    run = talk("run", client.create_run, e, 5, {"x": "y"}, "other").info.run_id
    talk("values", client.log_batch, run)
    for key, value in (("q", 1.0), ("inf", float("inf")), ("nan", float("nan"))):
        talk(f"metric {key}", client.log_metric, run, key, value, timestamp=5, step=1)
    talk("param", client.log_param, run, "p", "1")
    data = DatasetInput(Dataset("d", "1", "s", "x"), [InputTag("mlflow.data.context", "train")])
    talk("data", client.log_inputs, run, [data])
    talk("end", client.set_terminated, run, end_time=9)
    talk("second", client.create_run, e, 6, {"x": "z"}, "second")
    for text in _FILTERS:
        talk(f"filter {text}", client.search_runs, [e], text.replace("{run}", run))
    for text in _ORDERS:
        talk(f"order {text}", client.search_runs, [e], order_by=[text])
    for most in (0, 1, 50001):
        talk.post(f"at most {most}", "runs/search", experiment_ids=[e], max_results=most)
    talk.post("token", "runs/search", experiment_ids=[e], page_token="zz")
    talk.post("nowhere", "runs/search", experiment_ids=[])
    talk.post("somewhere else", "runs/search", experiment_ids=["99999999"])
    talk.post("odd place", "runs/search", experiment_ids=["abc"])


SCENARIOS = (searches,)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_answers_are_mlflows(scenario: Callable[[Conversation], None], meet: Meet) -> None:
    meet(scenario, DIFFERENT.get(scenario.__name__, {}))
