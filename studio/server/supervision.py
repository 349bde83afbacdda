"""Events of the supervisor, as signals that wake loops and pages."""

import asyncio
import logging

from studio.errors import StudioError
from studio.runtime.supervising import Supervisor
from studio.store import Signal, Store

PAUSE_S = 0.2
log = logging.getLogger(__name__)


async def follow(supervisor: Supervisor, store: Store) -> None:
    """Until cancelled; while the supervisor is away the loops go on by their own clocks."""
    while True:
        try:
            async for event in supervisor.subscribe():
                signals = [Signal("supervisor", event.sandbox.partition(".")[0])]
                if event.sandbox:
                    signals.append(Signal("running", event.sandbox.partition(".")[0], (event.name or event.sandbox,)))
                store.signals.deliver(signals)
        except StudioError:
            await asyncio.sleep(PAUSE_S)
            # What happened meanwhile was not heard.
            store.signals.deliver([Signal("supervisor")])
