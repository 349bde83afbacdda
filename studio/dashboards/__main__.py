"""`python -m studio.dashboards --socket PATH --base /studio/dashboards`: serves the app on a unix socket.

Only requests with the secret of $STUDIO_DASHBOARDS_SECRET are answered: the lab has checked the login and adds it."""

import argparse
import os
import sys
import threading
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from studio.dashboards.options import OPTIONS
from studio.signing import equal

HEADER = b"x-studio-dashboards"
APP = Path(__file__).parent / "app.py"


class Guard:
    """Lets through what carries the secret; websockets too."""

    def __init__(self, app: ASGIApp, secret: str) -> None:
        self.app, self.secret = app, secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection; the life of the server itself passes."""
        if scope["type"] == "lifespan" or self._is_known(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse("The dashboards answer the lab only.", 401)(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        given = [value.decode("latin-1") for name, value in scope["headers"] if name == HEADER]
        return bool(self.secret) and len(given) == 1 and equal(given[0], self.secret)


def application(base: str, secret: str) -> ASGIApp:
    """The app below `base`, behind `secret`."""
    import streamlit as st
    from streamlit.web import bootstrap

    bootstrap.load_config_options(OPTIONS)
    app = st.App(str(APP))
    return Guard(Starlette(routes=[Mount(base, app=app)], lifespan=app.lifespan()), secret)


def main(argv: list[str] | None = None) -> int:
    """Serves until SIGTERM, or until whoever started this is gone (its end of our stdin closes)."""
    parser = argparse.ArgumentParser(prog="python -m studio.dashboards")
    parser.add_argument("--socket", required=True)
    parser.add_argument("--base", required=True)
    options = parser.parse_args(argv)
    secret = os.environ.pop("STUDIO_DASHBOARDS_SECRET", "")
    if not secret:
        sys.stderr.write("STUDIO_DASHBOARDS_SECRET is not set: the lab starts this program.\n")
        return 2
    os.umask(0o077)
    server = uvicorn.Server(
        uvicorn.Config(application(options.base, secret), uds=options.socket, log_level="warning", ws_max_size=2**25)
    )

    def watch() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True

    threading.Thread(target=watch, daemon=True).start()
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
