"""Finishes the removal of domains: once nothing of one runs, its files are moved aside and it is gone."""

import asyncio
import logging

from studio.domains import domains, removed
from studio.domains.domains import Domain
from studio.loops.context import LoopContext
from studio.loops.loop import each
from studio.runtime.specs import State
from studio.serving import endpoints

log = logging.getLogger(__name__)


async def step(context: LoopContext) -> None:
    """One look at every domain that is being removed."""
    found = [item for item in await context.store.read(domains.list_all) if item.removing_ms is not None]
    if not found:
        return
    state = await context.supervisor.state()
    for domain in found:
        await each(context, f"removal of {domain.name}", _one(context, domain, state))


async def _one(context: LoopContext, domain: Domain, state: State) -> None:
    if any(box.domain == domain.name for box in state.sandboxes):
        return  # the sandbox loop ends them, and its events lead here again
    if await context.store.read(lambda db: endpoints.list_endpoints(db, domain.name)):
        return
    assert domain.removing_ms is not None
    # The files first: a domain of the same name, made right after it is gone, begins with none of them.
    kept = await asyncio.to_thread(removed.set_aside, context.settings.paths, domain.name, domain.removing_ms)
    await context.store.write(lambda db: domains.remove(db, domain.name))
    log.info("the domain %s is removed; its files lie in %s", domain.name, kept)
