"""Answers leave a door in one write, and long ones are not collected."""

import asyncio
from typing import Any

from studio.server.doors import MOST_HELD, _Together


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.out: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        assert not self.closed
        self.out.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


async def test_head_and_body_are_one_write() -> None:
    wire = Wire()
    together = _Together(wire)
    together.write(b"head")
    together.write(b"body")
    assert wire.out == []
    await asyncio.sleep(0)
    assert wire.out == [b"headbody"]


async def test_what_is_written_before_closing_is_sent() -> None:
    wire = Wire()
    together = _Together(wire)
    together.write(b"last")
    together.close()
    await asyncio.sleep(0)
    assert wire.out == [b"last"]
    assert together.is_closing()


async def test_long_answers_are_not_collected() -> None:
    wire = Wire()
    together = _Together(wire)
    for _ in range(10):
        together.write(bytes(MOST_HELD // 2 + 1))
    assert len(b"".join(wire.out)) >= 9 * MOST_HELD // 2
