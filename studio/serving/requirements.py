"""Does an environment have what a model asks for? Names from the model's requirements.txt against what is installed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from studio.errors import StudioError
from studio.runtime import beneath

_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*(==\s*([^\s;,#]+))?")
# Without these a model of theirs cannot load. Else MLflow lists whatever was imported when the model was made
# (pytest, say): that one of them is missing is only noted, and loading shows whether it was needed.
FRAMEWORKS = frozenset(
    {
        *(
            "scikit-learn",
            "xgboost",
            "xgboost-cpu",
            "lightgbm",
            "catboost",
            "statsmodels",
            "pmdarima",
            "prophet",
            "spacy",
        ),
        *("torch", "tensorflow", "keras", "jax", "fastai", "paddlepaddle", "transformers", "sentence-transformers"),
        *("onnx", "onnxruntime", "pyspark", "h2o", "skops", "cloudpickle"),
    }
)
# One library under several names, by what it is built for.
_SAME = (
    ("xgboost", "xgboost-cpu"),
    ("onnxruntime", "onnxruntime-gpu"),
    ("tensorflow", "tensorflow-cpu", "tensorflow-intel"),
)
MAX_CHARACTERS = 100_000
_FILE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """`missing`: without these the model is not even tried; `notes`: what differs or lacks besides, for people."""

    missing: list[str]
    notes: list[str]


def compare(folder: Path, environment: Path) -> Comparison:
    """What the materialised version in `folder` asks for beside what the environment has.

    MLflow lists whatever was imported when the model was made, so only frameworks must be there. What stands beside an
    inference.py was written down by hand and is needed."""
    present = installed(environment)
    if beneath.exists(folder, ["MLmodel"]):
        wanted = parse(_text(folder, "requirements.txt"))
        others = [f"no {name}" for name in absent(wanted, present)]
        return Comparison(missing(wanted, present), [*different(wanted, present), *others])
    wanted = parse(_text(folder, "requirements.txt")) | parse(_text(folder, "code/requirements.txt"))
    lacks = sorted({*missing(wanted, present), *absent(wanted, present)})
    return Comparison(lacks, different(wanted, present))


def _text(folder: Path, name: str) -> str:
    try:
        return beneath.read(folder, name.split("/"), _FILE_BYTES).decode("utf-8", "replace")
    except StudioError:
        return ""


def normal(name: str) -> str:
    """The name as packaging compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parse(text: str) -> dict[str, str]:
    """Package → pinned version or "". Options (`--index-url`, `-e`, `-r`), addresses and comments are left out: names
    are only compared, nothing is ever installed from this text."""
    found: dict[str, str] = {}
    for line in text[:MAX_CHARACTERS].splitlines():
        match = _NAME.match(line)
        if match is None or "://" in line or line.lstrip().startswith(("-", "#")):
            continue
        found[normal(match.group(1))] = match.group(4) or ""
    return found


def installed(environment: Path) -> dict[str, str]:
    """Package → version of a virtual environment, from the names of its `*.dist-info` folders."""
    found: dict[str, str] = {}
    for folder in environment.glob("lib/python*/site-packages/*.dist-info"):
        name, _, version = folder.name.removesuffix(".dist-info").partition("-")
        found[normal(name)] = version
    return found


def _is_in(name: str, present: Mapping[str, str]) -> bool:
    names = next((group for group in _SAME if name in group), (name,))
    return any(other in present for other in names)


def missing(wanted: dict[str, str], present: dict[str, str]) -> list[str]:
    """Frameworks that the environment does not have: the model cannot be loaded there."""
    return sorted(name for name in wanted if not _is_in(name, present) and name in FRAMEWORKS)


def absent(wanted: dict[str, str], present: dict[str, str]) -> list[str]:
    """Other packages that it does not have."""
    return sorted(name for name in wanted if not _is_in(name, present) and name not in FRAMEWORKS)


def different(wanted: dict[str, str], present: dict[str, str]) -> list[str]:
    """Packages it has in another version than the model was made with: a note, not an obstacle."""
    return sorted(
        f"{name} {present[name]} instead of {version}"
        for name, version in wanted.items()
        if version and name in present and present[name] != version
    )


def why_not(names: list[str], environment: str) -> str:
    """The sentence for people about missing packages."""
    what = ", ".join(names)
    return (
        f"The environment {environment} lacks {what}, which the model needs. "
        f"Add {'it' if len(names) == 1 else 'them'} to an environment, build that, and deploy with it."
    )
