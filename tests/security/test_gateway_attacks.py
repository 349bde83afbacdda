"""Attacks 1–6, 28, 30, 31, 34–38, 43–45 and 55 of the list, on a really started gateway."""

import hashlib
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.gateways import Gateway, Upstream


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    one = Gateway(tmp_path_factory.mktemp("gateway"))
    one.start()
    one.member()
    server = Upstream(one.sockets / "server.sock")
    lab = Upstream(one.sockets / "b" / "demo.ann" / "out" / "lab.sock")
    one.set({"labs/demo/ann": {"socket": str(lab.path), "secret": "lab-secret"}})
    one.endpoint("rain", [("v1", 100, [])])
    one.set({"domains/other": {"port": None}, "endpoints/other/rain": {"variants": [], "mode": "always"}})
    yield one
    server.close()
    lab.close()
    one.close()


def head(gateway: Gateway, *lines: str, first: str = "GET / HTTP/1.1", host: str = "") -> bytes:
    return "\r\n".join([first, f"Host: {host or gateway.host}", *lines, "", ""]).encode("latin-1")


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


@pytest.mark.parametrize(
    "host",
    [
        "evil.test",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost",
        "demo.localhost",
        "none.localhost:{port}",
        "demo.localhost.evil.test:{port}",
        "a.demo.localhost:{port}",
        "DEMO..localhost:{port}",
        "demo.localhost:{port}.evil.test",
        "../b.localhost:{port}",
        "[::1]:{port}",
    ],
)
def test_foreign_host_is_refused(gateway: Gateway, host: str) -> None:
    answer = gateway.raw(head(gateway, "Connection: close", host=host.format(port=gateway.port)))
    assert status(answer) == 421


@pytest.mark.parametrize(
    "data",
    [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: {host}\r\nHost: evil.test\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: +3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 3, 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: {host}\r\nX: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: {host}\r\nX: a\rSet-Cookie: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: {host}\r\nX: a\x00b\r\n\r\n",
        "GET http://evil.test/ HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "CONNECT evil.test:443 HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "TRACE / HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "GET /a%00b HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "GET /a%0d%0aSet-Cookie:b HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "GET /a%5c..%5cb HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "GET /a/../b HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "GET /a/%2e%2e/b HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "GET /%2e%2e%2fb HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "nonsense\r\n\r\n",
    ],
    ids=lambda data: ascii(data)[:60],
)
def test_what_two_programs_could_read_differently_is_refused(gateway: Gateway, data: str) -> None:
    answer = gateway.raw(
        data.format(host=gateway.host).encode("latin-1") + b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    assert status(answer) == 400
    assert b"/smuggled" not in answer and len(re.findall(rb"HTTP/1\.1 \d{3} ", answer)) == 1


def test_header_floods_end_the_connection(gateway: Gateway) -> None:
    assert status(gateway.raw(head(gateway, *(f"X-{n}: 1" for n in range(200))))) == 431
    assert status(gateway.raw(head(gateway, "X: " + "a" * 70_000))) == 431
    assert status(gateway.raw(head(gateway, first=f"GET /{'a' * 20_000} HTTP/1.1"))) == 431
    endless = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 400_000
    assert status(gateway.raw(endless)) == 431


def test_doubly_encoded_path_is_decoded_once(gateway: Gateway) -> None:
    _, _, body = gateway.request("GET", "/a/%252e%252e/b")
    assert json.loads(body)["path"] == "/a/%252e%252e/b"


def test_claims_about_the_sender_are_dropped(gateway: Gateway) -> None:
    spoofed = [
        "X-Studio-User",
        "X-Studio-Gateway",
        "x_studio_user",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-User",
    ]
    spoofed += [
        "Forwarded",
        "Remote-User",
        "X-Remote-User",
        "REMOTE_USER",
        "X-Real-IP",
        "X-Original-URL",
        "X-HTTP-Method-Override",
    ]
    _, _, body = gateway.request("GET", "/", Connection="close, x-studio-user")
    answer = gateway.raw(
        head(gateway, *(f"{name}: operator" for name in spoofed), "Connection: close, X-Studio-Gateway")
    )
    for content in (body, answer.partition(b"\r\n\r\n")[2]):
        headers = json.loads(content)["headers"]
        assert not [name for name, value in headers if value == "operator"]
        assert [value for name, value in headers if name == "x-studio-gateway"] == [gateway.secret]
        assert [value for name, value in headers if name == "x-studio-user"] == [""]


@pytest.mark.parametrize(
    "path", ["/endpoints/rain/invocations", "/invocations", "/v2/health/ready", "/metrics", "/endpoints/x"]
)
def test_programs_routes_need_a_key(gateway: Gateway, path: str) -> None:
    for method in ("GET", "POST"):
        code, headers, body = gateway.request(method, path)
        assert code == 401 and json.loads(body) and headers["www-authenticate"].startswith("Bearer")
    cookie, _ = gateway.session(None)
    assert gateway.request("POST", path, Cookie=cookie, Origin=f"http://{gateway.host}")[0] == 401


def keys(gateway: Gateway) -> dict[str, str]:
    secret = gateway.token.rpartition("test_")[2]
    return {
        "wrong secret": "Bearer studio_key-test_" + "x" * 43,
        "no secret": "Bearer studio_key-test_",
        "other id": f"Bearer studio_key-none_{secret}",
        "no prefix": f"Bearer key-test_{secret}",
        "token as user": "Basic " + "c3R1ZGlv",
        "digest": "Bearer " + hashlib.sha256(gateway.token.encode()).hexdigest(),
        "scheme": f"Token {gateway.token}",
        "empty": "Bearer ",
        "bytes": "Bearer \xff\xfe",
        "bad base64": "Basic !!!",
    }


@pytest.mark.parametrize(
    "which",
    [
        "wrong secret",
        "no secret",
        "other id",
        "no prefix",
        "token as user",
        "digest",
        "scheme",
        "empty",
        "bytes",
        "bad base64",
    ],
)
def test_wrong_key_is_401_everywhere(gateway: Gateway, which: str) -> None:
    for first in ("POST /endpoints/rain/invocations HTTP/1.1", "GET /api/v1/session HTTP/1.1"):
        lines = [f"Authorization: {keys(gateway)[which]}", "Content-Length: 0", "Connection: close"]
        answer = gateway.raw(head(gateway, *lines, first=first))
        assert status(answer) == 401
        assert gateway.token.encode() not in answer


def test_expired_and_revoked_keys_end(gateway: Gateway) -> None:
    token = "studio_key-old_secret"
    entry = {"digest": hashlib.sha256(token.encode()).hexdigest(), "user": "ann", "domain": "demo"}

    def tried() -> int:
        return gateway.request("GET", "/metrics", Authorization=f"Bearer {token}")[0]

    gateway.set({"keys/key-old": entry | {"expires_ms": int(time.time() * 1000) - 1}})
    assert tried() == 401
    gateway.set({"keys/key-old": entry | {"expires_ms": int(time.time() * 1000) + 60_000}})
    assert tried() == 200
    gateway.set({"members/demo/ann": None})
    assert tried() == 403
    gateway.set({"members/demo/ann": {"role": "viewer"}, "keys/key-old": None})
    assert tried() == 401


def test_key_of_one_domain_does_not_reach_another(gateway: Gateway) -> None:
    gateway.set({"endpoints/other/only-there": {"variants": [], "mode": "always"}})
    code, _, body = gateway.predict("only-there", "{}")
    assert code == 404 and body["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    for name in ("..%2fother%2fonly-there", "Rain", "rain%00", "%72ain"):
        assert gateway.request("POST", f"/endpoints/{name}/invocations", "{}", key=True)[0] in (400, 404)


def test_descriptions_are_the_servers_answer_about_that_endpoint_alone(gateway: Gateway) -> None:
    for leaf in ("openapi.json", "docs"):
        code, _, body = gateway.request("GET", f"/endpoints/rain/{leaf}?domain=other", key=True)
        told = json.loads(body)
        assert (code, told["path"]) == (200, f"/api/v1/domains/demo/endpoints/rain/{leaf}")
        claims = {name: value for name, value in told["headers"] if name.startswith("x-studio-")}
        assert (claims["x-studio-user"], claims["x-studio-credential"]) == ("ann", "key-test")
        assert gateway.request("POST", f"/endpoints/rain/{leaf}", "{}", key=True)[0] == 400
        for name in ("none", "only-there", "%72ain", "..%2f..%2fother%2fendpoints%2frain"):
            assert gateway.request("GET", f"/endpoints/{name}/{leaf}", key=True)[0] in (400, 404)


def lab_request(gateway: Gateway, method: str, path: str, **headers: str) -> tuple[int, Any]:
    code, _, body = gateway.request(method, path, host=f"demo.localhost:{gateway.port}", **headers)
    return code, body


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.test",
        "http://demo.localhost.evil.test:{port}",
        "http://other.localhost:{port}",
        "null",
        "http://127.0.0.1:{port}",
        "https://demo.localhost:{port}",
        "http://demo.localhost:{port}/",
        "http://demo.localhost:{port}0",
    ],
)
def test_foreign_origin_cannot_write(gateway: Gateway, origin: str) -> None:
    cookie, csrf = gateway.session("demo")
    sent = {"Cookie": cookie, "Origin": origin.format(port=gateway.port)}
    assert lab_request(gateway, "POST", "/studio/api/x", x_studio_csrf=csrf, **sent)[0] == 403
    assert lab_request(gateway, "PUT", "/api/contents/x", **sent)[0] == 403


def test_write_needs_origin_and_csrf(gateway: Gateway) -> None:
    cookie, csrf = gateway.session("demo")
    own = f"http://demo.localhost:{gateway.port}"
    assert lab_request(gateway, "POST", "/studio/api/x", Cookie=cookie, x_studio_csrf=csrf)[0] == 403
    assert lab_request(gateway, "POST", "/studio/api/x", Cookie=cookie, Origin=own)[0] == 403
    assert lab_request(gateway, "POST", "/studio/api/x", Cookie=cookie, Origin=own, x_studio_csrf="x" + csrf)[0] == 403
    assert lab_request(gateway, "DELETE", "/studio/api/x", Cookie=cookie, Origin=own, x_studio_csrf=csrf)[0] == 200
    assert lab_request(gateway, "GET", "/studio/api/x", Cookie=cookie)[0] == 200


def test_session_of_one_origin_is_none_at_another(gateway: Gateway) -> None:
    demo, _ = gateway.session("demo")
    apex, _ = gateway.session(None)
    value = demo.partition("=")[2]
    other = f"other.localhost:{gateway.port}"
    assert gateway.request("GET", "/api", host=other, Cookie=f"studio_other={value}")[0] == 401
    assert lab_request(gateway, "GET", "/api", Cookie=f"studio_demo={apex.partition('=')[2]}")[0] == 401
    _, _, body = gateway.request("GET", "/", Cookie=f"studio_session={value}")
    assert dict(json.loads(body)["headers"])["x-studio-via"] == "anonymous"


def test_tossed_cookie_counts_as_none(gateway: Gateway) -> None:
    cookie, _ = gateway.session("demo")
    assert lab_request(gateway, "GET", "/api", Cookie=f"{cookie}; studio_demo=attackers")[0] == 401
    assert lab_request(gateway, "GET", "/api", Cookie=f"studio_demo=attackers; {cookie}")[0] == 401


def test_key_does_not_open_a_lab(gateway: Gateway) -> None:
    assert lab_request(gateway, "GET", "/api/contents", Authorization=f"Bearer {gateway.token}")[0] == 401


@pytest.mark.parametrize("path", ["/%73tudio/api/x", "/studio%2fapi/x", "//studio/api/x"])
def test_studio_paths_cannot_be_disguised(gateway: Gateway, path: str) -> None:
    cookie, _ = gateway.session("demo")
    code, body = lab_request(gateway, "GET", path, Cookie=cookie)
    # Either refused, or a path of the lab like any other: never the server's.
    assert code == 400 or dict(json.loads(body)["headers"]).get("x-studio-lab") == "lab-secret"


def test_sign_in_redirect_stays_here(gateway: Gateway) -> None:
    code, headers, _ = gateway.request(
        "GET", "//evil.test/%0d", host=f"demo.localhost:{gateway.port}", Accept="text/html"
    )
    assert code == 400
    code, headers, _ = gateway.request("GET", "//evil.test/", host=f"demo.localhost:{gateway.port}", Accept="text/html")
    assert headers["location"] == f"http://{gateway.host}/open?domain=demo&next=%2F%2Fevil.test%2F"


def test_no_token_is_ever_written_to_the_log(gateway: Gateway) -> None:
    gateway.request("GET", f"/x?token={gateway.token}", key=True)
    cookie, _ = gateway.session("demo")
    lab_request(gateway, "GET", "/api", Cookie=cookie)
    text = gateway.log.read_text()
    assert gateway.token not in text and cookie.partition("=")[2] not in text and gateway.secret not in text
