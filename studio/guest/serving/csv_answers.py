"""Predictions as CSV, for callers that ask for it with `Accept: text/csv`.

A line for each row, without a header, as SageMaker's containers write it; NaN and Infinity are the words nan and inf.
"""

import csv
from io import StringIO
from typing import Any

from studio.guest.serving import answers
from studio.guest.serving.problems import BadInput

JSON = "application/json"
CSV = "text/csv"
_KINDS = {JSON: JSON, CSV: CSV, "*/*": JSON, "application/*": JSON, "text/*": CSV}


def wanted(accept: str) -> str:
    """The type of answer that `accept` (RFC 9110, 12.5.1) prefers of the two there are; `BadInput` 406 if neither."""
    kind = next((_KINDS[name] for name in ranked(accept) if name in _KINDS), "")
    if kind or not accept.strip():
        return kind or JSON
    text = f"The answer cannot be sent as {accept[:200]!r}."
    raise BadInput(text, f"Accept {JSON} or {CSV}.", status=406)


def ranked(accept: str) -> list[str]:
    """The types of `accept` without their parameters, the preferred one first; what has quality 0 is not among them."""
    parts = [[piece.strip().lower() for piece in part.split(";")] for part in accept.split(",")]
    qualities = [(_quality(parameters), name) for name, *parameters in parts if name]
    # Sorting keeps the order of what is equally good.
    return [name for quality, name in sorted(qualities, key=lambda one: -one[0]) if quality > 0]


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def encode(predictions: Any) -> bytes:
    """The lines of arrays, tables, lists and single values; `BadInput` 406 for what has no rows."""
    rows = answers.plain(predictions)
    if isinstance(rows, dict):
        rows = _columns(rows)
    if isinstance(rows, str | int | float) or hasattr(rows, "item"):
        rows = [rows]
    if not isinstance(rows, list):
        raise BadInput(
            f"The prediction is a {type(rows).__name__}, which has no rows.", f"Accept {JSON} for it.", status=406
        )
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in rows:
        writer.writerow([_text(value) for value in _values(row)])
    return out.getvalue().encode()


def _columns(columns: dict[str, Any]) -> list[list[Any]]:
    parts = [answers.plain(value) for value in columns.values()]
    if not all(isinstance(part, list) for part in parts) or len({len(part) for part in parts}) > 1:
        raise BadInput("The model's outputs have no rows in common.", f"Accept {JSON} for them.", status=406)
    return [[value for part in row for value in _values(part)] for row in zip(*parts, strict=True)]


def _values(row: Any) -> list[Any]:
    if isinstance(row, dict):
        return [value for item in row.values() for value in _values(item)]
    if isinstance(row, list | tuple):
        return [value for item in row for value in _values(item)]
    return [row]


def _text(value: Any) -> Any:
    # A line without a character would be no row to whoever reads it.
    if value is None:
        return "nan"
    return value.item() if hasattr(value, "item") else value
