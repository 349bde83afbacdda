"""Logs of what runs are kept to a size: looked at each second, and ten times as often while one grows fast, since what
prints without end writes hundreds of megabytes in a second."""

import asyncio
from collections.abc import Callable, Set
from pathlib import Path

from studio.runtime import logs

CALM_S = 1.0
SOON_S = 0.1
_FAST_BYTES = 1 << 20  # between two looks
_ALL_S = 30.0


class LogCaps:
    """Below `root`; `live` names the logs that somebody may be writing now. All others are looked at now and then."""

    def __init__(self, root: Path, live: Callable[[], Set[str]], cap_bytes: int = logs.CAP_BYTES) -> None:
        self._root, self._live, self._cap = root, live, cap_bytes
        self._sizes: dict[str, int] = {}

    async def run(self) -> None:
        """Looks until it is cancelled."""
        loop = asyncio.get_running_loop()
        looked = loop.time()
        while True:
            fast = await asyncio.to_thread(self.look, self._live())
            if loop.time() - looked > _ALL_S:
                looked = loop.time()
                await asyncio.to_thread(logs.cap, self._root, self._cap)
            await asyncio.sleep(SOON_S if fast else CALM_S)

    def look(self, names: Set[str]) -> bool:
        """Cuts those of `names` that are over the cap; whether one has grown fast since the last look."""
        before, self._sizes = self._sizes, {}
        fast = False
        for name in names:
            size = logs.size_of(self._root, name)
            fast |= size - before.get(name, 0) > _FAST_BYTES
            if size > self._cap:
                logs.cut(self._root, name, self._cap)
                size = logs.size_of(self._root, name)
                fast = True
            self._sizes[name] = size
        return fast
