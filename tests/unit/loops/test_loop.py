"""The frame of all loops, and the gateway's table."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from studio import signing
from studio.access import keys, memberships, sessions, users
from studio.access.audit import Audit
from studio.domains import domains, sandboxes
from studio.errors import Invalid, Timeout, Unavailable
from studio.gateway.identity import Identities
from studio.gateway.tables import Tables
from studio.loops import gateway, placing, used
from studio.loops.context import LoopContext
from studio.loops.loop import LONGEST_PAUSE_S, Loop, each, pause_s, run
from studio.runtime.gateway_control import GatewayControl, difference
from studio.runtime.specs import ChildState, KeptState, SandboxState, ServiceState, State, SupervisorPid
from studio.runtime.supervising import Supervisor
from studio.settings import Settings
from studio.store import Store, signal


class NoDoors:
    """Where no server listens."""

    async def open(self, sandbox: str, token: str) -> None: ...

    async def close(self, sandbox: str) -> None: ...

    def is_open(self, sandbox: str, token: str) -> bool:
        return False


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[LoopContext]:
    settings = Settings(home=tmp_path)
    store = Store(settings.database)
    await store.start()
    nobody = tmp_path / "nobody.sock"
    yield LoopContext(
        settings=settings,
        store=store,
        supervisor=Supervisor(nobody),
        gateway=GatewayControl(nobody),
        address="http://127.0.0.1:8600",
        gateway_stats={},
        doors=NoDoors(),
        secret="the master key of this test",
        audit=Audit(store, "the master key of this test"),
    )
    await store.close()


async def test_a_signal_wakes_a_loop_and_none_is_lost(context: LoopContext) -> None:
    seen = asyncio.Queue[int]()
    rounds = 0

    async def step(_: LoopContext) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            # While the step runs: it must be seen by another step.
            await context.store.write(lambda db: signal(db, "jobs"))
        seen.put_nowait(rounds)

    task = asyncio.create_task(run(Loop("test", step, ("jobs",), every_s=3600), context))
    assert [await asyncio.wait_for(seen.get(), 10) for _ in range(2)] == [1, 2]
    await context.store.write(lambda db: signal(db, "jobs"))
    assert await asyncio.wait_for(seen.get(), 10) == 3
    task.cancel()


async def test_a_failing_step_is_tried_again_and_said_once(
    context: LoopContext, caplog: pytest.LogCaptureFixture
) -> None:
    done = asyncio.Event()
    tries = 0

    async def step(_: LoopContext) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Unavailable("Not yet.")
        done.set()

    task = asyncio.create_task(run(Loop("test", step), context))
    await asyncio.wait_for(done.wait(), 10)
    task.cancel()
    assert [record.getMessage() for record in caplog.records].count("loop test: Not yet.") == 1


async def test_one_failing_item_does_not_stop_the_others(
    context: LoopContext, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(error: Exception) -> None:
        raise error

    async def works() -> None: ...

    for _ in range(2):
        answers = [
            await each(context, "a", fails(Invalid("wrong"))),
            await each(context, "b", fails(ValueError("odd"))),
            await each(context, "c", works()),
        ]
        assert answers == [False, False, True]
    assert [record.getMessage() for record in caplog.records] == ["a: wrong", "b failed"]


def test_pauses_grow_to_a_cap() -> None:
    pauses = [pause_s(failures) for failures in range(1, 2000)]
    assert pauses == sorted(pauses)
    assert pauses[0] < 0.5 and pauses[-1] == LONGEST_PAUSE_S


def state(*boxes: SandboxState) -> State:
    return State(SupervisorPid(1), KeptState(2, "Running", 0), KeptState(3, "Running", 0), list(boxes))


def box(*services: ServiceState, name: str = "demo.ada", network: str = "studio") -> SandboxState:
    domain, _, owner = name.partition(".")
    return SandboxState(name, domain, owner, 9, "Running", "bubblewrap", network, 5, services=list(services))


def test_placing_wants_the_sandbox_and_its_fork_server() -> None:
    fork = ServiceState("fork-sklearn", 1, "Running", 1)
    assert placing.ready(state(box(fork)), "demo.ada", "sklearn")
    assert not placing.ready(state(box()), "demo.ada", "sklearn")
    assert not placing.ready(state(), "demo.ada", "sklearn")
    assert not placing.ready(state(box(ServiceState("fork-sklearn", 1, "Starting", 1))), "demo.ada", "sklearn")
    found = box(fork)
    found.children.append(ChildState("job-1", "job", 4, "Running", 1, "sklearn"))
    assert placing.child(state(found), "demo.ada", "job-1") is found.children[0]


async def test_the_table_says_who_may_and_where(context: LoopContext) -> None:
    def write(db):  # type: ignore[no-untyped-def]
        users.create_user(db, "ada")
        domains.create_domain(db, "demo")
        memberships.put(db, "demo", "ada", "admin")
        sandboxes.want(db, "demo", "ada", lab=True)
        sandboxes.renew(db, "demo.ada", "admin")
        made = keys.create_key(db, "demo", "ada", master=context.secret)
        return sessions.create_session(db, "ada", "demo")[0], *made, keys.create_key(db, "demo", "ada")[0]

    session, key, secret, old = await context.store.write(write)
    table = await context.store.read(lambda db: gateway.access_table(db, context.secret))
    assert table[f"sessions/{session.digest}"]["domain"] == "demo"
    of_key = {"digest": key.digest, "user": "ada", "domain": "demo", "expires_ms": None}
    assert table[f"keys/{key.id}"] == of_key | {"actions": (), "resources": (), "secret": secret}
    assert table[f"keys/{old.id}"]["secret"] is None  # made before secrets were kept: it bears, and cannot sign
    assert table["members/demo/ada"] == {"role": "admin"}
    assert table["domains/demo"] == {"port": None}


async def test_a_lab_is_named_only_once_it_answers(context: LoopContext) -> None:
    await test_the_table_says_who_may_and_where(context)
    boxes = await context.store.read(sandboxes.list_all)
    lab = ServiceState("lab", 7, "Running", 1)
    assert gateway.labs(context, boxes, state(box())) == ({}, [])
    assert gateway.labs(context, boxes, state(box(lab))) == ({}, boxes)
    folder = context.layout("demo", "ada").host_out
    folder.mkdir(parents=True)
    listener = await asyncio.start_unix_server(lambda *_: None, folder / "lab.sock")
    found, waiting = gateway.labs(context, boxes, state(box(lab)))
    assert set(found) == {"labs/demo/ada"} and not waiting
    listener.close()
    # It answered once: while it is restarted its callers are held, not sent away.
    assert gateway.labs(context, boxes, state(box(lab)))[0] == found


async def test_tokens_pass_the_gateway_only_from_sandboxes_with_the_hosts_network(context: LoopContext) -> None:
    await test_the_table_says_who_may_and_where(context)
    boxes = await context.store.read(sandboxes.list_all)
    assert gateway.sandbox_keys(context, boxes, state(box())) == {}
    assert gateway.sandbox_keys(context, boxes, state()) == {}
    [(name, entry)] = gateway.sandbox_keys(context, boxes, state(box(network="open"))).items()
    token = boxes[0].token(context.secret)
    # As the gateway takes a key apart.
    assert token.split("_")[:2] == ["studio", name.removeprefix("keys/")]
    assert (entry["user"], entry["domain"]) == ("ada", "demo")


def test_differences_turn_one_table_into_another() -> None:
    before, after = {"a": 1, "b": {"x": 1}, "c": 3}, {"a": 1, "b": {"x": 2}, "d": 4}
    assert difference(before, after) == {"b": {"x": 2}, "c": None, "d": 4}
    assert difference(after, after) == {}


async def test_a_confirmation_that_does_not_come_is_said(context: LoopContext) -> None:
    with pytest.raises(Timeout, match="not confirmed"):
        await context.gateway.confirmed(0.05)


async def test_a_table_read_before_the_question_confirms_nothing(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            number = line.partition(b":")[2].partition(b",")[0]
            writer.write(b'{"ack":' + number + b"}\n")
        writer.close()
        ended.set()

    ended = asyncio.Event()
    path = tmp_path / "gateway.sock"
    server = await asyncio.start_unix_server(serve, path)
    control = GatewayControl(path)
    mark = control.mark()
    asking = asyncio.create_task(control.confirmed(5))
    await asyncio.sleep(0)
    await control.push({"a": 1}, mark)
    assert not asking.done()
    await control.push({"a": 1}, control.mark())
    await asyncio.wait_for(asking, 5)
    await control.close()
    await asyncio.wait_for(ended.wait(), 5)
    server.close()


async def test_what_the_gateway_saw_is_noted_to_the_minute(context: LoopContext, tmp_path: Path) -> None:
    def write(db):  # type: ignore[no-untyped-def]
        users.create_user(db, "ada")
        domains.create_domain(db, "demo")
        memberships.put(db, "demo", "ada", "admin")
        return sessions.create_session(db, "ada")[0].id, keys.create_key(db, "demo", "ada")[0].id

    session, key = await context.store.write(write)
    tables = Tables(tmp_path / "table", "secret")
    tables.replace(
        1,
        {
            f"sessions/{signing.digest('v')}": {"id": session, "user": "ada", "domain": None},
            f"keys/{key}": {"digest": signing.digest(f"studio_{key}_s"), "user": "ada", "domain": "demo"},
            "keys/box-demo.ada": {"digest": signing.digest("studio_box-demo.ada_s"), "user": "ada", "domain": "demo"},
        },
    )
    identities = Identities(tables)
    identities.session([(b"cookie", b"studio_session=v")], "studio_session", None)
    for credential in (key, "box-demo.ada"):
        identities.key(f"Bearer studio_{credential}_s".encode())

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            writer.write(json.dumps({"used": identities.take_used()}).encode() + b"\n")
        writer.close()

    context.gateway = GatewayControl(tmp_path / "gateway.sock")
    server = await asyncio.start_unix_server(serve, context.gateway.socket)
    try:
        await used.step(context)
        seen = (await context.store.read(lambda db: sessions.get(db, session))).seen_ms
        assert seen and seen % used.MINUTE_MS == 0
        assert (await context.store.read(lambda db: keys.get(db, "demo", key))).used_ms in (seen, seen + 60_000)
        await context.store.write(lambda db: sessions.note_seen(db, [session], 1))
        await used.step(context)  # nobody came since
        assert (await context.store.read(lambda db: sessions.get(db, session))).seen_ms == 1
    finally:
        await context.gateway.close()
        server.close()
