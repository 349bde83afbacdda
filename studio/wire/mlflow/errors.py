"""How this wire shows an error: {"error_code", "message"} with MLflow's codes."""

from typing import ClassVar

import msgspec

from studio.errors import StudioError

_CODES = {
    "INVALID": "INVALID_PARAMETER_VALUE",
    "NOT_FOUND": "RESOURCE_DOES_NOT_EXIST",
    "ALREADY_EXISTS": "RESOURCE_ALREADY_EXISTS",
    "CONFLICT": "INVALID_STATE",
    "DENIED": "PERMISSION_DENIED",
    "UNAUTHENTICATED": "UNAUTHENTICATED",
    "UNAVAILABLE": "TEMPORARILY_UNAVAILABLE",
    "TIMEOUT": "DEADLINE_EXCEEDED",
    "TOO_LARGE": "REQUEST_LIMIT_EXCEEDED",
    "TOO_MANY": "REQUEST_LIMIT_EXCEEDED",
    "OUT_OF_SPACE": "RESOURCE_EXHAUSTED",
}
# MLflow says 400 for a name that is taken. For INVALID_STATE it says 500, on which clients try again for minutes: 409.
_STATUS = {"ALREADY_EXISTS": 400}


class BadRequest(StudioError):
    """The body cannot be read at all."""

    code = "BAD_REQUEST"
    status = 400


class NotImplementedHere(StudioError):
    """A route of MLflow that Studio leaves out on purpose."""

    code = "NOT_IMPLEMENTED"
    status: ClassVar[int] = 501


class NoSuchRoute(StudioError):
    """A path that MLflow does not have either."""

    code = "ENDPOINT_NOT_FOUND"
    status = 404


def render(error: StudioError) -> tuple[int, bytes]:
    """(HTTP status, body)."""
    code = _CODES.get(error.code, error.code if error.code != "INTERNAL" else "INTERNAL_ERROR")
    return _STATUS.get(error.code, error.status), msgspec.json.encode({"error_code": code, "message": str(error)})
