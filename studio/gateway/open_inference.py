"""The Open Inference Protocol at the gateway: what it answers itself, and what it tells a replica about a request."""

from typing import Any

import msgspec

from studio import __version__
from studio.errors import Invalid
from studio.gateway.requests import Request

FORM = "v2"
EXTENSIONS = ["binary_tensor_data"]
_encode = msgspec.json.Encoder().encode


class Question(msgspec.Struct):
    """One request to a model. `json_bytes`: of the JSON before binary data, -1 if all is JSON; `ask` "model": not for
    a prediction, but for what the model says of itself; `version`: the one that must answer, "" for any."""

    model: str
    version: str = ""
    ask: str = ""
    json_bytes: int = -1

    def header(self, version: str) -> bytes:
        """Of the frame to a replica that serves `version`."""
        told: dict[str, Any] = {"form": FORM, "model": self.model, "version": version, "json_bytes": self.json_bytes}
        return _encode(told | ({"ask": self.ask} if self.ask else {}))

    @property
    def content_type(self) -> str:
        """What captured requests of this form are called: none that a caller could send."""
        return f"application/vnd.studio.open-inference; json={self.json_bytes}"


def question(request: Request, model: str, version: str, ask: str) -> Question:
    """What `request` asks; `Invalid` if it cannot say where its JSON ends."""
    text = request.header(b"inference-header-content-length")
    if text and (not text.isdigit() or len(text) > 12):
        raise Invalid("Inference-Header-Content-Length is not a number of bytes.", "Send the JSON's length in digits.")
    return Question(model, version, ask, int(text) if text else -1)


def server() -> bytes:
    """The server's metadata."""
    return _encode({"name": "studio", "version": __version__, "extensions": EXTENSIONS})


def health(kind: str) -> bytes:
    """That it is alive or ready: the gateway answers only when it is both."""
    return _encode({kind: True})


def readiness(model: str, ready: bool) -> bytes:
    """Whether the model answers now, or would when asked."""
    return _encode({"name": model, "ready": ready})
