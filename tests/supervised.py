"""A supervisor as a process of its own for tests, with small programs in place of gateway and server.

`python -m tests.supervised --home DIR --environments DIR [--port N] [--crash server]` prints its address when ready."""

import argparse
import asyncio
import sys
from pathlib import Path

from studio import log
from studio.settings import Settings
from studio.supervisor.main import serve
from studio.supervisor.supervise import Supervisor

# Listens where the real ones would; the gateway answers each HTTP request with its pid.
STAND_IN = """
import json, os, socket, sys, threading
name, config = sys.argv[1], json.load(open(sys.argv[sys.argv.index("--config") + 1]))
path = f"{config['sockets']}/{name}.sock"
if os.path.exists(path):
    os.unlink(path)
ready = socket.socket(socket.AF_UNIX)
ready.bind(path)
ready.listen()
def answer(listener):
    listener.setblocking(True)
    while True:
        connection, _ = listener.accept()
        connection.recv(4096)
        body = str(os.getpid()).encode()
        connection.sendall(b"HTTP/1.0 200 OK\\r\\ncontent-length: %d\\r\\n\\r\\n%s" % (len(body), body))
        connection.close()
for descriptor in config.get("fds", []):
    threading.Thread(target=answer, args=(socket.socket(fileno=descriptor),), daemon=True).start()
while True:
    ready.accept()[0].close()
"""


def stand_in(name: str, crash: str = "") -> list[str]:
    """The command line of a stand-in; the one named `crash` ends at once with exit code 3."""
    return [sys.executable, "-I", "-c", "raise SystemExit(3)" if name == crash else STAND_IN, name]


def main() -> None:
    """Supervises until it is told to end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--environments", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--crash", default="")
    options = parser.parse_args()
    log.configure("supervisor")
    settings = Settings(home=options.home, environments=options.environments, port=options.port)
    crash = options.crash
    supervisor = Supervisor(settings, gateway=stand_in("gateway", crash), server=stand_in("server", crash))
    asyncio.run(serve(supervisor, lambda hello: print(hello.address, flush=True)))


if __name__ == "__main__":
    main()
