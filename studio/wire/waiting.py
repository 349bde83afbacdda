"""Requests that wait for something to become so."""

import asyncio
from collections.abc import Awaitable, Callable

from studio.clock import monotonic
from studio.wire.context import Studio


async def until(studio: Studio, topic: str, timeout_s: float, is_so: Callable[[], Awaitable[bool]]) -> bool:
    """Looks at once and after each signal of `topic` until `is_so`, at most `timeout_s`; whether it became so."""
    event = studio.store.signals.event(topic)
    deadline = monotonic() + timeout_s
    try:
        while True:
            event.clear()  # before the look: what is signalled meanwhile leads to another one
            if await is_so():
                return True
            try:
                await asyncio.wait_for(event.wait(), deadline - monotonic())
            except TimeoutError:
                return False
    finally:
        studio.store.signals.forget(event)
