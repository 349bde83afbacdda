"""Sends to webhooks what is to be sent, at least once: a receiver knows what comes again by its delivery id."""

import asyncio
import logging

from studio.loops.context import LoopContext
from studio.webhooks import deliveries, sending
from studio.webhooks.deliveries import Delivery
from studio.webhooks.sending import Attempt

AT_ONCE = 16
log = logging.getLogger(__name__)


async def step(context: LoopContext) -> None:
    """One message to every webhook for which one is due; then, woken by its own signal, the next."""
    found = await context.store.read(lambda db: deliveries.due(db, AT_ONCE))
    if not found:
        return
    answers = await asyncio.gather(*(_send(context, item) for item in found))
    pairs = list(zip(found, answers, strict=True))
    done = [item.number for item, attempt in pairs if attempt.is_taken]
    failed = {item.number: _after(item, attempt) for item, attempt in pairs if not attempt.is_taken}
    await context.store.write(lambda db: deliveries.settle(db, done, failed))


async def _send(context: LoopContext, item: Delivery) -> Attempt:
    secret = sending.opened(context.secret, item.sealed)
    return await sending.send(item.url, item.id, item.body, secret, context.settings.webhook_hosts)


def _after(item: Delivery, attempt: Attempt) -> int | None:
    """Seconds until it is tried again, None for never."""
    pause_s = deliveries.pause_s(item.tries, attempt.status)
    why = attempt.error or f"the answer was {attempt.status}"
    level, what = (logging.WARNING, "is given up") if pause_s is None else (logging.INFO, "waits")
    log.log(level, "webhook %s: %s %s: %s", item.webhook, item.event, what, why)
    return pause_s
