"""The hot searches go through their indexes, with three runs as with a thousand, with and without statistics."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from studio.store import statements
from studio.tracking import plans, searching
from tests.benchmarks.seeding import Shape, fill_studio
from tests.databases import make_engine

NEWEST, ORDER = "ix_runs_newest", "ix_latest_metrics_order"
# Search → what its statements read, in this order, as EXPLAIN QUERY PLAN of SQLite says it.
HOT: dict[str, tuple[dict[str, Any], list[str]]] = {
    "newest": ({}, [f"SEARCH runs USING COVERING INDEX {NEWEST} (experiment=? AND stage=?)"]),
    "by a metric": (
        {"order_by": ["metrics.auc DESC"]},
        [
            f"SEARCH ordered USING COVERING INDEX {ORDER} (experiment=? AND key=? AND is_nan=?)",
            "SEARCH runs USING INTEGER PRIMARY KEY (rowid=?)",
            "USE TEMP B-TREE FOR RIGHT PART OF ORDER BY",
        ],
    ),
    "filter and order": (
        {"order_by": ["metrics.auc DESC"], "filter_text": "metrics.loss > 0.1 AND params.depth != '3'"},
        [
            f"SEARCH ordered USING COVERING INDEX {ORDER} (experiment=? AND key=? AND is_nan=?)",
            "SEARCH metric_0 USING PRIMARY KEY (run=? AND key=?)",
            "SEARCH pair_1 USING PRIMARY KEY (run=? AND key=?)",
            "SEARCH runs USING INTEGER PRIMARY KEY (rowid=?)",
            "USE TEMP B-TREE FOR RIGHT PART OF ORDER BY",
        ],
    ),
    "the sorted metric is filtered": (
        {"order_by": ["metrics.auc ASC"], "filter_text": "metrics.auc > 0.1"},
        [
            f"SEARCH ordered USING COVERING INDEX {ORDER} (experiment=? AND key=? AND is_nan=? AND value>?)",
            "SEARCH runs USING INTEGER PRIMARY KEY (rowid=?)",
            "USE TEMP B-TREE FOR RIGHT PART OF ORDER BY",
        ],
    ),
    "few runs have a param": (
        {"order_by": ["metrics.auc DESC"], "filter_text": "params.seed = '7'"},
        [
            "SEARCH runs USING INTEGER PRIMARY KEY (rowid=?)",
            "SEARCH posting_0 USING COVERING INDEX ix_params_value (key=? AND value=?)",
            "SEARCH by0 USING PRIMARY KEY (run=? AND key=?) LEFT-JOIN",
            "USE TEMP B-TREE FOR ORDER BY",
        ],
    ),
    "few runs have a tag": (
        {"filter_text": "tags.note = 'to be repeated'"},
        [
            "SEARCH runs USING INTEGER PRIMARY KEY (rowid=?)",
            "SEARCH posting_0 USING COVERING INDEX ix_tags_value (key=? AND value=?)",
            "USE TEMP B-TREE FOR ORDER BY",
        ],
    ),
    "few runs have such a metric": (
        {"filter_text": "metrics.loss > 0.97"},
        [
            "SEARCH runs USING INTEGER PRIMARY KEY (rowid=?)",
            f"SEARCH posting_0 USING COVERING INDEX {ORDER} (experiment=? AND key=? AND is_nan=? AND value>?)",
            "USE TEMP B-TREE FOR ORDER BY",
        ],
    ),
}


@pytest.fixture(scope="module", params=[(3, False), (1000, False), (1000, True)], ids=["few", "many", "statistics"])
def filled(request: pytest.FixtureRequest) -> Iterator[tuple[Engine, str]]:
    """A database with an experiment of so many runs and another beside it; whether SQLite knows how many."""
    runs, is_analyzed = request.param
    engine = make_engine("sqlite://")
    fill_studio(engine, "demo", "other", Shape(30))
    experiment = fill_studio(engine, "demo", "e", Shape(runs))
    if is_analyzed:
        with engine.begin() as db:
            db.execute(text("ANALYZE"))
    yield engine, experiment
    engine.dispose()


def explained(db: Connection, monkeypatch: pytest.MonkeyPatch, experiment: str, wanted: dict[str, Any]) -> list[str]:
    """What the last statement that looked for runs reads."""
    said: list[list[str]] = []
    execute = statements._execute

    def explaining(db: Connection, shape: Any, values: Any, build: Any) -> Any:
        cursor = execute(db, shape, values, build)
        if shape[0] in ("walked", "sorted"):
            known = statements._known["sqlite", shape]
            given = {**known.fixed, **values}
            plan = db.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {known.text}", tuple(given[name] for name in known.order or ())
            )
            said.append([row[3] for row in plan if not re.match(r"(CORRELATED|LIST)", row[3])])
        return cursor

    monkeypatch.setattr(statements, "_execute", explaining)
    searching.search(db, "demo", [experiment], max_results=2, **wanted)
    return said[0]


@pytest.mark.parametrize("name", HOT)
def test_a_hot_search_uses_its_index(filled: tuple[Engine, str], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    engine, experiment = filled
    wanted, expected = HOT[name]
    if not name.startswith("few"):
        monkeypatch.setattr(plans, "FEW", 0)  # walk, however few there are
    with engine.begin() as db:
        assert explained(db, monkeypatch, experiment, wanted) == expected
