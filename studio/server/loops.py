"""Every loop of the server, in one list."""

import asyncio

from studio.loops import (
    async_invocations,
    audit,
    cost,
    data,
    disk,
    environments,
    gateway,
    idle,
    jobs,
    ledger,
    monitoring,
    removals,
    sandboxes,
    serving,
    used,
    volumes,
    webhooks,
)
from studio.loops.context import LoopContext
from studio.loops.loop import Loop, run

# "supervisor": an event from the supervisor; the others are signals of writes.
LOOPS: tuple[Loop, ...] = (
    Loop("environments", environments.step, topics=("environments", "supervisor"), every_s=1.0),
    Loop("store of environments", environments.clear, every_s=3600.0),
    Loop("sandboxes", sandboxes.step, topics=("sandboxes", "members", "environments", "supervisor"), every_s=2.0),
    Loop("idle sandboxes", idle.step, every_s=20.0),
    Loop("removals", removals.step, topics=("domains", "endpoints", "supervisor"), every_s=5.0),
    Loop("gateway", gateway.step, topics=("gateway", *gateway.TOPICS), every_s=2.0),
    Loop("gateway stats", gateway.read_stats, every_s=1.0),
    Loop("used sessions and keys", used.step, every_s=used.EVERY_S),
    Loop("data", data.step, topics=("datasets", "supervisor"), every_s=2.0),
    Loop("jobs", jobs.step, topics=("jobs", "sandboxes", "environments", "supervisor"), every_s=2.0),
    Loop("ledger", ledger.step, topics=("supervisor",), every_s=3.0),
    Loop("cost", cost.step, topics=("stops",), every_s=3.0),
    Loop("serving", serving.step, topics=("endpoints", "serving", "models", "environments", "supervisor"), every_s=2.0),
    Loop("async invocations", async_invocations.step, topics=("async_invocations", "endpoints"), every_s=1.0),
    Loop("notices of async invocations", async_invocations.tell, topics=("async_invocations",), every_s=1.0),
    Loop("files of async invocations", async_invocations.clear, every_s=60.0),
    Loop("monitoring", monitoring.step, topics=("monitors", "monitoring", "supervisor"), every_s=1.0),
    Loop("volumes", volumes.step, topics=("volumes", "spaces", "supervisor"), every_s=2.0),
    Loop("disk", disk.step, every_s=1.0),
    Loop("audit of the gateway", audit.take, every_s=1.0),
    Loop("audit", audit.keep, every_s=60.0),
    Loop("webhooks", webhooks.step, topics=("webhooks",), every_s=1.0),
)


def start(context: LoopContext) -> list[asyncio.Task[None]]:
    """Begins all of them; cancel the tasks to end them."""
    return [asyncio.create_task(run(loop, context), name=f"loop {loop.name}") for loop in LOOPS]
