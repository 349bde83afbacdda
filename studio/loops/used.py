"""Notes when sessions and keys were last used, to the minute, from what the gateway has seen."""

from sqlalchemy import Connection

from studio.access import keys, sessions
from studio.clock import now_ms
from studio.loops.context import LoopContext

EVERY_S = 60.0
MINUTE_MS = 60_000


async def step(context: LoopContext) -> None:
    """One write for all that were used since the last round; what it forgets when the server ends is no loss."""
    used = await context.gateway.used()
    if not used:
        return
    at_ms = now_ms() // MINUTE_MS * MINUTE_MS

    def write(db: Connection) -> None:
        # Every id says what it is of; tokens of sandboxes come here too.
        sessions.note_seen(db, [item for item in used if item.startswith("session-")], at_ms)
        keys.note_used(db, [item for item in used if item.startswith("key-")], at_ms)

    await context.store.write(write)
