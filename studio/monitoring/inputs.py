"""Captured bodies as rows: request forms as MLflow's scoring server takes them, answers as it gives them.

Unlike the replica this never refuses: what cannot be read as rows gives none, and is still captured as a request.
"""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import msgspec

from studio.guest.serving.problems import BadInput
from studio.monitoring import open_inference

Row = dict[str, Any]
MAX_ROWS = 100_000
MAX_BITS = 63


def rows_of(body: bytes, content_type: str, names: Sequence[str] = ()) -> list[Row]:
    """One dictionary per row. `names`: columns of the model, for forms that send values without names."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == open_inference.CONTENT_TYPE:
        return [{key: plain(value) for key, value in row.items()} for row in _tensors(body, content_type, names)]
    if is_csv(kind):
        return _csv(body)
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return []
    if not isinstance(document, dict):
        return []
    if isinstance(split := document.get("dataframe_split"), dict):
        return _split(split)
    for form in ("dataframe_records", "instances", "inputs"):
        if form in document:
            return _values(document[form], names)[:MAX_ROWS]
    return []


def _tensors(body: bytes, content_type: str, names: Sequence[str]) -> list[Row]:
    try:
        return open_inference.rows_of(body, content_type, names)[:MAX_ROWS]
    except BadInput:
        return []


def _values_of(body: bytes) -> list[Any]:
    try:
        return open_inference.outputs_of(body)
    except BadInput:
        return []


def outputs_of(body: bytes, count: int, content_type: str = "", answer_type: str = "") -> list[Any]:
    """One output per row: the `predictions` of the answer, if there are as many; else the same whole for each.
    `content_type`: the request's, which says how an answer of the Open Inference Protocol is read."""
    if is_csv(answer_type):
        lines = _lines(body)
        return lines if len(lines) == count else [lines] * count
    if content_type.startswith(open_inference.CONTENT_TYPE):
        values = _values_of(body)
        return values if len(values) == count else [None] * count
    try:
        document = msgspec.json.decode(body) if body else None
    except (msgspec.DecodeError, ValueError):
        document = None
    found = document.get("predictions", document) if isinstance(document, dict) else document
    if isinstance(found, list) and len(found) == count:
        return found
    return [found] * count


def is_csv(content_type: str) -> bool:
    """Whether a body of this type is lines of CSV."""
    return content_type.partition(";")[0].strip().lower() == "text/csv"


def _lines(body: bytes) -> list[Any]:
    """Answers are lines without a header: one value each, or a list of them."""
    try:
        rows = [[_number(value) for value in row] for row in csv.reader(io.StringIO(body.decode("utf-8", "replace")))]
    except csv.Error:
        return []
    return [row[0] if len(row) == 1 else row for row in rows[:MAX_ROWS]]


def _csv(body: bytes) -> list[Row]:
    reader = csv.DictReader(io.StringIO(body.decode("utf-8", "replace")))
    try:
        return [{str(k): _number(v) for k, v in row.items() if k is not None} for row in reader][:MAX_ROWS]
    except csv.Error:
        return []


def _number(text: str | None) -> Any:
    if text is None or text == "":
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _split(split: dict[str, Any]) -> list[Row]:
    data = split.get("data")
    if not isinstance(data, list):
        return []
    columns = split.get("columns")
    rows = [row for row in data[:MAX_ROWS] if isinstance(row, list)]
    width = max((len(row) for row in rows), default=0)
    names = [str(name) for name in columns] if isinstance(columns, list) else [str(i) for i in range(width)]
    return [dict(zip(names, map(plain, row), strict=False)) for row in rows]


def _values(value: Any, names: Sequence[str]) -> list[Row]:
    if isinstance(value, dict):  # {column: [values]}, or one row
        if value and all(isinstance(items, list) for items in value.values()):
            count = max(len(items) for items in value.values())
            keys = [str(key) for key in value]
            columns = [[*items, *[None] * (count - len(items))] for items in value.values()]
            return [dict(zip(keys, map(plain, row), strict=True)) for row in zip(*columns, strict=True)]
        return [{str(key): plain(item) for key, item in value.items()}]
    if not isinstance(value, list):
        return []
    return [_row(item, names) for item in value]


def _row(item: Any, names: Sequence[str]) -> Row:
    if isinstance(item, dict):
        return {str(key): plain(value) for key, value in item.items()}
    items = item if isinstance(item, list) else [item]
    keys = names if len(names) == len(items) else [str(i) for i in range(len(items))]
    return dict(zip(keys, map(plain, items), strict=True))


def plain(value: Any) -> Any:
    """A value that fits a column: numbers, text, true, false, null; anything deeper as JSON text."""
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        return f"a whole number of {value.bit_length()} bits"
    if value is None or isinstance(value, bool | int | float | str):
        return value
    try:
        return json.dumps(value)
    except RecursionError:
        return "values too deep to be kept"
