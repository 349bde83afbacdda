"""Every route of the server, found in the app itself: nobody, a viewer and another domain's admin get nowhere."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIWebSocketRoute
from starlette.routing import BaseRoute, Route, WebSocketRoute

from studio.access import permissions
from studio.access.principals import Role
from studio.server.app import build_wires, check_routes
from studio.server.doors import Door
from studio.wire.permission import declared, leaves
from tests.inprocess import SECRET, World, websocket_status, world

# What anybody may ask, with the reason. Nothing else.
PUBLIC = {
    "/healthz": "says only whether the process is ready",
    "/health": "MLflow's clients and probes ask it; says only OK",
    "/signin": "the code in the address is the credential",
    "/studio/enter": "the code in the address is the credential",
    "/api/2.0/mlflow-artifacts/signed/{ticket}": "the signed ticket in the address is: test_signed_addresses.py",
    "/ajax-api/2.0/mlflow-artifacts/signed/{ticket}": "the same under MLflow's other name",
}
# Of MLflow's wire: paths that exist to say that there is nothing.
UNKNOWN = ("/api/{path:path}", "/ajax-api/{path:path}")
WRITES = {action for action, role in permissions.IN_DOMAIN.items() if role is not Role.viewer}


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as found:
        await found.member("vera", "demo", "viewer")
        await found.member("otto", "other", "admin")
        yield found


def calls(found: World) -> Iterator[tuple[str, str, str, BaseRoute]]:
    """(method, path with names filled in, declared action, route) of every HTTP route."""
    for path, route in leaves(build_wires(found.studio).routes):
        if isinstance(route, (WebSocketRoute, APIWebSocketRoute)):
            continue
        methods = getattr(route, "methods", None) or {"GET", "POST", "PUT", "DELETE", "PATCH"}
        for method in sorted(methods - {"HEAD"}):
            yield method, filled(path), declared(route) or "", route


def filled(path: str) -> str:
    for name in ("domain", "{domain}"):
        path = path.replace("{" + name + "}", "demo")
    parts = ["x1" if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


async def test_public_routes_are_exactly_the_listed_ones(studio: World) -> None:
    found = {path for path, route in leaves(build_wires(studio.studio).routes) if declared(route) == "public"}
    assert found - set(UNKNOWN) == set(PUBLIC)


async def test_every_route_declares_a_known_action(studio: World) -> None:
    sets = (permissions.SIGNED_IN, permissions.PERSONAL, permissions.SERVICE, permissions.OPERATOR_ONLY)
    known = {"public", *permissions.IN_DOMAIN, *(action for found in sets for action in found)}
    assert {action for _, _, action, _ in calls(studio)} <= known


def test_a_silent_route_stops_the_start() -> None:
    async def silent() -> None: ...

    with pytest.raises(RuntimeError, match="/silent"):
        check_routes([Route("/silent", silent)])


async def test_nobody_gets_401_everywhere(studio: World) -> None:
    async with studio.anonymous() as client:
        for method, path, action, _ in calls(studio):
            if action != "public":
                answer = await client.request(method, path, json={})
                assert answer.status_code == 401, f"{method} {path} {answer.status_code} {answer.text}"
                assert "traceback" not in answer.text.lower()


async def test_a_viewer_cannot_write(studio: World) -> None:
    for client in (await studio.person("vera", "demo"), await studio.program("vera", "demo")):
        async with client:
            refused = 0
            for method, path, action, _ in calls(studio):
                if action in WRITES | permissions.OPERATOR_ONLY | permissions.SERVICE:
                    answer = await client.request(method, path, json={})
                    assert answer.status_code == 403, f"{method} {path} {answer.status_code} {answer.text}"
                    refused += 1
            assert refused > 20


async def test_another_domains_admin_gets_nowhere(studio: World) -> None:
    for client in (
        await studio.person("otto"),
        await studio.person("otto", "other"),
        await studio.program("otto", "other"),
    ):
        async with client:
            for method, path, _, _ in calls(studio):
                if "/domains/demo" in path:
                    answer = await client.request(method, path, json={})
                    assert answer.status_code == 403, f"{method} {path} {answer.status_code} {answer.text}"


async def test_a_credential_bound_to_one_domain_is_refused_in_others(studio: World) -> None:
    await studio.member("otto", "demo", "admin")  # now an admin of both
    for client in (await studio.person("otto", "other"), await studio.program("otto", "other")):
        async with client:
            assert (await client.get("/api/v1/domains/other")).status_code == 200
            assert (await client.get("/api/v1/domains/demo")).status_code == 403


async def test_websockets_refuse_nobody_and_strangers(studio: World) -> None:
    sockets = [
        path
        for path, route in leaves(build_wires(studio.studio).routes)
        if isinstance(route, (WebSocketRoute, APIWebSocketRoute))
    ]
    assert sockets
    stranger = dict((await studio.person("otto")).headers)
    nobody = {"x-studio-gateway": SECRET, "x-studio-via": "anonymous"}
    await studio.studio.people.fresh()
    for path in sockets:
        for headers, status in ((nobody, 401), (stranger, 403)):
            assert await websocket_status(studio.app, Door("gateway"), filled(path), headers) == status
    member = dict((await studio.person("vera")).headers)
    for path in sockets:
        assert await websocket_status(studio.app, Door("gateway"), filled(path), member) == 101


async def test_the_gateways_door_wants_its_secret(studio: World) -> None:
    async with studio.client(Door("gateway"), x_studio_via="session", x_studio_user="ada") as client:
        assert (await client.get("/api/v1/session")).status_code == 401
    async with studio.client(Door("gateway"), x_studio_gateway="guess", x_studio_user="ada") as client:
        assert (await client.get("/healthz")).status_code == 401


async def test_headers_of_the_gateway_mean_nothing_at_a_sandboxes_door(studio: World) -> None:
    person = dict((await studio.person("ada")).headers)
    door = Door("sandbox", "demo.vera", "0" * 64)
    async with studio.client(door, **{name.replace("-", "_"): value for name, value in person.items()}) as client:
        assert (await client.get("/api/v1/session")).status_code == 401


async def test_a_header_sent_twice_counts_as_missing(studio: World) -> None:
    person = await studio.person("vera")
    async with person:
        session = person.headers["x-studio-credential"]
        forged = [("x-studio-gateway", SECRET), ("x-studio-via", "session"), ("x-studio-via", "key")]
        async with studio.client(Door("gateway")) as client:
            headers = [*forged, ("x-studio-credential", session)]
            assert (await client.get("/api/v1/session", headers=headers)).status_code == 401


async def test_code_with_the_hosts_network_is_its_sandbox_and_no_more(studio: World) -> None:
    at = {"x_studio_gateway": SECRET, "x_studio_via": "key", "x_studio_domain": "demo"}
    for owner, may in (("ada", 200), ("otto", 403), ("service", 403)):
        async with studio.client(Door("gateway"), x_studio_credential=f"box-demo.{owner}", **at) as client:
            assert (await client.get("/api/v1/domains/demo")).status_code == may
            assert (await client.get("/api/v1/domains/other")).status_code == 403
            made = await client.post("/api/v1/domains/demo/members", json={"user": "vera", "role": "admin"})
            assert made.status_code == 403  # an admin's code is an editor


async def test_who_runs_the_installation_makes_domains_at_the_apex_and_nowhere_else(studio: World) -> None:
    apex, lab, program = (
        await studio.person("ada"),
        await studio.person("ada", "demo"),
        await studio.program("ada", "demo"),
    )
    async with apex, lab, program:
        # A lab's origin shows what members wrote: a page there must not be able to act for the installation.
        for client in (lab, program):
            assert (await client.post("/api/v1/domains", json={"name": "mine"})).status_code == 403
            assert (await client.get("/api/v1/users")).status_code == 403
        assert (await apex.get("/api/v1/users")).status_code == 200
        assert [(await client.get("/api/v1/session")).json()["operates"] for client in (apex, lab, program)] == [
            True,
            True,
            False,
        ]
    async with await studio.person("vera") as other:
        assert (await other.get("/api/v1/users")).status_code == 403
        assert (await other.get("/api/v1/session")).json()["operates"] is False
