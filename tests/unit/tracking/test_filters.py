"""The filter language: what is printed parses back; SQL finds what a plain evaluation finds; nothing odd takes long."""

import contextlib
import operator
import re
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from studio.errors import Invalid
from studio.tracking import batches, experiments, filters, runs, searching
from studio.tracking.filters import And, Comparison, FilterError, parse
from studio.tracking.grammars import RUNS
from studio.tracking.records import Metric, Pair
from tests.unit.tracking.filter_text import comparisons, render


@given(st.lists(comparisons(), max_size=4))
def test_render_then_parse_gives_the_same_tree(parts: list[Comparison]) -> None:
    tree = And(tuple(parts))
    assert parse(render(tree), RUNS) == tree


@given(st.text(max_size=60))
def test_parse_of_any_text_gives_a_tree_or_a_position(text: str) -> None:
    try:
        parse(text, RUNS)
    except FilterError as error:
        assert 0 <= error.position <= len(text)


def like(value: str, pattern: str, flags: int = 0) -> bool:
    """SQL's LIKE; SQLite's lower() knows ASCII only."""
    expression = "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
    return re.fullmatch(expression, value, flags | re.DOTALL | re.ASCII) is not None


COMPARE: dict[str, Any] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "LIKE": like,
    "ILIKE": lambda value, pattern: like(value, pattern, re.IGNORECASE),
    "IN": lambda value, wanted: value in wanted,
    "NOT IN": lambda value, wanted: value not in wanted,
}
MANY: list[dict[str, Any]] = [
    {"run_name": name, "start_time": n, "metric": metric, "param": param, "tag": tag}
    for n, (name, metric, param, tag) in enumerate(
        [
            ("x", {"a": 1.0}, {"a": "1", "b": "x"}, {"a": "X"}),
            ("xy", {"a": float("nan"), "b": 0.5}, {"x y": "it's"}, {}),
            ("X", {"a": float("inf"), "b": -0.5}, {"a": "%"}, {"b": "a_c", "x y": "abc"}),
            ("a_c", {"p/q.r": -2.0}, {}, {"p/q.r": '"q"'}),
            ("ä", {}, {"b": ""}, {"a": "xy"}),
        ]
    )
]


def expected(run: dict[str, Any], part: Comparison) -> bool:
    """What a comparison says of a run, without SQL."""
    found = run[part.key] if part.entity == "attribute" else run[part.entity].get(part.key)
    if part.op in filters.NULL_OPS:
        return (found is None) == (part.op == "IS NULL")
    return found is not None and bool(COMPARE[part.op](found, part.value))


@pytest.fixture
def filled(db: Connection) -> tuple[Connection, str, list[str]]:
    """The runs of MANY in one experiment."""
    experiment = experiments.create(db, "demo", "e")
    ids = []
    for run in MANY:
        made = runs.create(db, "demo", experiment, owner="ann", name=run["run_name"], start_ms=run["start_time"])
        ids.append(made.info.run_id)
        logged = [Metric(key, value, 1, 0) for key, value in run["metric"].items()]
        params, tags = ([Pair(*item) for item in run[kind].items()] for kind in ("param", "tag"))
        batches.log(db, "demo", ids[-1], logged, params, tags)
    return db, experiment, ids


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(parts=st.lists(comparisons(), min_size=1, max_size=3))
def test_search_finds_what_an_evaluation_finds(filled: Any, parts: list[Comparison]) -> None:
    db, experiment, ids = filled
    page = searching.search(db, "demo", [experiment], filter_text=render(And(tuple(parts))))
    by_id = [{**run, "run_id": run_id} for run, run_id in zip(MANY, ids, strict=True)]
    wanted = {run["run_id"] for run in by_id if all(expected(run, part) for part in parts)}
    assert {run.info.run_id for run in page.runs} == wanted


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("metrics.m > 'a'", 12),
        ("params.p = 1", 11),
        ("foo.bar = 'x'", 0),
        ("metrics.m ~ 1", 10),
        ("metrics.m > 1 OR metrics.m < 2", 14),
        ("(metrics.m > 1)", 0),
        ("params.p = 'x' params.q = 'y'", 15),
        ("metrics.m IS NULL", 10),
        ("params.p = 'never closed", 11),
        ("status IN ('RUNNING')", 7),
    ],
)
def test_a_wrong_filter_names_the_character(text: str, position: int) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text, RUNS)
    assert caught.value.position == position


@pytest.mark.parametrize(
    "text",
    [
        *("(" * 9999, "'" * 9999, "metrics.a > 1 AND " * 550, "`" * 9999, "a." * 4999, '"' * 9999),
        *(" " * 9999 + "x", "-" * 9999, "x" * 1000000, "params.a LIKE '" + "%a" * 3000 + "'"),
    ],
)
def test_a_pathological_filter_is_decided_at_once(text: str, db: Connection) -> None:
    experiment = experiments.create(db, "demo", "e")
    spent = []
    for _ in range(3):  # whatever else this process does meanwhile does it once
        started = time.process_time()
        with contextlib.suppress(Invalid):
            searching.search(db, "demo", [experiment], filter_text=text)
        spent.append(time.process_time() - started)
    assert min(spent) < 0.25
