"""The person's domains, and the way into a lab."""

import json
from html import escape
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from studio import __version__
from studio.access import codes, users
from studio.access.principals import Kind, Principal
from studio.domains import addresses, domains
from studio.domains.domains import Domain
from studio.errors import Denied
from studio.wire.context import Studio, context_of
from studio.wire.pages import new_domain
from studio.wire.pages.errors import wants_page
from studio.wire.pages.html import page
from studio.wire.pages.places import safe_path, with_query
from studio.wire.pages.signin import no_trace
from studio.wire.pages.starting import failed_page, starting_page
from studio.wire.permission import allow, permission
from studio.wire.rest.domains import give_port
from studio.wire.rest.lab import wait_for_lab

AT_ONCE_S = 0.3
PATIENCE_S = 20.0
PROGRAM_S = 50.0
_SIGN_OUT = """document.getElementById("out").addEventListener("click",async()=>{
await fetch("/signout",{method:"POST",headers:{"x-studio-csrf":%s}});location.reload()});"""

# Where names don't resolve the fetch fails whatever would answer, and the domain's lab gets a port of its own.
_PLACED = """
const placed=async(csrf,tried)=>{for(const[name,origin]of Object.entries(tried)){try{
await fetch(origin+"/studio/enter?here",{credentials:"omit",cache:"no-store"})}catch{
await fetch("/api/v1/domains/"+name+"/address",{method:"PUT",body:'{"by":"port"}',
headers:{"x-studio-csrf":csrf,"content-type":"application/json"}})}}};placed(%s,%s);"""


@permission("session.read")
async def home(request: Request) -> Response:
    """The domains of who is signed in, each with its button."""
    studio = context_of(request)
    principal: Principal = request.state.principal
    found = await studio.store.read(domains.list_all)
    mine = [item for item in found if item.name in principal.roles]
    session = studio.people.now.session(principal.credential)
    script = _SIGN_OUT % json.dumps(session.csrf) if session else ""
    named = [item for item in mine if not item.port]
    if session:
        tried = {item.name: addresses.origin(studio.address, item) for item in named}
        script += _PLACED % (json.dumps(session.csrf), json.dumps(tried))
    new, dialog = "", ""
    if session and principal.operates:
        people = [user.name for user in await studio.store.read(users.list_all) if user.name != principal.user]
        new, dialog = "<button class=second id=new>New domain</button>", new_domain.dialog(people)
        script += new_domain.script(session.csrf, [item.name for item in found], studio.address)
    elif "new" in request.query_params:
        dialog = "<p class=warn>New domains are made by who runs this installation. Ask them to make one.</p>"
    links = "<a href='/account'>Account</a><button class=plain id=out>Sign out</button>" if session else ""
    level = "isolated by bubblewrap" if studio.isolation == "bubblewrap" else "not isolated"
    body = (
        f"<div class=head><div><h1>Your domains</h1><p class=soft>Signed in as {escape(principal.user)}.</p></div>{new}"
        f"</div>{dialog}{_list(principal, mine)}"
        f"<footer><span>Studio {escape(__version__)} · domains are {level}</span>"
        f"<span class=links>{links}</span></footer>"
    )
    return page("Home", body, script=script, connect=f"'self' http://*.localhost:{urlsplit(studio.address).port}")


@permission("session.read")
async def open_domain(request: Request) -> Response:
    """`?domain=&next=`: starts the person's lab, shows a page while it starts, then leads into it."""
    studio = context_of(request)
    name = request.query_params.get("domain", "")
    wanted = safe_path(request.query_params.get("next", ""))
    principal = await allow(request, "lab.open", name)
    if principal.kind is not Kind.person:
        raise Denied("A lab is opened in a browser.", "Open a sign-in link: `studio signin`.")
    patience_s = PATIENCE_S if request.query_params.get("wait") == "1" else AT_ONCE_S
    # A program is not shown a page meanwhile: it waits.
    patience_s = patience_s if wants_page(request) else PROGRAM_S
    found = await wait_for_lab(studio, name, principal.user, patience_s)
    if found.state == "Failed":
        return failed_page(name, found.reason, with_query("/open", domain=name, next=wanted))
    if found.state != "Running":
        return starting_page(name, with_query("/open", domain=name, next=wanted, wait="1"), at_once=True)
    return await _lead_in(studio, principal, name, wanted)


async def _lead_in(studio: Studio, principal: Principal, name: str, wanted: str) -> Response:
    domain = await studio.store.read(lambda db: domains.get(db, name))
    code = await studio.store.write(lambda db: codes.create_enter(db, principal.credential, name))
    if domain.port and domain.port not in await studio.gateway.ports():
        # Somebody else may listen there by now: nobody is sent to a stranger with a code.
        domain = await give_port(studio, name)
    place = addresses.origin(studio.address, domain)
    return RedirectResponse(place + with_query("/studio/enter", code=code, next=wanted), 303, no_trace())


def _list(principal: Principal, mine: list[Domain]) -> str:
    if not mine:
        return "<p>You are no member of a domain yet. Ask the admin of one to add you.</p>"
    rows = [
        f"<li><div><b>{escape(item.title)}</b><span>{escape(item.name)} · {principal.roles[item.name]}</span></div>"
        f'<a class=button href="{escape(with_query("/open", domain=item.name))}">Open</a></li>'
        for item in mine
    ]
    return f"<ul>{''.join(rows)}</ul>"
