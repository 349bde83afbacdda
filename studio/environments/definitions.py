"""Definitions of environments: TOML files with name, title, python, packages, preload."""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from studio.errors import Invalid
from studio.ids import check_name

# What guest code needs in every environment: kernels, fork server, replicas.
BASE = ("ipykernel", "msgspec", "uvloop", "httptools")
# variable operator "value"; parentheses are not taken.
_MARKER = r"""[a-z_.]+\s*(?:===?|~=|!=|<=|>=|<|>|\bin\b|\bnot\s+in\b)\s*(?:'[\w. -]*'|"[\w. -]*")"""
# PEP 508 without URLs: a name, extras, versions, a marker. Nothing that pip or uv would take as an option or a path.
_REQUIREMENT = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
    r"(?:\s*\[[A-Za-z0-9._,\s-]*\])?"
    r"\s*(?:(?:===|==|~=|!=|<=|>=|<|>)\s*[A-Za-z0-9.*+!_-]+(?:\s*,\s*(?:===|==|~=|!=|<=|>=|<|>)\s*[A-Za-z0-9.*+!_-]+)*)?"
    rf"(?:\s*;\s*{_MARKER}(?:\s+(?:and|or)\s+{_MARKER})*)?"
)
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_PYTHON = re.compile(r"3\.\d{1,2}")


@dataclass(frozen=True, slots=True)
class Definition:
    """What somebody wrote; `python` "" means the one that Studio runs on."""

    name: str
    title: str
    python: str
    packages: tuple[str, ...]
    preload: tuple[str, ...]

    @property
    def requirements(self) -> tuple[str, ...]:
        """The packages with the base set that guest code needs."""
        named = {re.split(r"[\s\[<>=!~;]", line, maxsplit=1)[0].lower() for line in self.packages}
        return (*self.packages, *(name for name in BASE if name not in named))

    @property
    def fingerprint(self) -> str:
        """Changes when a build of it could come out differently."""
        return hashlib.sha256("\n".join((self.python, *self.requirements)).encode()).hexdigest()


def check_requirement(line: str) -> str:
    """`line` without surrounding space, or `Invalid` if it is more than a package with versions: options such as
    --index-url or -e, URLs and paths could bring in code from anywhere."""
    text = line.strip()
    if not _REQUIREMENT.fullmatch(text):
        raise Invalid(
            f"{line!r} is not a package with an optional version.",
            "Write it as in `pandas>=2.2`; options, URLs and paths are not taken.",
        )
    return text


def parse(text: str, source: str) -> Definition:
    """The definition in a TOML file's `text`; `Invalid` names `source` and what is wrong."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"{source} is not TOML: {error}.", "Mend the file.") from error
    packages, preload = raw.get("packages", []), raw.get("preload", [])
    if not _texts(packages) or not _texts(preload):
        raise Invalid(f"packages and preload in {source} must be lists of texts.", "Mend the file.")
    for module in preload:
        if not _MODULE.fullmatch(module):
            raise Invalid(f"{module!r} in {source} is not a module's name.", "Mend preload in the file.")
    python = str(raw.get("python", ""))
    if python and not _PYTHON.fullmatch(python):
        raise Invalid(f"{python!r} in {source} is not a version of Python.", 'Write it as in "3.11".')
    name = check_name(str(raw.get("name", "")), "environment")
    checked = tuple(check_requirement(line) for line in packages)
    return Definition(name, str(raw.get("title", name))[:200], python, checked, tuple(preload))


def load(folder: Path) -> list[Definition]:
    """All definitions in `folder`, by name; a wrong one is `Invalid`, as is a name that two files claim."""
    found: dict[str, Definition] = {}
    for path in sorted(folder.glob("*.toml")):
        definition = parse(path.read_text(), path.name)
        if definition.name in found:
            raise Invalid(f"Two files define the environment {definition.name}.", f"Rename one of them in {folder}.")
        found[definition.name] = definition
    return list(found.values())


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
