"""AWS Signature Version 4, by which `boto3` signs its requests with an access key's id and secret.

Source: AWS, "Signing AWS API requests", the canonical request and the string to sign. Only the form in the header
Authorization, with a signed body: addresses that carry their signature are not for predictions.
"""

import datetime
import hashlib
import hmac
import re
from functools import lru_cache
from urllib.parse import quote

import msgspec

from studio import clock
from studio.errors import Unauthenticated
from studio.gateway.requests import Request

SCHEME = b"AWS4-HMAC-SHA256"
MAX_SKEW_S = 15 * 60
_FIELDS = re.compile(
    rb"AWS4-HMAC-SHA256 Credential=([^/,\s]{1,128})/(\d{8})/([a-z0-9-]{1,64})/(sagemaker)/aws4_request, ?"
    rb"SignedHeaders=([a-z0-9;-]{1,4096}), ?Signature=([0-9a-f]{64})"
)
_HINT = "Sign with the key's id and secret, and set this computer's clock: `studio key create` makes a key."


class Signed(msgspec.Struct, frozen=True):
    """A request's claim: made by `key_id`, on `day` (YYYYMMDD), and what of it the signature covers."""

    key_id: str
    day: str
    region: str
    service: str
    stamp: str
    head: str
    headers: str
    signature: str

    def check(self, secret: str, body: bytes) -> None:
        """`Unauthenticated` unless the holder of `secret` has signed exactly this request with exactly this body."""
        payload = hashlib.sha256(body).hexdigest()
        canonical = hashlib.sha256(f"{self.head}\n{self.headers}\n{payload}".encode("latin-1")).hexdigest()
        scope = f"{self.day}/{self.region}/{self.service}/aws4_request"
        text = f"{SCHEME.decode()}\n{self.stamp}\n{scope}\n{canonical}"
        key = _signing_key(secret, self.day, self.region, self.service)
        if not hmac.compare_digest(hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), self.signature):
            raise Unauthenticated("The request's signature is not that of its access key.", _HINT)


def read(request: Request) -> Signed:
    """The claim in a signed request; `Unauthenticated` if it has none, or not about now."""
    found = _FIELDS.fullmatch(request.header(b"authorization").strip())
    if found is None:
        raise Unauthenticated("The Authorization header is no AWS signature of version 4 for `sagemaker`.", _HINT)
    key_id, day, region, service, names, signature = (part.decode() for part in found.groups())
    stamp = request.header(b"x-amz-date").decode("latin-1")
    try:
        at = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
    except ValueError:
        raise Unauthenticated("The header x-amz-date is missing or odd.", _HINT) from None
    if abs(at.timestamp() * 1000 - clock.now_ms()) > MAX_SKEW_S * 1000 or stamp[:8] != day:
        raise Unauthenticated("The request was not signed within the last 15 minutes.", _HINT)
    signed = names.split(";")
    # What is not signed could be another's: everything that the request is about must be.
    needed = {"host"} | {name.decode() for name in request.fields if name.startswith(b"x-amz")}
    if signed != sorted(set(signed)) or not needed <= set(signed):
        raise Unauthenticated("The signature does not cover host and every x-amz header.", _HINT)
    lines = [f"{name}:{_value(request, name)}\n" for name in signed]
    head = f"{request.method}\n{quote(request.path, safe='/-_.~')}\n{_query(request.query)}"
    return Signed(key_id, day, region, service, stamp, head, f"{''.join(lines)}\n{names}", signature)


def _value(request: Request, name: str) -> str:
    values = [value.decode("latin-1") for key, value in request.headers if key.decode("latin-1") == name]
    if not values:
        raise Unauthenticated(f"The signature covers the header {name!r}, which is not there.", _HINT)
    return ",".join(" ".join(value.split()) for value in values)


def _query(query: bytes) -> str:
    pairs = [part.partition("=") for part in query.decode("ascii").split("&") if part]
    return "&".join(f"{name}={value}" for name, _, value in sorted(pairs))


@lru_cache(maxsize=256)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
