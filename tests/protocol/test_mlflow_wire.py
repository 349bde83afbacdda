"""Bad input, ranges, half uploads, and a server killed under load, on the MLflow wire."""

import asyncio
import gzip
import json
import random
import signal
import socket
import zlib
from pathlib import Path

import httpx
import pytest

from tests.live import until
from tests.protocol.conftest import Running

API = "/api/2.0/mlflow/"
FILES = "/api/2.0/mlflow-artifacts/artifacts/"


def new_run(http: httpx.Client) -> str:
    """A run in the default experiment."""
    return str(http.post(API + "runs/create", json={"experiment_id": "0"}).json()["run"]["info"]["run_id"])


def test_a_body_that_is_odd_is_refused_in_this_wires_form(server: Running) -> None:
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    headers = {"content-type": "application/json"}
    with server.http() as http:
        for content in (b"{", b"[]", b"1", b"\xff\xfe", b'"', b'{"experiment_id": [1]}', deep, b"null"):
            answer = http.post(API + "runs/create", content=content, headers=headers)
            if content == b"null":
                continue  # an empty body: every field has a default
            assert answer.status_code == 400, content[:20]
            assert answer.json()["error_code"] in {"BAD_REQUEST", "INVALID_PARAMETER_VALUE"}
        run_id = new_run(http)
        for literal in (b"NaN", b"-Infinity", b'"Infinity"', b"1e400"):
            body = b'{"run_id": "%s", "key": "odd", "timestamp": 1, "value": %s}' % (run_id.encode(), literal)
            assert http.post(API + "runs/log-metric", content=body, headers=headers).status_code == 200
        forged = {"content-type": "text/plain"}
        assert http.post(API + "runs/create", content=b"{}", headers=forged).status_code == 400
        large = http.post(API + "runs/set-tag", content=b" " * (33 << 20), headers=headers)
        assert large.status_code == 413


def test_who_is_nobody_or_a_stranger_is_refused(server: Running) -> None:
    with httpx.Client(base_url=server.url) as http:
        assert http.get("/health").status_code == 200
        for path in ("/version", API + "runs/get?run_id=x", FILES + "x", "/api/3.0/mlflow/server-info"):
            assert http.get(path).status_code == 401
            assert http.get(path, headers={"x-studio-user": "ann", "x-studio-via": "session"}).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        *("../../studio.db", "%2e%2e/%2e%2e/studio.db", "%252e%252e/%252e%252e/studio.db", "..%2f..%2fstudio.db"),
        *("/etc/passwd", "%2fetc%2fpasswd", "..;/..;/studio.db", "a/..%5c..%5cstudio.db", "a%00b", "%2e%2e"),
        *("../other/x.txt", "a//b", "..%252f..%252fstudio.db"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_path_never_leads_out(server: Running, path: str, method: str) -> None:
    """Sent by hand: clients would tidy such paths up."""
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"{method} {FILES}{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {server.token('ann')}\r\n"
        connection.sendall(f"{head}content-length: 1\r\nconnection: close\r\n\r\nx".encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    status = int(answer.split(b" ", 2)[1])
    assert status in (400, 404), answer[:300]
    assert server.database or (server.home / "studio.db").exists()


def test_ranges_and_headers_of_a_download(server: Running) -> None:
    with server.http() as http:
        path = f"{FILES}0/page.html"
        data = bytes(range(256)) * 9000
        assert http.put(path, content=data).status_code == 200
        whole = http.get(path)
        assert whole.content == data
        assert whole.headers["content-disposition"].startswith("attachment")
        assert whole.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in whole.headers["content-security-policy"]
        for span, expected in (("0-9", data[:10]), ("5-", data[5:]), ("-7", data[-7:]), ("10-99999999", data[10:])):
            part = http.get(path, headers={"range": f"bytes={span}"})
            assert (part.status_code, part.content) == (206, expected)
        assert http.get(path, headers={"range": "bytes=99999999-"}).status_code == 416
        head = http.head(path)
        assert (head.content, head.headers["content-length"]) == (b"", str(len(data)))
        assert http.delete(path).status_code == 200
        assert http.get(path).status_code == 404


def test_an_upload_that_is_cut_is_invisible(server: Running) -> None:
    uploads = server.home / "artifacts" / ".uploads"
    before = set(uploads.glob("*"))  # uploads in parts, of others, may lie there for days

    def begun() -> set[Path]:
        return set(uploads.glob("*")) - before

    with server.http() as http:
        head = f"PUT {FILES}cut/file.bin HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {server.token('ann')}\r\n"
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(f"{head}content-length: 5000000\r\n\r\n".encode() + b"x" * 2_500_000)
            until(lambda: any(file.stat().st_size for file in begun()), "the upload")
            assert http.get(FILES[:-1], params={"path": "cut"}).json() == {}
        until(lambda: not begun(), "the half file gone")
        assert http.get(FILES[:-1], params={"path": "cut"}).json() == {}
        assert http.get(FILES + "cut/file.bin").status_code == 404


def test_the_panels_see_runs_and_where_a_filter_is_wrong(server: Running) -> None:
    base = "/api/v1/domains/demo/"
    with server.http() as http:
        run_id = new_run(http)
        for step, value in enumerate((3.0, 1.0, float("nan"), 2.0)):
            metric = {"run_id": run_id, "key": "a/b", "value": str(value), "timestamp": step, "step": step}
            http.post(API + "runs/log-metric", json=metric)
        found = http.post(base + "runs/search", json={"filter": f"run_id = '{run_id}'"}).json()
        assert (found["total"], found["next_page_token"]) == (1, None)
        assert found["runs"][0]["metrics"]["a/b"] == {"last": 2.0, "min": 1.0, "max": 3.0, "step": 3}
        series = http.get(f"{base}runs/{run_id}/metrics/a/b").json()
        assert [value for _, _, value in series["points"]] == [3.0, 1.0, None, 2.0]
        http.put(f"{FILES}{found['runs'][0]['experiment_id']}/{run_id}/artifacts/x/y.txt", content=b"hi")
        assert http.get(f"{base}runs/{run_id}").json()["artifacts"] == [
            {"path": "x", "is_dir": True, "file_size": None}
        ]
        listed = http.get(f"{base}runs/{run_id}/artifacts", params={"path": "x"}).json()
        assert listed == [{"path": "x/y.txt", "is_dir": False, "file_size": 2}]
        got = http.get(f"{base}runs/{run_id}/artifacts/file", params={"path": "x/y.txt"})
        assert got.content == b"hi"
        assert any(item["runs"] for item in http.get(base + "experiments").json())
        wrong = http.post(base + "runs/search", json={"filter": "metrics.m >> 1"})
        assert wrong.status_code == 400
        assert "character" in wrong.json()["error"]["hint"]
        assert http.patch(f"{base}runs/{run_id}", json={"deleted": True}).json()["stage"] == "deleted"
        assert http.post(f"{base}models/m/versions", json={"run_id": run_id}).status_code == 409
    with server.http("bob") as http:
        assert http.get(f"{base}runs/{run_id}").status_code in (403, 404)
        assert http.get(f"/api/v1/domains/other/runs/{run_id}").status_code == 404


async def _log_until_dead(url: str, token: str, run_id: str, worker: int, acknowledged: list[tuple[str, int]]) -> None:
    async with httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=10) as http:
        for step in range(100_000):
            body = {"run_id": run_id, "key": f"w{worker}", "value": step, "timestamp": step, "step": step}
            try:
                answer = await http.post(API + "runs/log-metric", json=body)
            except httpx.HTTPError:
                return
            assert answer.status_code == 200
            acknowledged.append((f"w{worker}", step))


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_under_load_every_acknowledged_metric_is_there_once(own_server: Running, seed: int) -> None:
    acknowledged: list[tuple[str, int]] = []
    with own_server.http() as http:
        run_id = new_run(http)
    url, token = own_server.url, own_server.token("ann")

    async def load() -> None:
        tasks = [asyncio.create_task(_log_until_dead(url, token, run_id, n, acknowledged)) for n in range(8)]
        goal = random.Random(seed).randrange(200, 600)
        while len(acknowledged) < goal:
            await asyncio.wait(tasks, timeout=0.01)
        await asyncio.to_thread(own_server.stop, signal.SIGKILL)
        await asyncio.gather(*tasks)

    asyncio.run(load())
    own_server.start()
    with own_server.http() as http:
        kept: list[tuple[str, int]] = []
        for n in range(8):
            params = {"run_id": run_id, "metric_key": f"w{n}"}
            values = http.get(API + "metrics/get-history", params=params).json().get("metrics", [])
            kept += [(item["key"], item["step"]) for item in values]
        assert len(kept) == len(set(kept))
        assert set(acknowledged) <= set(kept)
        latest = {
            item["key"]: item["value"]
            for item in http.get(API + "runs/get", params={"run_id": run_id}).json()["run"]["data"]["metrics"]
        }
        for key, value in latest.items():
            assert value == max(step for name, step in kept if name == key)


def test_packed_spans_are_unpacked_within_bounds(server: Running) -> None:
    span = {"traceId": "ab" * 16, "spanId": "cd" * 8, "name": "packed", "startTimeUnixNano": "1"}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    json_kind = {"content-type": "application/json", "x-mlflow-experiment-id": "0"}
    bomb = gzip.compress(b" " * (64 << 20))
    with server.http() as http:
        for encoding, packed in (("gzip", gzip.compress(body)), ("deflate", zlib.compress(body))):
            answer = http.post("/v1/traces", content=packed, headers={**json_kind, "content-encoding": encoding})
            assert (answer.status_code, answer.json()) == (200, {})
        whole = http.get("/api/3.0/mlflow/traces/get", params={"trace_id": "tr-" + "ab" * 16}).json()["trace"]
        assert [item["name"] for item in whole["spans"]] == ["packed"]
        for status, packed, encoding in (
            (413, bomb, "gzip"), (400, gzip.compress(body)[:-12], "gzip"), (400, body, "gzip"), (400, body, "br"),
        ):  # fmt: skip
            answer = http.post("/v1/traces", content=packed, headers={**json_kind, "content-encoding": encoding})
            assert (answer.status_code, set(answer.json())) == (status, {"error_code", "message"})
        assert http.post("/v1/traces", content=body, headers={"content-type": "application/json"}).status_code == 400
    with server.http("vic") as http:
        assert http.post("/v1/traces", content=body, headers=json_kind).status_code == 403
