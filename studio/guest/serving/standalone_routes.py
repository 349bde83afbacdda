"""What the standalone host answers: the addresses of an endpoint in Studio, for one model."""

import asyncio
import re
import time
from typing import Any

import msgspec

from studio import __version__
from studio.guest.serving.batching import Batcher, Call
from studio.guest.serving.forms import Form, Mlflow
from studio.guest.serving.models import Model
from studio.guest.serving.open_inference import About, OpenInference, describe
from studio.guest.serving.problems import BadInput
from studio.guest.serving.standalone_figures import CONTENT_TYPE, Figures
from studio.guest.serving.standalone_http import Exchange, Headers
from studio.guest.serving.standalone_requests import refusal

_MODEL = re.compile(r"/v2/models/([^/]+)(?:/versions/([^/]+))?(/ready|/infer)?")
_INVOCATIONS = re.compile(r"/invocations|/endpoints/([^/]+)/invocations")
_JSON: Headers = [("content-type", "application/json")]
_JSON_WILL_DO = re.compile(r"json|\*/\*|application/\*")
_ABANDONED = 499  # as in other servers' logs: the caller went away
_encode = msgspec.json.Encoder().encode


class Served:
    """One model under its name and version ("" if it has none), in this process."""

    def __init__(self, model: Model, name: str, version: str, figures: Figures) -> None:
        self.name = name
        self.version = version
        self.ready = True
        self._described = model.described
        self._platform = f"mlflow_{model.flavor}" if model.described.flavors else model.flavor
        self._batcher = Batcher(model, asyncio.get_running_loop(), lambda: None)
        self._figures = figures

    def begin(self, exchange: Exchange) -> None:
        """Answers `exchange`, now or when it has been predicted."""
        try:
            if exchange.problem is not None:
                raise exchange.problem
            self._route(exchange)
        except BadInput as problem:
            headers = [*_JSON, ("allow", "POST" if exchange.request.method != "POST" else "GET, HEAD")]
            body = _told(exchange.request.path, problem)
            exchange.respond(problem.status, headers if problem.status == 405 else _JSON, body)

    def _route(self, exchange: Exchange) -> None:
        path = exchange.request.path
        if found := _INVOCATIONS.fullmatch(path):
            self._check(found[1], None)
            _only(exchange, "POST")
            form = Mlflow(exchange.request.header(b"content-type").lower(), _wanted(exchange))
            self._predict(exchange, form)
        elif (found := _MODEL.fullmatch(path)) and found[3] == "/infer":
            self._check(found[1], found[2])
            _only(exchange, "POST")
            length = exchange.request.header(b"inference-header-content-length")
            if length and not re.fullmatch(r"[0-9]{1,12}", length):
                text = "Inference-Header-Content-Length is not a number of bytes."
                raise refusal(400, text, "Send the JSON's length in digits.")
            self._predict(exchange, OpenInference(self._about(int(length) if length else -1)))
        else:
            _only(exchange, "GET", "HEAD")
            status, headers, body = self._tell(path, found)
            exchange.respond(status, headers, body)

    def _tell(self, path: str, model: re.Match[str] | None) -> tuple[int, Headers, bytes]:
        """What can be read: health, metadata, figures."""
        if model is not None:
            self._check(model[1], model[2])
            if model[3]:
                return 200 if self.ready else 503, _JSON, _encode({"name": self.name, "ready": self.ready})
            described = self._described
            return 200, _JSON, describe(self._about(), self._platform, described.signature, described.outputs)
        match path:
            case "/v2":
                said = {"name": "studio", "version": __version__, "extensions": ["binary_tensor_data"]}
                return 200, _JSON, _encode(said)
            case "/v2/health/live":
                return 200, _JSON, b'{"live":true}'
            case "/v2/health/ready" | "/ping":
                return 200 if self.ready else 503, _JSON, _encode({"ready": self.ready})
            case "/metrics":
                return 200, [("content-type", CONTENT_TYPE)], self._figures.render()
        raise refusal(404, f"There is nothing at {path}.", f"See /v2/models/{self.name}, or POST to /invocations.")

    def _about(self, json_bytes: int = -1) -> About:
        return About(self.name, self.version, json_bytes)

    def _check(self, name: str | None, version: str | None) -> None:
        if name not in (None, self.name):
            raise refusal(404, f"There is no model {name!r} here.", f"This host serves {self.name}.")
        if version not in (None, self.version):
            text = f"The model {self.name} does not serve version {version!r}."
            raise refusal(404, text, f"It serves {self.version}." if self.version else "It has no number.")

    def _predict(self, exchange: Exchange, form: Form) -> None:
        begun = time.monotonic()
        self._figures.begin()

        def answered(status: int, body: bytes, rows: int, _spent: int, about: dict[str, Any] | None) -> None:
            if not call.cancelled:
                self._figures.end(status, time.monotonic() - begun, rows)
                exchange.respond(status, _headers(about or {}), body)

        def abandoned() -> None:
            call.cancelled = True
            self._figures.end(_ABANDONED, time.monotonic() - begun, 0)

        call = Call(exchange.body, form, answered)
        exchange.abandoned = abandoned
        self._batcher.add(call)


def _wanted(exchange: Exchange) -> str:
    """What the caller accepts, "" where JSON will do."""
    accept = exchange.request.header(b"accept").lower()
    return accept if "text/csv" in accept or not _JSON_WILL_DO.search(accept) else ""


def _headers(about: dict[str, Any]) -> Headers:
    """Of an answer, from what its form says of it beside the body. Names of columns in it are the caller's own."""
    said = [("content-type", str(about.get("type", "application/json"))), *about.get("headers", {}).items()]
    return [(name, value) for name, value in said if value.isascii() and value.isprintable()]


def _only(exchange: Exchange, *methods: str) -> None:
    if exchange.request.method not in methods:
        text = f"{exchange.request.path} takes no {exchange.request.method}."
        raise refusal(405, text, f"Use {' or '.join(methods)}.")


def _told(path: str, problem: BadInput) -> bytes:
    """In the form of the protocol to which the address belongs."""
    return OpenInference(About("", "")).problem(problem) if path.startswith("/v2") else problem.body()
