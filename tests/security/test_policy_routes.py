"""Rules and narrowed keys on every route, found in the app itself; and what all of it leaves in the audit log."""

import csv
import io
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import WebSocketRoute

from studio.access import keys, permissions, policies
from studio.access.permissions import kind_of
from studio.access.principals import Role
from studio.access.rules import Rule
from studio.server.app import build_wires
from studio.server.doors import Door
from studio.wire.permission import declared, leaves
from tests.inprocess import SECRET, World, world

MLFLOW = "/api/2.0/mlflow"
TOKEN = "0" * 64


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as found:
        await found.member("eddy", "demo", "editor")
        await found.member("vera", "demo", "viewer")
        await found.member("otto", "other", "admin")
        yield found


def routes(found: World) -> Iterator[tuple[str, str, str]]:
    """(method, path, action) of every route of a domain, with names filled in."""
    for path, route in leaves(build_wires(found.studio).routes):
        action = declared(route) or ""
        if isinstance(route, (WebSocketRoute, APIWebSocketRoute)) or action not in permissions.IN_DOMAIN:
            continue
        parts = ["demo" if part == "{domain}" else "x1" if "{" in part else part for part in path.split("/")]
        for method in sorted((getattr(route, "methods", None) or {"GET"}) - {"HEAD"}):
            yield method, "/".join(parts), action


async def rule(found: World, effect: Any, who: str, action: str, resource: str = "*", **when: Any) -> Rule:
    wanted = Rule("", effect, (who,), action, resource, when, "says the test")
    return await found.store.write(lambda db: policies.add(db, "demo", wanted, "ada"))


async def narrowed(
    found: World, user: str, actions: tuple[str, ...] = (), resources: tuple[str, ...] = ()
) -> httpx.AsyncClient:
    key, _ = await found.store.write(lambda db: keys.create_key(db, "demo", user, actions=actions, resources=resources))
    at = {"x_studio_via": "key", "x_studio_credential": key.id, "x_studio_domain": "demo"}
    return found.client(Door("gateway"), x_studio_gateway=SECRET, x_studio_user=user, **at)


async def log(client: httpx.AsyncClient, **asked: Any) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/domains/demo/audit", params={"limit": 500, **asked})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["rows"])


async def test_a_rule_that_denies_holds_on_every_route(studio: World) -> None:
    made = await rule(studio, "deny", "user:eddy", "*")
    for client in (await studio.person("eddy", "demo"), await studio.program("eddy", "demo")):
        async with client:
            count = 0
            for method, path, action in routes(studio):
                answer = await client.request(method, path, json={})
                assert answer.status_code == 403, f"{method} {path} {answer.status_code} {answer.text}"
                if permissions.IN_DOMAIN[action] is not Role.admin and "/api/v1/" in path:
                    assert made.id in answer.text, f"{method} {path} {answer.text}"
                count += 1
            assert count > 100


async def test_a_key_narrowed_to_something_else_gets_nowhere(studio: World) -> None:
    for client in (
        await narrowed(studio, "ada", ("cost.nothing",)),
        await narrowed(studio, "ada", (), ("job/none",)),
    ):
        async with client:
            for method, path, action in routes(studio):
                # A job of that name is what the second one is for; there is none.
                if kind_of(action) == "job":
                    continue
                answer = await client.request(method, path, json={})
                assert answer.status_code in (401, 403), f"{method} {path} {answer.status_code} {answer.text}"
            assert (await client.get("/api/v1/session")).status_code == 200


async def test_no_rule_lets_code_in_a_sandbox_administer(studio: World) -> None:
    await rule(studio, "allow", "*", "*")
    at = {"x_studio_gateway": SECRET, "x_studio_via": "key", "x_studio_domain": "demo"}
    async with studio.client(Door("gateway"), x_studio_credential="box-demo.ada", **at) as code:
        refused = 0
        for method, path, action in routes(studio):
            if permissions.IN_DOMAIN[action] is Role.admin:
                answer = await code.request(method, path, json={})
                assert answer.status_code == 403, f"{method} {path} {answer.status_code} {answer.text}"
                refused += 1
        assert refused > 10
    async with await studio.person("otto") as stranger:
        for method, path, _ in routes(studio):
            if "/domains/demo" in path:
                assert (await stranger.request(method, path, json={})).status_code == 403


def test_every_route_says_what_it_is_about_or_is_listed(tmp_path: Path) -> None:
    """A path that names something must be understood as a resource, or the rules on it would not hold there."""
    from studio.server.app import build_rest
    from studio.wire import resources

    # Looked up in the database (the run's experiment), or of the domain itself.
    known = {"run_id", "model_id", "experiment_id", "trace_id", "path"}
    unnamed = {
        (declared(route), name)
        for route in build_rest().routes
        if isinstance(route, APIRoute) and declared(route) in permissions.IN_DOMAIN
        for name in [item.name for item in route.dependant.path_params if item.name != "domain"][:1]
        if kind_of(declared(route) or "") != "domain"
        and name not in known
        and not resources.in_path(kind_of(declared(route) or ""), {name: "x"})
    }
    # An alert is of an endpoint that its id does not tell: a rule on one endpoint denies all alerts.
    assert unnamed == {("monitoring.read", "alert")}


async def test_a_rule_on_one_experiment_holds_on_both_wires(studio: World) -> None:
    async with await studio.program("ada", "demo") as ada:
        ids = [(await ada.post(f"{MLFLOW}/experiments/create", json={"name": n})).json()["experiment_id"] for n in "ab"]
        made = [(await ada.post(f"{MLFLOW}/runs/create", json={"experiment_id": i})).json()["run"] for i in ids]
    secret, other = (run["info"]["run_id"] for run in made)
    await rule(studio, "deny", "role:editor", "tracking.*", f"experiment/{ids[0]}")
    async with await studio.program("eddy", "demo") as eddy:
        for run, status in ((secret, 403), (other, 200)):
            body = {"run_id": run, "key": "m", "value": 1, "timestamp": 1}
            assert (await eddy.post(f"{MLFLOW}/runs/log-metric", json=body)).status_code == status
            assert (await eddy.get(f"{MLFLOW}/runs/get", params={"run_id": run})).status_code == status
            assert (await eddy.get(f"/api/v1/domains/demo/runs/{run}")).status_code == status
            curves = {"run_ids": [run], "keys": ["m"]}
            assert ((await eddy.post("/api/v1/domains/demo/curves", json=curves)).status_code == 403) is (status == 403)
        # Whatever may show it among others is denied too, and a field that a route does not know opens nothing.
        assert (await eddy.post(f"{MLFLOW}/runs/search", json={"experiment_ids": ids})).status_code == 403
        assert (await eddy.post(f"{MLFLOW}/runs/search", json={"experiment_ids": ids[1:]})).status_code == 200
        listed = await eddy.get("/api/v1/domains/demo/experiments", params={"experiment_id": ids[1]})
        assert listed.status_code == 403 and "rule" in listed.json()["error"]["message"]
        rows = {"numbers": [1, 2], "run_ids": [other]}
        assert (await eddy.post("/api/v1/domains/demo/runs/rows", json=rows)).status_code == 403
    async with await studio.program("ada", "demo") as ada:
        assert (await ada.get(f"/api/v1/domains/demo/runs/{secret}")).status_code == 200


async def test_a_key_for_one_experiment_trains_there_and_nowhere_else(studio: World) -> None:
    async with await studio.program("ada", "demo") as ada:
        ids = [(await ada.post(f"{MLFLOW}/experiments/create", json={"name": n})).json()["experiment_id"] for n in "ab"]
    async with await narrowed(studio, "eddy", ("tracking.*",), (f"experiment/{ids[1]}",)) as key:
        found = await key.get(f"{MLFLOW}/experiments/get-by-name", params={"experiment_name": "b"})
        assert found.status_code == 200, found.text
        made = await key.post(f"{MLFLOW}/runs/create", json={"experiment_id": ids[1]})
        run = made.json()["run"]["info"]["run_id"]
        logged = {"run_id": run, "metrics": [{"key": "m", "value": 1, "timestamp": 1, "step": 0}]}
        assert (await key.post(f"{MLFLOW}/runs/log-batch", json=logged)).status_code == 200
        base = "/api/2.0/mlflow-artifacts/artifacts"
        assert (await key.put(f"{base}/{ids[1]}/{run}/artifacts/a.txt", content=b"x")).status_code == 200
        assert (await key.put(f"{base}/{ids[0]}/x/artifacts/a.txt", content=b"x")).status_code == 403
        assert (await key.put(f"{base}/elsewhere/a.txt", content=b"x")).status_code == 403
        for body in ({"experiment_id": ids[0]}, {"experiment_id": "0"}, {}):
            assert (await key.post(f"{MLFLOW}/runs/create", json=body)).status_code == 403
        assert (await key.post(f"{MLFLOW}/registered-models/create", json={"name": "m"})).status_code == 403
        assert (await key.get("/api/v1/domains/demo")).status_code == 403


async def test_an_instance_type_is_asked_of_jobs_and_deploys(studio: World) -> None:
    await rule(studio, "deny", "role:editor", "jobs.write", instance_type={"in": ["std.large"]})
    await rule(studio, "allow", "role:viewer", "serving.write", "endpoint/try-*", instance_type={"in": ["std.small"]})
    job = {"script": "print(1)", "script_name": "a.py", "name": "a", "environment": "none"}
    async with await studio.person("eddy", "demo") as eddy:
        denied = await eddy.post("/api/v1/domains/demo/jobs", json=job | {"instance_type": "std.large"})
        assert denied.status_code == 403
        assert "std.large" in denied.json()["error"]["message"] and denied.json()["error"]["hint"]
        allowed = await eddy.post("/api/v1/domains/demo/jobs", json=job | {"instance_type": "std.small"})
        assert allowed.status_code == 404, allowed.text  # there is no such environment: the rule let it pass
    endpoint = {"name": "try-1", "model": "models:/none/1"}
    async with await studio.person("vera", "demo") as vera:
        for body, status in (
            (endpoint, {400, 404}),
            (endpoint | {"instance_type": "std.large"}, {403}),
            (endpoint | {"name": "prod"}, {403}),
        ):
            answer = await vera.post("/api/v1/domains/demo/endpoints", json=body)
            assert answer.status_code in status, answer.text


async def test_the_explainer_says_what_the_routes_do(studio: World) -> None:
    made = await rule(studio, "deny", "role:editor", "jobs.write", instance_type={"in": ["std.large"]})
    async with await studio.person("vera", "demo") as vera:
        ask = {"user": "eddy", "action": "jobs.write", "attr": "instance_type=std.large"}
        found = (await vera.get("/api/v1/domains/demo/policy/explain", params=ask)).json()
        assert (found["allowed"], found["rule"], found["role"]) == (False, made.id, "editor")
        assert [item["applies"] for item in found["considered"]] == [True] and found["hint"]
        found = (await vera.get("/api/v1/domains/demo/policy/explain", params=ask | {"attr": ""[:0] or "gpu=0"})).json()
        assert found["allowed"] and "applies only if" in found["considered"][0]["because"]
        unknown = await vera.get("/api/v1/domains/demo/policy/explain", params={"user": "eddy", "action": "jobs.fly"})
        assert unknown.status_code == 400 and "jobs.write" in unknown.json()["error"]["hint"]
        shown = (await vera.get("/api/v1/domains/demo/policy")).json()
        assert shown["rules"][0]["text"].startswith("editors may not do jobs.write") and not shown["may_change"]
        assert (await vera.post("/api/v1/domains/demo/policy/rules", json={})).status_code == 403
    async with await studio.person("ada", "demo") as ada:
        assert (await ada.get("/api/v1/domains/demo/policy")).json()["may_change"]
        bad = {"effect": "deny", "who": ["role:editor"], "action": "jobs.write", "when": {"moon": {}}}
        answer = await ada.post("/api/v1/domains/demo/policy/rules", json=bad)
        assert answer.status_code == 400 and "instance_type" in answer.json()["error"]["hint"]


async def test_changes_and_refusals_are_on_record_and_nothing_else(studio: World) -> None:
    async with await studio.person("ada", "demo") as ada, await studio.program("eddy", "demo") as eddy:
        made = (await ada.post(f"{MLFLOW}/experiments/create", json={"name": "a"})).json()["experiment_id"]
        run = (await eddy.post(f"{MLFLOW}/runs/create", json={"experiment_id": made})).json()["run"]["info"]["run_id"]
        await eddy.post(f"{MLFLOW}/runs/log-metric", json={"run_id": run, "key": "m", "value": 1, "timestamp": 1})
        await eddy.get("/api/v1/domains/demo")
        assert await log(ada) == []
        created = await eddy.post(f"{MLFLOW}/registered-models/create", json={"name": "m", "description": "s3cret"})
        assert created.status_code == 200
        again = await eddy.post(f"{MLFLOW}/registered-models/create", json={"name": "m"})
        assert again.status_code == 400  # nothing was changed
        denied = await eddy.post("/api/v1/domains/demo/members", json={"user": "vera", "role": "admin"})
        assert denied.status_code == 403
        rows = await log(ada)
        assert [(row["user"], row["kind"], row["action"], row["outcome"]) for row in rows] == [
            ("eddy", "key", "members.write", "denied"),
            ("eddy", "key", "registry.write", "done"),
        ]
        assert rows[0]["request"] == denied.headers["x-studio-request"]
        assert rows[1]["credential"] == eddy.headers["x-studio-credential"]
        assert rows[1]["request"] == created.headers["x-studio-request"]
        assert "s3cret" not in json.dumps(rows) and "role admin" in rows[0]["detail"]
        assert [row["seq"] for row in await log(ada, user="eddy", outcome="denied", action="members.*")] == [
            rows[0]["seq"]
        ]
        assert await log(ada, since_ms=rows[0]["at_ms"] + 10_000) == []


async def test_a_change_says_what_it_made_and_how(studio: World) -> None:
    async with studio.operator() as operator:
        await operator.post("/api/v1/users", json={"name": "nina"})
        # Nobody listens as gateway here, so the call itself ends with 504: it is written down all the same.
        await operator.post("/api/v1/domains/demo/members", json={"user": "nina", "role": "editor"})
        rows = (await operator.get("/api/v1/audit")).json()["rows"]
    assert [(row["action"], row["resource"], row["detail"], row["address"]) for row in rows] == [
        ("members.write", "member/nina", "as editor", "operator"),
        ("users.write", "user/nina", "", "operator"),
    ]


async def test_a_refusal_of_the_route_itself_is_on_record_too(studio: World) -> None:
    async with studio.operator() as operator, await studio.person("eddy", "demo") as eddy:
        # Not a member: nobody has a sandbox in a domain that they do not belong to.
        await operator.post("/api/v1/domains/other/jobs", json={"script": "1", "script_name": "a.py", "name": "a"})
        rows = (await operator.get("/api/v1/audit", params={"domain": "x"})).json()["rows"]
        assert [(row["kind"], row["outcome"], row["domain"]) for row in rows] == [("operator", "denied", "other")]
        assert "no member" in rows[0]["detail"]
        assert (await eddy.get("/api/v1/audit")).status_code == 403
        assert (await eddy.get("/api/v1/audit/verify")).status_code == 403


async def test_the_log_is_each_domains_own_and_can_be_taken_along(studio: World) -> None:
    async with await studio.person("vera", "demo") as vera, await studio.person("otto", "other") as otto:
        for client, domain in ((vera, "demo"), (otto, "demo"), (vera, "other")):
            assert (await client.get(f"/api/v1/domains/{domain}/audit")).status_code == 403
        for name in ("=cmd()", "plain"):
            await vera.delete(f"/api/v1/domains/demo/models/{name}")
    async with await studio.person("ada", "demo") as ada, studio.operator() as operator:
        lines = (await ada.get("/api/v1/domains/demo/audit/export")).text.splitlines()
        parsed = [json.loads(line) for line in lines]
        assert {row["domain"] for row in parsed} == {"demo"} and len(parsed) == 4
        text = (await ada.get("/api/v1/domains/demo/audit/export", params={"format": "csv", "user": "vera"})).text
        cells = list(csv.DictReader(io.StringIO(text)))
        assert {row["resource"] for row in cells} == {"model/=cmd()", "model/plain", ""}
        page = (await operator.get("/api/v1/audit", params={"limit": 2})).json()
        rest = (await operator.get("/api/v1/audit", params={"limit": 500, "before": page["next"]})).json()
        assert len(page["rows"]) == 2 and len(rest["rows"]) == 3 and rest["next"] is None
        verified = (await operator.get("/api/v1/audit/verify")).json()
        assert (verified["rows"], verified["broken"]) == (5, None)
        assert (await ada.post("/api/v1/domains/demo/audit", json={})).status_code in (404, 405)
