"""Asking a fork server of this sandbox: one JSON line there, one back, on one connection for each question."""

import asyncio
import json
from pathlib import Path
from typing import Any

from studio.errors import Conflict, StudioError, Timeout, Unavailable

ANSWER_S = 30.0


class ForkServer:
    """The fork server of one environment, at `<STUDIO_OUT>/fork-<environment>.sock`."""

    def __init__(self, sockets: Path, environment: str) -> None:
        self.environment = environment
        self.socket = sockets / f"fork-{environment}.sock"

    async def ask(self, op: str, *, timeout_s: float = ANSWER_S, **fields: Any) -> dict[str, Any]:
        """The answer to `op`; `Unavailable` if nobody listens, `Timeout`, or `Conflict` with its own words."""
        try:
            reader, writer = await asyncio.open_unix_connection(str(self.socket), limit=2**22)
        except OSError as error:
            raise Unavailable(
                f"The environment {self.environment} has no fork server running ({error.strerror or error}).",
                "It is being started; try again in some seconds.",
            ) from error
        try:
            writer.write(json.dumps({"op": op, **fields}).encode() + b"\n")
            line = await asyncio.wait_for(reader.readline(), timeout_s)
        except (TimeoutError, OSError) as error:
            raise Timeout(
                f"The fork server of {self.environment} did not answer {op!r}.", "Restart the lab if this stays."
            ) from error
        finally:
            writer.close()
        return self._checked(line, op)

    def _checked(self, line: bytes, op: str) -> dict[str, Any]:
        try:
            answer = json.loads(line)
        except ValueError:
            raise Unavailable(f"The fork server of {self.environment} ended during {op!r}.", "Try again.") from None
        if not isinstance(answer, dict) or not answer.get("ok"):
            said = answer.get("error") if isinstance(answer, dict) else None
            message = said.get("message") if isinstance(said, dict) else said
            raise Conflict(f"The fork server of {self.environment} refused {op!r}: {message or line[:200]!r}.")
        return answer

    async def is_up(self) -> bool:
        """Whether it answers a ping."""
        try:
            await self.ask("ping", timeout_s=2.0)
        except StudioError:
            return False
        return True
