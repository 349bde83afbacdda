"""Builds versions of environments that were asked for; notices those that the store has already; clears the store."""

import asyncio
import sys
from functools import partial
from pathlib import Path

from studio.environments import buildlog, collect, store, versions
from studio.environments import environments as rows
from studio.environments.decide import Fail, Finish, Observed, Show, Start, decide
from studio.environments.definitions import Definition, load
from studio.environments.environments import Version
from studio.environments.states import State
from studio.environments.versions import Watched
from studio.loops.context import LoopContext
from studio.loops.loop import each

MOST_BUILDS = 2


async def step(context: LoopContext) -> None:
    """Reads the catalogue, then brings every version a step further."""
    definitions = await asyncio.to_thread(load, context.settings.assets / "environments")
    known = await context.store.read(lambda db: rows.visible(db, rows.CATALOGUE))
    if _differ(known, definitions):
        await context.store.write(lambda db: versions.define(db, definitions))
    found = await context.store.read(versions.watched)
    building = sum(item.version.state is State.building for item in found)
    waiting = [item for item in found if item.version.state is State.queued]
    first = waiting[: max(0, MOST_BUILDS - building)]
    for item in found:
        what = f"environment {item.domain or 'catalogue'}/{item.name} {item.version.number}"
        await each(context, what, _one(context, item, may_start=item in first))


async def clear(context: LoopContext) -> None:
    """Notes what is used; removes what was not for so many days, in a store that is this home's alone."""
    used = await context.store.read(collect.wanted) | collect.running(await context.supervisor.state())
    root, days = context.settings.paths.environments, context.settings.environment_days
    await asyncio.to_thread(collect.touch, root, used)
    if not days or context.settings.environments is not None:
        return
    for item in await asyncio.to_thread(collect.unused, root, used, days):
        await asyncio.to_thread(collect.remove, root, item.hash)
        await context.store.write(partial(versions.removed, content_hash=item.hash))


async def _one(context: LoopContext, item: Watched, *, may_start: bool) -> None:
    version = item.version
    match decide(version, await _observe(context, version, may_start)):
        case Start():
            await _start(context, item)
            await context.store.write(lambda db: versions.start_building(db, version))
        case Finish(content_hash):
            size = await asyncio.to_thread(store.size_bytes, context.settings.paths.environments, content_hash)
            await context.store.write(lambda db: versions.finish(db, version, content_hash, size))
        case Fail(error):
            await context.store.write(lambda db: versions.fail(db, version, error))
        case Show(progress):
            await context.store.write(lambda db: versions.show_progress(db, version, progress))


async def _observe(context: LoopContext, version: Version, may_start: bool) -> Observed:
    folder = context.settings.paths.environments
    # The tool first, then the store: a build that ends in between is seen as ended and complete.
    tool = await context.supervisor.tool_state(version.tool) if version.state is State.building else None
    complete = await asyncio.to_thread(store.find_complete, folder, version.fingerprint)
    log = await asyncio.to_thread(buildlog.end, context.settings.paths.logs, version) if tool is not None else ""
    return Observed(complete, tool.state if tool else "Unknown", log, may_start)


async def _start(context: LoopContext, item: Watched) -> None:
    tool = item.version.tool
    if (await context.supervisor.tool_state(tool)).state == "Running":
        return  # started by a server that then was killed
    path = context.settings.paths.run / "environments" / f"{tool}.toml"
    await asyncio.to_thread(_write, path, item.version.definition(item.name))
    argv = [sys.executable, "-m", "studio.environments.build", "--definition", str(path)]
    argv += ["--store", str(context.settings.paths.environments)]
    await context.supervisor.tool_start(tool, argv, log=buildlog.name(item.version))


def _write(path: Path, definition: Definition) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(definition.toml)


def _differ(known: list[rows.Environment], definitions: list[Definition]) -> bool:
    if {item.name for item in known} != {item.name for item in definitions}:
        return True
    named = {item.name: item for item in definitions}
    return any(
        (item.title, item.about) != (named[item.name].title, named[item.name].about)
        or versions.differs(item.newest, named[item.name])
        for item in known
    )
