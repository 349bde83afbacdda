"""Signed addresses of files (attack 33): each is for one thing, and no better than the right it was given for."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from studio import clock, signing
from studio.access import keys, memberships, sessions, tickets
from studio.access.principals import Kind, Principal
from studio.errors import StudioError, Unauthenticated
from studio.server.doors import Door
from tests.inprocess import World, world

BASE = "/api/2.0/mlflow-artifacts"


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as found:
        await found.member("eddy", "demo", "editor")
        yield found


async def signed(client: httpx.AsyncClient) -> tuple[str, str]:
    """(address of a file to read, address of a part to send), as `client` gets them."""
    await client.put(f"{BASE}/artifacts/a.txt", content=b"secret")
    read = (await client.get(f"{BASE}/presigned/a.txt")).json()["url"]
    made = await client.post(f"{BASE}/mpu/create/to", json={"path": "b.txt", "num_parts": 1})
    return read, made.json()["credentials"][0]["url"]


async def tried(studio: World, read: str, send: str) -> tuple[int, int]:
    """What anybody gets who has the addresses."""
    async with studio.anonymous() as anybody:
        answers = [await anybody.get(read), await anybody.put(send, content=b"part")]
    return answers[0].status_code, answers[1].status_code


async def test_an_address_works_without_a_credential(studio: World) -> None:
    async with await studio.program("eddy", "demo") as client:
        assert await tried(studio, *await signed(client)) == (200, 200)


async def test_it_ends_with_the_key(studio: World) -> None:
    async with await studio.program("eddy", "demo") as client:
        addresses = await signed(client)
        await studio.store.write(lambda db: keys.revoke(db, "demo", client.headers["x-studio-credential"]))
    assert await tried(studio, *addresses) == (401, 401)


async def test_it_ends_with_the_session(studio: World) -> None:
    async with await studio.person("eddy", "demo") as client:
        addresses = await signed(client)
        await studio.store.write(lambda db: sessions.end(db, client.headers["x-studio-credential"]))
    assert await tried(studio, *addresses) == (401, 401)


async def test_it_ends_with_the_membership_and_weakens_with_the_role(studio: World) -> None:
    async with await studio.program("eddy", "demo") as client:
        addresses = await signed(client)
    await studio.member("eddy", "demo", "viewer")
    assert await tried(studio, *addresses) == (200, 403)
    await studio.store.write(lambda db: memberships.remove(db, "demo", "eddy"))
    assert await tried(studio, *addresses) == (401, 401)  # keys go with the membership


async def test_code_in_a_sandbox_shows_its_token_besides(studio: World) -> None:
    token = "the sandbox's token"
    door = Door("sandbox", "demo.eddy", signing.digest(token))
    async with studio.client(door, authorization=f"Bearer {token}") as inside:
        made = await inside.post(f"{BASE}/mpu/create/to", json={"path": "c.txt", "num_parts": 1})
        part = made.json()["credentials"][0]
        assert part["headers"] == {"Authorization": f"Bearer {token}"}  # what the client is told to send along
    async with studio.client(door) as bare:
        assert (await bare.put(part["url"], content=b"x")).status_code == 401
        assert (await bare.put(part["url"], content=b"x", headers=part["headers"])).status_code == 200


def _over(ticket: tickets.Ticket) -> str:
    return tickets.sign("secret", tickets.Ticket(**{**_fields(ticket), "expires_ms": clock.now_ms()}))


def _by_other(ticket: tickets.Ticket) -> str:
    return tickets.sign("another secret", ticket)


def _unsigned(ticket: tickets.Ticket) -> str:
    return tickets.sign("secret", ticket).partition(".")[0] + "."


def _signed_for_something_else(ticket: tickets.Ticket) -> str:
    payload = tickets.sign("secret", ticket).partition(".")[0]
    return f"{payload}.{signing.keyed('secret', payload)}"


def _no_ticket(ticket: tickets.Ticket) -> str:
    payload = "e30"  # {}
    return f"{payload}.{signing.keyed('secret', f'ticket {payload}')}"


def _fields(ticket: tickets.Ticket) -> dict[str, object]:
    return {name: getattr(ticket, name) for name in ticket.__struct_fields__}


@pytest.mark.parametrize("forge", [_over, _by_other, _unsigned, _signed_for_something_else, _no_ticket])
async def test_what_was_not_signed_for_this_is_nothing(studio: World, forge: Callable[[tickets.Ticket], str]) -> None:
    key, _ = await studio.store.write(lambda db: keys.create_key(db, "demo", "eddy"))
    people = await studio.studio.people.fresh()
    given = tickets.ticket(Principal(Kind.key, "eddy", "demo", key.id), "tracking.read", "demo", "a.txt")
    assert tickets.open_("secret", tickets.sign("secret", given), people) == given
    with pytest.raises(Unauthenticated):
        tickets.open_("secret", forge(given), people)


async def test_a_ticket_is_held_to_its_holders_rights(studio: World) -> None:
    people = await studio.studio.people.fresh()
    for kind, user, action, domain in (
        (Kind.anonymous, "", "tracking.read", "demo"),
        (Kind.sandbox, "eddy", "members.write", "demo"),
        (Kind.sandbox, "eddy", "tracking.read", "other"),
        (Kind.sandbox, "service", "tracking.read", "demo"),
        (Kind.sandbox, "eddy", "no.such-action", "demo"),
        (Kind.key, "eddy", "tracking.read", "demo"),  # of a key that is none
        (Kind.person, "eddy", "tracking.read", "demo"),
    ):
        given = tickets.ticket(Principal(kind, user, domain, "x"), action, domain, "a.txt")
        with pytest.raises(StudioError) as refused:
            tickets.open_("secret", tickets.sign("secret", given), people)
        assert refused.value.status in (401, 403)
