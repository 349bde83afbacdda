"""Keeps the audit log: what the gateway refused, what was too much to record, what is older than is kept."""

from studio.access.audit import DENIED, Entry
from studio.access.places import place
from studio.clock import now_ms
from studio.domains.sandboxes import KEY
from studio.loops.context import LoopContext

DAY_MS = 86_400_000
AT_ONCE = 2000  # rows taken out in one write


async def take(context: LoopContext) -> None:
    """Puts what the gateway refused by itself on record."""
    refused, dropped = await context.gateway.refusals()
    context.audit.dropped(dropped)
    for item in refused:
        kind = "sandbox" if item["credential"].startswith(KEY) else "key"
        where = place("", item["address"]).address
        await context.audit.refused(Entry(**item | {"address": where}, kind=kind, outcome=DENIED))


async def keep(context: LoopContext) -> None:
    """Says how many refusals were not recorded; takes out what is older than STUDIO_AUDIT_DAYS."""
    await context.audit.tell_dropped()
    before = now_ms() - context.settings.audit_days * DAY_MS
    while await context.store.write(lambda db: context.audit.remove_before(db, before, AT_ONCE)) == AT_ONCE:
        pass
