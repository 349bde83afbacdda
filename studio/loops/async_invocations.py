"""Has predictions made that were asked for earlier, tells of their end, and removes what is old."""

import asyncio
from functools import partial

from sqlalchemy import Connection

from studio.clock import now_ms
from studio.loops.context import LoopContext
from studio.loops.loop import each
from studio.serving import async_asking, async_files, async_invocations, async_notices, endpoints
from studio.serving.async_decide import Ask, Expire, Limits, Waiting, after, decide
from studio.serving.async_invocations import TOPIC, AsyncInvocation
from studio.serving.states import EndpointState
from studio.store import Signal

AT_ONCE = 16
NOTICES = 16
# Of this process: what the gateway was asked. A server that starts asks again, and joins what is under way.
_asked: dict[str, asyncio.Task[bool]] = {}


async def step(context: LoopContext) -> None:
    """One look at what waits."""
    waiting, states = await context.store.read(_read)
    settings = context.settings
    limits = Limits(settings.async_at_once, AT_ONCE, settings.async_body_mb << 20)
    for action in decide(waiting, states, _asked, limits, now_ms()):
        match action:
            case Ask(id):
                await _ask(context, id)
            case Expire(id):
                await context.store.write(partial(_expire, id))


def _read(db: Connection) -> tuple[list[Waiting], dict[str, EndpointState]]:
    waiting = async_invocations.waiting(db)
    return waiting, {found.id: found.state for found in endpoints.list_endpoints(db)} if waiting else {}


def _expire(id: str, db: Connection) -> None:
    async_invocations.expire(db, id)


async def _ask(context: LoopContext, id: str) -> None:
    # Committed before the gateway is asked: a server that is killed in between finds it running, and asks again.
    wanted = await context.store.write(lambda db: async_invocations.begin(db, id))
    if wanted is not None and id not in _asked:
        _asked[id] = task = asyncio.create_task(_follow(context, wanted), name=f"async invocation {id}")
        task.add_done_callback(lambda task: _over(context, id, task))


async def _follow(context: LoopContext, wanted: AsyncInvocation) -> bool:
    return await each(context, f"async invocation {wanted.id}", _make(context, wanted))


async def _make(context: LoopContext, wanted: AsyncInvocation) -> None:
    answer = await async_asking.ask(context.gateway.socket, wanted)
    then = after(answer.status, answer.error, wanted.attempts)
    await context.store.write(lambda db: async_invocations.settle(db, wanted.id, answer, then))


def _over(context: LoopContext, id: str, task: asyncio.Task[bool]) -> None:
    _asked.pop(id, None)
    # What could not be written down is tried at the loop's next regular look, not at once and for ever.
    if not task.cancelled() and task.result():
        context.store.signals.deliver([Signal(TOPIC)])


async def tell(context: LoopContext) -> None:
    """Tells of the ends that are to be told, each to the address that its asker gave."""
    found = await context.store.read(lambda db: async_invocations.to_tell(db, NOTICES))
    if not found:
        return
    hosts = context.settings.webhook_hosts
    pauses = await asyncio.gather(*(async_notices.tell(item, context.address, context.secret, hosts) for item in found))
    done = [item.number for item, pause_s in zip(found, pauses, strict=True) if pause_s == async_notices.TOLD]
    later = {item.number: pause_s for item, pause_s in zip(found, pauses, strict=True) if pause_s != async_notices.TOLD}
    await context.store.write(lambda db: async_invocations.told(db, done, later))


async def clear(context: LoopContext) -> None:
    """Removes what ended long ago, the files of endpoints that are gone, and what a crash has left."""
    paths = context.settings.paths
    before_ms = now_ms() - int(context.settings.async_days * 86_400_000)
    for old in await context.store.write(lambda db: async_invocations.remove_old(db, before_ms)):
        await asyncio.to_thread(async_files.remove, async_files.place(paths, old.domain, old.endpoint, old.id))
    if found := await asyncio.to_thread(async_files.listed, paths):
        known = await context.store.read(async_invocations.ids)
        await asyncio.to_thread(async_files.clear, paths, found, known)
