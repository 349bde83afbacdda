"""Predictions whose body and answer are files: those that are made later, with bodies too large for a line of JSON.

{"op":"invoke-filed","folder":"<domain>/<endpoint's id>/<id>","domain","endpoint","content_type","accept","variant",
"inference_id","timeout_s"} → {"filed":{"status","type","size","error","variant","version",…}}

The folder lies below the home's `invocations`, which only this account enters. `body` is there; `answer` is written if
the prediction was made, and after it `answer.json`, what is said here: asked again, by a server that was killed
meanwhile, the same is said and nothing is predicted twice. One that is under way is joined.
"""

import asyncio
import logging
import os
import time
from pathlib import Path
from typing import Any

import msgspec

from studio.errors import Invalid, NotFound, StudioError, Timeout
from studio.gateway.calls import Call, new_inference_id
from studio.gateway.inference import Inference
from studio.gateway.links import AnswerHead
from studio.gateway.terms import wanted
from studio.runtime import beneath

BODY, ANSWER, SAID = "body", "answer", "answer.json"
_MOST_SAID = 64 << 10
_MOST_ERROR = 4000
log = logging.getLogger(__name__)


class Order(msgspec.Struct, frozen=True):
    """One question."""

    folder: str
    domain: str
    endpoint: str
    content_type: str = "application/json"
    accept: str = ""
    variant: str = ""
    inference_id: str = ""
    timeout_s: float = 60.0


class Filed:
    """Answers orders about folders below `root`."""

    def __init__(self, root: Path, inference: Inference) -> None:
        self._root = root
        self._inference = inference
        self._under_way: dict[str, asyncio.Task[dict[str, Any]]] = {}

    async def invoke(self, message: Any) -> dict[str, Any]:
        """What became of it, once it is over; whoever asks meanwhile waits for the same."""
        try:
            order = msgspec.convert(message, Order)
            beneath.parts_of(order.folder)
        except (msgspec.ValidationError, StudioError) as error:
            return {"filed": {"status": 400, "error": str(error)}}
        task = self._under_way.get(order.folder)
        if task is None:
            task = self._under_way[order.folder] = asyncio.create_task(self._make(order))
            task.add_done_callback(lambda _: self._under_way.pop(order.folder, None))
        return {"filed": await asyncio.shield(task)}

    async def _make(self, order: Order) -> dict[str, Any]:
        try:
            if said := await asyncio.to_thread(_said, self._root, order.folder):
                return said
            endpoint = self._inference.get(order.domain, order.endpoint)
            if endpoint is None:
                raise NotFound(f"There is no endpoint {order.endpoint!r}.", "It was deleted.")
            body = await asyncio.to_thread(_body, self._root, order.folder)
            said, answer = await self._predict(order, body)
            if said["status"] < 400:
                await asyncio.to_thread(_keep, self._root, order.folder, answer, said)
            else:
                said["error"] = _words(answer)
            return said
        except StudioError as error:
            return {"status": error.status, "error": str(error)}
        except OSError as error:
            log.warning("%s: %s", order.folder, error)
            return {"status": 507, "error": f"The answer cannot be kept: {error.strerror}."}

    async def _predict(self, order: Order, body: bytes) -> tuple[dict[str, Any], bytes]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[tuple[dict[str, Any], bytes]] = loop.create_future()

        def done(call: Call, head: AnswerHead, answer: bytes) -> None:
            variant = call.variant
            said = {
                "status": head.status,
                "type": head.type,
                "size": len(answer),
                "variant": variant.name if variant else "",
                "version": variant.version if variant else "",
                "inference_id": call.inference_id,
                "predict_ms": head.us / 1000,
                "latency_ms": round((time.monotonic() - call.begun) * 1000, 3),
            }
            if not future.done():
                future.set_result((said, answer))

        def failed(call: Call, error: StudioError) -> None:
            if not future.done():
                future.set_exception(error)

        endpoint = self._inference.get(order.domain, order.endpoint)
        if endpoint is None:
            raise NotFound(f"There is no endpoint {order.endpoint!r}.", "It was deleted.")
        call = Call(body, order.content_type, done, failed, order.variant, order.inference_id or new_inference_id())
        call.patience_s = order.timeout_s
        call.accept = wanted(order.accept)
        words = f"There was no answer within {order.timeout_s:g} s."
        timer = loop.call_later(order.timeout_s, _give_up, call, Timeout(words, "Send fewer rows, or give it more."))
        try:
            endpoint.submit(call)
            return await future
        finally:
            timer.cancel()
            call.cancel()


def _give_up(call: Call, error: Timeout) -> None:
    if (link := call.link) is not None:
        if link.heard < call.sent:
            link.suspect()
        link.cancel(call)
    call.fail(error)


def _said(root: Path, folder: str) -> dict[str, Any] | None:
    """What was said of an answer that is there already."""
    try:
        found = msgspec.json.decode(beneath.read(root, (*beneath.parts_of(folder), SAID), _MOST_SAID))
    except NotFound:
        return None
    except (msgspec.DecodeError, Invalid):
        return None
    return found if isinstance(found, dict) else None


def _body(root: Path, folder: str) -> bytes:
    with os.fdopen(beneath.open_file(root, (*beneath.parts_of(folder), BODY)), "rb") as file:
        return file.read()


def _keep(root: Path, folder: str, answer: bytes, said: dict[str, Any]) -> None:
    """Only into a folder that is there: what was deleted meanwhile does not come back."""
    with beneath.folder(root, beneath.parts_of(folder)) as here:
        beneath.write(here, (ANSWER,), answer)
        beneath.write(here, (SAID,), msgspec.json.encode(said))
        os.fsync(here)


def _words(answer: bytes) -> str:
    """The message of an error in MLflow's form, or the text itself."""
    text = answer[: 4 * _MOST_ERROR].decode("utf-8", "replace")
    try:
        found = msgspec.json.decode(answer)
        text = str(found["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        pass
    return text[:_MOST_ERROR]
