"""What is brought from another server: with its ids and times, once, and without touching what is here."""

import math

import pytest
from sqlalchemy import Connection

from studio.errors import Conflict, Invalid, NotFound, StudioError
from studio.tracking import experiments, history, loading, logged_models, runs, taking, transfer
from studio.tracking.records import Dataset, DatasetInput, Metric, ModelOutput, Pair
from studio.tracking.transfer import GivenExperiment, GivenModel, GivenRun

RUN, MODEL = "0123456789abcdef" * 2, "m-" + "0123456789abcdef" * 2
POINTS = [Metric("m", math.nan, 1, 0), Metric("m", math.inf, 2, 1), Metric("a/b", -0.5, 3, -3)]


def given(experiment_id: str, **changes: object) -> GivenRun:
    values = {"name": "r", "user_id": "u", "status": "FINISHED", "start_ms": 5, "end_ms": 6, **changes}
    return GivenRun(run_id=RUN, experiment_id=experiment_id, **values)  # type: ignore[arg-type]


@pytest.fixture
def place(db: Connection) -> str:
    """The experiment `e`, brought."""
    made, is_new, stage = transfer.put_experiment(db, "demo", GivenExperiment("e", 11, 12, tags={"k": "v"}))
    assert (is_new, stage) == (True, "active")
    return made


def test_a_run_keeps_id_times_and_values(db: Connection, place: str) -> None:
    transfer.put_model(db, "demo", GivenModel(MODEL, place, "model", "", RUN, 2, 7, 8, {"p": "1"}, {"t": "2"}))
    used = DatasetInput(Dataset("d", "x", "s", "src"), [Pair("mlflow.data.context", "train")])
    whole = given(place, params={"p": "1"}, tags={"t": "2"}, datasets=[used], model_outputs=[ModelOutput(MODEL, 3)])
    assert transfer.put_runs(db, "demo", "ann", [(whole, POINTS)]) == [(True, "")]
    (found,) = taking.page_of_runs(db, "demo", place, 0)
    assert (found.info.run_id, found.info.start_ms, found.info.end_ms, found.info.status) == (RUN, 5, 6, "FINISHED")
    assert (found.info.owner, found.info.user_id) == ("ann", "u")
    assert found.datasets == [used]
    assert found.model_outputs == [ModelOutput(MODEL, 3)]
    values, _ = history.page(db, "demo", RUN, "m")
    assert [(repr(value.value), value.step) for value in values] == [("nan", 0), ("inf", 1)]
    (model,) = taking.page_of_models(db, "demo", place, "")
    assert (model.created_ms, model.updated_ms, model.status) == (7, 8, 2)
    made = experiments.get(db, "demo", place)
    assert made.created_ms == 11
    assert [(tag.key, tag.value) for tag in made.tags] == [("k", "v")]


def test_the_same_again_changes_nothing_and_what_is_here_stays(db: Connection, place: str) -> None:
    first = given(place, params={"p": "1"}, tags={"t": "there"})
    transfer.put_runs(db, "demo", "ann", [(first, POINTS)])
    before = loading.get(db, "demo", RUN)
    assert transfer.put_runs(db, "demo", "bob", [(first, POINTS)]) == [(False, "")]
    assert loading.get(db, "demo", RUN) == before
    more = given(place, params={"p": "1", "q": "2"}, tags={"t": "changed there", "new": "1"})
    transfer.put_runs(db, "demo", "bob", [(more, [Metric("m", 1.0, 9, 9)])])
    after = loading.get(db, "demo", RUN)
    assert {param.key: param.value for param in after.params} == {"p": "1", "q": "2"}
    assert {tag.key: tag.value for tag in after.tags} == {"t": "there", "new": "1"}
    assert transfer.put_experiment(db, "demo", GivenExperiment("e", 99, 99, tags={"k": "x"}))[:2] == (place, False)
    assert experiments.get(db, "demo", place).tags == [Pair("k", "v")]


def test_one_wrong_run_leaves_the_others(db: Connection, place: str) -> None:
    good = given(place)
    wrong = [
        GivenRun("../../etc/passwd", place, "r", "u", "FINISHED", 1, 2),
        GivenRun("b" * 32, place, "r", "u", "EXPLODED", 1, 2),
        GivenRun("c" * 32, place, "r", "u", "FINISHED", 1, 2, params={"../climbs": "1"}),
        GivenRun("d" * 32, "999999", "r", "u", "FINISHED", 1, 2),
    ]
    done = transfer.put_runs(db, "demo", "ann", [(run, []) for run in [*wrong, good]])
    assert [is_new for is_new, _ in done] == [False] * 4 + [True]
    assert all(problem for _, problem in done[:4])
    assert [run.info.run_id for run in taking.page_of_runs(db, "demo", place, 0)] == [RUN]


def test_an_id_of_another_domain_is_refused_and_nothing_of_it_told(db: Connection, place: str) -> None:
    transfer.put_runs(db, "demo", "ann", [(given(place), POINTS)])
    transfer.put_model(db, "demo", GivenModel(MODEL, place, "model", "", "", 2, 7, 8))
    other, _, _ = transfer.put_experiment(db, "other", GivenExperiment("e", 1, 1))
    ((is_new, problem),) = transfer.put_runs(db, "other", "bob", [(given(other), POINTS)])
    assert (is_new, "demo" in problem) == (False, False)
    with pytest.raises(Conflict):
        transfer.put_model(db, "other", GivenModel(MODEL, other, "model", "", "", 2, 7, 8))
    with pytest.raises(NotFound):
        transfer.put_metrics(db, "other", RUN, POINTS)
    transfer.finish(db, "other", {RUN: "digest"}, deleted=[RUN])
    assert runs.info(db, "demo", RUN).stage == "active"
    assert transfer.finished(db, "other", [RUN]) == {}
    for kind, key in (("run", RUN), ("model", MODEL)):
        with pytest.raises(StudioError):
            transfer.place_of(db, "other", kind, key)


def test_what_was_deleted_there_is_deleted_here_at_the_end(db: Connection, place: str) -> None:
    transfer.put_runs(db, "demo", "ann", [(given(place), POINTS)])
    transfer.finish(db, "demo", {RUN: "one"}, deleted=[RUN])
    assert runs.info(db, "demo", RUN).stage == "deleted"
    assert transfer.finished(db, "demo", [RUN, "x"]) == {RUN: "one"}
    ((is_new, problem),) = transfer.put_runs(db, "demo", "ann", [(given(place), POINTS)])
    assert (is_new, "was deleted here" in problem) == (False, True)
    transfer.finish_experiment(db, "demo", place)
    assert experiments.get(db, "demo", place).stage == "deleted"
    transfer.finish_experiment(db, "demo", place)


def test_an_experiment_that_was_here_is_not_deleted_by_a_transfer(db: Connection) -> None:
    own = experiments.create(db, "demo", "own")
    found, is_new, _ = transfer.put_experiment(db, "demo", GivenExperiment("own", 1, 1))
    assert (found, is_new) == (own, False)
    transfer.finish_experiment(db, "demo", own)
    assert experiments.get(db, "demo", own).stage == "active"


def test_experiment_zero_is_the_domains_default(db: Connection) -> None:
    found, is_new, _ = transfer.put_experiment(db, "demo", GivenExperiment("Default", 1, 1, is_default=True))
    assert (found, is_new) == (experiments.ensure_default(db, "demo"), True)
    again, is_new, _ = transfer.put_experiment(db, "demo", GivenExperiment("Renamed", 1, 1, is_default=True))
    assert (again, is_new) == (found, False)


@pytest.mark.parametrize("key", ["m-../../x", "x", "m-", "m-a/b"])
def test_an_id_that_could_be_a_path_is_refused(db: Connection, place: str, key: str) -> None:
    with pytest.raises(Invalid):
        transfer.put_model(db, "demo", GivenModel(key, place, "model", "", "", 2, 7, 8))
    assert logged_models.of_run(db, "demo", "") == []
