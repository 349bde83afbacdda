"""The real routes on a real store, for tests of one slice's REST: only the door is the test's own, it says who asks."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection

from studio.access import memberships, users
from studio.access.people import People
from studio.access.principals import Kind, Principal, Role
from studio.domains import domains, instance_types
from studio.environments import environments, versions
from studio.environments.definitions import Definition
from studio.runtime.gateway_control import GatewayControl
from studio.runtime.supervising import Supervisor
from studio.server.app import build_rest
from studio.settings import Settings
from studio.store import Store
from studio.wire.context import Studio

MEMBERS = {"ann": Role.admin, "eve": Role.editor, "bob": Role.editor, "vic": Role.viewer}


@dataclass
class App:
    """`as_user(name)` gives a client whose requests come from that member of `demo`."""

    settings: Settings
    store: Store
    studio: Studio
    asgi: Any

    def as_user(self, name: str, *, kind: Kind = Kind.person, cap: Role | None = None) -> httpx.AsyncClient:
        """Paths are relative to the domain `demo`."""
        roles = {"demo": MEMBERS[name]} if name in MEMBERS else {}
        principal = Principal(kind, name, cap=cap, roles=roles)

        async def door(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("state", {})["principal"] = principal
            await self.asgi(scope, receive, send)

        return httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://studio/domains/demo/")


@contextlib.asynccontextmanager
async def running(home: Path) -> AsyncIterator[App]:
    """An installation with the domain `demo`, its members, and a ready environment `sklearn` (as rows)."""
    settings = Settings(home=home)
    settings.paths.home.mkdir(parents=True, exist_ok=True)
    store = Store(settings.database)
    await store.start()
    supervisor = Supervisor(settings.paths.sockets / "supervisor.sock")
    try:
        await store.write(_fill)
        gateway = GatewayControl(settings.paths.sockets / "gateway.sock")
        people = People(store)
        await people.fresh()
        studio = Studio(settings, store, supervisor, "http://127.0.0.1:8600", {}, gateway, people, "secret", "ada")
        rest = build_rest()
        rest.state.studio = studio
        yield App(settings, store, studio, rest)
    finally:
        await supervisor.close()
        await store.close()


def _fill(db: Connection) -> None:
    for name in ("demo", "other"):
        domains.create_domain(db, name)
    for user, role in MEMBERS.items():
        users.create_user(db, user)
        memberships.put(db, "demo", user, role)
    instance_types.ensure(db)
    versions.define(db, [Definition("sklearn", "scikit-learn", "", ("scikit-learn",), ())])
    versions.finish(db, environments.get(db, environments.CATALOGUE, "sklearn").newest, "0" * 32)
