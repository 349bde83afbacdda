"""Fills a home's database, or an `mlflow.db`, with many runs at once: their APIs would take minutes to hours.

`python -m tests.benchmarks.seeding --home HOME --domain demo --runs 100000 [--experiment NAME --params 10 --metrics 10
--points 0]` may run while the product runs on that home. The same arguments give the same runs; what is there already
is not written again.
"""

import argparse
import hashlib
import itertools
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, bindparam, func, select

from studio.domains import domains
from studio.settings import Settings
from studio.store import migrate
from studio.store.engine import open_engine
from studio.store.prepared import Prepared
from studio.store.tables import tracking as t
from studio.tracking import experiments, metrics

CHUNK = 500  # runs in one transaction: a product that runs beside it waits no longer than that
NEWEST_MS = 1_790_000_000_000
APART_MS = 61_000  # between the starts of two runs
WITH_HISTORY = 20  # one run in so many gets `points` values of each metric
_MODELS = ("logistic", "forest", "boosting", "svm", "mlp", "ridge")
_RATES = ("0.3", "0.1", "0.03", "0.01", "0.003", "0.001")
_USERS = ("ada", "grace", "alan", "edsger")
_PARAMS: dict[str, Callable[[random.Random], str]] = {
    "model": lambda r: r.choice(_MODELS),
    "depth": lambda r: str(r.randrange(2, 13)),
    "learning_rate": lambda r: r.choice(_RATES),
    "seed": lambda r: str(r.randrange(100)),
    "n_estimators": lambda r: str(50 * r.randrange(1, 21)),
    "subsample": lambda r: f"0.{r.randrange(5, 10)}",
    "l2": lambda r: f"{r.random():.6f}",
    "optimizer": lambda r: r.choice(("adam", "sgd", "lbfgs")),
    "batch_size": lambda r: str(2 ** r.randrange(4, 11)),
    "features": lambda r: r.choice(("all", "numeric", "selected")),
}
_METRICS = ("auc", "loss", "accuracy", "f1", "precision", "recall", "log_loss", "rmse", "mcc", "fit_seconds")


@dataclass(slots=True)
class Made:
    """A run to be written; a metric is (key, step, ts, value, is_nan, low, high), a point (key, step, ts, value)."""

    run_id: str
    name: str
    user: str
    status: str
    start_ms: int
    end_ms: int | None
    params: list[tuple[str, str]]
    tags: list[tuple[str, str]]
    metrics: list[tuple[str, int, int, float, bool, float | None, float | None]]
    points: list[tuple[str, int, int, float]]


@dataclass(frozen=True, slots=True)
class Shape:
    """What is made: `points` earlier values of each metric, for one run in WITH_HISTORY."""

    runs: int
    params: int = 10
    metrics: int = 10
    points: int = 0
    seed: str = ""  # runs in two domains must not have the same ids


def made(name: str, shape: Shape, first: int = 0) -> Iterator[Made]:
    """The runs of the experiment `name` from number `first`, oldest first."""
    for n in range(first, shape.runs):
        r = random.Random(f"{shape.seed}/{name}/{n}")
        start = NEWEST_MS - (shape.runs - n) * APART_MS + r.randrange(APART_MS)
        fate = r.random()
        status = "FAILED" if fate < 0.03 else "RUNNING" if fate > 0.99 else "FINISHED"
        end = None if status == "RUNNING" else start + r.randrange(1000, 900_000)
        run_id = hashlib.sha256(f"{shape.seed}/{name}/{n}".encode()).hexdigest()[:32]
        points: list[tuple[str, int, int, float]] = []
        values = []
        for key in _names(_METRICS, shape.metrics, "metric"):
            value = 600 * r.random() ** 2 if key == "fit_seconds" else r.betavariate(5, 3)
            is_nan = status == "FAILED" and r.random() < 0.5
            history = _curve(r, key, value, shape.points, start) if n % WITH_HISTORY == 0 else []
            points += history
            seen = [point[3] for point in history] + ([] if is_nan else [value])
            low, high = (min(seen), max(seen)) if seen else (None, None)
            values.append((key, shape.points, start + 900, 0.0 if is_nan else value, is_nan, low, high))
        user, label = r.choice(_USERS), f"{r.choice(_MODELS)}-{n}"
        params = [
            (key, _PARAMS[key](r) if key in _PARAMS else str(r.randrange(1000)))
            for key in _names(tuple(_PARAMS), shape.params, "param")
        ]
        tags = [("mlflow.runName", label), ("mlflow.user", user), ("team", r.choice(("red", "blue")))]
        tags += [("note", "to be repeated")] if n % 50 == 0 else []
        yield Made(run_id, label, user, status, start, end, params, tags, values, points)


def fill_studio(engine: Engine, domain: str, name: str, shape: Shape) -> str:
    """The id of the experiment `name` of `domain`, which has at least those runs afterwards."""
    with engine.begin() as db:
        known = select(t.experiments.c.id).where(t.experiments.c.domain == domain, t.experiments.c.name == name)
        number = db.execute(known).scalar()
        there = db.execute(select(func.count()).where(t.runs.c.experiment == number)).scalar_one()
    if number is None:
        with engine.begin() as db:
            number = int(experiments.create(db, domain, name))
    for chunk in _chunks(made(name, shape, there)):
        with engine.begin() as db:
            write(db, domain, number, chunk)
    return str(number)


def fill_mlflow(file: Path, name: str, shape: Shape) -> str:
    """The same runs in the database of a real MLflow 3.17 (its server or store has made the tables); experiment id."""
    with closing(sqlite3.connect(file, timeout=30)) as db:
        row = db.execute("SELECT experiment_id FROM experiments WHERE name = ?", (name,)).fetchone()
        if row is not None:
            return str(row[0])
        (number,) = db.execute(
            "INSERT INTO experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time)"
            " VALUES (?, ?, 'active', ?, ?) RETURNING experiment_id",
            (name, "mlflow-artifacts:/seeded", NEWEST_MS, NEWEST_MS),
        ).fetchone()
        for chunk in _chunks(made(name, shape)):
            write_mlflow(db, number, chunk)
        db.commit()
        return str(number)


def _names(known: Sequence[str], count: int, other: str) -> list[str]:
    return [*known[:count], *(f"{other}_{n}" for n in range(len(known), count))]


def _curve(r: random.Random, key: str, last: float, points: int, start: int) -> list[tuple[str, int, int, float]]:
    """Values that come nearer to `last`, with noise that fades."""
    curve = []
    for step in range(points):
        left = 1 - step / points
        curve.append((key, step, start + step * 9, last + (1 - last) * left**3 + r.gauss(0, 0.02) * left))
    return curve


def _chunks(runs: Iterator[Made]) -> Iterator[list[Made]]:
    while chunk := list(itertools.islice(runs, CHUNK)):
        yield chunk


def _inserting(table: Table, *names: str) -> Prepared:
    return Prepared(lambda insert: insert(table).values({name: bindparam(name) for name in names}), names)


_RUNS = _inserting(
    t.runs, "run_id", "domain", "experiment", "name", "user_id", "owner", "status", "start_ms", "end_ms", "stage",
    "artifact_uri",
)  # fmt: skip
_LATEST = _inserting(t.latest_metrics, "run", "key", "experiment", "value", "is_nan", "step", "ts", "low", "high")
_METRIC_ROWS = _inserting(t.metrics, "run", "key", "step", "ts", "value", "is_nan")
_PARAM_ROWS = _inserting(t.params, "run", "key", "value")
_TAG_ROWS = _inserting(t.tags, "run", "key", "value")


def write(db: Connection, domain: str, number: int, chunk: list[Made]) -> None:
    """Writes runs into the experiment `number` of `domain`, in one transaction."""
    # A write comes first, so that the transaction waits for its turn instead of losing it to the product.
    place = f"mlflow-artifacts:/{number}"
    _RUNS.many(
        db,
        [
            (m.run_id, domain, number, m.name, m.user, m.user, m.status, m.start_ms, m.end_ms, "active",
             f"{place}/{m.run_id}/artifacts")
            for m in chunk
        ],
    )  # fmt: skip
    rows = db.execute(select(t.runs.c.run_id, t.runs.c.id).where(t.runs.c.run_id.in_([m.run_id for m in chunk])))
    ids = {row.run_id: row.id for row in rows}
    keys = {name: metrics.intern(db, name) for name in {metric[0] for m in chunk for metric in m.metrics}}
    latest: list[tuple[Any, ...]] = []
    values: list[tuple[Any, ...]] = []
    for m in chunk:
        run = ids[m.run_id]
        for key, step, ts, value, is_nan, low, high in m.metrics:
            latest.append((run, keys[key], number, value, is_nan, step, ts, low, high))
            values.append((run, keys[key], step, ts, value, is_nan))
        values += [(run, keys[key], step, ts, value, False) for key, step, ts, value in m.points]
    _LATEST.many(db, latest)
    _METRIC_ROWS.many(db, values)
    _PARAM_ROWS.many(db, [(ids[m.run_id], *pair) for m in chunk for pair in m.params])
    _TAG_ROWS.many(db, [(ids[m.run_id], *pair) for m in chunk for pair in m.tags])


def write_mlflow(db: sqlite3.Connection, number: int, chunk: list[Made]) -> None:
    """Writes runs into the experiment `number` of a real MLflow, without a commit."""
    place = "mlflow-artifacts:/seeded"
    db.executemany(
        "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,"
        " end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)"
        " VALUES (?, ?, 'UNKNOWN', '', '', ?, ?, ?, ?, '', 'active', ?, ?)",
        [
            (m.run_id, m.name, m.user, m.status, m.start_ms, m.end_ms, f"{place}/{m.run_id}/artifacts", number)
            for m in chunk
        ],
    )
    latest = [(m.run_id, *metric[:5]) for m in chunk for metric in m.metrics]
    points = [(m.run_id, *point, False) for m in chunk for point in m.points]
    columns = "(run_uuid, key, step, timestamp, value, is_nan) VALUES (?, ?, ?, ?, ?, ?)"
    db.executemany(f"INSERT INTO latest_metrics {columns}", latest)
    db.executemany(f"INSERT INTO metrics {columns}", latest + points)
    for table in ("params", "tags"):
        rows = [(m.run_id, *pair) for m in chunk for pair in getattr(m, table)]
        db.executemany(f"INSERT INTO {table} (run_uuid, key, value) VALUES (?, ?, ?)", rows)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--domain", default="demo")
    parser.add_argument("--experiment", default="seeded")
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--params", type=int, default=10)
    parser.add_argument("--metrics", type=int, default=10)
    parser.add_argument("--points", type=int, default=0)
    options = parser.parse_args()
    engine = open_engine(Settings(home=options.home).database)
    migrate.upgrade(engine)
    started = time.perf_counter()
    with engine.begin() as db:
        domains.get(db, options.domain)
    shape = Shape(options.runs, options.params, options.metrics, options.points, options.domain)
    number = fill_studio(engine, options.domain, options.experiment, shape)
    engine.dispose()
    print(f"experiment {number} has {options.runs} runs ({time.perf_counter() - started:.1f} s)")


if __name__ == "__main__":
    main()
