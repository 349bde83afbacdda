"""What the benchmarks and pictures are filled with: the same runs in Studio's tables and in a real `mlflow.db`."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from studio.tracking import searching
from tests.benchmarks.seeding import WITH_HISTORY, Shape, fill_mlflow, fill_studio

SHAPE = Shape(runs=70, params=3, metrics=12, points=5)


def test_a_second_filling_adds_only_what_is_missing(engine: Engine) -> None:
    few = Shape(runs=30)
    first = fill_studio(engine, "demo", "e", few)
    with engine.begin() as db:
        before = searching.search(db, "demo", [first]).runs
    assert fill_studio(engine, "demo", "e", few) == first
    assert fill_studio(engine, "demo", "e", Shape(runs=40)) == first
    with engine.begin() as db:
        after = searching.search(db, "demo", [first]).runs
    assert (len(before), len(after)) == (30, 40)
    assert {run.info.run_id for run in before} < {run.info.run_id for run in after}


@pytest.mark.filterwarnings("ignore")
def test_mlflow_reads_the_same_runs(engine: Engine, tmp_path: Path) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    file = tmp_path / "mlflow.db"
    store = SqlAlchemyStore(f"sqlite:///{file}", str(tmp_path / "artifacts"))
    try:
        ours, theirs = fill_studio(engine, "demo", "e", SHAPE), fill_mlflow(file, "e", SHAPE)
        assert fill_mlflow(file, "e", SHAPE) == theirs
        found = list(store.search_runs([theirs], "", 1, max_results=100))
        with engine.begin() as db:
            runs = searching.search(db, "demo", [ours]).runs
        assert len(runs) == SHAPE.runs
        assert [run.info.run_id for run in found] == [run.info.run_id for run in runs]
        for their, our in zip(found, runs, strict=True):
            assert (their.info.status, their.info.end_time) == (our.info.status, our.info.end_ms)
            assert their.data.params == {pair.key: pair.value for pair in our.params}
            assert their.data.tags == {pair.key: pair.value for pair in our.tags}
            assert {key: repr(value) for key, value in their.data.metrics.items()} == {
                metric.key: repr(metric.value) for metric in our.metrics
            }
        long = [
            run.info.run_id for run in found if len(store.get_metric_history(run.info.run_id, "auc")) > SHAPE.points
        ]
        assert len(long) == -(-SHAPE.runs // WITH_HISTORY)
    finally:
        store._dispose_engine()
