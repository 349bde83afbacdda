"""127.0.0.1:PORT inside a sandbox without a network: every call is answered with why it leads nowhere.

Run as `python -I -S …/refuser.py --port 8500` in the forwarder's place, so that a client like mlflow says the reason
instead of writing into some folder or waiting for a server that will not come. The answer has the form of MLflow's
errors and of Studio's own."""

import argparse
import asyncio
import json

MESSAGE = (
    "The network mode of this domain is none: code in it does not reach Studio's API. An admin can change that: "
    "studio domain set NAME --network studio. Files, kernels and jobs work without it."
)
_BODY = json.dumps(
    {"error_code": "PERMISSION_DENIED", "message": MESSAGE, "error": {"code": "DENIED", "message": MESSAGE, "hint": ""}}
).encode()
_ANSWER = (
    b"HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)


class Refusal(asyncio.Protocol):
    """Answers as soon as the head of a request is there; its body is not read."""

    def __init__(self) -> None:
        self._head = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Waits for the head."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """The answer goes out once; what comes after it is ignored."""
        if self._transport is None or self._transport.is_closing():
            return
        self._head = (self._head + data)[-65536:]
        if b"\r\n\r\n" in self._head:
            self._transport.write(_ANSWER)
            self._transport.close()


async def serve(port: int) -> None:
    """Serves for ever."""
    server = await asyncio.get_running_loop().create_server(Refusal, "127.0.0.1", port, backlog=128)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(serve(parser.parse_args().port))
