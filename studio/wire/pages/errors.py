"""How pages show an error: a page for people, JSON for programs."""

from html import escape

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from studio.errors import StudioError, Unauthenticated
from studio.wire.context import context_of
from studio.wire.pages.html import page
from studio.wire.pages.places import safe_path
from studio.wire.pages.signin import signin_page
from studio.wire.rest import errors as rest


def wants_page(request: Request) -> bool:
    """Whether a person is looking."""
    return "text/html" in request.headers.get("accept", "")


def studio_error(request: Request, error: Exception) -> Response:
    """What happened and what to do next."""
    assert isinstance(error, StudioError)
    if not wants_page(request):
        return rest.studio_error(request, error)
    headers = {"retry-after": str(error.retry_s)} if error.retry_s else None
    if tried := getattr(request.state, "signin", None):
        name, wanted = tried
        return signin_page(request, wanted, name=name, problem=str(error), status=error.status, headers=headers)
    if isinstance(error, Unauthenticated) and request.url.path not in ("/signin", "/studio/enter"):
        return signin_page(request, _wanted(request), status=error.status)
    return page("That did not work", body(error) + home_link(request), status=error.status, headers=headers)


def _wanted(request: Request) -> str:
    """Where to go on after signing in: the page that was asked for, if it was only looked at."""
    if request.method != "GET":
        return "/"
    query = f"?{request.url.query}" if request.url.query else ""
    return safe_path(request.url.path + query, "/")


def body(error: StudioError) -> str:
    """The error as HTML."""
    return f"<h1>That did not work</h1><p>{escape(error.message)}</p><p class=soft>{escape(error.hint)}</p>"


def home_link(request: Request) -> str:
    """From a lab's origin the apex is elsewhere."""
    if request.headers.get("x-studio-host") != "lab":
        return ""
    return f'<p><a class=button href="{escape(context_of(request).address)}/">Studio</a></p>'


def http_error(request: Request, error: Exception) -> Response:
    """Unknown path or method."""
    assert isinstance(error, HTTPException)
    if not wants_page(request):
        return rest.http_error(request, error)
    text = "<h1>Nothing here</h1><p>There is no page at this address.</p><p><a class=button href='/'>Home</a></p>"
    return page("Nothing here", text, status=error.status_code)


def unexpected(request: Request, error: Exception) -> Response:
    """An id that is in the log too."""
    return rest.unexpected(request, error)
