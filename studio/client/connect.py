"""Which Studio a command speaks to."""

import os

from studio.client.rest import Rest
from studio.errors import Unavailable
from studio.settings import Settings


def connect(settings: Settings, timeout: float = 60.0) -> Rest:
    """The Studio of `STUDIO_URL` + `STUDIO_TOKEN` if both are set; else this home's, as its operator."""
    url, token = os.environ.get("STUDIO_URL", ""), os.environ.get("STUDIO_TOKEN", "")
    if url and token:
        return Rest(url, token, timeout=timeout)
    socket = settings.paths.sockets / "operator.sock"
    if not socket.is_socket():
        raise Unavailable(
            f"No Studio runs on {settings.paths.home}.",
            "Start it with `studio up`, or set STUDIO_URL and STUDIO_TOKEN to reach one elsewhere.",
        )
    return Rest("http://localhost", unix=socket, timeout=timeout)
