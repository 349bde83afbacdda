"""Does an environment have what a model asks for? Names from the model's requirements.txt against what is installed."""

import re
from pathlib import Path

_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*(==\s*([^\s;,#]+))?")
# Without these a model of theirs cannot load. Else MLflow lists whatever was imported when the model was made
# (pytest, say): that one of them is missing is only noted, and loading shows whether it was needed.
FRAMEWORKS = frozenset(
    {
        *("scikit-learn", "xgboost", "lightgbm", "catboost", "statsmodels", "pmdarima", "prophet", "spacy"),
        *("torch", "tensorflow", "keras", "jax", "fastai", "paddlepaddle", "transformers", "sentence-transformers"),
        *("onnx", "onnxruntime", "pyspark", "h2o", "skops", "cloudpickle"),
    }
)
MAX_CHARACTERS = 100_000


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


def missing(wanted: dict[str, str], present: dict[str, str]) -> list[str]:
    """Frameworks that the environment does not have: the model cannot be loaded there."""
    return sorted(name for name in wanted if name not in present and name in FRAMEWORKS)


def absent(wanted: dict[str, str], present: dict[str, str]) -> list[str]:
    """Other packages that it does not have."""
    return sorted(name for name in wanted if name not in present and name not in FRAMEWORKS)


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
