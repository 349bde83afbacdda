# ruff: noqa: F811 - the fixture that is imported is a parameter of tests
"""The loop of predictions that are made later: a gateway that is gone, a server that begins again, what is old."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from studio.access import memberships, users
from studio.domains import domains
from studio.loops import async_invocations as loop
from studio.loops.context import LoopContext
from studio.loops.volumes import folders
from studio.runtime.gateway_control import GatewayControl
from studio.serving import async_files, async_invocations, endpoints
from studio.serving.async_invocations import AsyncInvocation, Wanted
from studio.serving.async_states import State
from studio.serving.states import EndpointState
from tests.unit.loops.test_loop import context  # noqa: F401 - a fixture
from tests.unit.serving.conftest import fill

Answerer = Callable[[dict[str, Any]], Awaitable[dict[str, Any] | None]]


@pytest.fixture
async def made(context: LoopContext) -> AsyncIterator[AsyncInvocation]:
    """One that waits for an endpoint in service, with its body."""

    def write(db: Any) -> AsyncInvocation:
        domains.create_domain(db, "demo")
        users.create_user(db, "ada")
        memberships.put(db, "demo", "ada", "viewer")
        fill(db)
        served = endpoints.create(db, "demo", "ada", endpoints.Wanted("rain", "models:/rain/1"))
        endpoints.change(db, served, state=EndpointState.in_service)
        wanted = Wanted(notify_url="http://127.0.0.1:9/told")
        return async_invocations.create(db, "demo", "rain", "ada", "async-1", 2, wanted)

    found = await context.store.write(write)
    async_files.place(context.settings.paths, "demo", found.endpoint, found.id).mkdir(parents=True)
    yield found
    loop._asked.clear()


async def listening(context: LoopContext, folder: Path, answer: Answerer) -> asyncio.Server:
    """Something on the gateway's socket; None ends the connection, as a gateway's death does."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = await answer(msgspec.json.decode(await reader.readline()))
        if said is not None:
            writer.write(msgspec.json.encode({"filed": said}) + b"\n")
        writer.close()

    context.gateway = GatewayControl(folder / "gateway.sock")
    return await asyncio.start_unix_server(serve, folder / "gateway.sock")


async def state(context: LoopContext, found: AsyncInvocation) -> AsyncInvocation:
    return await context.store.read(lambda db: async_invocations.get(db, "demo", "rain", found.id))


async def settled(context: LoopContext) -> None:
    """Every question that was asked is over."""
    await asyncio.gather(*loop._asked.values())


async def test_a_gateway_that_is_gone_is_one_try_and_the_next_waits(
    context: LoopContext,
    made: AsyncInvocation,
    tmp_path: Path,
) -> None:
    async def dies(_: dict[str, Any]) -> None:
        return None

    server = await listening(context, tmp_path, dies)
    await loop.step(context)
    await settled(context)
    found = await state(context, made)
    assert (found.state, found.attempts) == (State.queued, 1)
    assert "ended before it had answered" in found.reason and found.due_ms > found.created_ms
    server.close()


async def test_a_server_that_begins_again_asks_the_same_again_and_counts_no_try(
    context: LoopContext,
    made: AsyncInvocation,
    tmp_path: Path,
) -> None:
    asked: list[dict[str, Any]] = []
    go = asyncio.Event()

    async def answers(question: dict[str, Any]) -> dict[str, Any]:
        asked.append(question)
        await go.wait()
        return {"status": 200, "type": "application/json", "size": 7, "variant": "v1"}

    server = await listening(context, tmp_path, answers)
    await loop.step(context)
    await loop.step(context)  # it runs, and is not asked twice by one server
    first = dict(loop._asked)
    loop._asked.clear()  # as the next server finds it
    await loop.step(context)
    go.set()
    await asyncio.gather(*first.values(), *loop._asked.values())
    found = await state(context, made)
    assert (found.state, found.attempts, found.answer.size) == (State.done, 1, 7)
    assert [item["folder"] for item in asked] == [f"demo/{made.endpoint}/async-1"] * 2
    server.close()


async def test_an_end_is_not_told_to_this_machine(context: LoopContext, made: AsyncInvocation) -> None:
    await context.store.write(lambda db: async_invocations.expire(db, made.id))
    await loop.tell(context)
    found = await state(context, made)
    assert found.notify_tries == 1 and found.notify_ms is not None  # the address may be allowed later


async def test_what_is_old_goes_with_its_files_and_counts_for_the_quota_until_then(
    context: LoopContext,
    made: AsyncInvocation,
) -> None:
    paths = context.settings.paths
    folder = async_files.place(paths, "demo", made.endpoint, made.id)
    assert folder.is_relative_to(folders(paths, "demo")["invocations"])
    await context.store.write(lambda db: async_invocations.expire(db, made.id))
    await loop.clear(context)
    assert folder.is_dir()
    context.settings.async_days = -1.0
    await loop.clear(context)
    assert not folder.exists()
    assert await context.store.read(lambda db: async_invocations.find(db, made.id)) is None
