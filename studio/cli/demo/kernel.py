"""A notebook kernel driven through the lab's public HTTP and websocket interface (Jupyter's REST and messaging 5.3)."""

import json
import socket
import uuid
from contextlib import ExitStack
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from studio.cli.demo.visitor import Visitor
from studio.clock import monotonic
from studio.errors import StudioError


class Kernel:
    """One kernel of the lab at `origin` (http://demo.localhost:PORT)."""

    def __init__(self, visitor: Visitor, origin: str, kernel_id: str) -> None:
        self.id = kernel_id
        self._visitor, self._origin = visitor, origin
        self._session = uuid.uuid4().hex
        self._opened = ExitStack()
        self._socket: ClientConnection | None = None

    @classmethod
    def start(cls, visitor: Visitor, origin: str, name: str, path: str) -> "Kernel":
        """A new kernel of the kernelspec `name`, working in the folder of `path`."""
        body = {"name": path, "path": path, "type": "notebook", "kernel": {"name": name}}
        session = visitor.json("POST", f"{origin}/api/sessions", body)
        return cls(visitor, origin, session["kernel"]["id"])

    def run(self, code: str, timeout_s: float = 180.0) -> str:
        """Executes `code`; returns what it printed and the text of its result; raises the traceback if it failed."""
        deadline = monotonic() + timeout_s
        message = _message("execute_request", self._session, {"code": code, "silent": False, "stop_on_error": True})
        self._connected().send(json.dumps(message))
        printed: list[str] = []
        failed: str | None = None
        while (left := deadline - monotonic()) > 0:
            answer = json.loads(self._connected().recv(timeout=left))
            if answer.get("parent_header", {}).get("msg_id") != message["header"]["msg_id"]:
                continue
            kind, content = answer["msg_type"], answer["content"]
            if kind == "stream":
                printed.append(content["text"])
            elif kind in ("execute_result", "display_data"):
                printed.append(content["data"].get("text/plain", "") + "\n")
            elif kind == "error":
                failed = "\n".join(content["traceback"])
            elif kind == "status" and content["execution_state"] == "idle":
                if failed is not None:
                    raise StudioError(f"A cell failed:\n{code}\n{failed}")
                return "".join(printed)
        raise StudioError(f"A cell did not end within {timeout_s:.0f} s:\n{code}")

    def value(self, expression: str) -> Any:
        """The JSON value of a Python expression in the kernel."""
        text = self.run(f"import json as _json; print('\\x1e' + _json.dumps({expression}, default=str))")
        return json.loads(text.rpartition("\x1e")[2])

    def disconnect(self) -> None:
        """Closes the websocket; the kernel goes on."""
        self._opened.close()
        self._socket = None

    def _connected(self) -> ClientConnection:
        if self._socket is None:
            netloc = self._origin.removeprefix("http://")
            raw = socket.create_connection((self._visitor.host, self._visitor.port))
            opening = connect(
                f"ws://{netloc}/api/kernels/{self.id}/channels?session_id={self._session}",
                sock=raw,
                origin=Origin(self._origin),
                additional_headers={"Cookie": self._visitor.cookies(netloc)},
                max_size=None,
                proxy=None,
            )
            self._socket = self._opened.enter_context(opening)
        return self._socket


def _message(kind: str, session: str, content: dict[str, Any]) -> dict[str, Any]:
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": session, "username": "", "version": "5.3"}
    return {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "channel": "shell",
        "buffers": [],
    }
