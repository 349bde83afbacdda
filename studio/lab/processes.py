"""A process of this sandbox that somebody else forked: whether it lives, and signals that cannot hit a reused pid."""

import asyncio
import os
import select
import signal
from contextlib import suppress
from pathlib import Path


def start_time(pid: int) -> int:
    """Clock ticks after boot at which `pid` started (proc(5), field 22); 0 where that cannot be read."""
    with suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return 0


class Process:
    """A pid of this pid namespace, held by a pidfd where the system has them. With `started` it counts as ended unless
    it is the process that started then: a pid from a file may have been given to another one since."""

    def __init__(self, pid: int, started: int = 0) -> None:
        self.pid = pid
        self._descriptor: int | None = None
        self._ended = False
        try:
            self._descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            self._ended = True
        except (AttributeError, OSError):
            self._descriptor = None
        if started and start_time(pid) != started:
            self._ended = True

    @property
    def is_alive(self) -> bool:
        """False from the moment it has exited, reaped or not."""
        if self._ended:
            return False
        self._ended = self._has_ended()
        return not self._ended

    def _has_ended(self) -> bool:
        if self._descriptor is not None:
            # Signal 0 succeeds on a zombie; a pidfd becomes readable when its process exits (pidfd_open(2)).
            return bool(select.select([self._descriptor], [], [], 0)[0])
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def send(self, number: int) -> None:
        """Signals the process itself; nothing if it has ended."""
        with suppress(ProcessLookupError):
            if self._descriptor is not None:
                signal.pidfd_send_signal(self._descriptor, number)
            elif self.is_alive:
                os.kill(self.pid, number)

    async def ended(self) -> None:
        """Returns when it has exited."""
        if self._descriptor is None:
            while self.is_alive:  # noqa: ASYNC110 - no event tells of somebody else's child here
                await asyncio.sleep(0.05)
            return
        if not self.is_alive:
            return
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        # A copy, since two waiters may watch the same process and a loop has one callback per descriptor.
        copy = os.dup(self._descriptor)

        def exited() -> None:
            if not future.done():
                future.set_result(None)

        loop.add_reader(copy, exited)
        try:
            await future
        finally:
            loop.remove_reader(copy)
            os.close(copy)
        self._ended = True

    def close(self) -> None:
        """Lets go of the process; its fate is unchanged."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
        self._ended = True
