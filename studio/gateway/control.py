"""The control socket: the server pushes tables, asks for figures, and has predictions made. JSON lines both ways.

{"seq":n,"full":{…}} and {"seq":n,"set":{…}} → {"ack":n} once it holds and is kept, or {"nack":n,"have":m,"error"}
{"op":"used"} → {"used":[…]}: sessions and keys that were shown since this was last asked
{"op":"refusals"} → {"refusals":[{"user","action",…}],"dropped":n}: what the gateway refused by itself since then
{"op":"ports"} → {"ports":[…]} of labs that have one of their own
{"op":"pages"} → {"pages":{"domain/user":n}}: open websockets
{"op":"hello"} → {"hello":{"pid","version","seq","entries"}} · {"op":"stats"} → {"stats":{"domain/endpoint":{…}}}
{"op":"invoke","domain","endpoint","content_type"?,"variant"?,"body"} → {"invoke":{"status","body","latency_ms",…}}
{"op":"invoke-filed", …} → {"filed":{…}}: the same with files; `studio.gateway.filed`
"""

import asyncio
import base64
import binascii
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from studio import __version__
from studio.errors import Conflict, NotFound, StudioError
from studio.gateway.calls import Call
from studio.gateway.filed import Filed
from studio.gateway.identity import Identities
from studio.gateway.inference import Inference
from studio.gateway.links import AnswerHead
from studio.gateway.ports import Ports
from studio.gateway.refusals import Refusals
from studio.gateway.tables import Tables
from studio.runtime import sockets

_MAX_LINE = 64 * 1024 * 1024
log = logging.getLogger(__name__)


class Control:
    """Listens in the sockets' folder, which only this user can enter."""

    def __init__(
        self,
        path: Path,
        tables: Tables,
        identities: Identities,
        inference: Inference,
        ports: Ports,
        refusals: Refusals,
        filed: Filed,
    ) -> None:
        self._path = path
        self._tables = tables
        self._identities = identities
        self._refusals = refusals
        self._inference = inference
        self._ports = ports
        self._filed = filed
        self._server: asyncio.AbstractServer | None = None
        self.pages: Callable[[], dict[str, int]] = dict

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, sock=sockets.listen(self._path), limit=_MAX_LINE)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            connected = writer.get_extra_info("socket")
            if sockets.peer(connected)[1] != os.geteuid():
                return
            while line := await reader.readline():
                writer.write(msgspec.json.encode(await self._answer(line)) + b"\n")
                await writer.drain()
        except (OSError, ValueError) as error:
            log.info("control connection ended: %s", error)
        except asyncio.CancelledError:
            return  # at the gateway's end; raising it here would only be logged as an error of the loop
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            message = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            return {"error": {"code": "INVALID", "message": f"The line is not JSON: {error}.", "hint": ""}}
        if not isinstance(message, dict):
            return {"error": {"code": "INVALID", "message": "The line is not a JSON object.", "hint": ""}}
        if "seq" in message:
            return await self._table(message)
        match message.get("op"):
            case "hello":
                entries, seq = len(self._tables.entries), self._tables.seq
                return {"hello": {"pid": os.getpid(), "version": __version__, "seq": seq, "entries": entries}}
            case "stats":
                return {"stats": self._inference.report()}
            case "used":
                return {"used": self._identities.take_used()}
            case "refusals":
                return self._refusals.take()
            case "pages":
                return {"pages": self.pages()}
            case "ports":
                return {"ports": self._ports.open}
            case "invoke":
                return await self._invoke(message)
            case "invoke-filed":
                return await self._filed.invoke(message)
        return {"error": {"code": "INVALID", "message": f"The op {message.get('op')!r} is not known.", "hint": ""}}

    async def _table(self, message: dict[str, Any]) -> dict[str, Any]:
        seq = int(message["seq"])
        try:
            if isinstance(message.get("full"), dict):
                self._tables.replace(seq, message["full"])
            else:
                self._tables.change(seq, message.get("set") or {})
        except Conflict as error:
            return {"nack": seq, "have": self._tables.seq, "error": str(error)}
        try:
            # A revocation counts only once a gateway that restarts alone would know of it.
            await self._tables.save()
        except OSError as error:
            log.warning("the table cannot be kept: %s", error)
        await self._ports.follow()
        return {"ack": seq}

    async def _invoke(self, message: dict[str, Any]) -> dict[str, Any]:
        """A prediction for somebody whom the server has checked. `body` is text; `body_b64` for other bytes."""
        try:
            endpoint = self._inference.get(str(message.get("domain")), str(message.get("endpoint")))
            if endpoint is None:
                raise NotFound(f"There is no endpoint {message.get('endpoint')!r}.", "It may be starting, or deleted.")
            raw = message.get("body_b64")
            body = base64.b64decode(raw, validate=True) if raw is not None else str(message.get("body") or "").encode()
        except (StudioError, binascii.Error) as error:
            status = error.status if isinstance(error, StudioError) else 400
            return {"invoke": {"status": status, "body": _error(str(error))}}
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

        def done(call: Call, head: AnswerHead, answer: bytes) -> None:
            variant = call.variant
            result = {
                "status": head.status,
                "body": answer.decode("utf-8", "replace"),
                "variant": variant.name if variant else "",
                "version": variant.version if variant else "",
                "inference_id": call.inference_id,
                "predict_ms": head.us / 1000,
                "headers": head.headers,
            }
            _resolve(future, result)

        def failed(call: Call, error: StudioError) -> None:
            _resolve(future, {"status": error.status, "body": _error(str(error))})

        begun = time.monotonic()
        kind = str(message.get("content_type") or "application/json")
        endpoint.submit(Call(body, kind, done, failed, str(message.get("variant") or "")))
        result = await future
        return {"invoke": result | {"latency_ms": round((time.monotonic() - begun) * 1000, 3)}}


def _resolve(future: "asyncio.Future[dict[str, Any]]", result: dict[str, Any]) -> None:
    if not future.done():
        future.set_result(result)


def _error(message: str) -> str:
    return msgspec.json.encode({"error_code": "BAD_REQUEST", "message": message}).decode()
