"""What a model's folder says about itself: MLmodel, its requirements, its input example.

All of it came from inside a sandbox and is read as such: bounded, with safe loaders, and whatever it holds, at worst a
part of the card is empty. Everything here blocks: call it in a thread.
"""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from studio.errors import NotFound, StudioError
from studio.tracking import artifacts
from studio.tracking.artifacts import FileInfo
from studio.tracking.places import Place

FILE = "MLmodel"
MOST_MLMODEL = 256 << 10  # bytes
MOST_REQUIREMENTS = 64 << 10
MOST_EXAMPLE = 256 << 10
MOST_FILES = 5000
MOST_DEPTH = 32
MOST_ALIASES = 16
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where libyaml is there
_BROKEN = (StudioError, OSError, yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
Fields = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Signature:
    """MLflow's: fields as {name, type, required} or tensors."""

    inputs: Fields
    outputs: Fields
    params: Fields


@dataclass(frozen=True, slots=True)
class Flavor:
    """One way to load it; `details` as MLmodel has them, as text."""

    name: str
    details: dict[str, str]


@dataclass(frozen=True, slots=True)
class Card:
    """`bytes` and `files` of the folder, at most `MOST_FILES` counted; `example` as it was logged, None without one."""

    flavors: list[Flavor] = field(default_factory=list)
    signature: Signature | None = None
    mlflow_version: str = ""
    created: str = ""
    python: str = ""
    requirements: list[str] = field(default_factory=list)
    example: Any = None
    bytes: int = 0
    files: int = 0


def read(root: Path, place: Place) -> Card:
    """The card of the model in the folder `place`; `NotFound` if no MLmodel is in it."""
    try:
        document = _document(root, place)
    except NotFound:
        raise NotFound(f"There is no model in '{place.path}'.", "A model's folder has a file MLmodel.") from None
    found = files(root, place)
    flavors = document.get("flavors")
    flavors = flavors if isinstance(flavors, dict) else {}
    function = flavors.get("python_function")
    return Card(
        flavors=[Flavor(str(name), _details(value)) for name, value in islice(flavors.items(), 50)],
        signature=_signature(document),
        mlflow_version=_text(document.get("mlflow_version")),
        created=_text(document.get("utc_time_created")),
        python=_text(function.get("python_version")) if isinstance(function, dict) else "",
        requirements=_requirements(root, place),
        example=_example(root, place, document),
        bytes=sum(info.file_size or 0 for info in found),
        files=len(found),
    )


def files(root: Path, place: Place) -> list[FileInfo]:
    """All files in the folder `place` and below it, at most `MOST_FILES`."""
    return list(islice(artifacts.walk(root, place), MOST_FILES))


@lru_cache(maxsize=1024)
def signature(root: Path, place: Place) -> Signature | None:
    """The signature alone; None if there is none that can be read. A version's files do not change: it is read once."""
    try:
        return _signature(_document(root, place))
    except _BROKEN:
        return None


def _document(root: Path, place: Place) -> dict[str, Any]:
    """MLmodel; empty if it cannot be read as such, `NotFound` if it is not there."""
    text = artifacts.read_bytes(root, place.join(FILE), MOST_MLMODEL)
    try:
        _check_shape(text)
        found = yaml.load(text, _LOADER)
    except _BROKEN:
        return {}
    return found if isinstance(found, dict) else {}


def _check_shape(text: bytes) -> None:
    """`ValueError` for a document that is small and would still take seconds or gigabytes: nested deeply, or a few
    lists that name each other again and again."""
    depth = aliases = 0
    for event in yaml.parse(text, _LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        aliases += isinstance(event, yaml.AliasEvent)
        if depth > MOST_DEPTH or aliases > MOST_ALIASES:
            raise ValueError(f"{FILE} is nested more deeply than any model's.")


def _signature(document: dict[str, Any]) -> Signature | None:
    try:
        given = document["signature"]
        sides = [_fields(given.get(side)) for side in ("inputs", "outputs", "params")]
        return Signature(*sides) if any(sides) else None
    except _BROKEN:
        return None


def _fields(text: Any) -> Fields:
    found = json.loads(text or "[]")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _details(value: Any) -> dict[str, str]:
    pairs = value.items() if isinstance(value, dict) else ()
    return {str(key): _text(item) for key, item in islice(pairs, 50) if item is not None}


def _text(value: Any) -> str:
    return "" if value is None else str(value)[:500]


def _requirements(root: Path, place: Place) -> list[str]:
    try:
        text = artifacts.read_bytes(root, place.join("requirements.txt"), MOST_REQUIREMENTS).decode()
    except _BROKEN:
        return []
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")][:500]


def _example(root: Path, place: Place, document: dict[str, Any]) -> Any:
    try:
        named = document["saved_input_example_info"]["artifact_path"]
        return json.loads(artifacts.read_bytes(root, place.join(named), MOST_EXAMPLE))
    except _BROKEN:
        return None
