"""What an endpoint's settings do at the gateway: rate, size and time in each wire's words; origins; answers as CSV."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.e2e.gateways import Forker, Gateway, scripted, until

PAGE = "https://app.example.org"
PATHS = ("/endpoints/rain/invocations", "/v2/models/rain/infer")
PREFLIGHT = {"Origin": PAGE, "Access_Control_Request_Method": "POST"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    forker = Forker(tmp_path_factory.mktemp("forker"), libraries=False)
    one = Gateway(tmp_path_factory.mktemp("gateway"), forker)
    one.start()
    one.member()
    one.replica(scripted(tmp_path_factory.mktemp("models"), "a"), "a")
    yield one
    one.close()
    forker.close()


def serve(gateway: Gateway, **settings: Any) -> None:
    gateway.endpoint("rain", [("v1", 1.0, [gateway.replica_socket("a")])], **settings)


def stats(gateway: Gateway) -> Any:
    return gateway.ask({"op": "stats"})["stats"]["demo/rain"]


def signed(gateway: Gateway, body: str) -> tuple[int, str, str]:
    """(status, exception, Retry-After) of the same question by boto3."""
    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=f"http://{gateway.host}",
        region_name="us-east-1",
        aws_access_key_id="key-test",
        aws_secret_access_key=gateway.secret_of_key,
        config=Config(retries={"total_max_attempts": 1}),
    )
    try:
        with pytest.raises(ClientError) as caught:
            client.invoke_endpoint(EndpointName="rain", ContentType="application/json", Body=body)
    finally:
        client.close()
    about = caught.value.response["ResponseMetadata"]
    name = caught.value.response["Error"]["Code"]
    return about["HTTPStatusCode"], name, about["HTTPHeaders"].get("retry-after", "")


def test_rate_limit_is_told_in_each_wires_words(gateway: Gateway) -> None:
    serve(gateway, rate_limit=0.001)
    limited = stats(gateway)["limited"]
    assert gateway.predict("rain", '{"x": 2}')[0] == 200
    status, headers, said = gateway.predict("rain", '{"x": 2}')
    assert (status, said["error_code"]) == (429, "REQUEST_LIMIT_EXCEEDED") and "0.001 requests" in said["message"]
    assert 1 < int(headers["retry-after"]) <= 1000
    status, headers, raw = gateway.request("POST", PATHS[1], "{}", key=True)
    assert status == 429 and list(json.loads(raw)) == ["error"] and int(headers["retry-after"]) > 1
    status, name, retry = signed(gateway, '{"x": 2}')
    assert (status, name) == (429, "ThrottlingException") and int(retry) > 1
    # Who shows no key, or a wrong one, takes nothing of what others may; the server's own questions are not counted.
    assert gateway.request("POST", PATHS[0], "{}")[0] == 401
    assert stats(gateway)["limited"] == limited + 3
    asked = gateway.ask({"op": "invoke", "domain": "demo", "endpoint": "rain", "body": '{"x": 2}'})
    assert asked["invoke"]["status"] == 200
    # A change of something else leaves the count; the limit's own change begins anew, and none is none.
    serve(gateway, rate_limit=0.001, idle_s=7)
    assert gateway.predict("rain", '{"x": 2}')[0] == 429
    serve(gateway, rate_limit=3)
    assert [gateway.predict("rain", '{"x": 2}')[0] for _ in range(3)] == [200] * 3
    serve(gateway, rate_limit=None)
    assert [gateway.predict("rain", '{"x": 2}')[0] for _ in range(5)] == [200] * 5
    assert b'studio_endpoint_limited_total{endpoint="rain"} ' in gateway.request("GET", "/metrics", key=True)[2]


def test_refused_requests_on_one_connection_stay_in_step(gateway: Gateway) -> None:
    serve(gateway, rate_limit=0.001)
    one = f"POST {PATHS[0]} HTTP/1.1\r\nHost: {gateway.host}\r\nAuthorization: Bearer {gateway.token}\r\n"
    whole = f'{one}Content-Length: 8\r\n\r\n{{"x": 2}}'
    last = f'{one}Connection: close\r\nContent-Length: 8\r\n\r\n{{"x": 3}}'
    answers = gateway.raw((whole * 3 + last).encode()).split(b"HTTP/1.1 ")[1:]
    assert [int(answer[:3]) for answer in answers] == [200, 429, 429, 429]


def test_bodies_and_times_have_limits_in_each_wires_words(gateway: Gateway, tmp_path: Path) -> None:
    serve(gateway, max_body=100, timeout_s=0.2)
    large = json.dumps({"x": "y" * 100})
    status, _, said = gateway.predict("rain", large)
    assert status == 413 and "100 bytes" in said["message"]
    status, _, raw = gateway.request("POST", PATHS[1], large, key=True)
    assert status == 413 and "100 bytes" in json.loads(raw)["error"]
    assert signed(gateway, large)[:2] == (400, "ValidationError")
    serve(gateway, timeout_s=0.2)
    hangs = json.dumps({"x": 1, "until": str(tmp_path / "gate")})
    status, _, said = gateway.predict("rain", hangs)
    assert (status, said["error_code"]) == (504, "TEMPORARILY_UNAVAILABLE") and "0.2 s" in said["message"]
    assert signed(gateway, hangs)[:2] == (500, "InternalFailure")
    (tmp_path / "gate").touch()
    serve(gateway)
    until(lambda: gateway.predict("rain", '{"x": 1}')[0] == 200, "the replica answers again")


def test_pages_of_other_origins_are_let_in_only_where_they_are_named(gateway: Gateway) -> None:
    serve(gateway)
    for path in PATHS:
        status, headers, _ = gateway.request("OPTIONS", path, **PREFLIGHT)
        assert status == 401 and not [name for name in headers if name.startswith("access-control") or name == "vary"]
    _, headers, _ = gateway.request("POST", PATHS[0], '{"x": 1}', key=True, Origin=PAGE)
    assert not [name for name in headers if name.startswith("access-control") or name == "vary"]

    serve(gateway, cors=[PAGE, "*", "null"])
    asked = "authorization, content-type, x-amzn-sagemaker-inference-id, cookie, x-studio-csrf, x-amzn-a\tb"
    status, headers, body = gateway.request("OPTIONS", PATHS[0], Access_Control_Request_Headers=asked, **PREFLIGHT)
    assert (status, body) == (200, b"") and headers["access-control-allow-origin"] == PAGE
    assert headers["access-control-allow-headers"] == "authorization, content-type, x-amzn-sagemaker-inference-id"
    assert "origin" in headers["vary"] and "access-control-allow-credentials" not in headers
    for given in ({"Host": gateway.host}, {"Authorization": f"Bearer {gateway.token}"}):
        status, headers, _ = gateway.request("POST", PATHS[0], '{"x": 1}', Origin=PAGE, **given)
        # Without the key there is nothing to read: not even that such an endpoint exists.
        named = PAGE if status == 200 else None
        assert headers.get("access-control-allow-origin") == named and (status == 200) is ("Authorization" in given)
    # The page can read why it was refused, too.
    serve(gateway, cors=[PAGE], rate_limit=0.001)
    assert gateway.predict("rain", '{"x": 1}')[0] == 200
    status, headers, _ = gateway.predict("rain", '{"x": 1}', Origin=PAGE)
    assert status == 429 and headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize(
    "origin",
    ["null", "*", "https://evil.test", PAGE + ".evil.test", PAGE + "/", PAGE + ":443", PAGE.upper(), "http" + PAGE[5:]],
)
def test_no_other_origin_is_let_in(gateway: Gateway, origin: str) -> None:
    serve(gateway, cors=[PAGE, "*", "null", "https://*.example.org"])
    status, headers, _ = gateway.request("OPTIONS", PATHS[0], **PREFLIGHT | {"Origin": origin})
    assert status == 401 and "access-control-allow-origin" not in headers
    status, headers, _ = gateway.request("POST", PATHS[0], '{"x": 1}', key=True, Origin=origin)
    assert status == 200 and "access-control-allow-origin" not in headers and headers["vary"] == "origin"


def test_a_preflight_opens_nothing_else(gateway: Gateway) -> None:
    serve(gateway, cors=[PAGE])
    for path in ("/metrics", "/endpoints/rain", "/endpoints/snow/invocations", "/v2", "/invocations"):
        status, headers, _ = gateway.request("OPTIONS", path, **PREFLIGHT)
        assert status == 401 and "access-control-allow-origin" not in headers, path
    assert gateway.request("GET", PATHS[0], **PREFLIGHT)[0] == 401
    assert gateway.request("OPTIONS", PATHS[0], Origin=PAGE)[0] == 401


def test_answers_come_in_the_form_that_was_asked_for(gateway: Gateway) -> None:
    serve(gateway)

    def asked(accept: str) -> tuple[str, bytes, str]:
        _, headers, body = gateway.request("POST", PATHS[0], '{"x": 2}', key=True, Accept=accept)
        return headers["content-type"], body, headers.get("x-content-type-options", "")

    assert asked("text/csv") == ("text/csv", b"x,by\n2,a\n", "nosniff")
    for accept in ("*/*", "application/json", "application/json, text/plain, */*"):
        assert asked(accept) == ("application/json", b'{"x": 2, "by": "a"}', "")
    # What a browser would run is never called that, whatever the model says.
    assert asked("text/html")[0] in ("application/json", "application/octet-stream")


def test_capture_takes_exactly_its_part(gateway: Gateway) -> None:
    spool = gateway.home / "capture" / "demo" / "rain" / "spool"
    before = stats(gateway)
    serve(gateway, capture={"spool": str(spool), "percent": 12.5})
    for _ in range(40):
        gateway.predict("rain", '{"x": 2}')
    after = stats(gateway)
    grown = {name: after[name] - before[name] for name in ("captured", "unsampled", "dropped")}
    assert grown == {"captured": 5, "unsampled": 35, "dropped": 0}
    serve(gateway, capture={"spool": str(spool), "percent": 0})
    gateway.predict("rain", '{"x": 2}')
    assert stats(gateway)["captured"] == after["captured"]
