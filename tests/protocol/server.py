"""Studio's server on a TCP port, without supervisor and gateway: `python -m tests.protocol.server --home DIR --port N`.

The app, its authentication and the database are the real ones. Only the gateway's part is done here, as the
gateway does it: an access key becomes the headers that the server trusts with the gateway's secret.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import Connection

from studio import signing
from studio.access import keys, memberships, users
from studio.access.people import People
from studio.domains import domains
from studio.runtime.gateway_control import GatewayControl
from studio.runtime.supervising import Supervisor
from studio.server.app import build_app
from studio.server.authentication import bearer
from studio.server.doors import Door
from studio.settings import Settings
from studio.store import Store
from studio.tracking import uploads
from studio.wire.context import Studio

SECRET = "gateway-secret-of-the-tests"
# name of a key in tokens.json → (domain, user, role)
KEYS = {"ann": ("demo", "ann", "admin"), "vic": ("demo", "vic", "viewer"), "bob": ("other", "bob", "editor")}


class Gateway:
    """The gateway's part of a request."""

    def __init__(self, app: Any, people: People) -> None:
        self._app = app
        self._people = people

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"").decode("latin-1")
        digest = signing.digest(bearer(given)) if given else ""
        snapshot = await self._people.fresh()
        key = next((key for key in snapshot.keys.values() if key.digest == digest), None)
        headers = [(name, value) for name, value in scope["headers"] if not name.startswith(b"x-studio-")]
        headers += [
            (b"x-studio-gateway", SECRET.encode()),
            (b"x-studio-via", b"key" if key else b"anonymous"),
            (b"x-studio-credential", key.id.encode() if key else b""),
        ]
        scope = {**scope, "headers": headers, "studio.door": Door("gateway")}
        await self._app(scope, receive, send)


def _fill(db: Connection) -> dict[str, str]:
    tokens = {}
    for domain in ("demo", "other"):
        domains.create_domain(db, domain)
    for name, (domain, user, role) in KEYS.items():
        users.create_user(db, user)
        memberships.put(db, domain, user, role)
        key, secret = keys.create_key(db, domain, user)
        tokens[name] = keys.token(key.id, secret)
    return tokens


async def serve(home: Path, port: int) -> None:
    """Serves until TERM; `tokens.json` in the home is written at the first start."""
    settings = Settings(home=home)
    store = Store(settings.database)
    uploads.settle(settings.paths)
    await store.start()
    if not (home / "tokens.json").exists():
        (home / "tokens.json").write_text(json.dumps(await store.write(_fill)))
    people = People(store)
    await people.fresh()
    supervisor = Supervisor(settings.paths.sockets / "supervisor.sock")
    gateway = GatewayControl(settings.paths.sockets / "gateway.sock")
    studio = Studio(settings, store, supervisor, f"http://127.0.0.1:{port}", {}, gateway, people, "secret", "ann")
    app = build_app(studio, gateway_secret=SECRET)
    config = uvicorn.Config(
        Gateway(app, people), host="127.0.0.1", port=port, loop="uvloop", http="httptools", log_level="warning",
        access_log=False, lifespan="off",
    )  # fmt: skip
    await uvicorn.Server(config).serve()
    await store.close()


if __name__ == "__main__":
    import uvloop

    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    sys.setswitchinterval(0.0005)
    uvloop.run(serve(options.home, options.port))
