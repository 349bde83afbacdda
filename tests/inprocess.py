"""The real server app on a real database, without processes: doors are entered by calling the app through them."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from studio.access import keys, memberships, sessions, users
from studio.access.people import People
from studio.domains import domains, instance_types
from studio.runtime.gateway_control import GatewayControl
from studio.runtime.supervising import Supervisor
from studio.server.app import build_app
from studio.server.doors import Door, entrance
from studio.settings import Settings
from studio.store import Store
from studio.wire.context import Studio

SECRET = "the gateway's secret of this test"


@dataclass
class World:
    """One installation in memory and one folder. Nobody supervises and no gateway runs: what needs them says so."""

    studio: Studio
    app: Any

    @property
    def store(self) -> Store:
        return self.studio.store

    def client(self, door: Door, **headers: str) -> httpx.AsyncClient:
        """An HTTP client that comes through `door`."""
        transport = httpx.ASGITransport(app=entrance(self.app, door), raise_app_exceptions=False)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8600", headers=named)

    def operator(self) -> httpx.AsyncClient:
        return self.client(Door("operator"))

    def anonymous(self, **headers: str) -> httpx.AsyncClient:
        return self.client(Door("gateway"), x_studio_gateway=SECRET, x_studio_via="anonymous", **headers)

    async def person(self, user: str, domain: str | None = None) -> httpx.AsyncClient:
        """Somebody's browser, signed in (at the lab's origin of `domain`)."""
        session, _ = await self.store.write(lambda db: sessions.create_session(db, user, domain))
        at = {"x_studio_via": "session", "x_studio_credential": session.id, "x_studio_domain": domain or ""}
        return self.client(Door("gateway"), x_studio_gateway=SECRET, x_studio_user=user, **at)

    async def program(self, user: str, domain: str) -> httpx.AsyncClient:
        """A program with an access key."""
        key, _ = await self.store.write(lambda db: keys.create_key(db, domain, user))
        at = {"x_studio_via": "key", "x_studio_credential": key.id, "x_studio_domain": domain}
        return self.client(Door("gateway"), x_studio_gateway=SECRET, x_studio_user=user, **at)

    async def member(self, user: str, domain: str, role: str) -> None:
        """Makes `user` (new or not) a member of `domain` (new or not)."""

        def write(db: Any) -> None:
            if user not in {item.name for item in users.list_all(db)}:
                users.create_user(db, user)
            if domain not in {item.name for item in domains.list_all(db)}:
                domains.create_domain(db, domain)
            memberships.put(db, domain, user, role)

        await self.store.write(write)


@contextlib.asynccontextmanager
async def world(home: Path) -> AsyncIterator[World]:
    """An installation with the domain demo and its admin ada."""
    settings = Settings(home=home)
    settings.paths.home.mkdir(parents=True, exist_ok=True)
    store = Store(settings.database)
    await store.start()
    missing = home / "nobody.sock"
    studio = Studio(
        settings=settings,
        store=store,
        supervisor=Supervisor(missing),
        address="http://127.0.0.1:8600",
        gateway_stats={},
        gateway=GatewayControl(missing),
        people=People(store),
        secret="the master key of this test",
        operator="ada",
    )
    studio.ready.append("loops")
    try:
        found = World(studio, build_app(studio, gateway_secret=SECRET))
        await store.write(instance_types.ensure)
        await found.member("ada", "demo", "admin")
        yield found
    finally:
        await studio.supervisor.close()
        await store.close()


async def websocket_status(app: Any, door: Door, path: str, headers: dict[str, str]) -> int:
    """The HTTP status with which a websocket is refused; 101 if it is accepted (it is closed then)."""
    sent: list[dict[str, Any]] = []
    coming = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]

    async def receive() -> dict[str, Any]:
        return coming.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "scheme": "ws",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "extensions": {"websocket.http.response": {}},
        "subprotocols": [],
    }
    await entrance(app, door)(scope, receive, send)
    first = sent[0]
    return 101 if first["type"] == "websocket.accept" else int(first.get("status", 0))
