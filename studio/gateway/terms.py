"""What the headers of a prediction say about it: the body's form, the answer's, the variant, its id."""

import msgspec

from studio.gateway.requests import Request

_MOST_ID = 64


class Terms(msgspec.Struct, frozen=True):
    """`kind`: the body's content type, lower case; `accept`: the answer's form if JSON will not do; `pinned`: the one
    variant that must answer, or ""; `inference_id`: the caller's own, or ""; `compressed`: in a form not known here."""

    kind: str = ""
    accept: str = ""
    pinned: str = ""
    inference_id: str = ""
    compressed: bool = False


def terms_of(request: Request) -> Terms:
    """Read from the headers of MLflow's, SageMaker's and the Open Inference Protocol's wires."""
    fields = request.fields
    pinned = fields.get(b"x-amzn-sagemaker-target-variant") or fields.get(b"x-target-variant") or b""
    own = fields.get(b"x-amzn-sagemaker-inference-id", b"").decode("latin-1")[:_MOST_ID]
    return Terms(
        fields.get(b"content-type", b"").decode("latin-1").strip().lower(),
        wanted(request.accept.decode("latin-1")),
        pinned.decode("latin-1"),
        "".join(c for c in own if c.isascii() and (c.isalnum() or c in "-_.")),
        any(
            name == b"content-encoding" and value.strip().lower() not in (b"", b"identity")
            for name, value in request.headers
        ),
    )


def wanted(accept: str) -> str:
    """What a replica is told of Accept: nothing where JSON will do. Which of several forms it is, is its word."""
    text = accept.strip().lower()
    if not text or ("text/csv" not in text and any(word in text for word in ("json", "*/*", "application/*"))):
        return ""
    return text[:200]
