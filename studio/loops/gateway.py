"""Keeps the gateway's tables equal to what the database says, and reads its figures."""

import asyncio
from functools import partial
from typing import Any

from sqlalchemy import Connection

from studio import signing
from studio.access import keys, memberships, sessions
from studio.access.principals import Role
from studio.clock import monotonic, now_ms
from studio.domains import domains, sandboxes
from studio.domains.labs import LAB
from studio.domains.sandboxes import KEY, Sandbox
from studio.errors import StudioError
from studio.loops import waking
from studio.loops.context import LoopContext
from studio.runtime import sockets
from studio.runtime.gateway_control import Table
from studio.runtime.sandbox import Layout
from studio.runtime.specs import SandboxState, State
from studio.serving import gateway_table, refusals
from studio.store import Signal

TOPICS = (
    "policy",
    "sessions",
    "keys",
    "members",
    "domains",
    "users",
    "labs",
    "sandboxes",
    "supervisor",
    "endpoints",
    "serving",
)
LOOK_S = 0.05
PATIENCE_S = 120.0


async def step(context: LoopContext) -> None:
    """Composes the table, pushes what changed, waits for the confirmation."""
    mark = context.gateway.mark()
    state = await context.supervisor.state()
    table, boxes = await context.store.read(lambda db: _read(db, context))
    found, waiting = labs(context, boxes, state)
    await context.gateway.push(table | found | sandbox_keys(context, boxes, state), mark)
    for box in waiting:
        if box.id not in context.watching:
            context.watching[box.id] = asyncio.create_task(_watch(context, box), name=f"lab of {box.id}")


async def _watch(context: LoopContext, box: Sandbox) -> None:
    """A lab's socket appears without a word: it is looked for until it answers."""
    layout = context.layout(box.domain, box.owner)
    deadline = monotonic() + PATIENCE_S
    try:
        while not is_listening(layout) and monotonic() < deadline:  # noqa: ASYNC110 - nothing tells of a socket
            await asyncio.sleep(LOOK_S)
    finally:
        context.watching.pop(box.id, None)
    context.store.signals.deliver([Signal("labs", box.domain, (box.id,))])


async def read_stats(context: LoopContext) -> None:
    """Figures per endpoint, for decisions about idle ones and for people."""
    stats = await context.gateway.stats()
    before = dict(context.gateway_stats)
    context.gateway_stats.clear()
    context.gateway_stats.update(stats)
    for key, figures in stats.items():
        woke = figures.get("woke")
        if woke and woke != before.get(key, {}).get("woke"):
            await context.store.write(partial(waking.keep, key=key, woke=woke))


def _read(db: Connection, context: LoopContext) -> tuple[Table, list[Sandbox]]:
    isolation = "bubblewrap" if context.isolation == "bubblewrap" else "none"
    endpoints = gateway_table.entries(db, context.settings.paths, isolation)  # type: ignore[arg-type]
    return access_table(db, context.secret) | endpoints | refusals.entries(db, now_ms()), sandboxes.list_all(db)


def access_table(db: Connection, master: str) -> Table:
    """Sessions, keys (with their secrets, for requests that are signed), members, domains."""
    table: dict[str, Any] = {}
    secrets = keys.secrets(db, master)
    for session in sessions.list_all(db):
        entry = {name: getattr(session, name) for name in ("id", "user", "csrf", "expires_ms", "domain")}
        table[f"sessions/{session.digest}"] = entry
    for key in keys.list_all(db):
        names = ("digest", "user", "domain", "expires_ms", "actions", "resources")
        table[f"keys/{key.id}"] = {name: getattr(key, name) for name in names} | {"secret": secrets.get(key.id)}
    for member in memberships.list_all(db):
        table[f"members/{member.domain}/{member.user}"] = {"role": str(member.role)}
    for domain in domains.list_all(db):
        table[f"domains/{domain.name}"] = {"port": domain.port}
    return table


def labs(context: LoopContext, boxes: list[Sandbox], state: State) -> tuple[Table, list[Sandbox]]:
    """The labs that answer, and those still on their way. One that answered once stays in the table while it is
    restarted: callers are held, not sent away."""
    observed = {item.id: item for item in state.sandboxes}
    table: dict[str, Any] = {}
    waiting: list[Sandbox] = []
    for box in boxes:
        layout = context.layout(box.domain, box.owner)
        seen = f"lab {box.id}"
        found = observed.get(box.id)
        if not box.lab_wanted or found is None or not has_lab(found) or box.applied_role != box.role:
            context.logged.pop(seen, None)
            continue
        start = str(found.started_ms)
        if context.logged.get(seen) != start and not is_listening(layout):
            waiting.append(box)
            continue
        if context.logged.get(seen) != start:
            context.logged[seen] = start
            context.store.signals.deliver([Signal("running", box.domain, (box.id,))])
        entry = {"socket": str(layout.host_out / "lab.sock"), "secret": box.lab_secret(context.secret)}
        table[f"labs/{box.domain}/{box.owner}"] = entry
    return table, waiting


def sandbox_keys(context: LoopContext, boxes: list[Sandbox], state: State) -> Table:
    """Tokens of sandboxes that have the host's network and so come through the gateway, while they run."""
    running = {item.id for item in state.sandboxes if item.state == "Running" and item.network == "open"}
    table: dict[str, Any] = {}
    for box in boxes:
        if box.id in running and box.role:
            token = box.token(context.secret)
            entry = {"digest": signing.digest(token), "user": box.owner, "domain": box.domain, "expires_ms": None}
            entry["cap"] = str(Role.editor)
            table[f"keys/{KEY}{box.id}"] = entry
    return table


def has_lab(found: SandboxState) -> bool:
    """Whether the sandbox is up with a lab that runs or is being restarted."""
    return found.state == "Running" and any(service.name == LAB for service in found.services)


def is_listening(layout: Layout) -> bool:
    """Whether somebody answers on the lab's socket."""
    try:
        sockets.connect_beneath(layout.host_out, "lab.sock", timeout_s=0.2).close()
    except StudioError:
        return False
    return True
