"""Definitions of environments: TOML files with name, title, about, python, packages, preload."""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable
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


MOST_PACKAGES = 200


@dataclass(frozen=True, slots=True)
class Definition:
    """What somebody wrote; `python` "" means the one that Studio runs on; `about`: what one should know before."""

    name: str
    title: str
    python: str
    packages: tuple[str, ...]
    preload: tuple[str, ...]
    about: str = ""

    @property
    def requirements(self) -> tuple[str, ...]:
        """The packages with the base set that guest code needs."""
        named = {package_name(line) for line in self.packages}
        return (*self.packages, *(name for name in BASE if name not in named))

    @property
    def fingerprint(self) -> str:
        """Changes when a build of it could come out differently."""
        return hashlib.sha256("\n".join((self.python, *self.requirements)).encode()).hexdigest()

    @property
    def toml(self) -> str:
        """The file that says the same."""
        fields: dict[str, object] = {"name": self.name, "title": self.title, "about": self.about, "python": self.python}
        fields |= {"packages": list(self.packages), "preload": list(self.preload)}
        # Texts and lists of texts are the same in JSON and TOML.
        return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in fields.items() if value)


def package_name(line: str) -> str:
    """The name in a checked requirement, as packaging compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=!~;]", line, maxsplit=1)[0]).lower()


def check_packages(lines: Iterable[str]) -> tuple[str, ...]:
    """The requirements, each checked; `Invalid` names the first wrong one, or that there are too many."""
    found = tuple(dict.fromkeys(check_requirement(line) for line in lines))
    if len(found) > MOST_PACKAGES:
        raise Invalid(f"An environment has at most {MOST_PACKAGES} packages of its own.", "Name those you import.")
    return found


def check_preload(modules: Iterable[str]) -> tuple[str, ...]:
    """The modules that a fork server imports; `Invalid` for what is not a module's name."""
    found = tuple(dict.fromkeys(modules))
    for module in found:
        if len(module) > 200 or not _MODULE.fullmatch(module):
            raise Invalid(f"{module!r} is not a module's name.", "Write it as in an import: sklearn.ensemble.")
    if len(found) > MOST_PACKAGES:
        raise Invalid(f"At most {MOST_PACKAGES} modules are imported before.", "Name those that are slow to import.")
    return found


def check_requirement(line: str) -> str:
    """`line` without surrounding space, or `Invalid` if it is more than a package with versions: options such as
    --index-url or -e, URLs and paths could bring in code from anywhere."""
    text = line.strip()
    if len(text) > 300 or not _REQUIREMENT.fullmatch(text):
        raise Invalid(
            f"{line[:300]!r} is not a package with an optional version.",
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
    python = str(raw.get("python", ""))
    if python and not _PYTHON.fullmatch(python):
        raise Invalid(f"{python!r} in {source} is not a version of Python.", 'Write it as in "3.11".')
    name = check_name(str(raw.get("name", "")), "environment")
    title, about = str(raw.get("title", name))[:200], str(raw.get("about", ""))[:1000]
    return Definition(name, title, python, check_packages(packages), check_preload(preload), about)


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
