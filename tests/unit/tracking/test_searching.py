"""Searching runs: orders, windows, pages."""

import pytest
from sqlalchemy import Connection, Engine

from studio.tracking import searching
from tests.benchmarks.seeding import Shape, fill_studio

ORDERS = [
    [],
    ["metrics.auc DESC"],
    ["metrics.auc ASC"],
    ["params.model ASC", "metrics.loss DESC"],
    ["attributes.end_time DESC"],
    ["tags.note ASC"],
]
FILTERS = ["", "metrics.auc > 0.6", "params.model = 'forest' AND tags.team = 'red'"]


def filled(engine: Engine, runs: int = 150) -> str:
    """The id of an experiment of `demo` with so many runs."""
    fill_studio(engine, "other", "e", Shape(20, seed="other"))
    return fill_studio(engine, "demo", "e", Shape(runs))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("text", FILTERS)
def test_ids_are_those_of_all_pages(engine: Engine, order: list[str], text: str) -> None:
    experiment = filled(engine)
    with engine.begin() as db:
        paged: list[int] = []
        token = None
        while True:
            page = searching.search(
                db, "demo", [experiment], filter_text=text, order_by=order, max_results=17, page_token=token
            )
            paged += [run.info.id for run in page.runs]
            token = page.token
            if token is None:
                break
        assert searching.ids(db, "demo", [experiment], text, order_by=order) == paged
        assert len(set(paged)) == len(paged) == searching.count(db, "demo", [experiment], text, "ACTIVE_ONLY")


def test_a_window_has_the_runs_asked_for_and_only_the_domains_own(engine: Engine) -> None:
    experiment = filled(engine, 30)
    with engine.begin() as db:
        numbers = searching.ids(db, "demo", [experiment], order_by=["metrics.auc DESC"])
        window = searching.rows_of(db, "demo", numbers[5:15])
        whole = searching.search(db, "demo", [experiment], order_by=["metrics.auc DESC"]).runs
        assert window == whole[5:15]
        assert searching.rows_of(db, "other", numbers) == []


def test_ids_of_nothing(db: Connection) -> None:
    assert searching.ids(db, "demo", ["99"]) == []
    assert searching.rows_of(db, "demo", []) == []
