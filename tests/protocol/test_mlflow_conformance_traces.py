"""Traces, new and legacy, and their spans: the same conversation with Studio and with a real MLflow server."""

import contextlib
from collections.abc import Callable
from typing import Any

import mlflow
import pytest

from tests.protocol import rules
from tests.protocol.conformance import Meet
from tests.protocol.conversation import Conversation

pytestmark = [pytest.mark.usefixtures("client"), pytest.mark.filterwarnings("ignore")]
NONE = "tr-" + "0" * 32

# Scenario → step → why Studio answers otherwise there.
_FORM = "MLflow's form, where its own route has FastAPI's"
_SAYS = "says what is wrong, where MLflow takes it for nothing"
DIFFERENT: dict[str, dict[str, str]] = {
    "traces": {
        "tag none": "says that there is no such trace instead of the database's own words",
        "link to none": "says that there is no such run",
        "filter execution_time > 'x'": _SAYS,
        "next page": "no token after the last page",
    },
    "told_traces": {
        "again": "what is told later is added",
        "without id": _SAYS,
        "odd state": _SAYS,
        "odd time": _SAYS,
        "whole": "a trace without spans instead of 500, on which clients try again for minutes",
    },
    "exported_spans": {
        "export": "the answer is JSON if the question was, as the protocol has it",
        "export again": "the answer is JSON if the question was, as the protocol has it",
        "whole": "spans as they came: with their kind and a name for the trace, without MLflow's own attributes",
        "nowhere": "says that there is no such experiment",
        **dict.fromkeys(("nothing", "no JSON", "odd id", "no protobuf", "no gzip", "text", "no place"), _FORM),
    },
}


@mlflow.trace(name="outer", attributes={"a": [1, {"b": 2.5}], "text": "ü", "none": None, "yes": True})
def outer(x: int) -> int:
    """Something that is traced."""
    with mlflow.start_span("inner", span_type="TOOL") as span:
        span.set_inputs({"x": x})
        span.add_event(mlflow.entities.SpanEvent("noted", attributes={"n": 1}))
    if x > 1:
        raise ValueError("too much")
    return x + 1


def traces(talk: Conversation) -> None:
    client = talk.client
    mlflow.set_tracking_uri(talk.url)
    e = talk("experiment", client.create_experiment, talk.name("traces"))
    mlflow.set_experiment(experiment_id=e)
    run = talk("run", client.create_run, e, start_time=1).info.run_id
    talk("traced", outer, 1)
    first = mlflow.get_last_active_trace_id()
    with contextlib.suppress(ValueError):
        talk("failed", outer, 2)
    second = mlflow.get_last_active_trace_id()
    got = talk("get", client.get_trace, first)
    assert [span.name for span in got.data.spans] == ["outer", "inner"]
    talk("get failed", client.get_trace, second)
    talk("get none", client.get_trace, NONE)
    talk("search", client.search_traces, locations=[e], include_spans=False)
    talk("search with spans", client.search_traces, locations=[e])
    talk("tag", client.set_trace_tag, first, "k", "v")
    talk("tag none", client.set_trace_tag, NONE, "k", "v")
    talk("tag of the server", client.set_trace_tag, first, "mlflow.trace.spansLocation", "elsewhere")
    talk("untag", client.delete_trace_tag, first, "k")
    talk("untag again", client.delete_trace_tag, first, "k")
    talk("untag none", client.delete_trace_tag, NONE, "k")
    for version in (3, 2):
        path = f"/api/{version}.0/mlflow/traces/{first}/tags"
        talk.raw(f"tag {version}", "PATCH", path, json={"key": "of", "value": str(version)})
        talk.raw(f"tag without key {version}", "PATCH", path, json={"value": "v"})
        talk.raw(f"untag {version}", "DELETE", path, json={"key": "of"})
    talk("link", client.link_traces_to_run, [first], run)
    talk("link none", client.link_traces_to_run, [NONE], run)
    talk("link to none", client.link_traces_to_run, [first], "0" * 32)
    talk.post("link 101", "traces/link-to-run", trace_ids=[first] * 101, run_id=run)
    talk.post("link nothing", "traces/link-to-run", run_id=run)
    for text in (
        f"attribute.run_id = '{run}'", "trace.status = 'ERROR'", "trace.status = 'OK'", "status != 'OK'",
        "name = 'outer'", "name = 'nope'", "tags.k = 'v'", "tags.`mlflow.traceName` LIKE 'out%'", "timestamp_ms > 5",
        "execution_time_ms < 0", "request_metadata.`mlflow.traceOutputs` = '2'", "metadata.nope IS NULL",
        f"request_id = '{first}'", "execution_time > 'x'", "nope = 'x'", "status ~ 'x'",
    ):  # fmt: skip
        rule = text.replace(run, "run").replace(first, "first")
        talk(f"filter {rule}", client.search_traces, locations=[e], filter_string=text, include_spans=False)
    talk("oldest first", client.search_traces, locations=[e], order_by=["timestamp_ms ASC"], include_spans=False)
    page = talk("page", client.search_traces, locations=[e], max_results=1, include_spans=False)
    talk("next page", client.search_traces, locations=[e], max_results=1, page_token=page.token, include_spans=False)
    talk.post("without place", "traces/search", 3, max_results=5)
    here = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": e}}]
    talk.post("501", "traces/search", 3, locations=here, max_results=501)
    talk.post("infos", "traces/batchGetInfos", 3, trace_ids=[second, NONE, first])
    talk.post("infos of nothing", "traces/batchGetInfos", 3)
    talk.get("whole", "traces/batchGet", 3, trace_ids=[first, NONE])
    talk.get("whole of none", "traces/get", 3, trace_id=NONE, allow_partial=True)
    talk.get("whole of nothing", "traces/get", 3)
    rule = "traces/delete-traces"
    talk.post("delete neither", rule, 3, experiment_id=e)
    talk.post("delete both", rule, 3, experiment_id=e, max_timestamp_millis=5, request_ids=[first])
    talk.post("delete none left", rule, 3, experiment_id=e, max_timestamp_millis=5, max_traces=0)
    talk.post("delete old", rule, 3, experiment_id=e, max_timestamp_millis=5)
    talk("delete", client.delete_traces, e, trace_ids=[first, NONE])
    talk.post("delete by the old rule", rule, 2, experiment_id=e, request_ids=[second])
    talk("get deleted", client.get_trace, first)


def told_traces(talk: Conversation) -> None:
    """Traces without spans, as other programs may tell them."""
    client = talk.client
    e = talk("experiment", client.create_experiment, talk.name("told"))
    here = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": e}}
    plain = {"trace_id": f"tr-{talk.tag:0>32}", "trace_location": here, "request_time": "2026-01-31T10:00:00.123Z"}
    plain |= {"state": "OK", "execution_duration": "1.500s", "request_preview": "q", "response_preview": "a"}
    plain |= {"trace_metadata": {"m": "1"}, "tags": {"t": "1", "mlflow.traceName": "told"}}
    for label, change in (
        ("plain", {}), ("again", {"state": "ERROR", "tags": {"u": "2"}}), ("without id", {"trace_id": ""}),
        ("elsewhere", {"trace_location": {**here, "mlflow_experiment": {"experiment_id": "99999999"}}}),
        ("odd state", {"trace_id": "tr-1", "state": "NOPE"}),
        ("odd time", {"trace_id": "tr-2", "request_time": "soon"}),
    ):  # fmt: skip
        talk.post(label, "traces", 3, trace={"trace_info": {**plain, **change}})
    talk.post("nothing", "traces", 3)
    talk.get("get", f"traces/{plain['trace_id']}", 3)
    talk.get("whole", "traces/get", 3, trace_id=plain["trace_id"], allow_partial=True)
    talk("delete", client.delete_experiment, e)
    talk.post("in deleted", "traces", 3, trace={"trace_info": {**plain, "trace_id": "tr-3"}})


def old_traces(talk: Conversation) -> None:
    """What clients before MLflow 3 send."""
    e = talk("experiment", talk.client.create_experiment, talk.name("old"))
    pairs = [{"key": "mlflow.traceName", "value": "old"}, {"key": "t", "value": "1"}]
    body: dict[str, Any] = {"experiment_id": e, "timestamp_ms": 1700000000123, "tags": pairs}
    made = talk.post("start", "traces", **body, request_metadata=[{"key": "m", "value": "1"}])
    request_id = made["trace_info"]["request_id"]
    talk.post("start nowhere", "traces", **{**body, "experiment_id": "99999999"})
    talk.get("get", f"traces/{request_id}/info")
    path = f"/api/2.0/mlflow/traces/{request_id}"
    ended = {"timestamp_ms": 1700000000623, "status": "OK", "tags": [{"key": "u", "value": "2"}]}
    talk.raw("end", "PATCH", path, json={**ended, "request_metadata": [{"key": "n", "value": "2"}]})
    talk.raw("end none", "PATCH", f"/api/2.0/mlflow/traces/{NONE}", json=ended)
    talk.get("get ended", f"traces/{request_id}/info")
    talk.get("get none", f"traces/{NONE}/info")
    talk.get("search", "traces", experiment_ids=[e])
    talk.get("search nowhere", "traces")
    talk.get("search 501", "traces", experiment_ids=[e], max_results=501)
    talk.get("as a new one", f"traces/{request_id}", 3)


def exported_spans(talk: Conversation) -> None:
    """OpenTelemetry's own JSON, and what is none."""
    e = talk("experiment", talk.client.create_experiment, talk.name("spans"))
    trace_id = f"{talk.tag:0>32}"
    value = {
        "arrayValue": {"values": [{"stringValue": "x"}, {"intValue": "5"}, {"doubleValue": 1.5}, {"boolValue": True}]}
    }
    span = {
        "traceId": trace_id, "spanId": "00f067aa0ba902b7", "name": "GET /x", "kind": 3,
        "status": {"code": 2, "message": "no"}, "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000000250000000",
        "attributes": [{"key": "http.method", "value": {"stringValue": "GET"}}, {"key": "all", "value": value}],
    }  # fmt: skip
    child = {**span, "spanId": "00f067aa0ba902b8", "parentSpanId": span["spanId"], "name": "inner", "status": {}}
    whole = {"resourceSpans": [{"scopeSpans": [{"spans": [span, child]}]}]}
    headers = {**rules.signed(), "x-mlflow-experiment-id": e, "content-type": "application/json"}
    talk.raw("export", "POST", "/v1/traces", json=whole, headers=headers)
    talk.raw("export again", "POST", "/v1/traces", json=whole, headers=headers)
    talk.get("whole", "traces/get", 3, trace_id=f"tr-{trace_id}")
    talk.raw("nothing", "POST", "/v1/traces", json={"resourceSpans": []}, headers=headers)
    talk.raw("no JSON", "POST", "/v1/traces", data=b"{", headers=headers)
    talk.raw(
        "odd id",
        "POST",
        "/v1/traces",
        json={"resourceSpans": [{"scopeSpans": [{"spans": [{**span, "traceId": "xyz"}]}]}]},
        headers=headers,
    )
    binary = {**headers, "content-type": "application/x-protobuf"}
    talk.raw("no protobuf", "POST", "/v1/traces", data=b"\xff\xff\xff", headers=binary)
    talk.raw("no gzip", "POST", "/v1/traces", data=b"x", headers={**binary, "content-encoding": "gzip"})
    talk.raw("text", "POST", "/v1/traces", data=b"x", headers={**headers, "content-type": "text/plain"})
    talk.raw("nowhere", "POST", "/v1/traces", json=whole, headers={**headers, "x-mlflow-experiment-id": "99999999"})
    talk.raw(
        "no place", "POST", "/v1/traces", json=whole, headers={**rules.signed(), "content-type": "application/json"}
    )


SCENARIOS = (traces, told_traces, old_traces, exported_spans)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_answers_are_mlflows(scenario: Callable[[Conversation], None], meet: Meet) -> None:
    meet(scenario, DIFFERENT.get(scenario.__name__, {}))
