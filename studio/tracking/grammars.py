"""What each search of MLflow 3.17 may speak of (utils/search_utils.py there)."""

from studio.tracking.filters import Grammar

_TAGS = {"tag": "tag", "tags": "tag"}
_ATTRIBUTES = {"attribute": "attribute", "attributes": "attribute", "attr": "attribute"}
_RUN_NAMES = frozenset({"run_name", "run_id", "artifact_uri", "user_id", "status"})
_RUN_TIMES = frozenset({"start_time", "end_time"})

RUNS = Grammar(
    strings=_RUN_NAMES,
    numbers=_RUN_TIMES,
    lists=frozenset({"run_id"}),
    entities={
        **_TAGS,
        **_ATTRIBUTES,
        "run": "attribute",
        "metric": "metric",
        "metrics": "metric",
        "param": "param",
        "params": "param",
        "parameter": "param",
        "parameters": "param",
        "dataset": "dataset",
        "datasets": "dataset",
    },
    aliases={
        "created": "start_time",
        "Created": "start_time",
        "run name": "run_name",
        "Run name": "run_name",
        "Run Name": "run_name",
    },
    nulls=frozenset({"tag", "param"}),
    listed=frozenset({"dataset"}),
    sorts=_RUN_NAMES | _RUN_TIMES,
    sort_entities=frozenset({"attribute", "metric", "param", "tag"}),
)

EXPERIMENTS = Grammar(
    strings=frozenset({"name", "experiment_id"}),
    numbers=frozenset({"creation_time", "last_update_time"}),
    whole=frozenset({"creation_time", "last_update_time"}),
    lists=frozenset({"experiment_id"}),
    entities={**_TAGS, "attribute": "attribute"},
    nulls=frozenset({"tag"}),
    sorts=frozenset({"name", "experiment_id", "creation_time", "last_update_time"}),
)

LOGGED_MODELS = Grammar(
    strings=frozenset({"name", "model_id", "model_type", "source_run_id", "status", "experiment_id"}),
    numbers=frozenset({"creation_timestamp_ms", "last_updated_timestamp_ms"}),
    lists=frozenset({"name", "model_id", "model_type", "source_run_id", "experiment_id"}),
    entities={
        **_TAGS,
        **_ATTRIBUTES,
        "metric": "metric",
        "metrics": "metric",
        "param": "param",
        "params": "param",
    },
    aliases={
        "creation_time": "creation_timestamp_ms",
        "creation_timestamp": "creation_timestamp_ms",
        "last_updated_timestamp": "last_updated_timestamp_ms",
    },
    listed=frozenset({"param", "tag"}),
    sorts=frozenset(
        {"name", "model_id", "model_type", "source_run_id", "creation_timestamp_ms", "last_updated_timestamp_ms"}
    ),
    sort_entities=frozenset({"attribute", "metric"}),
)

REGISTERED_MODELS = Grammar(
    strings=frozenset({"name"}),
    lists=frozenset({"name"}),
    entities={**_TAGS, "attribute": "attribute"},
    aliases={"timestamp": "last_updated_timestamp"},
    sorts=frozenset({"name", "last_updated_timestamp", "creation_timestamp"}),
)

MODEL_VERSIONS = Grammar(
    strings=frozenset({"name", "run_id", "source_path"}),
    numbers=frozenset({"version_number"}),
    whole=frozenset({"version_number"}),
    quoted=frozenset({"version_number"}),
    lists=frozenset({"name", "run_id"}),
    entities={**_TAGS, "attribute": "attribute"},
    sorts=frozenset({"name", "version_number", "creation_timestamp", "last_updated_timestamp"}),
)
