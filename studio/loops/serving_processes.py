"""Replicas as processes: forked, asked whether they are ready, stopped, forgotten."""

import asyncio
import json
from functools import partial
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from studio.clock import monotonic, now_ms
from studio.domains import instance_types, sandboxes
from studio.errors import Conflict, StudioError
from studio.loops.context import LoopContext
from studio.loops.exit_book import book
from studio.runtime import beneath
from studio.serving import endpoints, gateway_table, observed, replica_socket
from studio.serving import variants as rows
from studio.serving.actions import StartReplica
from studio.serving.endpoints import Endpoint
from studio.serving.events import tell
from studio.serving.replica_socket import Status
from studio.serving.states import ReplicaState
from studio.serving.variants import Replica, Variant

READY_S = 120.0
DRAIN_S = 20.0


async def heard_last_words(context: LoopContext, endpoint: Endpoint, seen: observed.Observed) -> bool:
    """Whether a starting replica that has ended left a status that says why: that is final, and no crash."""
    dead = {r.id for v in seen.variants for r in v.replicas if r.state is ReplicaState.starting and not r.alive}
    heard = False
    for id in dead:
        _, replica = endpoint.replica(id)
        said = replica_socket.status(context.layout(endpoint.domain, sandboxes.SERVICE).host_out, replica.socket)
        if said is not None and said.state == "Failed":
            await _note_failed(context, endpoint, id, said)
            heard = True
    return heard


async def _note_failed(context: LoopContext, endpoint: Endpoint, replica: str, said: Status) -> None:
    told = said.message if not said.message or said.message.endswith((".", "!", "?")) else f"{said.message}."
    reason = f"{told} {said.hint}".strip()[:2000] or "The model cannot be served."
    detail = said.traceback[-16_000:]
    variant, _ = endpoint.replica(replica)

    def change(db: Connection) -> None:
        if rows.set_replica(db, replica, ReplicaState.failed, reason=reason, detail=detail):
            rows.change(db, variant.id, detail=detail)
            endpoints.change(db, endpoint)

    await context.store.write(change)


async def start(context: LoopContext, endpoint: Endpoint, action: StartReplica, replica: str) -> None:
    """Forks a replica under the name `replica`; its row is there before its process."""
    variant = endpoint.variant(action.variant)
    parked = bool(action.replica)

    def begin(db: Connection) -> instance_types.InstanceType:
        if parked:
            rows.set_replica(db, replica, ReplicaState.starting)
        else:
            rows.add_replica(db, variant.id, replica, ReplicaState.starting)
        return instance_types.get(db, variant.instance_type)

    kind = await context.store.write(begin)
    named = Replica(replica, variant.id, ReplicaState.starting, 0, "", "", now_ms(), None)
    place = context.layout(endpoint.domain, sandboxes.SERVICE)
    beneath.remove(place.host_out, beneath.parts_of(f"{named.socket}.json"))
    spec = gateway_table.child(endpoint, variant, named, place, kind.cpu)
    try:
        limits = gateway_table.limits(kind.cpu, kind.memory_mb)
        pid = await context.supervisor.child_fork(place.id, variant.environment, spec, limits)
    except Conflict:
        return  # the gateway woke it at the same moment: it runs
    except StudioError as error:
        message = str(error)
        await context.store.write(lambda db: _not_started(db, endpoint, replica, message))
        return
    await context.store.write(lambda db: rows.set_replica(db, replica, ReplicaState.starting, pid=pid))
    # Not to wait for the loop's next look: this is on the way from Deploy to the first prediction.
    await probe(context, await _fresh(context, endpoint), replica, pid)


async def _fresh(context: LoopContext, endpoint: Endpoint) -> Endpoint:
    return await context.store.read(lambda db: endpoints.get_by_id(db, endpoint.id)) or endpoint


def _not_started(db: Connection, endpoint: Endpoint, replica: str, reason: str) -> None:
    rows.forget_replica(db, replica, failed=True, reason=reason)
    tell(db, endpoint.id, f"The replica did not start: {reason}")
    endpoints.change(db, endpoint)


async def probe(context: LoopContext, endpoint: Endpoint, replica: str, pid: int) -> None:
    """Waits until the replica has predicted its example or said why it cannot; a process that ends is the loop's."""
    root = context.layout(endpoint.domain, sandboxes.SERVICE).host_out
    variant, named = endpoint.replica(replica)
    deadline = monotonic() + READY_S
    pause = 0.003
    while monotonic() < deadline:
        if await replica_socket.is_ready(root, named.socket, pid):
            said = replica_socket.status(root, named.socket) or Status(state="Ready")
            await context.store.write(partial(_note_ready, endpoint, variant, named, pid, said))
            return
        found = replica_socket.status(root, named.socket)
        if found is not None and found.state == "Failed":
            await _note_failed(context, endpoint, replica, found)
            return
        if not Path(f"/proc/{pid}").exists():
            return
        await asyncio.sleep(pause)
        pause = min(0.1, pause * 1.2)
    late = Status(state="Failed", message=f"The model did not load and predict within {READY_S:.0f} s.")
    await _note_failed(context, endpoint, replica, late)


def _note_ready(endpoint: Endpoint, variant: Variant, named: Replica, pid: int, said: Status, db: Connection) -> None:
    if not rows.set_replica(db, named.id, ReplicaState.ready, pid=pid, ready_ms=now_ms()):
        return
    columns = [{"name": c.name, "type": c.type, "required": c.required} for c in said.signature]
    rows.change(db, variant.id, signature=json.dumps(columns), loaded=msgspec.json.encode(said.loaded).decode())
    passed = "answered the input example" if said.checked else "loaded; no input example was logged to try it with"
    tell(db, endpoint.id, f"A replica of version {variant.version} {passed} ({said.load_ms:.0f} ms).")
    endpoints.change(db, endpoint)


async def stop(context: LoopContext, endpoint: Endpoint, replica: str) -> None:
    """Lets it finish what it has begun, then ends it."""
    await context.store.write(lambda db: rows.set_replica(db, replica, ReplicaState.stopping))
    await context.supervisor.child_stop(endpoint.sandbox, replica, DRAIN_S)


async def forget(context: LoopContext, endpoint: Endpoint, replica: str, *, failed: bool) -> None:
    """Removes the row and the socket of a process that is gone, noting how it ended."""
    record = book(context.supervisor, "serving").find(endpoint.sandbox, replica)
    reason = (record.message or record.reason) if record else "The replica ended."
    place = context.layout(endpoint.domain, sandboxes.SERVICE)
    _, named = endpoint.replica(replica)

    def change(db: Connection) -> None:
        rows.forget_replica(db, replica, failed=failed, reason=reason)
        if failed:
            tell(db, endpoint.id, f"A replica ended: {reason}")
        endpoints.change(db, endpoint)

    await context.store.write(change)
    for name in (named.socket, f"{named.socket}.json"):
        if place.host_out.is_dir():
            beneath.remove(place.host_out, beneath.parts_of(name))
