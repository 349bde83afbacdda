"""Signing in, with a link that works once or with a password, and out."""

from html import escape

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from studio.access import codes, sessions
from studio.access.places import Place, place
from studio.access.principals import Kind, Principal
from studio.access.sessions import Session
from studio.clock import now_ms
from studio.errors import Denied
from studio.wire.context import context_of
from studio.wire.pages.forms import read_form
from studio.wire.pages.html import page
from studio.wire.pages.places import safe_path
from studio.wire.permission import PUBLIC, permission

COOKIE = "studio_session"
_LINK = """<p class=soft>%sOn the computer that runs Studio, say <code>studio signin</code> and open the link that it
prints: it works once, for ten minutes.</p>"""
_FORM = """<form class=signin method=post action=/signin>%s<input type=hidden name=next value="%s">
<label for=user>Name</label><input id=user name=user value="%s" autocomplete=username autocapitalize=none
spellcheck=false required%s>
<label for=password>Password</label><input id=password name=password type=password autocomplete=current-password
required%s><button>Sign in</button></form>"""


@permission(PUBLIC)
async def signin(request: Request) -> Response:
    """`?code=`: exchanges it for a cookie; it is used up then, and the page's address has it no more. Without a code:
    the page on which one signs in, that leads to `next`."""
    studio = context_of(request)
    principal: Principal = request.state.principal
    if "code" not in request.query_params:
        wanted = safe_path(request.query_params.get("next", ""), "/")
        return RedirectResponse(wanted, 303) if principal.kind is Kind.person else signin_page(request, wanted)
    code = request.query_params["code"]
    seen = _place(request)

    def write(db: Connection) -> tuple[Session, str]:
        made = codes.use_signin(db, code, seen)
        studio.audit.append(db, sessions.opening(made[0]))
        return made

    session, value = await studio.store.write(write)
    await studio.gateway.confirmed()
    answer = RedirectResponse("/", 303, no_trace())
    set_cookie(answer, COOKIE, value, session)
    return answer


@permission(PUBLIC)
async def with_password(request: Request) -> Response:
    """The form of the sign-in page: `user`, `password`, `next`. Only from a page of this very origin: nobody is to be
    signed in under another's name by another site."""
    studio = context_of(request)
    _require_own_page(request)
    form = await read_form(request, ("user", "password", "next"))
    name, wanted = form["user"].strip().lower(), safe_path(form["next"], "/")
    request.state.signin = (name, wanted)  # to be shown again if it is refused
    client = request.headers.get("x-studio-client", "")
    session, value = await studio.passwords.sign_in(name, form["password"], client, _place(request))
    await studio.gateway.confirmed()
    # Not a redirect: browsers hold what follows a form to this page's policy, and a lab has another origin.
    text = "<h1>Signed in</h1><div class=bar role=progressbar aria-label=Opening><i></i></div>"
    answer = page("Signed in", text, refresh=f"0;url={wanted}", headers=no_trace())
    set_cookie(answer, COOKIE, value, session)
    return answer


@permission("sessions.own")
async def signout(request: Request) -> Response:
    """Ends the session here and in all labs; it is ended everywhere when this returns."""
    studio = context_of(request)
    credential = request.state.principal.credential
    await studio.store.write(lambda db: sessions.end(db, credential))
    await studio.gateway.confirmed()
    answer = Response(status_code=204, headers=no_trace())
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return answer


def signin_page(
    request: Request,
    wanted: str,
    *,
    name: str = "",
    problem: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """The page; `wanted` is where it leads, a safe path. It has the form once somebody has a password, at the apex."""
    said = f"<p class=warn role=alert>{escape(problem)}</p>" if problem else ""
    if request.headers.get("x-studio-host") == "lab" or not context_of(request).people.now.passwords:
        return page("Sign in", f"<h1>Sign in</h1>{said}{_LINK % ''}", status=status)
    focus = (" autofocus", "") if not name else ("", " autofocus")
    # With no-referrer a browser would send the form with `Origin: null`.
    headers = {"referrer-policy": "same-origin"} | (headers or {})
    form = _FORM % (said, escape(wanted), escape(name), *focus)
    return page("Sign in", f"<h1>Sign in</h1>{form}{_LINK % 'Or without a password. '}", status=status, headers=headers)


def set_cookie(answer: Response, name: str, value: str, session: Session) -> None:
    """Host-only (no Domain); sent with this origin's requests and with links that lead here."""
    life_s = max(0, (session.expires_ms - now_ms()) // 1000)
    answer.set_cookie(name, value, max_age=life_s, path="/", httponly=True, samesite="lax")


def no_trace() -> dict[str, str]:
    """Headers of answers to addresses that hold a code."""
    return {"referrer-policy": "no-referrer", "cache-control": "no-store"}


def _require_own_page(request: Request) -> None:
    principal: Principal = request.state.principal
    if principal.kind not in (Kind.anonymous, Kind.person):
        raise Denied("One signs in with a browser.", "Programs use an access key.")
    # The gateway has compared an Origin that is there; here one must be there, since every browser sends it.
    host, origin = request.headers.get("host", ""), request.headers.get("origin", "")
    if not host or origin not in (f"http://{host}", f"https://{host}"):
        raise Denied("The form comes from another origin.", "Sign in on Studio's own page.")


def _place(request: Request) -> Place:
    return place(request.headers.get("user-agent", ""), request.headers.get("x-studio-client", ""))
