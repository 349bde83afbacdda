"""What a write tells the rest of the process, once it is committed."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

_KEY = "studio.signals"


@dataclass(frozen=True, slots=True)
class Signal:
    """`topic` changed in `domain` ("" = not of one domain); `ids` of what changed, where that is cheap to say."""

    topic: str
    domain: str = ""
    ids: tuple[str, ...] = ()


def signal(db: Connection, topic: str, domain: str = "", *ids: str) -> None:
    """To be called inside a write; delivered after its commit, never if it is rolled back."""
    db.info.setdefault(_KEY, []).append(Signal(topic, domain, ids))


def take(db: Connection) -> list[Signal]:
    """The signals of the write that has just run; forgets them."""
    taken: list[Signal] = db.info.pop(_KEY, [])
    return taken


class Signals:
    """Delivers to events (loops wake) and to listeners (websockets); lives in the event loop's thread only."""

    def __init__(self) -> None:
        self._events: dict[str, list[asyncio.Event]] = defaultdict(list)
        self._listeners: list[Callable[[Signal], None]] = []

    def event(self, *topics: str) -> asyncio.Event:
        """An event that is set whenever one of `topics` was signalled."""
        event = asyncio.Event()
        for topic in topics:
            self._events[topic].append(event)
        return event

    def forget(self, event: asyncio.Event) -> None:
        """Ends what `event` began."""
        for events in self._events.values():
            if event in events:
                events.remove(event)

    def listen(self, listener: Callable[[Signal], None]) -> Callable[[], None]:
        """Calls `listener` for every signal, until the function returned is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def deliver(self, signals: list[Signal]) -> None:
        """Wakes whoever waits for one of `signals`."""
        for item in signals:
            for event in self._events.get(item.topic, ()):
                event.set()
            for listener in list(self._listeners):
                listener(item)
