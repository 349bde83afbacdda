"""What may be decided about a request."""

import msgspec

from studio.errors import StudioError
from studio.gateway import aws_signature, open_inference
from studio.gateway.identity import Identity
from studio.gateway.terms import Terms


class Refuse(msgspec.Struct, frozen=True):
    """Answered by the gateway with an error."""

    error: StudioError


class Redirect(msgspec.Struct, frozen=True):
    """303 to `location`."""

    location: str


class ToServer(msgspec.Struct, frozen=True):
    """To the control plane as `target`."""

    identity: Identity
    target: bytes
    host: str
    domain: str = ""


class ToLab(msgspec.Struct, frozen=True):
    """To the lab of (domain, person)."""

    identity: Identity
    domain: str
    role: str
    socket: str
    secret: str


class Invoke(msgspec.Struct, frozen=True):
    """A prediction by endpoint `name` of `domain`. `question`: asked in the Open Inference Protocol."""

    identity: Identity
    domain: str
    name: str
    terms: Terms
    question: open_inference.Question | None = None


class Prove(msgspec.Struct, frozen=True):
    """First of all the signature, with the body that it covers; then this is decided again."""

    signed: aws_signature.Signed


class Preflight(msgspec.Struct, frozen=True):
    """Whether a page of the request's origin may call an endpoint of that name."""

    name: str


class Ready(msgspec.Struct, frozen=True):
    """Whether endpoint `name` of `domain` answers."""

    domain: str
    name: str


class Tell(msgspec.Struct, frozen=True):
    """JSON that the gateway has at hand."""

    body: bytes


class Metrics(msgspec.Struct, frozen=True):
    """Prometheus text about the endpoints of one domain."""

    domain: str


Decision = Refuse | Redirect | ToServer | ToLab | Prove | Invoke | Preflight | Ready | Tell | Metrics
