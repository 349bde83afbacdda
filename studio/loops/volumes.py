"""Measures what domains store, and has snapshots and restores made, one at a time in a domain, by other programs."""

import asyncio
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from studio.clock import now_ms
from studio.domains import domains, quotas, snapshots, space_folders, spaces, tasks, volumes
from studio.domains.quotas import Volume
from studio.domains.snapshots import Restore, Snapshot
from studio.domains.spaces import Space
from studio.domains.storing import Report, Task, report_path
from studio.domains.tasks import Fail, Finish, Show, Start
from studio.errors import NotFound
from studio.loops.context import LoopContext
from studio.loops.files import write_file
from studio.loops.loop import each
from studio.runtime import space
from studio.runtime.sandbox import Layout
from studio.runtime.trees import Use
from studio.settings import Paths

MEASURE = "measure-volumes"


async def step(context: LoopContext) -> None:
    """The oldest task of every domain a step further; then what is due is measured."""
    first: dict[str, Snapshot | Restore] = {}
    for item in await context.store.read(snapshots.unfinished):
        first.setdefault(item.domain, item)
    for item in first.values():
        await each(context, f"{item.domain}: {item.id}", _one(context, item))
    for gone in await context.store.read(spaces.to_empty):
        await each(context, f"{gone.domain}: {gone.id}", _empty(context, gone))
    await each(context, "measuring volumes", _measure(context))


async def _one(context: LoopContext, item: Snapshot | Restore) -> None:
    kind = tasks.kind_of(item)
    path = context.settings.paths.run / "volumes" / f"{item.id}-{kind}.json"
    tool = await context.supervisor.tool_state(path.stem)
    report = await asyncio.to_thread(_report, path)
    match tasks.decide(item, tool.state, report, await _kept(context, item)):
        case Start():
            values = {"state": snapshots.RUNNING} if kind != "remove" else {}
            changed = {**values, "attempts": item.attempts + 1}
            await context.store.write(lambda db: snapshots.change(db, item, **changed))
            await _start(context, path, task(context.settings.paths, item))
        case Show(done, total):
            await context.store.write(lambda db: snapshots.change(db, item, done=done, total=total))
        case Finish(found):
            await _finish(context, item, found)
            await asyncio.to_thread(_clear, path)
        case Fail(error):
            state = snapshots.READY if kind == "remove" else snapshots.FAILED
            ended = {"state": state, "error": error[:1000], "finished_ms": now_ms()}
            await context.store.write(lambda db: snapshots.change(db, item, **ended))
            await asyncio.to_thread(_clear, path)


def task(paths: Paths, item: Snapshot | Restore) -> Task:
    """What the program is told."""
    root = volumes.root(paths, item.domain, item.user)
    source = item.snapshot if isinstance(item, Restore) else item.id
    store = volumes.snapshot_folder(paths, item.domain, source)
    folder = item.folder if isinstance(item, Restore) else ""
    return Task(item.id, tasks.kind_of(item), str(root), str(store), folder)  # type: ignore[arg-type]


async def _empty(context: LoopContext, item: Space) -> None:
    """The files of a space that was in the trash; the row goes when they are gone."""
    path = context.settings.paths.run / "volumes" / f"{item.id}.json"
    tool = await context.supervisor.tool_state(path.stem)
    report = await asyncio.to_thread(_report, path)
    if report is not None and report.state == "Done":
        await context.store.write(lambda db: spaces.forget(db, item))
        await asyncio.to_thread(_clear, path)
    elif report is not None and report.state == "Failed":
        await context.store.write(lambda db: spaces.trash(db, item))  # where it can be asked for again
        await asyncio.to_thread(_clear, path)
    elif tool.state != "Running":
        root = volumes.root(context.settings.paths, item.domain, item.owner)
        gone = "/".join(space_folders.trashed(item))
        await _start(context, path, Task(item.id, "empty", str(root), folder=gone))


async def _kept(context: LoopContext, item: Snapshot | Restore) -> Snapshot | None:
    if not isinstance(item, Restore) or not item.kept:
        return None
    try:
        return await context.store.read(lambda db: snapshots.get(db, item.domain, item.kept))
    except NotFound:
        return None


async def _finish(context: LoopContext, item: Snapshot | Restore, found: Report) -> None:
    values = {"finished_ms": now_ms(), "done": found.done, "total": found.total, "error": ""}
    if isinstance(item, Restore):
        await context.store.write(lambda db: snapshots.change(db, item, state=snapshots.DONE, **values))
    elif item.state == snapshots.DELETING:
        await context.store.write(lambda db: snapshots.forget(db, item))
    else:
        counts = {"files": found.files, "is_cheap": found.shared, "skipped": found.skipped, "changed": found.changed}
        values |= {"state": snapshots.READY, "bytes": found.total, **counts}
        await context.store.write(lambda db: snapshots.change(db, item, **values))
    await context.store.write(lambda db: quotas.ask(db, item.domain))


async def _start(context: LoopContext, path: Path, wanted: Task) -> None:
    await asyncio.to_thread(_write, path, wanted)
    argv = [sys.executable, "-m", "studio.domains.storing", str(path)]
    await context.supervisor.tool_start(path.stem, argv, log="volumes.log")


async def _measure(context: LoopContext) -> None:
    path = context.settings.paths.run / "volumes" / f"{MEASURE}.json"
    boxes = (await context.supervisor.state()).sandboxes
    if (await context.supervisor.tool_state(MEASURE)).state != "Running":
        await _take_measured(context, path)
        due = await _due(context, {box.domain for box in boxes})
        if due:
            await context.store.write(lambda db: quotas.begin(db, due))
            await _start(context, path, await asyncio.to_thread(_to_measure, context.settings.paths, due))
    known = await context.store.read(quotas.list_all)
    context.full.clear()
    context.full.update({name: found.words for name, found in known.items() if found.is_over})
    await asyncio.to_thread(_tell, [(context.layout(box.domain, box.owner), box.domain) for box in boxes], context.full)


def _tell(boxes: list[tuple[Layout, str]], full: Mapping[str, str]) -> None:
    """In every sandbox, for those who start something there without asking the server."""
    for layout, domain in boxes:
        place = layout.host_in / space.FULL
        if (why := full.get(domain)) and layout.host_in.is_dir():
            write_file(place, why)
        else:
            place.unlink(missing_ok=True)


async def _due(context: LoopContext, active: set[str]) -> list[str]:
    known = await context.store.read(quotas.list_all)
    names = [item.name for item in await context.store.read(domains.list_all)]
    now = now_ms()
    return [name for name in names if quotas.due(known.get(name, Volume(name)), name in active, now)]


async def _take_measured(context: LoopContext, path: Path) -> None:
    """Of a program that ended without a report nothing is taken but that it was tried."""
    wanted = await asyncio.to_thread(_task, path)
    if wanted is None:
        return
    report = await asyncio.to_thread(_report, path) or Report()
    known = await context.store.read(quotas.list_all)
    exists = {item.name for item in await context.store.read(domains.list_all)}
    for name in wanted.domains.keys() & exists:
        found = volume(known.get(name, Volume(name)), report.use.get(name), report.took_ms.get(name, 0))
        await context.store.write(lambda db, found=found: quotas.measured(db, found))  # type: ignore[misc]
    await asyncio.to_thread(_clear, path)


def volume(before: Volume, use: dict[str, Use] | None, took_ms: int) -> Volume:
    """What was measured, by folder, as the volume's figures; without a measurement those from before."""
    if use is None:
        return before
    homes = {name.partition("/")[2]: found.disk for name, found in use.items() if name.startswith("home/")}
    return Volume(
        before.domain,
        before.quota_mb,
        use["shared"].disk,
        homes,
        use["snapshots"].disk,
        use["artifacts"].disk + (use["invocations"].disk if "invocations" in use else 0),
        sum(found.files for found in use.values()),
        took_ms,
    )


def folders(paths: Paths, domain: str) -> dict[str, Path]:
    """What is measured of a domain, by name."""
    own = {f"home/{user}": paths.user(domain, user) for user in volumes.homes(paths, domain)}
    places = {"shared": paths.shared(domain), "snapshots": paths.domain(domain) / "snapshots"}
    return {**own, **places, "artifacts": paths.artifacts / domain, "invocations": paths.invocations / domain}


def _to_measure(paths: Paths, names: Iterable[str]) -> Task:
    return Task(
        MEASURE,
        "measure",
        domains={name: {part: str(folder) for part, folder in folders(paths, name).items()} for name in names},
    )


def _write(path: Path, wanted: Task) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    report_path(path).unlink(missing_ok=True)
    path.write_bytes(msgspec.json.encode(wanted))


def _task(path: Path) -> Task | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Task)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _report(path: Path) -> Report | None:
    try:
        return msgspec.json.decode(report_path(path).read_bytes(), type=Report)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _clear(path: Path) -> None:
    path.unlink(missing_ok=True)
    report_path(path).unlink(missing_ok=True)
