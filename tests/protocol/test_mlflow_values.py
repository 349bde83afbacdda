"""Whatever number a client logs comes back as it was, in MLflow's order, and the latest is the latest."""

import math
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.protocol.conftest import Running

API = "/api/2.0/mlflow/"
LARGEST = 1.7976931348623157e308
values = st.one_of(st.floats(), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, LARGEST]))
steps = st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1))
times = st.one_of(st.integers(0, 3), st.integers(0, 2**63 - 1))
logged = st.lists(st.tuples(values, steps, times), min_size=1, max_size=8)
keys = st.text(st.sampled_from("aZ09_-. :/é世"), min_size=1, max_size=250)


@pytest.fixture
def http(server: Running) -> Iterator[httpx.Client]:
    """A client of Studio's server."""
    with server.http() as client:
        yield client


def said(value: float) -> float | str:
    """A number as protobuf's JSON says it."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def heard(value: float | str) -> float:
    """And back: infinity comes back as the largest number, as from MLflow's own server."""
    return float(value)


def expected(value: float) -> float:
    """What is to come back."""
    return value if math.isnan(value) else max(-LARGEST, min(LARGEST, value))


def rank(value: float) -> float:
    """Where a value stands among others of one step and time: NaN where zero is, as MLflow keeps it."""
    return 0.0 if math.isnan(value) else value


def key(value: float, step: int, time: int) -> tuple[Any, ...]:
    """What makes a value the same as another."""
    return time, step, rank(value), math.isnan(value)


def new_run(http: httpx.Client) -> str:
    """A run in the default experiment."""
    return str(http.post(API + "runs/create", json={"experiment_id": "0"}).json()["run"]["info"]["run_id"])


def log(http: httpx.Client, run_id: str, items: list[tuple[float, int, int]], one_by_one: bool) -> None:
    """Sends them one by one or together."""
    bodies = [{"key": "m", "value": said(v), "step": step, "timestamp": time} for v, step, time in items]
    calls = [("log-metric", body) for body in bodies] if one_by_one else [("log-batch", {"metrics": bodies})]
    for rule, body in calls:
        answer = http.post(f"{API}runs/{rule}", json={"run_id": run_id, **body})
        assert answer.status_code == 200, answer.text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(items=logged, one_by_one=st.booleans())
def test_numbers_come_back_as_they_were(
    http: httpx.Client, items: list[tuple[float, int, int]], one_by_one: bool
) -> None:
    run_id = new_run(http)
    for _ in range(2):  # the same again changes nothing
        log(http, run_id, items, one_by_one)
    distinct = {key(*item): item for item in reversed(items)}
    wanted = [distinct[place] for place in sorted(distinct)]
    query = {"run_id": run_id, "metric_key": "m"}
    found = http.get(API + "metrics/get-history", params=query).json()["metrics"]
    assert [(item["step"], item["timestamp"]) for item in found] == [(step, time) for _, step, time in wanted]
    for item, (value, _, _) in zip(found, wanted, strict=True):
        assert heard(item["value"]) == pytest.approx(expected(value), rel=0, abs=0, nan_ok=True)
    pages: list[Any] = []
    token = ""
    while token or not pages:
        more = {"max_results": "3", **({"page_token": token} if token else {})}
        page = http.get(API + "metrics/get-history", params={**query, **more}).json()
        pages += page["metrics"]
        token = page.get("next_page_token", "")
        if not token:
            break
    assert pages == found
    (latest,) = http.get(API + "runs/get", params={"run_id": run_id}).json()["run"]["data"]["metrics"]
    best = max(items, key=lambda item: (item[1], item[2], rank(item[0])))
    assert (latest["step"], latest["timestamp"]) == best[1:]
    assert heard(latest["value"]) == pytest.approx(expected(best[0]), rel=0, abs=0, nan_ok=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(name=keys, value=st.text(max_size=300).filter(lambda text: "\0" not in text and text.isprintable()))
def test_keys_are_taken_or_refused_as_by_mlflow(http: httpx.Client, name: str, value: str) -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.utils import validation

    try:
        validation._validate_param(name, value)
        status = 200
    except MlflowException:
        status = 400
    run_id = new_run(http)
    body = {"run_id": run_id, "key": name, "value": value}
    assert http.post(API + "runs/log-parameter", json=body).status_code == status
    assert http.post(API + "runs/set-tag", json=body).status_code == status
    metric = {"run_id": run_id, "key": name, "value": 1, "timestamp": 1}
    assert http.post(API + "runs/log-metric", json=metric).status_code == status
    if status == 200:
        data = http.get(API + "runs/get", params={"run_id": run_id}).json()["run"]["data"]
        assert data["params"] == [{"key": name, "value": value}]
        assert {"key": name, "value": value} in data["tags"]
        assert [item["key"] for item in data["metrics"]] == [name]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(name=st.text(st.sampled_from("ab/:. -_é\n'\"%"), max_size=12))
def test_names_of_models_are_taken_or_refused_as_by_mlflow(http: httpx.Client, name: str) -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.utils import validation

    name = f"{name}{uuid.uuid4().hex[:6]}" if name.strip("./ ") else name
    try:
        validation._validate_model_name(name)
        status = 200
    except MlflowException:
        status = 400
    answer = http.post(API + "registered-models/create", json={"name": name})
    assert answer.status_code == status or "already exists" in answer.text, answer.text
