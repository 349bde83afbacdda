"""Environments as answers: of the catalogue and of a domain alike."""

import asyncio
from pathlib import Path
from typing import Any

from studio.environments import buildlog, defaults, environments, pins, store, versions
from studio.environments.environments import Environment, Version
from studio.errors import NotFound
from studio.wire.context import Studio
from studio.wire.environment_uses import Use, uses
from studio.wire.rest.schemas.environments import (
    EnvironmentDetail,
    EnvironmentVersion,
    EnvironmentVersionDetail,
    PinAnswer,
    ProgressAnswer,
    UseAnswer,
)
from studio.wire.waiting import until

LOG_CHARACTERS = 16_384


def answer(studio: Studio, item: Environment, default: str) -> dict[str, Any]:
    """The fields of `EnvironmentAnswer`; `default`: the name of the domain's."""
    used, newest = item.used, item.newest
    plain = ("name", "title", "about", "is_ready", "hash", "created_by", "created_ms")
    python = str(item.python_path(studio.settings.paths.environments)) if item.is_ready else used.python
    return {name: getattr(item, name) for name in plain} | {
        "is_own": item.domain != environments.CATALOGUE,
        "is_default": item.name == default,
        "state": newest.state,
        "current": item.current.number if item.current else None,
        "newest": newest.number,
        "python": python,
        "packages": list(used.packages),
        "preload": list(used.preload),
        "size_bytes": used.size_bytes,
        "progress": ProgressAnswer.model_validate(newest.progress),
        # What is in use may be broken too, when its folder is gone.
        "error": newest.error or used.error,
        "built_ms": used.built_ms,
    }


async def detail(studio: Studio, domain: str, item: Environment) -> EnvironmentDetail:
    """One environment as `domain` sees it."""
    found = await studio.store.read(lambda db: versions.list_versions(db, item))
    mine = (await uses(studio, domain)).get(item.name, []) if domain else []
    default = await studio.store.read(lambda db: defaults.get_default(db, domain)) if domain else ""
    end = await asyncio.to_thread(buildlog.end, studio.settings.paths.logs, item.newest)
    return EnvironmentDetail(
        **answer(studio, item, default),
        versions=[EnvironmentVersion.model_validate(version) for version in found],
        uses=[use_answer(use) for use in mine],
        log=buildlog.plain(end)[-LOG_CHARACTERS:],
    )


def use_answer(use: Use) -> UseAnswer:
    """One thing that uses it."""
    return UseAnswer.model_validate(use)


async def settled(studio: Studio, domain: str, name: str, wait_s: float) -> Environment:
    """The environment, at the next change while its newest version is on its way, at most after `wait_s`."""
    found = await studio.store.read(lambda db: environments.get(db, domain, name))
    if not wait_s or not found.newest.state.is_on_its_way:
        return found

    async def changed() -> bool:
        now = await studio.store.read(lambda db: environments.get(db, domain, name))
        return now.newest != found.newest

    await until(studio, "environments", wait_s, changed)
    return await studio.store.read(lambda db: environments.get(db, domain, name))


async def version_detail(studio: Studio, version: Version, other: Version | None) -> EnvironmentVersionDetail:
    """A version with its lock, compared with that of `other`."""
    mine, theirs = await _pins(studio, version), await _pins(studio, other)
    changes = pins.changes(theirs, mine) if theirs and mine else []
    return EnvironmentVersionDetail(
        **EnvironmentVersion.model_validate(version).model_dump(),
        locked=[PinAnswer(name=name, version=number) for name, number in mine.items()],
        against=other.number if other else 0,
        changes=[PinAnswer.model_validate(pin) for pin in changes],
    )


async def lock(studio: Studio, item: Environment, version: Version) -> str:
    """The text of a version's lock; `NotFound` if its versions were never chosen."""
    text = await asyncio.to_thread(_read, studio.settings.paths.environments, version)
    if not text:
        raise NotFound(f"Version {version.number} of {item.name} has no lock yet.", "Build it first.")
    return text


async def _pins(studio: Studio, version: Version | None) -> dict[str, str]:
    if version is None:
        return {}
    return pins.pins(await asyncio.to_thread(_read, studio.settings.paths.environments, version))


def _read(root: Path, version: Version) -> str:
    path = store.lock_of(root, version.fingerprint)
    return path.read_text() if path.is_file() else ""
