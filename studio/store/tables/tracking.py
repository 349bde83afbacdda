"""Experiments, runs, their metrics, params and tags, data sets, logged models, traces.

Runs and metric keys are interned to integers, and the rows that are many (metrics, latest values, params, tags) are in
tables without a row id, so that a run's metric is one stretch of one tree: half the time of an ordinary layout.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from studio.store.tables.base import metadata, time_column

# Runs are found by a param or a tag through an index of the values that are short enough for one. What the client says
# of every run, such as who and from which file, is left out: nearly all runs have the same, and a new run would pay.
SHORT = "length(value) <= 200"
PARENT_TAG = "mlflow.parentRunId"
TAGS_BY_VALUE = f"(substr({{key}}, 1, 7) <> 'mlflow.' OR {{key}} = '{PARENT_TAG}')"


def _domain() -> Column[str]:
    return Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), nullable=False)


def _run(primary_key: bool = True) -> Column[int]:
    return Column("run", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=primary_key, nullable=False)


experiments = Table(
    "experiments",
    metadata,
    Column("id", Integer, primary_key=True),
    _domain(),
    Column("name", String(500), nullable=False),
    # MLflow's experiment "0" of this domain: one a domain, kept by the index below.
    Column("is_default", Boolean, nullable=False, default=False),
    Column("artifact_location", String(2000), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    UniqueConstraint("domain", "name"),
    Index(
        "ix_experiments_default",
        "domain",
        unique=True,
        sqlite_where=text("is_default"),
        postgresql_where=text("is_default"),
    ),
    sqlite_autoincrement=True,
)

experiment_tags = Table(
    "experiment_tags",
    metadata,
    Column("experiment", ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(250), primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", String(32), nullable=False, unique=True),
    _domain(),
    Column("experiment", ForeignKey("experiments.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("user_id", String(256), nullable=False),  # what the client says
    Column("owner", String(80), nullable=False),  # who it was, as Studio knows it
    Column("job_id", String(80)),  # from the tag studio.job_id
    Column("status", String(16), nullable=False),
    time_column("start_ms"),
    time_column("end_ms"),
    Column("stage", String(16), nullable=False),
    time_column("deleted_ms"),
    Column("artifact_uri", String(2400), nullable=False),
    Index("ix_runs_newest", "experiment", "stage", text("start_ms DESC"), "run_id"),
    Index("ix_runs_job", "domain", "job_id"),
)

metric_keys = Table(
    "metric_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(250), nullable=False, unique=True),
)

metrics = Table(
    "metrics",
    metadata,
    # No foreign key to metric_keys: they are never deleted, and the check would cost on every row.
    _run(),
    Column("key", Integer, primary_key=True, autoincrement=False),
    Column("step", BigInteger, primary_key=True, autoincrement=False),
    Column("ts", BigInteger, primary_key=True, autoincrement=False),
    # The value is part of the key, as in MLflow: a call sent again writes nothing, two values at one step are two rows.
    Column("value", Float(53), primary_key=True),  # ±Inf kept as such; 0 if is_nan
    Column("is_nan", Boolean, primary_key=True),
    sqlite_with_rowid=False,
)

latest_metrics = Table(
    "latest_metrics",
    metadata,
    _run(),
    Column("key", Integer, primary_key=True, autoincrement=False),
    Column("experiment", Integer, nullable=False),
    Column("value", Float(53), nullable=False),
    Column("is_nan", Boolean, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("low", Float(53)),  # null: only NaN so far
    Column("high", Float(53)),
    Index("ix_latest_metrics_order", "experiment", "key", "is_nan", "value", "run"),
    sqlite_with_rowid=False,
)

params = Table(
    "params",
    metadata,
    _run(),
    Column("key", String(250), primary_key=True),
    Column("value", Text, nullable=False),
    Index("ix_params_value", "key", "value", "run", sqlite_where=text(SHORT), postgresql_where=text(SHORT)),
    sqlite_with_rowid=False,
)

tags = Table(
    "tags",
    metadata,
    _run(),
    Column("key", String(250), primary_key=True),
    Column("value", Text, nullable=False),
    # The few runs that are put away, found without looking at the tags of the many.
    Index(
        "ix_tags_archived",
        "run",
        sqlite_where=text("key = 'studio.archived'"),
        postgresql_where=text("key = 'studio.archived'"),
    ),
    Index(
        "ix_tags_value",
        "key",
        "value",
        "run",
        sqlite_where=text(f"{SHORT} AND {TAGS_BY_VALUE.format(key='key')}"),
        postgresql_where=text(f"{SHORT} AND {TAGS_BY_VALUE.format(key='key')}"),
    ),
    sqlite_with_rowid=False,
)

datasets = Table(
    "run_datasets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("experiment", ForeignKey("experiments.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(500), nullable=False),
    Column("digest", String(36), nullable=False),
    Column("source_type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("schema", Text),
    Column("profile", Text),
    UniqueConstraint("experiment", "name", "digest"),
)

inputs = Table(
    "run_inputs",
    metadata,
    _run(),
    Column("dataset", ForeignKey("run_datasets.id", ondelete="CASCADE"), primary_key=True),
    sqlite_with_rowid=False,
)

input_tags = Table(
    "run_input_tags",
    metadata,
    _run(),
    Column("dataset", ForeignKey("run_datasets.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

model_inputs = Table(
    "run_model_inputs",
    metadata,
    _run(),
    Column("model_id", String(64), primary_key=True),
    sqlite_with_rowid=False,
)

model_outputs = Table(
    "run_model_outputs",
    metadata,
    _run(),
    Column("model_id", String(64), primary_key=True),
    Column("step", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

logged_models = Table(
    "logged_models",
    metadata,
    Column("model_id", String(64), primary_key=True),
    _domain(),
    Column("experiment", ForeignKey("experiments.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(500), nullable=False),
    Column("artifact_uri", String(2400), nullable=False),
    Column("model_type", String(500), nullable=False),
    Column("source_run_id", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("stage", String(16), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Index("ix_logged_models_experiment", "experiment", "created_ms"),
    Index("ix_logged_models_run", "source_run_id"),
)


def _model() -> Column[str]:
    return Column("model_id", ForeignKey("logged_models.model_id", ondelete="CASCADE"), primary_key=True)


logged_model_params = Table(
    "logged_model_params",
    metadata,
    _model(),
    Column("key", String(255), primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

logged_model_tags = Table(
    "logged_model_tags",
    metadata,
    _model(),
    Column("key", String(255), primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

logged_model_metrics = Table(
    "logged_model_metrics",
    metadata,
    _model(),
    Column("key", String(250), primary_key=True),
    Column("ts", BigInteger, primary_key=True, autoincrement=False),
    Column("step", BigInteger, primary_key=True, autoincrement=False),
    Column("run_id", String(32), primary_key=True),
    Column("value", Float(53), nullable=False),
    Column("is_nan", Boolean, nullable=False),
    Column("dataset_name", String(500)),
    Column("dataset_digest", String(36)),
    sqlite_with_rowid=False,
)

traces = Table(
    "traces",
    metadata,
    _domain(),
    Column("trace_id", String(80), nullable=False),
    Column("experiment", ForeignKey("experiments.id", ondelete="CASCADE"), nullable=False),
    Column("request_ms", BigInteger, nullable=False),
    Column("info", Text, nullable=False),  # the client's TraceInfo as JSON
    UniqueConstraint("domain", "trace_id"),
    Index("ix_traces_experiment", "experiment", "request_ms"),
)

spans = Table(
    "trace_spans",
    metadata,
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), primary_key=True),
    Column("trace_id", String(80), primary_key=True),
    Column("span_id", String(32), primary_key=True),
    Column("start_ns", BigInteger, nullable=False),
    Column("span", Text, nullable=False),  # an OTLP Span in protobuf's JSON form
    sqlite_with_rowid=False,
)

# Traces that somebody said belong to a run, besides those that say so themselves.
trace_runs = Table(
    "trace_runs",
    metadata,
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), primary_key=True),
    Column("trace_id", String(80), primary_key=True),
    Column("run_id", String(32), primary_key=True),
    Index("ix_trace_runs_run", "run_id"),
    sqlite_with_rowid=False,
)
