"""One server process: database, doors, loops; opened in this order, closed in the other."""

import asyncio
import contextlib
import logging

from studio import signing
from studio.access.people import People
from studio.loops.context import LoopContext
from studio.runtime import isolation, sockets
from studio.runtime.gateway_control import GatewayControl
from studio.runtime.supervising import Supervisor
from studio.server import first_start, loops, supervision
from studio.server.app import build_app
from studio.server.config import Config
from studio.server.doors import Listeners
from studio.settings import Settings
from studio.store import Signal, Store
from studio.tracking import uploads
from studio.wire.context import Studio

log = logging.getLogger(__name__)


class Server:
    """What `python -m studio.server` runs."""

    def __init__(self, config: Config) -> None:
        self.settings = Settings(home=config.home, host=config.host, port=config.port)
        self.store = Store(self.settings.database, self.settings.database_wait_seconds)
        self._config = config
        self._supervisor = Supervisor(config.supervisor)
        self._gateway = GatewayControl(self.settings.paths.sockets / "gateway.sock")
        self._tasks: list[asyncio.Task[None]] = []
        self._listeners: Listeners | None = None

    async def open(self) -> None:
        """Ready when it returns."""
        sockets.private_folder(self.settings.paths.sockets)
        await asyncio.to_thread(uploads.settle, self.settings.paths)
        await self.store.start()
        operator = await first_start.ensure(self.store, self.settings)
        found = await asyncio.to_thread(isolation.probe)
        level = "none" if self.settings.isolation == "none" else found.level
        studio = Studio(
            settings=self.settings,
            store=self.store,
            supervisor=self._supervisor,
            address=self._config.address,
            gateway_stats={},
            gateway=self._gateway,
            people=People(self.store),
            secret=signing.secret_file(self._config.secrets.master),
            operator=operator,
            isolation=level,
            isolation_detail=" ".join(part for part in (found.detail, found.cause, found.cure) if part),
        )
        await studio.people.fresh()
        self._gateway.wake = lambda: self.store.signals.deliver([Signal("gateway")])
        app = build_app(studio, gateway_secret=signing.secret_file(self._config.secrets.gateway))
        self._listeners = Listeners(self.settings.paths, app)
        self._start_loops(studio, self._listeners)
        await self._listeners.open_own()

    def _start_loops(self, studio: Studio, listeners: Listeners) -> None:
        context = LoopContext(
            settings=self.settings,
            store=self.store,
            supervisor=self._supervisor,
            gateway=self._gateway,
            address=studio.address,
            gateway_stats=studio.gateway_stats,
            doors=listeners,
            secret=studio.secret,
            audit=studio.audit,
            isolation=studio.isolation,
            full=studio.full,
        )
        following = supervision.follow(self._supervisor, self.store)
        self._tasks = [*loops.start(context), asyncio.create_task(following, name="supervisor's events")]
        studio.ready.append("loops")

    async def close(self) -> None:
        """What is being answered is answered; what was acknowledged is on disk."""
        if self._listeners is not None:
            await self._listeners.close_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._gateway.close()
        with contextlib.suppress(OSError):
            await self._supervisor.close()
        await self.store.close()
