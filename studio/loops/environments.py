"""Builds environments that were asked for; notices those that are in the store already."""

import asyncio
import json
import sys
from pathlib import Path

from studio import environments
from studio.environments import environments as rows
from studio.environments import store
from studio.environments.decide import Fail, Finish, Observed, Show, Start, decide
from studio.environments.definitions import Definition, load
from studio.environments.environments import Environment
from studio.environments.states import State
from studio.errors import NotFound
from studio.loops.context import LoopContext
from studio.loops.loop import each
from studio.runtime import logs

LOG_BYTES = 65_536


async def step(context: LoopContext) -> None:
    """Reads the definitions, then brings every environment a step further."""
    definitions = await asyncio.to_thread(load, context.settings.assets / "environments")
    found = await context.store.read(environments.list_all)
    if _differ(found, definitions):
        await context.store.write(lambda db: rows.define(db, definitions))
        found = await context.store.read(environments.list_all)
    by_name = {item.name: item for item in definitions}
    for item in found:
        await each(context, f"environment {item.name}", _one(context, item, by_name[item.name]))


async def _one(context: LoopContext, item: Environment, definition: Definition) -> None:
    name, fingerprint = item.name, definition.fingerprint
    match decide(item, await _observe(context, item, definition)):
        case Start():
            await _start(context, item, definition)
            await context.store.write(lambda db: rows.start_building(db, name, fingerprint))
        case Finish(content_hash):
            await context.store.write(lambda db: rows.finish(db, name, fingerprint, content_hash))
        case Fail(error):
            await context.store.write(lambda db: rows.fail(db, name, error))
        case Show(progress):
            await context.store.write(lambda db: rows.show_progress(db, name, progress))


async def _observe(context: LoopContext, item: Environment, definition: Definition) -> Observed:
    folder = context.settings.paths.environments
    # The tool first, then the store: a build that ends in between is seen as ended and complete.
    tool = await context.supervisor.tool_state(item.tool) if item.state is State.building else None
    complete = await asyncio.to_thread(store.find_complete, folder, definition)
    log = await asyncio.to_thread(_log, context.settings.paths.logs, item) if tool is not None else ""
    return Observed(complete, tool.state if tool else "Unknown", log)


async def _start(context: LoopContext, item: Environment, definition: Definition) -> None:
    if (await context.supervisor.tool_state(item.tool)).state == "Running":
        return  # started by a server that then was killed
    path = context.settings.paths.run / "environments" / f"{item.name}.toml"
    await asyncio.to_thread(_write, path, definition)
    argv = [sys.executable, "-m", "studio.environments.build", "--definition", str(path)]
    argv += ["--store", str(context.settings.paths.environments)]
    await context.supervisor.tool_start(item.tool, argv, log=f"{item.tool}.log")


def _write(path: Path, definition: Definition) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fields = {"name": definition.name, "title": definition.title, "python": definition.python}
    fields |= {"packages": list(definition.packages), "preload": list(definition.preload)}  # type: ignore[dict-item]
    # Texts and lists of texts are the same in JSON and TOML.
    path.write_text("".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in fields.items()))


def _log(folder: Path, item: Environment) -> str:
    try:
        return logs.tail(folder, f"{item.tool}.log", -LOG_BYTES, LOG_BYTES).text
    except NotFound:
        return ""


def _differ(found: list[Environment], definitions: list[Definition]) -> bool:
    known = {item.name: (item.title, item.python, item.packages, item.preload) for item in found}
    changed = {item.name for item in found if item.state is State.ready and not _is_of(item, definitions)}
    return bool(changed) or known != {d.name: (d.title, d.python, d.packages, d.preload) for d in definitions}


def _is_of(item: Environment, definitions: list[Definition]) -> bool:
    return any(item.name == other.name and item.built_from == other.fingerprint for other in definitions)
