"""Which value is the latest, what the bounds are, that a value is kept once; sorting and paging by them."""

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select

from studio.errors import Invalid, NotFound
from studio.store.prepared import TOGETHER
from studio.store.tables import tracking as t
from studio.tracking import batches, experiments, history, loading, metrics, params, runs, searching
from studio.tracking.records import Metric, Pair

floats = st.one_of(st.sampled_from([0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 1e308]), st.floats())
logged = st.lists(st.tuples(floats, st.integers(0, 3), st.integers(-2, 2)), min_size=1, max_size=8)


def start(db: Connection, domain: str = "demo", **more: Any) -> str:
    return runs.create(db, domain, "0", owner="ann", **more).info.run_id


def same(left: float, right: float) -> bool:
    return left == right or (math.isnan(left) and math.isnan(right))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(values=logged, in_one=st.booleans())
def test_latest_is_the_highest_step_time_value(
    db: Connection, values: list[tuple[float, int, int]], in_one: bool
) -> None:
    run_id = start(db)
    given_ = [Metric("m", value, ts, step) for value, ts, step in values]
    for call in [given_] if in_one else [[item] for item in given_]:
        metrics.log(db, "demo", run_id, call)
    (found,) = loading.get(db, "demo", run_id).metrics
    best = max(given_, key=lambda m: (m.step, m.timestamp, 0.0 if math.isnan(m.value) else m.value))
    assert (found.step, found.timestamp) == (best.step, best.timestamp)
    ties = [m.value for m in given_ if (m.step, m.timestamp) == (best.step, best.timestamp)]
    assert any(same(found.value, value) for value in ties)
    plain = [m.value for m in given_ if not math.isnan(m.value)]
    assert (found.low, found.high) == ((min(plain), max(plain)) if plain else (None, None))
    kept, _ = history.page(db, "demo", run_id, "m")
    distinct = {(m.step, m.timestamp, "nan" if math.isnan(m.value) else m.value) for m in given_}
    assert len(kept) == len(distinct)


def test_the_same_call_again_writes_nothing(db: Connection) -> None:
    run_id = start(db)
    for _ in range(3):
        batches.log(db, "demo", run_id, [Metric("m", math.nan, 5, -7), Metric("m", 1.5, 5, 0)], [Pair("p", "1")], [])
    assert db.execute(select(func.count()).select_from(t.metrics)).scalar_one() == 2


@pytest.mark.parametrize("count", [1, 2, TOGETHER - 1, TOGETHER, TOGETHER + 1, 5 * TOGETHER + 7])
def test_every_value_of_a_batch_is_kept_once(db: Connection, count: int) -> None:
    """However many go into one statement; the same values again, and a repetition inside, write nothing."""
    run_id = start(db)
    values = [Metric(f"m{n % 3}", n / 7, 5, n) for n in range(count)]
    for given_ in ([*values, *values[:1]][:1000], values):
        metrics.log(db, "demo", run_id, given_)
    kept = [m for n in range(min(3, count)) for m in history.page(db, "demo", run_id, f"m{n}")[0]]
    assert sorted((m.key, m.step, m.value) for m in kept) == sorted((m.key, m.step, m.value) for m in values)


def test_a_wrong_metric_is_named_by_its_place(db: Connection) -> None:
    run_id = start(db)
    wrong = [Metric("m", 1.0, 5, 0), Metric("m", 1.0, -5, 1)]
    with pytest.raises(Invalid, match=r"metrics\[1\]\.timestamp"):
        metrics.log(db, "demo", run_id, wrong)
    with pytest.raises(Invalid, match=r"metrics\[1\]\.name"):
        metrics.log(db, "demo", run_id, [wrong[0], Metric("../m", 1.0, 5, 0)])


def test_params_are_written_once(db: Connection) -> None:
    run_id = start(db)
    params.log_one(db, "demo", run_id, Pair("p", "1"))
    params.log_one(db, "demo", run_id, Pair("p", "1"))
    with pytest.raises(Invalid, match="Changing param values is not allowed"):
        params.log_one(db, "demo", run_id, Pair("p", "2"))
    with pytest.raises(Invalid, match="Changing param values is not allowed"):
        batches.log(db, "demo", run_id, [Metric("m", 1, 1, 1)], [Pair("p", "3")], [])


@pytest.mark.parametrize("descending", [False, True])
def test_pages_by_a_metric_hold_every_run_once_while_runs_are_added(db: Connection, descending: bool) -> None:
    values = [3.0, math.nan, 1.0, None, 1.0, -math.inf, math.inf, None, math.nan, 2.0]
    ids = []
    for n, value in enumerate(values):
        ids.append(start(db, start_ms=n))
        if value is not None:
            metrics.log(db, "demo", ids[-1], [Metric("m", value, 1, 1)])
    order = [f"metrics.m {'DESC' if descending else 'ASC'}"]
    everything = searching.search(db, "demo", ["0"], order_by=order).runs
    seen: list[str] = []
    token = None
    while True:
        page = searching.search(db, "demo", ["0"], order_by=order, max_results=3, page_token=token)
        seen += [run.info.run_id for run in page.runs]
        token = page.token
        if token is None:
            break
        extra = start(db, start_ms=100 + len(seen))
        metrics.log(db, "demo", extra, [Metric("m", math.inf if descending else -math.inf, 1, 1)])
    assert [run_id for run_id in seen if run_id in ids] == [run.info.run_id for run in everything]
    shown = [{m.key: m.value for m in run.metrics}.get("m") for run in everything]
    plain = [value for value in shown if value is not None and not math.isnan(value)]
    assert plain == sorted(plain, reverse=descending)
    assert [value is None for value in shown[-2:]] == [True, True]
    assert all(math.isnan(value or 0.0) for value in shown[6:8])


@pytest.mark.parametrize(
    "order", [["params.p DESC", "metrics.m"], ["tags.`t`", "end_time DESC"], ["run_name", "run_id DESC"]]
)
def test_pages_by_several_columns_join_to_the_whole(db: Connection, order: list[str]) -> None:
    for n in range(12):
        run_id = start(db, start_ms=n % 3, name=f"r{n % 4}")
        extra = [Pair("p", str(n % 3))] if n % 2 else []
        tags = [Pair("t", str(n % 2))] if n % 3 else []
        batches.log(db, "demo", run_id, [Metric("m", n % 5, 1, 1)] if n % 4 else [], extra, tags)
        if n % 5 == 0:
            runs.change(db, "demo", run_id, end_ms=n)
    whole = [run.info.run_id for run in searching.search(db, "demo", ["0"], order_by=order).runs]
    parts: list[str] = []
    token = None
    while token is not None or not parts:
        page = searching.search(db, "demo", ["0"], order_by=order, max_results=5, page_token=token)
        parts += [run.info.run_id for run in page.runs]
        token = page.token
        if token is None:
            break
    assert parts == whole
    assert len(set(whole)) == 12


def test_a_token_of_another_search_is_refused(db: Connection) -> None:
    for _ in range(3):
        start(db)
    token = searching.search(db, "demo", ["0"], max_results=1).token
    with pytest.raises(Invalid, match="another search"):
        searching.search(db, "demo", ["0"], max_results=1, page_token=token, order_by=["start_time"])
    with pytest.raises(Invalid, match="page token"):
        searching.search(db, "demo", ["0"], page_token="zz")


def test_another_domains_runs_and_experiments_do_not_exist(db: Connection) -> None:
    experiment = experiments.create(db, "demo", "e")
    run_id = runs.create(db, "demo", experiment, owner="ann").info.run_id
    for call in (
        lambda: runs.info(db, "other", run_id),
        lambda: metrics.log(db, "other", run_id, [Metric("m", 1, 1, 1)]),
        lambda: batches.log(db, "other", run_id, [], [], [Pair("a", "b")]),
        lambda: runs.remove(db, "other", run_id),
        lambda: runs.restore(db, "other", run_id),
        lambda: experiments.get(db, "other", experiment),
        lambda: experiments.remove(db, "other", experiment),
        lambda: runs.create(db, "other", experiment, owner="bob"),
        lambda: history.page(db, "other", run_id, "m"),
    ):
        with pytest.raises(NotFound):
            call()
    assert searching.search(db, "other", [experiment]).runs == []
    assert experiments.ensure_default(db, "demo") != experiments.ensure_default(db, "other")
