"""MLflow's SQLite database, as 1.x (with metrics that have steps) to 3.x left it; opened for reading only."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from studio.cli.transfer.records import (
    DELETED_VERSION,
    Dataset,
    Experiment,
    Model,
    ModelMetric,
    Output,
    Point,
    Registered,
    Run,
    Version,
)
from studio.errors import Invalid

# What is asked for without looking whether it is there; older databases lack some of it.
NEEDED = {
    "experiments": {"experiment_id", "name", "lifecycle_stage"},
    "runs": {
        "run_uuid",
        "name",
        "status",
        "start_time",
        "end_time",
        "lifecycle_stage",
        "artifact_uri",
        "experiment_id",
    },
    "metrics": {"run_uuid", "key", "value", "timestamp", "step", "is_nan"},
    "params": {"run_uuid", "key", "value"},
    "tags": {"run_uuid", "key", "value"},
}
WORKSPACE = "default"


class Database:
    """A `mlflow.db`."""

    def __init__(self, path: Path) -> None:
        self.problems: list[str] = []
        self.notes: list[str] = []
        parent = path.resolve().parent
        self.roots = [parent, *(parent / name for name in ("mlruns", "mlartifacts") if (parent / name).is_dir())]
        try:
            self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
            self._db.row_factory = sqlite3.Row
            self._db.text_factory = lambda raw: raw.decode(errors="replace")
            self._columns = {name: self._of_table(name) for name in self._tables()}
        except sqlite3.Error as error:
            raise Invalid(
                f"{path} cannot be read as a database: {error}.", "Give a mlruns folder or a mlflow.db."
            ) from error
        self._check(path)

    def experiments(self) -> list[Experiment]:
        """All of the workspace `default`, deleted ones too."""
        where = " WHERE workspace = ?" if "workspace" in self._columns["experiments"] else ""
        if where:
            others = self._rows("SELECT count(*) FROM experiments WHERE workspace != ?", WORKSPACE)[0][0]
            if others:
                self.notes.append(f"{others} experiments of other workspaces than {WORKSPACE!r} are left out.")
        rows = self._rows(f"SELECT * FROM experiments{where} ORDER BY experiment_id", *([WORKSPACE] if where else []))
        return [
            Experiment(
                id=str(row["experiment_id"]),
                name=row["name"],
                created_ms=_get(row, "creation_time") or 0,
                updated_ms=_get(row, "last_update_time") or 0,
                deleted=row["lifecycle_stage"] == "deleted",
                tags=self._pairs("experiment_tags", "experiment_id", row["experiment_id"]),
            )
            for row in rows
        ]

    def count(self, experiment: Experiment) -> int:
        """How many runs it has."""
        return int(self._rows("SELECT count(*) FROM runs WHERE experiment_id = ?", int(experiment.id))[0][0])

    def runs(self, experiment: Experiment) -> Iterator[Run]:
        """Its runs, deleted ones too."""
        for row in self._rows("SELECT * FROM runs WHERE experiment_id = ? ORDER BY start_time", int(experiment.id)):
            run_id = row["run_uuid"]
            tags = self._pairs("tags", "run_uuid", run_id)
            yield Run(
                run_id=run_id,
                name=row["name"] or tags.get("mlflow.runName", ""),
                user_id=_get(row, "user_id") or "",
                status=row["status"] or "RUNNING",
                start_ms=row["start_time"] or 0,
                end_ms=row["end_time"],
                deleted=row["lifecycle_stage"] == "deleted",
                params=self._pairs("params", "run_uuid", run_id),
                tags=tags,
                datasets=self._datasets(run_id),
                model_inputs=[
                    row["destination_id"]
                    for row in self._links("RUN_INPUT", run_id)
                    if row["destination_type"] == "MODEL_INPUT"
                ],
                model_outputs=[
                    Output(row["destination_id"], _get(row, "step") or 0)
                    for row in self._links("RUN_OUTPUT", run_id)
                    if row["destination_type"] == "MODEL_OUTPUT"
                ],
                artifacts=row["artifact_uri"] or "",
            )

    def points(self, experiment: Experiment, run: Run) -> Iterator[Point]:
        """All values of a run's metrics."""
        with closing(self._db.cursor()) as cursor:
            cursor.execute(
                "SELECT key, timestamp, value, step, is_nan FROM metrics WHERE run_uuid = ? ORDER BY 1, 4, 2",
                (run.run_id,),
            )
            for key, ts, value, step, is_nan in cursor:
                yield key, ts, _value(value, bool(is_nan)), step

    def models(self, experiment: Experiment) -> Iterator[Model]:
        """Its logged models."""
        if "logged_models" not in self._columns:
            return
        query = "SELECT * FROM logged_models WHERE experiment_id = ? AND lifecycle_stage = 'active' ORDER BY model_id"
        for row in self._rows(query, int(experiment.id)):
            key = row["model_id"]
            metrics = self._rows("SELECT * FROM logged_model_metrics WHERE model_id = ?", key)
            yield Model(
                model_id=key,
                name=row["name"],
                model_type=row["model_type"] or "",
                source_run_id=row["source_run_id"] or "",
                status=row["status"],
                created_ms=row["creation_timestamp_ms"],
                updated_ms=row["last_updated_timestamp_ms"],
                params=self._pairs("logged_model_params", "model_id", key, "param_key", "param_value"),
                tags=self._pairs("logged_model_tags", "model_id", key, "tag_key", "tag_value"),
                metrics=[
                    ModelMetric(
                        m["metric_name"],
                        m["metric_timestamp_ms"],
                        m["metric_step"],
                        _value(m["metric_value"], m["metric_value"] is None),
                        m["run_id"] or "",
                        m["dataset_name"] or "",
                        m["dataset_digest"] or "",
                    )
                    for m in metrics
                ],
                artifacts=row["artifact_location"],
            )

    def registered(self) -> Iterator[Registered]:
        """The registry."""
        if "registered_models" not in self._columns:
            return
        for row in self._rows(*self._own("registered_models")):
            name = row["name"]
            aliases = self._pairs("registered_model_aliases", "name", name, "alias", "version")
            yield Registered(
                name=name,
                description=row["description"] or "",
                created_ms=row["creation_time"] or 0,
                updated_ms=row["last_updated_time"] or 0,
                tags=self._pairs("registered_model_tags", "name", name),
                aliases={alias: int(version) for alias, version in aliases.items() if version.isdigit()},
                versions=[
                    self._version(name, item)
                    for item in self._rows(*self._own("model_versions", name))
                    if item["current_stage"] != DELETED_VERSION
                ],
            )

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def _version(self, name: str, row: sqlite3.Row) -> Version:
        tags = {}
        if "model_version_tags" in self._columns:
            query, *values = self._own("model_version_tags", name)
            tags = {
                tag["key"]: tag["value"] or "" for tag in self._rows(query, *values) if tag["version"] == row["version"]
            }
        return Version(
            version=row["version"],
            source=row["source"] or "",
            run_id=row["run_id"] or "",
            files=_get(row, "storage_location") or "",
            description=row["description"] or "",
            stage=row["current_stage"] or "None",
            created_ms=row["creation_time"] or 0,
            updated_ms=row["last_updated_time"] or 0,
            tags=tags,
        )

    def _datasets(self, run_id: str) -> list[Dataset]:
        if "inputs" not in self._columns or "datasets" not in self._columns:
            return []
        rows = self._rows(
            "SELECT d.*, i.input_uuid FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id"
            " WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id = ?",
            run_id,
        )
        return [
            Dataset(
                name=row["name"],
                digest=row["digest"],
                source_type=row["dataset_source_type"],
                source=row["dataset_source"],
                schema_text=row["dataset_schema"],
                profile=row["dataset_profile"],
                tags=self._pairs("input_tags", "input_uuid", row["input_uuid"], "name"),
            )
            for row in rows
        ]

    def _links(self, kind: str, run_id: str) -> list[sqlite3.Row]:
        if "inputs" not in self._columns:
            return []
        return self._rows("SELECT * FROM inputs WHERE source_type = ? AND source_id = ?", kind, run_id)

    def _own(self, table: str, name: str | None = None) -> list[Any]:
        """[query, values …] of the rows of the workspace (and of one model)."""
        conditions, values = [], []
        if "workspace" in self._columns[table]:
            conditions.append("workspace = ?")
            values.append(WORKSPACE)
        if name is not None:
            conditions.append("name = ?")
            values.append(name)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return [f"SELECT * FROM {table}{where}", *values]

    def _pairs(self, table: str, column: str, value: Any, key: str = "key", held: str = "value") -> dict[str, str]:
        if table not in self._columns:
            return {}
        rows = self._rows(f"SELECT * FROM {table} WHERE {column} = ?", value)
        own = [row for row in rows if _get(row, "workspace") in (None, WORKSPACE)]
        return {row[key]: "" if row[held] is None else str(row[held]) for row in own}

    def _rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        return self._db.execute(query, values).fetchall()

    def _tables(self) -> list[str]:
        return [row[0] for row in self._rows("SELECT name FROM sqlite_master WHERE type = 'table'")]

    def _of_table(self, table: str) -> set[str]:
        quoted = table.replace('"', '""')
        return {row[1] for row in self._rows(f'PRAGMA table_info("{quoted}")')}

    def _check(self, path: Path) -> None:
        if "alembic_version" not in self._columns or "experiments" not in self._columns:
            raise Invalid(f"{path} is a database, but not one of MLflow's.", "Give a mlruns folder or a mlflow.db.")
        revision = self._rows("SELECT version_num FROM alembic_version")
        called = revision[0][0] if revision else "none"
        missing = sorted(
            f"{table}.{column}"
            for table, columns in NEEDED.items()
            for column in columns - self._columns.get(table, set())
        )
        if missing:
            raise Invalid(
                f"{path} has a schema (revision {called}) that cannot be read: {', '.join(missing[:5])} missing.",
                f"Bring a copy of it up to date with `mlflow db upgrade sqlite:///{path.name}`, and import that.",
            )


def _get(row: sqlite3.Row, column: str) -> Any:
    return row[column] if column in row.keys() else None  # noqa: SIM118


def _value(value: float | None, is_nan: bool) -> float:
    """MLflow keeps infinity as the largest number there is, and NaN beside the value."""
    if is_nan or value is None:
        return float("nan")
    if abs(value) >= sys.float_info.max:
        return float("inf") if value > 0 else float("-inf")
    return value
