"""The same rows in Studio's tables and in MLflow's own store give the same runs for every filter and order, or both
refuse it. Where Studio takes more than MLflow, `is_more` says what."""

import random
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from studio.errors import Invalid
from studio.store.tables import tracking as t
from studio.tracking import experiments, inputs, searching
from studio.tracking.records import Dataset, DatasetInput, Pair
from tests.benchmarks.seeding import Made, write, write_mlflow
from tests.databases import make_engine
from tests.unit.tracking.filter_pieces import Language

pytestmark = pytest.mark.filterwarnings("ignore")
NAN = float("nan")
KEYS = ("a", "b", "x y", "p.q", "'a'", "ä")
TEXTS = ("x", "X", "xy", "", "a_c", "abc", "it's", "it''s", "it\\'s", "ä", '"q"', "1", "b\\c")
START = 1_790_000_000_000
RUNS = Language(
    attributes=(
        "run_id", "attributes.run_id", "run_name", "`Run name`", '"Run Name"', "attr.run_name", "run.status", "status",
        "user_id", "artifact_uri", "start_time", "created", "attribute.Created", "end_time", "experiment_id",
        "`status`",
    ),
    entities=(
        "metrics", "metric", "params", "param", "parameters", "parameter", "tags", "tag", "`params`", "Params",
        "dataset",
    ),
    keys=(
        "a", "b", "`x y`", '"x y"', "'x y'", "p.q", "`p.q`", '"`a`"', "`'a'`", "ä", "nothing", "name", "digest",
        "context",
    ),
    values=("'FAILED'", "'ada'", "'%artifacts'", "'train'", "'d%'"),
    numbers=("1790000000000", "1790000000003.5", "0.25"),
    numeric=("start_time", "created", "Created", "end_time"),
)  # fmt: skip
ORDERS = (
    "metrics.a", "metrics.`x y` DESC", "metric.b asc", "params.a DESC", "param.\"x y\"", "tags.a", "tag.p.q desc",
    "start_time", "created DESC", "attributes.end_time desc", "end_time", "run_name DESC", "run_id", "status",
    "user_id ASC", "attribute.artifact_uri", "nothing", "dataset.name", "metrics.a DOWN", "metrics.a DESC, run_id", "",
    "foo.bar", "1",
)  # fmt: skip


def made() -> list[Made]:
    """Runs with all that is odd."""
    r = random.Random(3)
    found = []
    for n in range(40):
        values = {key: r.choice((0.0, 0.5, -0.5, 1.0, 2.0, 1000.0, NAN)) for key in KEYS if r.random() < 0.6}
        metrics = [
            (key, 0, START, 0.0 if value != value else value, value != value, None, None)
            for key, value in values.items()
        ]
        params = [(key, r.choice(TEXTS)) for key in KEYS if r.random() < 0.6]
        tags = [(key, r.choice(TEXTS)) for key in KEYS if r.random() < 0.6]
        name = r.choice(TEXTS[:3])
        found.append(
            Made(
                f"{n:02}{r.getrandbits(120):030x}", name, r.choice(("ada", "x")), r.choice(("FAILED", "RUNNING")),
                START + r.randrange(8), r.choice((None, START + 5, START + 9)), params,
                [*tags, ("mlflow.runName", name)], metrics, [],
            )
        )  # fmt: skip
    return found


class Both:
    """Two stores that hold the same."""

    def __init__(self, engine: Engine, store: Any, experiments: dict[str, str], run_ids: list[str]) -> None:
        self.engine = engine
        self.store = store
        self.experiments = experiments  # ours → theirs
        self.run_ids = run_ids

    def theirs(self, text: str, order: list[str], view: str = "ACTIVE_ONLY", size: int = 1000) -> list[str] | None:
        """Run ids, or none if it was refused."""
        from mlflow.entities import ViewType
        from mlflow.exceptions import MlflowException

        try:
            ids, token = [], None
            while True:
                page = self.store.search_runs(
                    list(self.experiments.values()), text, ViewType.from_string(view.lower()), size, order, token
                )
                ids += [run.info.run_id for run in page]
                token = page.token
                if not token:
                    return ids
        except (MlflowException, AttributeError, TypeError, ValueError):
            return None

    def ours(self, text: str, order: list[str], view: str = "ACTIVE_ONLY", size: int = 1000) -> list[str] | None:
        """The same of Studio."""
        try:
            ids, token = [], None
            with self.engine.connect() as db:
                while True:
                    page = searching.search(
                        db, "demo", list(self.experiments), filter_text=text, view=view, max_results=size,
                        order_by=order, page_token=token,
                    )  # fmt: skip
                    ids += [run.info.run_id for run in page.runs]
                    token = page.token
                    if token is None:
                        return ids
        except Invalid:
            return None


def is_more(text: str) -> bool:
    """What MLflow refuses and Studio takes: blank filters, keys with /, : and - without quotes, exponents with +, and
    more white space in IS NOT NULL."""
    return not text.strip() or bool(re.search(r"\.\w+[-/:@]|\de\+|is\s\s|not\s\s|is\snot\n", text, re.IGNORECASE))


@pytest.fixture(scope="module")
def both(database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    from mlflow.entities import Dataset as TheirDataset
    from mlflow.entities import DatasetInput as TheirInput
    from mlflow.entities import InputTag
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    folder = tmp_path_factory.mktemp("both")
    url = f"sqlite:///{folder}/studio.db"
    if database == "postgresql":
        url = request.getfixturevalue("postgres").url("filters_mlflow", template="schema")
    engine = make_engine(url)
    store = SqlAlchemyStore(f"sqlite:///{folder}/mlflow.db", str(folder / "artifacts"))
    rows = made()
    numbers = {}
    with closing(sqlite3.connect(folder / "mlflow.db")) as their_db:
        for name, some in (("one", rows[:25]), ("two", rows[25:])):
            theirs = store.create_experiment(name)
            with engine.begin() as db:
                number = experiments.create(db, "demo", name)
                write(db, "demo", int(number), some)
            numbers[number] = theirs
            write_mlflow(their_db, int(theirs), some)
            their_db.commit()
    gone = [row.run_id for row in rows[::9]]
    for n, row in enumerate(rows):
        if n % 3 == 0 and row.run_id not in gone:
            used, context = Dataset("x" if n % 2 else "da", f"d{n % 4}", "local", "{}"), "train" if n % 2 else "x"
            with engine.begin() as db:
                inputs.log_inputs(
                    db, "demo", row.run_id, [DatasetInput(used, [Pair("mlflow.data.context", context)])], []
                )
            dataset = TheirDataset(used.name, used.digest, "local", "{}")
            store.log_inputs(row.run_id, [TheirInput(dataset, [InputTag("mlflow.data.context", context)])])
    with engine.begin() as db, closing(sqlite3.connect(folder / "mlflow.db")) as their_db:
        db.execute(update(t.runs).where(t.runs.c.run_id.in_(gone)).values(stage="deleted"))
        marks = ",".join("?" * len(gone))
        their_db.execute(f"UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid IN ({marks})", gone)
        db.execute(update(t.runs).values(artifact_uri=t.runs.c.run_id))
        their_db.execute("UPDATE runs SET artifact_uri = run_uuid")
        their_db.commit()
    yield Both(engine, store, numbers, [row.run_id for row in rows])
    engine.dispose()
    store._dispose_engine()


def check(both: Both, text: str, order: list[str], **options: Any) -> None:
    theirs, ours = both.theirs(text, order, **options), both.ours(text, order, **options)
    if theirs is None and ours is not None and is_more(text):
        return
    assert ours == theirs


CALM = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


@CALM
@given(text=RUNS.filters())
def test_filters_find_the_same_runs(both: Both, text: str) -> None:
    check(both, text, [])


# The same examples each time: MLflow has its odd ends, such as leaving out a word before a name that IS NULL.
@settings(CALM, derandomize=True)
@given(text=RUNS.broken())
def test_what_mlflow_refuses_is_refused(both: Both, text: str) -> None:
    check(both, text, [])


@CALM
@given(
    order=st.lists(st.sampled_from(ORDERS), max_size=3),
    text=st.sampled_from(["", "metrics.a > 0", "params.a LIKE 'x%' AND tags.b IS NULL"]),
    view=st.sampled_from(sorted(searching.STAGES)),
    size=st.sampled_from([3, 1000]),
)
def test_orders_are_the_same(both: Both, order: list[str], text: str, view: str, size: int) -> None:
    check(both, text, order, view=view, size=size)


def test_lists_of_run_ids(both: Both) -> None:
    some = both.run_ids[3:7]
    for text in (
        f"run_id IN {tuple(some)}",
        f"attributes.run_id NOT IN ('{some[0]}')",
        f"run_id IN ('{some[1]}', 'x')",
    ):
        assert both.ours(text, []) is not None
        check(both, text, [])


def test_every_run_is_the_same_in_both(both: Both) -> None:
    with both.engine.connect() as db:
        assert sorted(db.execute(select(t.runs.c.run_id)).scalars()) == sorted(both.theirs("", [], view="ALL") or [])
