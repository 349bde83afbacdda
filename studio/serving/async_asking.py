"""Has the gateway make a prediction whose body and answer are files.

Not over HTTP, which would need a key of somebody and a second copy of everything, and not as text on a line: the
gateway reads the body where the server stored it, and writes the answer beside it.
"""

import asyncio
from pathlib import Path

import msgspec

from studio.serving.async_invocations import Answer, AsyncInvocation

# Beyond the try's own time: what waits for a replica to wake, and for the disk.
MARGIN_S = 60.0
_LINE = 1 << 20


class _Line(msgspec.Struct, frozen=True):
    filed: Answer


async def ask(gateway: Path, wanted: AsyncInvocation) -> Answer:
    """The answer of one try; status 0 if the gateway ended before it gave one."""
    question = {
        "op": "invoke-filed",
        "folder": f"{wanted.domain}/{wanted.endpoint}/{wanted.id}",
        "domain": wanted.domain,
        "endpoint": wanted.name,
        "content_type": wanted.content_type,
        "accept": wanted.accept,
        "variant": wanted.target,
        "inference_id": wanted.inference_id,
        "timeout_s": wanted.timeout_s,
    }
    try:
        async with asyncio.timeout(wanted.timeout_s + MARGIN_S):
            # A connection of its own: the gateway's tables must not wait for a slow model.
            reader, writer = await asyncio.open_unix_connection(str(gateway), limit=_LINE)
            try:
                writer.write(msgspec.json.encode(question) + b"\n")
                line = await reader.readline()
            finally:
                writer.close()
        return msgspec.json.decode(line, type=_Line).filed
    except TimeoutError:
        return Answer(error=f"There was no answer within {wanted.timeout_s:g} s.")
    except (OSError, ValueError):
        return Answer(error="The gateway ended before it had answered.")
