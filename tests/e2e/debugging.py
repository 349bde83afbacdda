"""A debugger's side of Jupyter's debug protocol, spoken to a kernel over the lab's websocket (jupyter.client 5.5)."""

import json
import time
import uuid
from typing import Any

from studio.cli.demo.kernel import Kernel

DEADLINE_S = 60.0


class Debugger:
    """One debugger attached to `kernel`."""

    def __init__(self, kernel: Kernel) -> None:
        self._socket = kernel._connected()
        self._session = kernel._session
        self._seq = 0

    def attach(self) -> None:
        """Has the kernel's debugger listen and attaches to it."""
        self.ask("initialize", adapterID="test", linesStartAt1=True, columnsStartAt1=True, pathFormat="path")
        self.ask("attach")

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """The body of the answer to one request."""
        self._seq += 1
        content = {"type": "request", "seq": self._seq, "command": command, "arguments": arguments}
        number = self._send("control", "debug_request", content)
        answer = self.wait(lambda message: message["msg_type"] == "debug_reply" and _parent(message) == number)
        assert answer["content"]["success"], answer["content"]
        body: dict[str, Any] = answer["content"].get("body") or {}
        return body

    def execute(self, code: str) -> str:
        """Begins a cell; the id of its request."""
        return self._send("shell", "execute_request", {"code": code, "silent": False, "stop_on_error": True})

    def stopped(self) -> int:
        """The thread that has come to a breakpoint."""
        event = self.wait(lambda m: m["msg_type"] == "debug_event" and m["content"]["event"] == "stopped")
        return int(event["content"]["body"]["threadId"])

    def variable(self, thread: int, name: str) -> str:
        """What a local variable of the innermost frame holds, in words."""
        frame = self.ask("stackTrace", threadId=thread)["stackFrames"][0]
        scopes = self.ask("scopes", frameId=frame["id"])["scopes"]
        found = self.ask("variables", variablesReference=scopes[0]["variablesReference"])["variables"]
        return str(next(variable["value"] for variable in found if variable["name"] == name))

    def reply(self, number: str) -> dict[str, Any]:
        """The cell's answer."""
        return self.wait(lambda m: m["msg_type"] == "execute_reply" and _parent(m) == number)["content"]

    def wait(self, wanted: Any) -> dict[str, Any]:
        """The next message that is `wanted`; others pass by."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            message: dict[str, Any] = json.loads(self._socket.recv(timeout=max(0.1, deadline - time.monotonic())))
            if wanted(message):
                return message

    def _send(self, channel: str, kind: str, content: dict[str, Any]) -> str:
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": kind, "session": self._session, "username": "", "version": "5.5"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "buffers": []}
        self._socket.send(json.dumps(message | {"channel": channel}))
        return number


def _parent(message: dict[str, Any]) -> str:
    return str(message.get("parent_header", {}).get("msg_id", ""))
