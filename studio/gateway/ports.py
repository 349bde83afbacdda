"""Ports of their own for labs, where a browser does not resolve `<domain>.localhost`."""

import asyncio
import logging
from collections.abc import Callable

from studio.gateway.tables import Tables

_HOST = "127.0.0.1"
log = logging.getLogger(__name__)


class Ports:
    """One more listener for each domain of the table that has a port; on loopback only."""

    def __init__(self, tables: Tables, client: Callable[[], asyncio.Protocol]) -> None:
        self._tables = tables
        self._client = client
        self._servers: dict[int, asyncio.Server] = {}
        self._changing = asyncio.Lock()

    @property
    def open(self) -> list[int]:
        """The ports that this process really listens on: another program may have taken one."""
        return sorted(self._servers)

    async def follow(self) -> None:
        """Makes the listeners those of the table."""
        async with self._changing:
            wanted = {
                int(entry["port"])
                for key, entry in self._tables.entries.items()
                if key.startswith("domains/") and entry.get("port")
            }
            for port in self._servers.keys() - wanted:
                self._servers.pop(port).close()
            for port in wanted - self._servers.keys():
                try:
                    server = await asyncio.get_running_loop().create_server(self._client, _HOST, port)
                except OSError as error:
                    log.warning("the lab port %d cannot be used: %s", port, error)
                else:
                    self._servers[port] = server

    def close(self) -> None:
        """No new connections."""
        for server in self._servers.values():
            server.close()
