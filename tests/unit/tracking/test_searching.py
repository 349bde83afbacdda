"""Searching runs: whatever way a search takes, it gives what sorting all runs here would, page after page."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, update

from studio.errors import Invalid
from studio.store.tables import tracking as t
from studio.tracking import batches, experiments, pages, plans, runs, searching
from studio.tracking.records import Metric, Pair

NAN, INF = float("nan"), float("inf")
VALUES = (0.0, 0.5, 0.5, -1.0, 2.0, INF, -INF, NAN, None)
ORDERS: list[list[str]] = [
    [],
    ["start_time ASC"],
    ["metrics.m DESC"],
    ["metrics.m ASC"],
    ["metrics.never ASC"],
    ["metrics.m DESC", "params.p ASC"],
    ["start_time DESC", "metrics.m ASC"],
    ["params.p DESC", "metrics.m ASC"],
    ["tags.t ASC"],
    ["attributes.end_time DESC"],
    ["run_name ASC", "created ASC"],
]
FILTERS: dict[str, Any] = {
    "": lambda run: True,
    "metrics.m >= 0.5": lambda run: run["m"] is not None and run["m"] >= 0.5,
    "metrics.n > 0 AND params.p = 'x'": lambda run: (run["n"] or 0) > 0 and run["p"] == "x",
    "tags.t = 'u' AND metrics.m != 2": lambda run: run["t"] == "u" and run["m"] is not None and run["m"] != 2,
    "params.p = 'rare'": lambda run: run["p"] == "rare",
    "params.p = 'nobody has this'": lambda run: False,
    "status = 'FAILED'": lambda run: run["status"] == "FAILED",
    "start_time > 1790000000014 AND end_time < 6.5": lambda run: run["start"] % 100 > 14 and (run["end"] or 9) < 7,
}
STEPS = [(500, (1000, 15_000)), (3, (4, 9)), (0, (1, 2))]


def fill(db: Connection, count: int = 60) -> tuple[list[str], list[dict[str, Any]]]:
    """Two experiments and their runs, with everything that is odd."""
    r = random.Random(7)
    made = [experiments.create(db, "demo", name) for name in ("e", "f")]
    rows = []
    for n in range(count):
        row = {
            "experiment": made[n % 3 == 0], "start": 1_790_000_000_000 + r.randrange(30),
            "m": r.choice(VALUES), "n": r.choice(VALUES),
            "p": "rare" if n == 50 else r.choice(("x", "y", None)), "t": r.choice(("u", None)), "name": f"r{n % 7}",
            "status": r.choice(("FAILED", "FINISHED", "FINISHED")), "end": r.choice((5, 6, 7, None)),
            "stage": "deleted" if n % 11 == 0 else "active",
        }  # fmt: skip
        run = runs.create(db, "demo", row["experiment"], owner="ann", start_ms=row["start"], name=row["name"])
        row["id"] = run.info.run_id
        metrics = [Metric(key, row[key], 1, 0) for key in ("m", "n") if row[key] is not None]
        params = [Pair("p", row["p"])] if row["p"] else []
        batches.log(db, "demo", row["id"], metrics, params, [Pair("t", row["t"])] if row["t"] else [])
        runs.change(db, "demo", row["id"], status=row["status"], end_ms=row["end"])
        rows.append(row)
    gone = [row["id"] for row in rows if row["stage"] == "deleted"]
    db.execute(update(t.runs).where(t.runs.c.run_id.in_(gone)).values(stage="deleted"))
    return made, rows


def ordered(rows: list[dict[str, Any]], order: list[str]) -> list[str]:
    """The ids in MLflow's order: nulls last, NaN before them, newest first where there is a choice."""
    names = {"metrics.m": "m", "metrics.never": "never", "params.p": "p", "tags.t": "t", "run_name": "name"}
    names |= {"start_time": "start", "created": "start", "attributes.end_time": "end"}
    rows = sorted(rows, key=lambda row: (-row["start"], row["id"]))
    for term in reversed(order):
        key, _, way = term.partition(" ")
        found = {row["id"]: row.get(names[key]) for row in rows}
        known = [row for row in rows if found[row["id"]] is not None and found[row["id"]] == found[row["id"]]]
        known.sort(key=lambda row: row[names[key]], reverse=way == "DESC")
        nans = [row for row in rows if found[row["id"]] is not None and found[row["id"]] != found[row["id"]]]
        rows = known + nans + [row for row in rows if found[row["id"]] is None]
    return [row["id"] for row in rows]


def paged(db: Connection, wanted: list[str], size: int, **options: Any) -> Iterator[str]:
    """All ids of a search, page by page."""
    token = None
    while True:
        page = searching.search(db, "demo", wanted, max_results=size, page_token=token, **options)
        assert len(page.runs) == size or page.token is None
        yield from (run.info.run_id for run in page.runs)
        token = page.token
        if token is None:
            return


@pytest.mark.parametrize(("few", "distances"), STEPS)
@pytest.mark.parametrize("order", ORDERS, ids=lambda order: ", ".join(order) or "newest")
def test_every_way_of_a_search_gives_the_same_pages(
    db: Connection, monkeypatch: pytest.MonkeyPatch, order: list[str], few: int, distances: tuple[int, ...]
) -> None:
    # So that walks end early, and comparisons count as selective, among few runs too.
    monkeypatch.setattr(plans, "FEW", few)
    monkeypatch.setattr(plans, "DISTANCES", distances)
    made, rows = fill(db)
    for text, is_meant in FILTERS.items():
        for wanted in (made[:1], made):
            for view in ("ACTIVE_ONLY", "ALL"):
                stages = searching.STAGES[view]
                expected = [
                    row for row in rows if row["experiment"] in wanted and row["stage"] in stages and is_meant(row)
                ]
                found = list(paged(db, wanted, 9, filter_text=text, view=view, order_by=order))
                assert found == ordered(expected, order), (text, view)
                assert searching.count(db, "demo", wanted, text, view) == len(expected)


def test_pages_stay_right_while_runs_are_added(db: Connection) -> None:
    made, _ = fill(db)
    for order in ([], ["metrics.m DESC"], ["params.p ASC"]):
        before = list(paged(db, made, 200, order_by=order))
        found: list[str] = []
        for run_id in paged(db, made, 5, order_by=order):
            found.append(run_id)
            if len(found) % 5 == 3:
                new = runs.create(db, "demo", made[0], owner="ann", start_ms=1_790_000_000_000 + len(found))
                batches.log(db, "demo", new.info.run_id, [Metric("m", 0.5, 1, 0)], [Pair("p", "x")], [])
        assert [run_id for run_id in found if run_id in before] == before


def test_other_domains_are_not_searched(engine: Engine) -> None:
    with engine.begin() as db:
        made, _ = fill(db, 10)
        assert searching.search(db, "other", made).runs == []
        assert searching.count(db, "other", made, "", "ALL") == 0
        assert searching.search(db, "demo", ["99"]).runs == []


@pytest.mark.parametrize("values", [[], ["x"], [5, 0.0, 1, "r"], [0, 0.0, 1], [0, [], 1, "r"], [0, 2**70, 1, "r"]])
def test_a_token_that_was_made_up_is_refused(db: Connection, values: list[Any]) -> None:
    made, _ = fill(db, 10)
    mark = ["demo", sorted(made), "", "ACTIVE_ONLY", ["metrics.m DESC"]]
    with pytest.raises(Invalid):
        searching.search(db, "demo", made, order_by=["metrics.m DESC"], page_token=pages.encode(mark, values))
