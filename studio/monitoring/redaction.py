"""Columns whose values are not kept: taken out between the spool and the first file that is written of it.

What is not certainly another column is not kept either: values without a name, under a name that the model does not
have, or of a refused request, where they may stand in the wrong place and the answer may quote them. Pure.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import msgspec

SHOWN = "(redacted)"
OUTPUT = "output"  # the answer's own name among the columns; its values too may be left out
REFUSED = 400


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one row, and the columns that were hidden in it (null in `inputs`)."""

    inputs: dict[str, Any]
    output: Any
    hidden: tuple[str, ...]


def kept(
    inputs: dict[str, Any],
    output: Any,
    status: int,
    redact: Collection[str],
    known: Collection[str] = (),
    *,
    is_named: bool = True,
) -> Kept:
    """The row without the columns in `redact`; `known`: the model's input columns; `is_named`: an answer of several
    values has their names. Nothing changes if `redact` is empty."""
    if not redact:
        return Kept(inputs, output, ())
    if status >= REFUSED:
        return Kept({}, None, (OUTPUT,))
    mine = {name: value for name, value in inputs.items() if name in known}
    hidden = [name for name, value in mine.items() if name in redact or names_one(value, redact)]
    left = {name: None if name in hidden else value for name, value in mine.items()}
    if OUTPUT in redact or (isinstance(output, list) and not is_named):
        return Kept(left, None, (*hidden, OUTPUT))
    return Kept(left, without(output, redact), tuple(hidden))


def without(value: Any, redact: Collection[str]) -> Any:
    """`value` with what stands under one of these names, at any depth, hidden."""
    if isinstance(value, dict):
        return {key: SHOWN if key in redact else without(item, redact) for key, item in value.items()}
    if isinstance(value, list):
        return [without(item, redact) for item in value]
    return SHOWN if names_one(value, redact) else value


def names_one(value: Any, redact: Collection[str]) -> bool:
    """Whether `value` is JSON text that names one of the columns; nested values are captured as such text."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return False
    try:
        return _names_one(msgspec.json.decode(value), redact)
    except (msgspec.DecodeError, ValueError, RecursionError):
        # What cannot be read is not kept if a name stands in it anywhere.
        return any(name in value for name in redact)


def _names_one(value: Any, redact: Collection[str]) -> bool:
    if isinstance(value, dict):
        return any(key in redact or _names_one(item, redact) for key, item in value.items())
    if isinstance(value, list):
        return any(_names_one(item, redact) for item in value)
    return names_one(value, redact)


def shown(inputs: dict[str, Any], output: Any, hidden: Collection[str]) -> tuple[dict[str, Any], Any]:
    """A row for readers: what is hidden says so."""
    if not hidden:
        return inputs, output
    marked = {name: SHOWN if name in hidden else without(value, hidden) for name, value in inputs.items()}
    return marked, SHOWN if OUTPUT in hidden else without(output, hidden)
