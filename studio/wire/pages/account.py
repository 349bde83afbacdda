"""What is a person's own at the apex: their password, and the browsers in which they are signed in."""

import json
import time
from html import escape

from starlette.requests import Request
from starlette.responses import Response

from studio.access import passwords, sessions
from studio.access.passwords import LEAST
from studio.access.principals import Principal
from studio.wire.context import context_of
from studio.wire.pages.html import page
from studio.wire.permission import permission
from studio.wire.rest.schemas.sessions import OpenSession
from studio.wire.rest.sessions import listed

_SCRIPT = """
const say=(text)=>{const at=document.getElementById("said");at.textContent=text;at.hidden=!text};
const call=async(method,path,body)=>{const answer=await fetch("/api/v1/"+path,{method,body:body&&JSON.stringify(body),
headers:{"x-studio-csrf":%s,...(body?{"content-type":"application/json"}:{})}});
if(answer.ok)return true;const error=(await answer.json()).error;say(error.message+" "+error.hint);return false};
document.getElementById("password").addEventListener("submit",async(event)=>{event.preventDefault();
const form=event.target,old=form.elements.old?.value;
if(form.elements.fresh.value!==form.elements.again.value)return say("The two are not the same.");
if(await call("PUT","session/password",{new:form.elements.fresh.value,...(old?{old}:{})})){form.reset();
say("Your password is set.")}});
for(const button of document.querySelectorAll("[data-end]"))button.addEventListener("click",async()=>{
if(await call("DELETE","sessions/"+button.dataset.end))location.reload()});
document.getElementById("others")?.addEventListener("click",async()=>{
if(await call("DELETE","sessions"))location.reload()});"""
_OLD = """<label for=old>Old password</label>
<input id=old name=old type=password autocomplete=current-password required>"""
_FORM = """<form class=signin id=password><input name=username autocomplete=username value="%s" hidden>%s
<label for=fresh>New password</label>
<input id=fresh name=fresh type=password autocomplete=new-password minlength=%d required>
<label for=again>Once more</label><input id=again name=again type=password autocomplete=new-password required>
<button>Set password</button></form>"""
_NEEDS_LINK = """<form class=signin id=password hidden></form><p class=soft>To set one, sign in with a new link: on the
computer that runs Studio, say <code>studio signin</code>. For 15 minutes after that it can be set here.</p>"""


@permission("password.own")
async def account(request: Request) -> Response:
    """The page; what it does goes through `/api/v1/session/password` and `/api/v1/sessions`."""
    studio = context_of(request)
    principal: Principal = request.state.principal
    own = await studio.store.read(lambda db: sessions.get(db, principal.credential))
    found = await studio.store.read(lambda db: sessions.list_all(db, own.user))
    rows = listed(found, own.id)
    has_password, is_fresh = own.user in studio.people.now.passwords, passwords.is_fresh(own)
    state = "You have a password." if has_password else "You have none: you sign in with links."
    form = _FORM % (escape(own.user), "" if is_fresh else _OLD, LEAST)
    body = (
        f"<h1>{escape(own.user)}</h1><p class=warn role=status id=said hidden></p>"
        f"<h2>Password</h2><p class=soft>{state}</p>{form if has_password or is_fresh else _NEEDS_LINK}"
        f"<h2>Signed in</h2><ul>{''.join(map(_row, rows))}</ul>"
        f"<footer><a href='/'>Home</a>{_OTHERS if len(rows) > 1 else ''}</footer>"
    )
    return page("Account", body, script=_SCRIPT % json.dumps(own.csrf))


_OTHERS = "<button class=plain id=others>Sign out everywhere else</button>"


def _row(item: OpenSession) -> str:
    where = " · ".join(escape(part) for part in (item.address, ", ".join(item.domains)) if part)
    day = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime((item.seen_ms or item.created_ms) / 1000))
    what = "this browser" if item.current else f"last seen {day}"
    button = "" if item.current else f'<button class=plain data-end="{escape(item.id)}">End</button>'
    about = f"{where}{' · ' if where else ''}{what}, with a {item.via}"
    return f"<li><div><b>{escape(item.agent or 'a browser')}</b><span>{about}</span></div>{button}</li>"
