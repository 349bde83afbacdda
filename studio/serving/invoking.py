"""One prediction on behalf of somebody in the panel: asked of the gateway, as any caller's, and captured like one."""

import asyncio
from pathlib import Path

import msgspec

from studio.errors import Timeout, Unavailable

LINE_BYTES = 64 << 20


class Prediction(msgspec.Struct, frozen=True):
    """An answer: `status` and `body` (text) as the model's, times in ms."""

    status: int
    body: str
    variant: str = ""
    version: str = ""
    inference_id: str = ""
    predict_ms: float = 0.0
    latency_ms: float = 0.0


class _Answer(msgspec.Struct, frozen=True):
    invoke: Prediction


async def invoke(
    gateway: Path, domain: str, endpoint: str, body: str, content_type: str, timeout_s: float
) -> Prediction:
    """Asks for a prediction, which wakes an endpoint at zero. A connection of its own: tables must not wait for a slow
    model."""
    question = {"op": "invoke", "domain": domain, "endpoint": endpoint, "content_type": content_type, "body": body}
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_unix_connection(str(gateway), limit=LINE_BYTES)
            try:
                writer.write(msgspec.json.encode(question) + b"\n")
                line = await reader.readline()
            finally:
                writer.close()
        return msgspec.json.decode(line, type=_Answer).invoke
    except TimeoutError:
        raise Timeout(f"{endpoint} did not answer within {timeout_s:.0f} s.", "Look at the endpoint's log.") from None
    except (OSError, ValueError) as error:
        raise Unavailable("The gateway does not answer.", "It is restarted by itself: try again.") from error
