"""At a lab's origin: from the one-time code to a cookie of its own, and the page while the lab starts."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from studio.access import codes
from studio.access.principals import Principal
from studio.domains import addresses, domains
from studio.errors import Denied, Unauthenticated, Unavailable
from studio.ids import is_name
from studio.wire.context import context_of
from studio.wire.pages.errors import wants_page
from studio.wire.pages.places import safe_path
from studio.wire.pages.signin import no_trace, set_cookie
from studio.wire.pages.starting import failed_page, starting_page
from studio.wire.permission import PUBLIC, allow, permission
from studio.wire.rest.lab import wait_for_lab

LOOK_S = 0.5


@permission(PUBLIC)
async def enter(request: Request) -> Response:
    """`?code=&next=`: a session of this origin, made from the apex's; only for the domain that the code is for."""
    studio = context_of(request)
    # The gateway says whose origin this is; nobody else can.
    name = request.headers.get("x-studio-domain", "")
    if request.headers.get("x-studio-host") != "lab" or not is_name(name):
        raise Unauthenticated("This is a lab's own page.", "Open the domain from Studio's home page.")
    if "here" in request.query_params:
        # The home page finds out whether the browser resolves this name; it may read that there is an answer.
        return Response(status_code=204, headers={"access-control-allow-origin": "*", "cache-control": "no-store"})
    code = request.query_params.get("code", "")
    session, value = await studio.store.write(lambda db: codes.use_enter(db, code, name))
    domain = await studio.store.read(lambda db: domains.get(db, name))
    await studio.gateway.confirmed()
    place = addresses.origin(studio.address, domain)
    answer = RedirectResponse(place + safe_path(request.query_params.get("next", "")), 303, no_trace())
    set_cookie(answer, f"studio_{name}", value, session)
    return answer


@permission("lab.open")
async def starting(request: Request) -> Response:
    """What the gateway shows in place of a lab that does not run: it is wanted now; leads back to where one was."""
    studio = context_of(request)
    principal: Principal = request.state.principal
    name = principal.domain
    if name is None:
        raise Denied("This page belongs to a lab's origin.", "Open the domain from Studio's home page.")
    await allow(request, "lab.open", name)
    found = await wait_for_lab(studio, name, principal.user, LOOK_S)
    if not wants_page(request):
        raise Unavailable(f"The lab of {name} is {found.state}.", "Try again in some seconds.")
    back = safe_path(request.query_params.get("next", ""))
    if found.state == "Failed":
        return failed_page(name, found.reason, back)
    return starting_page(name, back, at_once=found.state == "Running")
