"""Histories: whole, and by pages, the same values in MLflow's order, written as MLflow writes them."""

import json
import math
import random

from sqlalchemy import Connection

from studio.tracking import batches, experiments, history, runs
from studio.tracking.records import Metric
from studio.wire.mlflow.history import whole

VALUES = (0.1, 0.0, 1e308, 5e-324, 1 / 3, math.inf, -math.inf, math.nan, 123456789.123456789)


def filled(db: Connection, count: int) -> tuple[str, list[Metric]]:
    """A run with so many values of `m`, logged in no order; in MLflow's order."""
    r = random.Random(5)
    run = runs.create(db, "demo", experiments.create(db, "demo", "e"), owner="ann").info.run_id
    given = [Metric("m", r.choice(VALUES), r.randrange(50), r.randrange(-5, count)) for _ in range(count)]
    given += [Metric("m", 1.0, 7, -(2**63)), Metric("m", 1.0, 7, 2**63 - 1), Metric("m", 2.0, 7, -(2**63))]
    for start in range(0, len(given), 1000):
        batches.log(db, "demo", run, given[start : start + 1000], [], [])
    zero = {(m.timestamp, m.step, 0.0 if math.isnan(m.value) else m.value, math.isnan(m.value)): m for m in given}
    return run, [zero[place] for place in sorted(zero)]


def same(found: list[Metric], wanted: list[Metric]) -> bool:
    """NaN counts as equal to itself."""
    return [(m.timestamp, m.step, repr(m.value)) for m in found] == [
        (m.timestamp, m.step, repr(m.value)) for m in wanted
    ]


def test_pages_together_are_the_whole(db: Connection) -> None:
    run, wanted = filled(db, 300)
    assert same(history.page(db, "demo", run, "m")[0], wanted)
    found, token = [], None
    while True:
        some, token = history.page(db, "demo", run, "m", 1, token)
        found += some
        if token is None:
            break
    assert same(found, wanted)
    assert history.page(db, "demo", run, "never") == ([], None)


def test_the_wire_has_the_same_values_as_json_can_say_them(db: Connection) -> None:
    run, wanted = filled(db, 2 * history.CHUNK + 17)
    found = json.loads(bytes(whole(db, "demo", run, "m")["metrics"]))
    largest = 1.7976931348623157e308
    told = ["NaN" if math.isnan(m.value) else max(-largest, min(largest, m.value)) for m in wanted]
    assert [(m["value"], m["timestamp"], m["step"]) for m in found] == [
        (value, m.timestamp, m.step) for value, m in zip(told, wanted, strict=True)
    ]
    assert {m["key"] for m in found} == {"m"}
    assert whole(db, "demo", run, "never") == {}
