"""Experiments, registered models, versions and logged models: the same rows in Studio and in MLflow's own stores give
the same ones for every filter and order, or both refuse it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from studio.errors import Invalid
from studio.registry import searching
from studio.store.tables import registry as r
from studio.store.tables import tracking as t
from studio.tracking import listing
from tests.databases import make_engine
from tests.unit.tracking.filter_pieces import VALUES, Language

pytestmark = pytest.mark.filterwarnings("ignore")
START = 1_790_000_000_000
NAMES = ("x", "xy", "X", "a_c", "abc", "it's", "ä")
TEXTS = ("x", "", "xy", "X")
TAGS = (
    {"a": "x", "b": "1"},
    {"a": "X"},
    {},
    {"a": "it's", "p.q": "xy"},
    {"x y": "a_c"},
    {"a": "abc", "b": "x"},
    {"b": ""},
)
ENTITIES = ("tags", "tag", "attribute")
EXPERIMENTS = Language(
    ("name", "attribute.name", "`name`", "experiment_id", "creation_time", "last_update_time", "stage"),
    ENTITIES, values=("'2'", "'3'"), numbers=(str(START + 2), "1790000000002.5"),
    numeric=("creation_time", "last_update_time"), lower=False,
)  # fmt: skip
MODELS = Language(("name", "attribute.name", "creation_timestamp", "description"), ENTITIES)
VERSIONS = Language(
    ("name", "attribute.name", "version_number", "run_id", "source_path", "status"),
    ENTITIES, values=("'r1'", "'models:/%'", "'2'"), numeric=("version_number",),
)  # fmt: skip
# There MLflow takes double quotes for a part of the value.
LOGGED = Language(
    ("name", "attributes.name", "model_type", "creation_timestamp", "last_updated_timestamp_ms", "source_run_id"),
    ("tags", "params", "metrics"), keys=("a", "b", "`x y`", "p.q", "nothing"),
    texts=[value for value in VALUES if value[0] == "'"], numbers=(str(START + 2),),
    numeric=("creation_timestamp", "last_updated_timestamp_ms"),
)  # fmt: skip


@dataclass
class Both:
    """Two searches over the same things: (filter, order) → names in order; `Invalid` or any error: refused."""

    ours: Callable[[str, Any], list[str]]
    theirs: Callable[[str, Any], list[str]]

    def check(self, text: str, order: Any) -> None:
        found: list[list[str] | None] = []
        for search, errors in ((self.ours, Invalid), (self.theirs, Exception)):
            try:
                found.append(search(text, order))
            except errors:
                found.append(None)
        assert found[0] == found[1], (text, order)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Both]]:
    from mlflow.entities import ViewType
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    folder = tmp_path_factory.mktemp("both")
    url = f"sqlite:///{folder}/mlflow.db"
    tracking, registry = SqlAlchemyStore(url, str(folder / "artifacts")), Registry(url)
    engine = make_engine(f"sqlite:///{folder}/studio.db")
    with engine.begin() as db, closing(sqlite3.connect(folder / "mlflow.db")) as their_db:
        for fill in (_experiments, _models, _versions, _logged):
            fill(db, their_db)
        their_db.commit()

    def read(search: Any, *given: Any, **wanted: Any) -> Any:
        with engine.connect() as db:
            return search(db, "demo", *given, **wanted)[0]

    def our_logged(text: str, order: Any) -> list[str]:
        sorts = [(name, ascending, "", "") for name, ascending in order]
        return [m.name for m in read(listing.search_logged_models, ["1"], filter_text=text, order_by=sorts)]

    def their_logged(text: str, order: Any) -> list[str]:
        sorts = [{"field_name": name, "ascending": ascending} for name, ascending in order]
        return [m.name for m in tracking.search_logged_models(["1"], text, order_by=sorts)]

    def our_versions(text: str, order: Any) -> list[str]:
        return [f"{v.name} {v.version}" for v in read(searching.search_versions, filter_text=text, order_by=order)]

    yield {
        "experiments": Both(
            lambda text, order: [e.name for e in read(listing.search_experiments, filter_text=text, order_by=order)],
            lambda text, order: [e.name for e in tracking.search_experiments(ViewType.ACTIVE_ONLY, 999, text, order)],
        ),
        "models": Both(
            lambda text, order: [m.name for m in read(searching.search_models, filter_text=text, order_by=order)],
            lambda text, order: [m.name for m in registry.search_registered_models(text, 100, order)],
        ),
        "versions": Both(
            our_versions,
            lambda text, order: [f"{v.name} {v.version}" for v in registry.search_model_versions(text, 100, order)],
        ),
        "logged": Both(our_logged, their_logged),
    }
    engine.dispose()
    tracking._dispose_engine()
    registry._dispose_engine()


def _experiments(db: Connection, theirs: sqlite3.Connection) -> None:
    theirs.execute("DELETE FROM experiments")
    for n, (name, tags) in enumerate(zip(NAMES, TAGS, strict=True), 1):
        times = START + n % 4, START + n % 3
        values = {"id": n, "name": name, "created_ms": times[0], "updated_ms": times[1]}
        db.execute(
            insert(t.experiments).values(
                **values, domain="demo", artifact_location="x", stage="active", is_default=False
            )
        )
        _insert(theirs, "experiments", experiment_id=n, name=name, artifact_location="x", lifecycle_stage="active",
                creation_time=times[0], last_update_time=times[1], workspace="default")  # fmt: skip
        for key, value in tags.items():
            db.execute(insert(t.experiment_tags).values(experiment=n, key=key, value=value))
            _insert(theirs, "experiment_tags", experiment_id=n, key=key, value=value)


def _models(db: Connection, theirs: sqlite3.Connection) -> None:
    for n, (name, tags) in enumerate(zip(NAMES, TAGS, strict=True), 1):
        times = {"created_ms": START + n, "updated_ms": START + n % 3}
        db.execute(
            insert(r.registered_models).values(
                id=n, domain="demo", name=name, owner="ann", description="", last_version=3, **times
            )
        )
        _insert(theirs, "registered_models", name=name, creation_time=START + n, last_updated_time=START + n % 3,
                description="", workspace="default")  # fmt: skip
        for key, value in tags.items():
            db.execute(insert(r.registered_model_tags).values(model=n, key=key, value=value))
            _insert(theirs, "registered_model_tags", name=name, key=key, value=value, workspace="default")


def _versions(db: Connection, theirs: sqlite3.Connection) -> None:
    for n, name in enumerate(NAMES, 1):
        for number in range(1, n % 3 + 2):
            tags = TAGS[(n + number) % len(TAGS)]
            source, run_id = f"models:/{name}{number}", f"r{number % 2}"
            times = START + n + number, START + (n * number) % 4
            db.execute(
                insert(r.model_versions).values(
                    model=n, version=number, description="", owner="ann", stage="None", source=source, location="x",
                    run_id=run_id, run_link="", model_id=None, status="READY", created_ms=times[0], updated_ms=times[1],
                )
            )  # fmt: skip
            _insert(theirs, "model_versions", name=name, version=number, creation_time=times[0],
                    last_updated_time=times[1], current_stage="None", source=source, run_id=run_id, status="READY",
                    description="", workspace="default")  # fmt: skip
            for key, value in tags.items():
                db.execute(insert(r.model_version_tags).values(model=n, version=number, key=key, value=value))
                _insert(theirs, "model_version_tags", name=name, version=number, key=key, value=value,
                        workspace="default")  # fmt: skip


def _logged(db: Connection, theirs: sqlite3.Connection) -> None:
    for n, (name, tags) in enumerate(zip(NAMES, TAGS, strict=True), 1):
        same = {
            "model_id": f"m-{n}",
            "name": name,
            "model_type": TEXTS[n % 4],
            "source_run_id": f"r{n % 2}",
            "status": 2,
        }
        times = START + n % 4, START + n
        db.execute(
            insert(t.logged_models).values(
                domain="demo", experiment=1, artifact_uri="x", stage="active", created_ms=times[0], updated_ms=times[1],
                **same,
            )
        )  # fmt: skip
        _insert(theirs, "logged_models", experiment_id=1, artifact_location="x", lifecycle_stage="active",
                creation_timestamp_ms=times[0], last_updated_timestamp_ms=times[1], **same)  # fmt: skip
        pairs = {"model_id": f"m-{n}"}
        for key, value in tags.items():
            db.execute(insert(t.logged_model_tags).values(**pairs, key=key, value=value))
            db.execute(insert(t.logged_model_params).values(**pairs, key=key, value=value))
            _insert(theirs, "logged_model_tags", **pairs, tag_key=key, tag_value=value, experiment_id=1)
            _insert(theirs, "logged_model_params", **pairs, param_key=key, param_value=value, experiment_id=1)
        for step in range(n % 3):
            value = (0.0, 0.5, -1.0, 2.0)[(n + step) % 4]
            db.execute(
                insert(t.logged_model_metrics).values(
                    **pairs, key="a", ts=5, step=step, run_id="r", value=value, is_nan=False
                )
            )
            _insert(theirs, "logged_model_metrics", **pairs, metric_name="a", metric_timestamp_ms=5, metric_step=step,
                    metric_value=value, experiment_id=1, run_id="r")  # fmt: skip


def _insert(db: sqlite3.Connection, table: str, **values: Any) -> None:
    # What is asked of MLflow is how it searches; its own writing would choose ids and times itself.
    marks = ", ".join("?" * len(values))
    db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values()))


CALM = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
TIMES = (
    "creation_time DESC",
    "last_update_time",
    "name",
    "name DESC",
    "experiment_id ASC",
    "attribute.name asc",
    "foo",
)
OF_MODELS = ("name", "name DESC", "timestamp ASC", "last_updated_timestamp DESC", "foo", "tags.a")
OF_VERSIONS = ("name", "name DESC", "version_number DESC", "creation_timestamp ASC", "last_updated_timestamp", "run_id")
OF_LOGGED = (
    "name",
    "metrics.a",
    "metrics.nothing",
    "creation_timestamp",
    "last_updated_timestamp_ms",
    "params.a",
    "foo",
)


@CALM
@given(text=EXPERIMENTS.filters(), order=st.lists(st.sampled_from(TIMES), max_size=2, unique=True))
def test_experiments(stores: dict[str, Both], text: str, order: list[str]) -> None:
    stores["experiments"].check(text, order)


@CALM
@given(text=MODELS.filters(), order=st.lists(st.sampled_from(OF_MODELS), max_size=2, unique=True))
def test_registered_models(stores: dict[str, Both], text: str, order: list[str]) -> None:
    stores["models"].check(text, order)


@CALM
@given(text=VERSIONS.filters(), order=st.lists(st.sampled_from(OF_VERSIONS), max_size=2, unique=True))
def test_model_versions(stores: dict[str, Both], text: str, order: list[str]) -> None:
    stores["versions"].check(text, order)


@CALM
@given(text=LOGGED.filters(), order=st.lists(st.tuples(st.sampled_from(OF_LOGGED), st.booleans()), max_size=2))
def test_logged_models(stores: dict[str, Both], text: str, order: list[tuple[str, bool]]) -> None:
    stores["logged"].check(text, order)
