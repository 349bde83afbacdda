"""Runs one reconciler for ever: woken by signals, at least every so often, with back-off after a failure."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from studio.errors import StudioError, Unavailable
from studio.loops.context import LoopContext

Step = Callable[[LoopContext], Awaitable[None]]
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loop:
    """`step` is idempotent. `topics`: signals that wake it; `every_s`: it runs at least that often."""

    name: str
    step: Step
    topics: tuple[str, ...] = ()
    every_s: float = 2.0


async def run(loop: Loop, context: LoopContext) -> None:
    """Runs `loop` until cancelled. A failing step is logged once per message and tried again, later each time."""
    event = context.store.signals.event(*loop.topics)
    failures = 0
    try:
        while True:
            event.clear()  # before the step: what is signalled meanwhile leads to another step
            try:
                await loop.step(context)
                failures = 0
            except StudioError as error:
                failures += 1
                say(context, f"loop {loop.name}", str(error), logging.WARNING)
            except Exception:
                failures += 1
                log.exception("loop %s failed", loop.name)
            if failures:
                await asyncio.sleep(pause_s(failures))
            else:
                context.logged.pop(f"loop {loop.name}", None)
                await wait(event, loop.every_s)
    finally:
        context.store.signals.forget(event)


def pause_s(failures: int) -> float:
    """Seconds to wait after the n-th failure in a row: doubling up to a cap."""
    return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(failures - 1, 10)))


async def wait(event: asyncio.Event, timeout_s: float) -> bool:
    """Waits for `event` at most `timeout_s`; whether it came."""
    try:
        await asyncio.wait_for(event.wait(), timeout_s)
    except TimeoutError:
        return False
    return True


async def each(context: LoopContext, what: str, work: Awaitable[object]) -> bool:
    """Awaits the work on one item so that its failure does not stop the others; logs once per change. True if done."""
    try:
        await work
    except Unavailable as error:
        say(context, what, str(error), logging.INFO)
        return False
    except StudioError as error:
        say(context, what, str(error), logging.WARNING)
        return False
    except Exception as error:
        if context.logged.get(what) != repr(error):
            log.exception("%s failed", what)
        context.logged[what] = repr(error)
        return False
    context.logged.pop(what, None)
    return True


def say(context: LoopContext, what: str, message: str, level: int = logging.INFO) -> None:
    """Logs `message` about `what` unless that is what was said last."""
    if context.logged.get(what) != message:
        log.log(level, "%s: %s", what, message)
    context.logged[what] = message
