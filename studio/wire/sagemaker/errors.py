"""How this wire shows an error: the name that `boto3` makes an exception of, and a message; MLflow's callers, who send
their predictions to the same paths, find theirs beside it."""

import logging

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from studio.errors import Invalid, NotFound, StudioError
from studio.ids import new_id
from studio.wire import trail

log = logging.getLogger(__name__)
# (status, exception) of SageMaker's runtime and of AWS's front door; of the others by their first digit.
_NAMES = {
    401: (401, "UnrecognizedClientException"),
    403: (403, "AccessDeniedException"),
    429: (429, "ThrottlingException"),
    503: (503, "ServiceUnavailable"),
}


async def answer(request: Request, error: Exception) -> Response:
    """Any error, in this form; of one that nobody foresaw only its number in the log."""
    found = _told(request, error)
    trail.note_refusal(found)
    other = (500, "InternalFailure") if found.status >= 500 else (400, "ValidationError")
    status, name = _NAMES.get(found.status, other)
    headers = {"x-amzn-errortype": name} | ({"retry-after": str(found.retry_s)} if found.retry_s else {})
    content = {"Message": str(found), "message": str(found), "error_code": found.code}
    return JSONResponse(content, status, headers)


def _told(request: Request, error: Exception) -> StudioError:
    if isinstance(error, StudioError):
        return error
    if isinstance(error, HTTPException) and error.status_code == 404:
        return NotFound("There is nothing at this path.", "POST to /endpoints/NAME/async-invocations.")
    if isinstance(error, (HTTPException, RequestValidationError)):
        return Invalid("This is not what the path takes.", "POST the rows, or name a file of the domain.")
    number = new_id("error")
    log.error("%s: %s %s failed", number, request.method, request.url.path, exc_info=error)
    hint = f"See `studio logs server` for {number}, and report it."
    return StudioError(f"Something went wrong inside Studio ({number}).", hint)
