"""Events to whoever subscribed; a subscriber that does not read is dropped, never waited for."""

import asyncio

from studio.runtime.specs import Event

_BACKLOG = 1000


class Bus:
    """Passes each event to every queue."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Event | None]] = set()

    def subscribe(self) -> asyncio.Queue[Event | None]:
        """A queue of events from now on; None means that it was dropped."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(_BACKLOG + 1)
        self._queues.add(queue)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[Event | None]) -> None:
        """No more events for this queue."""
        self._queues.discard(queue)

    def publish(self, event: Event) -> None:
        """Never blocks."""
        for queue in list(self._queues):
            if queue.qsize() >= _BACKLOG:
                self._queues.discard(queue)
                queue.put_nowait(None)
            else:
                queue.put_nowait(event)
