"""Client of the gateway's control socket: pushes its tables, waits for the acknowledgement, reads its figures."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.errors import Timeout, Unavailable

Table = dict[str, Any]  # "sessions/<digest>" → what the gateway knows of it
ANSWER_S = 5.0
LINE_BYTES = 16 * 1024 * 1024


class GatewayControl:
    """One connection, one question at a time: each line is answered by one line."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._seq = 0
        self._pushed: Table | None = None  # what this connection's gateway has confirmed; None: it must get all
        self._wanted = 0
        self._confirmed = 0
        self._changed = asyncio.Event()
        self.wake: Callable[[], None] = lambda: None  # called when somebody waits for a confirmation

    def mark(self) -> int:
        """To be taken before the table is read, and given to `push`: who asked before it is then told."""
        return self._wanted

    async def push(self, table: Table, mark: int) -> None:
        """Makes the gateway's table equal to `table`: all of it on a new connection, else the differences. Returns
        when it has confirmed; `Unavailable` if there is no gateway."""
        async with self._lock:
            await self._connect()
            before = self._pushed
            if before is None:
                await self._numbered({"full": table})
            elif changed := difference(before, table):
                await self._numbered({"set": changed})
            self._pushed = dict(table)
        self._confirmed = max(self._confirmed, mark)
        self._changed.set()

    async def confirmed(self, timeout_s: float = 5.0) -> None:
        """Returns when the gateway has confirmed a table read after this call; `Timeout` if it did not in time.

        For what must hold at once, such as a revocation: call it after the write.
        """
        self._wanted += 1
        mine = self._wanted
        self.wake()
        try:
            async with asyncio.timeout(timeout_s):
                while self._confirmed < mine:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise Timeout(
                "It is written down, but the gateway has not confirmed it yet.",
                "It holds as soon as the gateway is back; look at `studio status`.",
            ) from None

    async def stats(self) -> dict[str, dict[str, Any]]:
        """Figures per "domain/endpoint": requests, errors, inflight, p50_ms, p99_ms, last_ms, captured, dropped …"""
        async with self._lock:
            await self._connect()
            answer = await self._ask({"op": "stats"})
        stats = answer.get("stats", answer)
        return {key: value for key, value in stats.items() if isinstance(value, dict)}

    async def ports(self) -> set[int]:
        """The ports of their own for labs that the gateway really listens on."""
        async with self._lock:
            await self._connect()
            answer = await self._ask({"op": "ports"})
        return {port for port in answer.get("ports", []) if isinstance(port, int)}

    async def used(self) -> list[str]:
        """Ids of the sessions and keys that were shown to the gateway since this was last asked."""
        async with self._lock:
            await self._connect()
            answer = await self._ask({"op": "used"})
        return [item for item in answer.get("used", []) if isinstance(item, str)]

    async def refusals(self) -> tuple[list[dict[str, str]], int]:
        """What the gateway refused by itself since this was last asked, and how many more there were."""
        async with self._lock:
            await self._connect()
            answer = await self._ask({"op": "refusals"})
        return list(answer.get("refusals", [])), int(answer.get("dropped", 0))

    async def pages(self) -> dict[str, int]:
        """How many websockets are open per "domain/user": those of pages, whatever they are for."""
        async with self._lock:
            await self._connect()
            answer = await self._ask({"op": "pages"})
        return {key: value for key, value in answer.get("pages", {}).items() if isinstance(value, int)}

    async def close(self) -> None:
        """Ends the connection; the gateway goes on with the table it has."""
        self._drop()

    async def _connect(self) -> None:
        if self._streams is not None and not self._streams[0].at_eof():
            return
        self._drop()
        try:
            self._streams = await asyncio.open_unix_connection(str(self.socket), limit=LINE_BYTES)
        except OSError as error:
            raise Unavailable(
                f"The gateway does not answer ({error.strerror}).", "It is restarted by itself."
            ) from error

    async def _numbered(self, message: dict[str, Any]) -> None:
        self._seq += 1
        answer = await self._ask({"seq": self._seq, **message})
        if answer.get("ack") != self._seq:
            self._drop()
            raise Unavailable("The gateway did not confirm its table.", "It is sent again at once.")

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self._streams is not None
        reader, writer = self._streams
        try:
            async with asyncio.timeout(ANSWER_S):
                writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
                await writer.drain()
                line = await reader.readline()
            answer = json.loads(line)
        except (OSError, ValueError, TimeoutError) as error:
            # After a broken or late answer the lines no longer match: a new connection starts clean.
            self._drop()
            raise Unavailable("The connection to the gateway broke.", "It is made again at once.") from error
        except asyncio.CancelledError:
            self._drop()
            raise
        if not isinstance(answer, dict):
            self._drop()
            raise Unavailable("The gateway sent something else than an answer.", "See `studio logs gateway`.")
        return answer

    def _drop(self) -> None:
        self._pushed = None
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def difference(before: Table, after: Table) -> Table:
    """What turns `before` into `after`; None for what is gone."""
    changed = {key: value for key, value in after.items() if before.get(key) != value or key not in before}
    return changed | {key: None for key in before if key not in after}
