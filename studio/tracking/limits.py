"""What names and values may be; limits and the sense of messages are MLflow 3.17's (utils/validation.py)."""

import posixpath
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from studio.errors import Invalid
from studio.tracking.records import Metric, Pair

KEY = 250
PARAM_VALUE = 6000
TAG_VALUE = 8000
EXPERIMENT_NAME = 500
EXPERIMENT_TAG_VALUE = 20_000
REGISTRY_TAG_VALUE = 100_000
METRICS_IN_BATCH = 1000
PARAMS_IN_BATCH = 100
TAGS_IN_BATCH = 100
ENTITIES_IN_BATCH = 1000
INT64 = 2**63

_NAME = re.compile(r"[/\w.\- :]*")


@lru_cache(maxsize=8192)
def check_key(name: str, path: str = "name") -> str:
    """`name` itself, if it may be the key of a metric, param or tag; a key may become a path, so none that climbs."""
    if not name:
        raise Invalid(f"Missing value for required parameter '{path}'.", "A key name must be provided.")
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"Invalid value \"{name}\" for parameter '{path}' supplied: Names may only contain alphanumerics, "
            "underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/)."
        )
    check_path(name, path)
    if len(name) > KEY:
        raise Invalid(f"'{path}' exceeds the maximum length of {KEY} characters; it has {len(name)}.")
    return name


def check_path(name: str, path: str = "name") -> str:
    """`name` itself, if as a path it means itself and stays where it is."""
    normal = posixpath.normpath(name)
    if normal != name or normal == "." or normal.startswith(("..", "/")):
        raise Invalid(
            f"Invalid value \"{name}\" for parameter '{path}' supplied: Names may be treated as files in certain "
            f"cases, and must not resolve to other names when treated as such. This name would resolve to {normal!r}"
        )
    return name


def check_length(what: str, limit: int, value: str) -> str:
    """`value` itself, if it is not longer than `limit` characters."""
    if len(value) > limit:
        raise Invalid(f"{what} exceeds the maximum length of {limit} characters; it has {len(value)}.")
    return value


def check_metric(metric: Metric, path: str = "") -> None:
    """Key, time and step; the value may be anything that a float can be."""
    check_key(metric.key, f"{path}.name" if path else "name")
    if not 0 <= metric.timestamp < INT64:
        raise Invalid(
            f"Invalid value {metric.timestamp} for parameter '{path + '.' if path else ''}timestamp' supplied: metric "
            f"'{metric.key}' (value={metric.value}). Timestamp must be a nonnegative long (64-bit integer)"
        )
    if not -INT64 <= metric.step < INT64:
        raise Invalid(f"Invalid value {metric.step} for parameter 'step' supplied: it must be a 64-bit integer.")


def clean_param(param: Pair, path: str = "key") -> Pair:
    """The param with a value of at most 6000 characters: MLflow's server cuts longer ones too."""
    check_key(param.key, path)
    return param if len(param.value) <= PARAM_VALUE else Pair(param.key, param.value[:PARAM_VALUE])


def clean_tag(tag: Pair, path: str = "key") -> Pair:
    """The tag with a value of at most 8000 characters: MLflow's server cuts longer ones too."""
    check_key(tag.key, path)
    return tag if len(tag.value) <= TAG_VALUE else Pair(tag.key, tag.value[:TAG_VALUE])


def check_batch(metrics: Sequence[Metric], params: Sequence[Pair], tags: Sequence[Pair]) -> None:
    """The sizes that one log-batch may have, and that no param comes twice."""
    for name, limit, length in (
        ("metrics", METRICS_IN_BATCH, len(metrics)),
        ("params", PARAMS_IN_BATCH, len(params)),
        ("tags", TAGS_IN_BATCH, len(tags)),
        ("metrics, params, and tags", ENTITIES_IN_BATCH, len(metrics) + len(params) + len(tags)),
    ):
        if length > limit:
            raise Invalid(
                f"A batch logging request can contain at most {limit} {name}. Got {length} {name}.",
                "Please split up metrics across multiple requests and try again.",
            )
    twice = duplicates(param.key for param in params)
    if twice:
        raise Invalid(
            f"Duplicate parameter keys have been submitted: {twice}.",
            "Please ensure the request contains only one param value per param key.",
        )


def duplicates(keys: Iterable[str]) -> list[str]:
    """The keys that come more than once, in order."""
    seen: set[str] = set()
    return sorted({key for key in keys if key in seen or seen.add(key)})  # type: ignore[func-returns-value]


def check_experiment_name(name: str) -> str:
    """`name` itself, if it may name an experiment."""
    if not name or not name.strip():
        raise Invalid(f"Invalid experiment name: '{name}'", "Give it a name.")
    return check_length("'name'", EXPERIMENT_NAME, name)


def check_page_size(value: int, limit: int) -> int:
    """`max_results` itself, if it is 1 … `limit`."""
    if value < 1:
        raise Invalid(f"Invalid value {value} for parameter 'max_results' supplied. It must be a positive integer")
    if value > limit:
        raise Invalid(f"Invalid value {value} for parameter 'max_results' supplied. It must be at most {limit}")
    return value
