"""Traces belong to their domain; what is said of them can be searched."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection

from studio.errors import Invalid, NotFound
from studio.tracking import experiments, runs, spans, trace_search, traces
from studio.tracking.records import Pair


def told(trace_id: str, experiment_id: str = "0", **more: Any) -> dict[str, Any]:
    """What a client says of a trace."""
    where = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment_id}}
    time = {"request_time": "2026-01-31T10:00:00.123Z", "state": "OK"}
    return {"trace_id": trace_id, "trace_location": where, **time, **more}


def span(name: str, trace: bytes = b"t" * 16, **more: Any) -> dict[str, Any]:
    """A span that took 250 ms."""
    number = f"{name:x>8}".encode()[-8:]
    ids = {"trace_id": base64.b64encode(trace).decode(), "span_id": base64.b64encode(number).decode()}
    return {**ids, "name": name, "start_time_unix_nano": 10**18, "end_time_unix_nano": 10**18 + 250_000_000, **more}


def ids(found: tuple[list[Any], str | None]) -> list[str]:
    return [trace.trace_id for trace in found[0]]


def test_another_domains_traces_do_not_exist(db: Connection) -> None:
    experiment = experiments.create(db, "demo", "e")
    traces.start(db, "demo", told("tr-1", experiment))
    spans.keep(db, "demo", experiment, [span("root")])
    run = runs.create(db, "other", "0", owner="bob").info.run_id
    calls: list[Callable[[], Any]] = [
        lambda: traces.get(db, "other", "tr-1"),
        lambda: traces.set_tag(db, "other", "tr-1", Pair("a", "b")),
        lambda: traces.start(db, "other", told("tr-1", experiment)),
        lambda: spans.keep(db, "other", experiment, [span("root")]),
        lambda: traces.link(db, "demo", ["tr-1"], run),
    ]
    for call in calls:
        with pytest.raises(NotFound):
            call()
    assert traces.get_many(db, "other", ["tr-1"]) == []
    assert ids(trace_search.search(db, "other", [experiment])) == []
    assert traces.remove(db, "other", experiment, trace_ids=["tr-1"]) == 0
    # The same id in two domains is two traces.
    traces.start(db, "other", told("tr-1"))
    spans.keep(db, "other", "0", [span("theirs")])
    assert traces.remove(db, "other", "0", trace_ids=["tr-1"]) == 1
    assert traces.get(db, "demo", "tr-1")
    mine = traces.get_many(db, "demo", ["tr-" + "74" * 16])
    assert len(spans.of_traces(db, "demo", mine)["tr-" + "74" * 16]) == 1


def test_spans_tell_of_their_trace_until_it_is_told_whole(db: Connection) -> None:
    parent = span("root")["span_id"]
    (trace_id,) = spans.keep(db, "demo", "0", [span("inner", parent_span_id=parent)])
    assert json.loads(traces.get(db, "demo", trace_id).info)["state"] == "IN_PROGRESS"
    spans.keep(db, "demo", "0", [span("root", status={"code": "STATUS_CODE_ERROR"})])
    info = json.loads(traces.get(db, "demo", trace_id).info)
    assert (info["state"], info["execution_duration"]) == ("ERROR", "0.250s")
    traces.start(db, "demo", told(trace_id, state="OK", tags={"k": "v"}))
    spans.keep(db, "demo", "0", [span("late", parent_span_id=parent)])
    info = json.loads(traces.get(db, "demo", trace_id).info)
    assert (info["state"], info["tags"]["k"], info["tags"]["mlflow.trace.spansLocation"]) == (
        "OK",
        "v",
        "TRACKING_STORE",
    )
    assert len(spans.of_traces(db, "demo", [traces.get(db, "demo", trace_id)])[trace_id]) == 3


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("tags.k = 'v'", ["tr-1"]),
        ("tags.k IS NULL", ["tr-2"]),
        ("metadata.`mlflow.sourceRun` IS NOT NULL", ["tr-2"]),
        ("execution_time_ms >= 1500", ["tr-2"]),
        ("status = 'ERROR' AND name LIKE 'sec%'", ["tr-2"]),
        ("trace_id IN ('tr-1', 'tr-2')", ["tr-1", "tr-2"]),
        ("timestamp_ms > 9e12", []),
    ],
)
def test_filters_find(db: Connection, text: str, wanted: list[str]) -> None:
    traces.start(db, "demo", told("tr-1", tags={"k": "v"}, execution_duration="0.5s"))
    more = {"tags": {"mlflow.traceName": "second"}, "trace_metadata": {"mlflow.sourceRun": "r"}, "state": "ERROR"}
    traces.start(db, "demo", told("tr-2", execution_duration="1.500s", **more))
    assert sorted(ids(trace_search.search(db, "demo", ["0"], filter_text=text))) == wanted


def test_traces_of_a_run_are_those_that_say_so_and_those_that_are_linked(db: Connection) -> None:
    run = runs.create(db, "demo", "0", owner="ann").info.run_id
    for name in ("tr-1", "tr-2", "tr-3"):
        said = {"trace_metadata": {"mlflow.sourceRun": run}} if name == "tr-1" else {}
        traces.start(db, "demo", told(name, **said))
    for _ in range(2):
        traces.link(db, "demo", ["tr-2", "tr-nope"], run)
    assert sorted(ids(trace_search.search(db, "demo", ["0"], filter_text=f"run_id = '{run}'"))) == ["tr-1", "tr-2"]
    assert ids(trace_search.search(db, "demo", ["0"], filter_text=f"run_id != '{run}'")) == ["tr-3"]


@pytest.mark.parametrize("key", ['a"b', "a'b", "$.x", "../x", "a\\b", 'x"]) = 1 --'])
def test_a_key_that_would_leave_its_place_is_refused(db: Connection, key: str) -> None:
    with pytest.raises(Invalid):
        trace_search.search(db, "demo", ["0"], filter_text=f"tags.`{key}` = 'v'")


def test_pages_join_to_the_whole(db: Connection) -> None:
    for n in range(7):
        traces.start(db, "demo", told(f"tr-{n}", request_time=f"2026-01-31T10:00:0{n % 3}Z"))
    whole = ids(trace_search.search(db, "demo", ["0"]))
    seen, token = [], None
    while len(seen) < 7:
        page, token = trace_search.search(db, "demo", ["0"], max_results=3, page_token=token)
        seen += [trace.trace_id for trace in page]
    assert seen == whole
    assert token is None
