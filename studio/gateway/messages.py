"""What the gateway itself says: errors in the form of the wire they go to, and pages for browsers."""

import html
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from studio.errors import Invalid, StudioError, TooLarge

if TYPE_CHECKING:
    from studio.gateway.requests import Request

Headers = list[tuple[bytes, bytes]]
_JSON: Headers = [(b"content-type", b"application/json")]
_FIRST = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
JSON_200 = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
# The words of MLflow's REST errors, which its client turns into exceptions.
_MLFLOW = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    429: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "TEMPORARILY_UNAVAILABLE",
}
# (status, exception) of SageMaker's runtime and of AWS's front door.
_AWS = {
    401: (403, "UnrecognizedClientException"),
    403: (403, "AccessDeniedException"),
    429: (429, "ThrottlingException"),
    503: (503, "ServiceUnavailable"),
}
_AWS_ERROR = b"x-amzn-errortype"
_MLFLOW_PATHS = ("/endpoints/", "/invocations", "/api/2.0/", "/api/3.0/", "/ajax-api/")


class Misdirected(StudioError):
    """A Host that is not ours: another name was made to point here (DNS rebinding), or a proxy is set up wrongly."""

    code = "MISDIRECTED"
    status = 421


class HeadersTooLarge(StudioError):
    """More header than anybody needs."""

    code = "HEADERS_TOO_LARGE"
    status = 431


class Unreadable(StudioError):
    """A body in a form that is not known here."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415


def form_for(request: "Request") -> str:
    """`aws`, `mlflow`, `v2` (the Open Inference Protocol), `html` or `json`: what the asker can read."""
    if request.is_signed:
        return "aws"
    if request.path == "/v2" or request.path.startswith("/v2/"):
        return "v2"
    if request.path.startswith(_MLFLOW_PATHS):
        return "mlflow"
    return "html" if request.method == "GET" and b"text/html" in request.accept else "json"


class Rendered(NamedTuple):
    """An error as one kind of client reads it."""

    status: int
    headers: Headers
    body: bytes


def render(error: StudioError, form: str) -> Rendered:
    """`error` in that form."""
    if form == "aws":
        return sagemaker_error(error)
    if form == "html":
        kind, body = b"text/html; charset=utf-8", page(error.message, error.hint)
        return Rendered(error.status, [(b"content-type", kind)], body)
    said: object
    if form == "mlflow":
        said = {"error_code": _MLFLOW.get(error.status, error.code), "message": str(error)}
    elif form == "v2":
        said = {"error": str(error)}
    else:
        said = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
    return Rendered(error.status, _JSON, msgspec.json.encode(said))


def sagemaker_error(error: StudioError) -> Rendered:
    """One of the errors of SageMaker's runtime: `boto3` makes the exception from the header."""
    status, name = _AWS.get(error.status, (500, "InternalFailure") if error.status >= 500 else (400, "ValidationError"))
    return Rendered(status, [*_JSON, (_AWS_ERROR, name.encode())], msgspec.json.encode({"Message": str(error)}))


def model_error(status: int, body: bytes) -> Rendered:
    """What the model itself answered with an error, as SageMaker's runtime passes it on."""
    text = body.decode(errors="replace")
    whose = "client" if status < 500 else "server"
    said = {
        "Message": f'Received {whose} error ({status}) from primary with message "{text[:1000]}".',
        "OriginalStatusCode": status,
        "OriginalMessage": text,
        "LogStreamArn": "",
    }
    return Rendered(424, [*_JSON, (_AWS_ERROR, b"ModelError")], msgspec.json.encode(said))


def page(title: str, text: str, *, reload_s: int = 0) -> bytes:
    """A page without scripts and outside references; `reload_s` makes it load itself again."""
    refresh = f'<meta http-equiv="refresh" content="{reload_s}">' if reload_s else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Studio</title>{refresh}"
        "<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;display:grid;place-items:center;"
        "min-height:90vh;margin:0 1rem}main{max-width:32rem}h1{font-size:1.3rem;font-weight:600;margin:0 0 .5rem}"
        "p{margin:0;opacity:.75}</style></head>"
        f"<body><main><h1>{html.escape(title)}</h1><p>{html.escape(text)}</p></main></body></html>"
    ).encode()


def restarting() -> bytes:
    """What a browser sees while nobody answers behind the gateway."""
    return page("Studio is restarting", "This page reloads itself as soon as Studio answers again.", reload_s=2)


def head(status: int, headers: Headers) -> bytes:
    """Status line and headers of a response, with the empty line."""
    first = _FIRST.get(status) or b"HTTP/1.1 %d Unknown\r\n" % status
    return first + b"".join([b"%b: %b\r\n" % header for header in headers]) + b"\r\n"


def for_status(status: int, message: str, hint: str = "") -> StudioError:
    """An error for a status the parser chose."""
    kinds: dict[int, type[StudioError]] = {413: TooLarge, 421: Misdirected, 431: HeadersTooLarge}
    return kinds.get(status, Invalid)(message, hint)
