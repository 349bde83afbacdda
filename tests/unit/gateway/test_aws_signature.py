"""AWS's signature, version 4: what botocore signs is believed, and nothing that differs from it in anything."""

import datetime
from collections.abc import Iterator

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from studio import clock
from studio.errors import Unauthenticated
from studio.gateway import aws_signature
from studio.gateway.requests import Request, check

SECRET = "the secret of the key, which is long enough"
ADDRESS = "http://127.0.0.1:8765"


def signed(
    body: bytes = b"{}",
    path: str = "/endpoints/rain/invocations",
    *,
    secret: str = SECRET,
    method: str = "POST",
    service: str = "sagemaker",
    region: str = "eu-central-1",
    **headers: str,
) -> Request:
    """A request as the gateway reads it, signed by botocore."""
    made = AWSRequest(method=method, url=ADDRESS + path, data=body, headers=headers)
    SigV4Auth(Credentials("key-1", secret), service, region).add_auth(made)
    pairs = [(name.lower().encode(), str(value).encode()) for name, value in made.headers.items()]
    return parsed(method, path, [(b"host", b"127.0.0.1:8765"), *pairs])


def parsed(method: str, path: str, headers: list[tuple[bytes, bytes]]) -> Request:
    request = Request(method, path.encode(), headers)
    assert check(request) is None
    return request


def changed(request: Request, name: bytes, value: bytes | None) -> Request:
    """The same with one header of another value, or without it."""
    kept = [pair for pair in request.headers if pair[0] != name]
    return parsed(request.method, request.target.decode(), kept + ([(name, value)] if value is not None else []))


def holds(request: Request, body: bytes = b"{}", secret: str = SECRET) -> bool:
    try:
        claim = aws_signature.read(request)
        assert claim.key_id == "key-1"
        claim.check(secret, body)
    except Unauthenticated:
        return False
    return True


@given(
    st.binary(max_size=100),
    st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True),
    st.dictionaries(st.sampled_from(["a", "b", "c-d"]), st.from_regex(r"[a-zA-Z0-9_.~-]{0,8}", fullmatch=True)),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
)
def test_what_botocore_signs_is_believed(body: bytes, name: str, query: dict[str, str], note: str) -> None:
    path = f"/endpoints/{name}/invocations" + ("?" + "&".join(f"{k}={v}" for k, v in query.items()) if query else "")
    headers = {"X-Amzn-SageMaker-Custom-Attributes": note.strip()} if note.strip() else {}
    request = signed(body, path, **headers)
    assert holds(request, body)
    assert not holds(request, body + b" ") and not holds(request, body, SECRET[:-1])


def test_nothing_that_was_signed_can_be_changed() -> None:
    request = signed(**{"X-Amzn-SageMaker-Target-Variant": "v1"})
    assert holds(request)
    for path in ("/endpoints/rein/invocations", "/endpoints/rain/invocations?x=1"):
        assert not holds(parsed("POST", path, request.headers))
    assert not holds(parsed("PUT", "/endpoints/rain/invocations", request.headers))
    for name, value in (
        (b"host", b"127.0.0.1:8766"),
        (b"x-amzn-sagemaker-target-variant", b"v2"),
        (b"x-amzn-sagemaker-target-variant", None),
        (b"x-amzn-sagemaker-inference-id", b"not-signed"),
        (b"x-amz-date", b"20200101T000000Z"),
        (b"x-amz-date", b"yesterday"),
        (b"x-amz-date", None),
    ):
        assert not holds(changed(request, name, value)), name


def test_a_claim_in_odd_words_is_none() -> None:
    request = signed()
    good = request.header(b"authorization")
    for words in (
        b"AWS4-HMAC-SHA256",
        good.replace(b"aws4_request", b"aws5_request"),
        good.replace(b"Signature=", b"Signature=0"),
        good.replace(b"SignedHeaders=host;", b"SignedHeaders="),
        good.replace(b"SignedHeaders=host;", b"SignedHeaders=host;host;"),
        good.replace(b"SignedHeaders=host;", b"SignedHeaders=host;x-not-there;"),
        good.replace(b"sagemaker", b"s3"),
        good + b", Signature=" + b"0" * 64,
    ):
        assert not holds(changed(request, b"authorization", words)), words
    assert not holds(signed(service="s3"))


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Seconds that our clock is ahead of the signer's."""
    ahead = [0.0]
    monkeypatch.setattr(
        clock, "now_ms", lambda: int((datetime.datetime.now(datetime.UTC).timestamp() + ahead[0]) * 1000)
    )
    yield ahead


@pytest.mark.parametrize(("seconds", "right"), [(0, True), (800, True), (-800, True), (960, False), (-960, False)])
def test_it_holds_for_a_quarter_of_an_hour(now: list[float], seconds: float, right: bool) -> None:
    now[0] = seconds
    assert holds(signed()) is right
