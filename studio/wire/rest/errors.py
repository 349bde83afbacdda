"""How this wire shows an error: {"error": {"code", "message", "hint"}}, and "position" where one character is wrong."""

import logging
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from studio.errors import StudioError
from studio.ids import new_id
from studio.wire import trail

log = logging.getLogger(__name__)
_HTTP = {
    404: ("NOT_FOUND", "There is nothing at this path.", "Look at the API's description in the documentation."),
    405: ("NOT_ALLOWED", "This method is not one of this path's.", "Look at the API's description."),
    413: ("TOO_LARGE", "The body is too large.", "Send less at a time."),
    415: ("INVALID", "The body has a form that this path does not take.", "Send JSON (content-type application/json)."),
}


def body(code: str, message: str, hint: str) -> dict[str, Any]:
    """The JSON of an error."""
    return {"error": {"code": code, "message": message, "hint": hint}}


def studio_error(_request: Request, error: Exception) -> Response:
    """Errors that are meant for people."""
    assert isinstance(error, StudioError)
    trail.note_refusal(error)
    headers = {"retry-after": str(error.retry_s)} if error.retry_s else None
    content = body(error.code, error.message, error.hint)
    if error.position is not None:
        content["error"]["position"] = error.position
    return JSONResponse(content, error.status, headers)


def http_error(_request: Request, error: Exception) -> Response:
    """Errors that the framework raises: unknown path, wrong method."""
    assert isinstance(error, HTTPException)
    code, message, hint = _HTTP.get(error.status_code, ("INVALID", str(error.detail), "Mend the request."))
    return JSONResponse(body(code, message, hint), error.status_code, error.headers)


def validation_error(_request: Request, error: Exception) -> Response:
    """A body or parameter that is not what the route takes; names the first three fields. Values are not repeated: they
    may be secrets."""
    assert isinstance(error, RequestValidationError)
    problems = error.errors()
    if any(problem.get("type") == "json_invalid" for problem in problems):
        return JSONResponse(body("INVALID", "The body is not JSON.", "Send one JSON object."), 400)
    texts = [f"{_place(problem.get('loc', ()))}: {problem.get('msg', 'is wrong')}" for problem in problems[:3]]
    message = "The request is not what this path takes: " + "; ".join(texts) + "."
    return JSONResponse(body("INVALID", message, "Mend the fields named."), 400)


def unexpected(request: Request, error: Exception) -> Response:
    """Anything else: an id that is in the log too, and nothing of what happened inside."""
    number = new_id("error")
    log.error("%s: %s %s failed", number, request.method, request.url.path, exc_info=error)
    hint = f"See `studio logs server` for {number}, and report it."
    return JSONResponse(body("INTERNAL", f"Something went wrong inside Studio ({number}).", hint), 500)


def _place(location: Any) -> str:
    parts = [str(part) for part in location if part not in ("body", "query", "path")]
    return ".".join(parts) or "body"
