"""The dialog in which who runs the installation makes a domain: name, network, first members."""

import json
from collections.abc import Iterable
from html import escape
from urllib.parse import urlsplit

from studio.access.principals import Role

_NETWORK = (
    ("studio", "Studio only", "Code reaches Studio's API and nothing else: no internet, nothing of this computer."),
    ("open", "Open", "Code reaches the internet, and also the services that listen on this computer."),
    ("none", "None", "Code reaches nothing. Tracking from code is refused; the panels work."),
)
_SCRIPT = """
(()=>{const at=id=>document.getElementById(id),dialog=at("newDomain"),name=at("name"),hint=at("nameHint"),
create=at("create"),failed=at("failed"),taken=%s,place=%s,csrf=%s;
const rule=/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;
const check=()=>{const value=name.value;let wrong="";
if(value&&!rule.test(value))wrong="1 to 40 of a-z, 0-9 and hyphens, beginning and ending with a letter or digit.";
else if(value==="localhost")wrong="This name is Studio's own.";
else if(taken.includes(value))wrong="There is already a domain "+value+".";
hint.textContent=wrong||(value?"Its address will be "+place.replace("*",value):
"It becomes the domain's address and folder, and cannot be changed.");
hint.classList.toggle("bad",!!wrong);name.setAttribute("aria-invalid",!!wrong);create.disabled=!value||!!wrong};
const show=()=>{dialog.showModal();check();name.focus()};
at("new").addEventListener("click",show);at("cancel").addEventListener("click",()=>dialog.close());
name.addEventListener("input",check);
at("newForm").addEventListener("submit",async event=>{event.preventDefault();create.disabled=true;failed.textContent="";
const members=[...document.querySelectorAll(".people select")].filter(role=>role.value)
.map(role=>({user:role.dataset.user,role:role.value}));
const network_mode=document.querySelector("[name=network]:checked").value;
try{const answer=await fetch("/api/v1/domains",{method:"POST",headers:{"x-studio-csrf":csrf,
"content-type":"application/json"},body:JSON.stringify({name:name.value,title:at("title").value,network_mode,members})});
if(answer.ok){await placed(csrf,{[name.value]:place.replace("*",name.value)});
location.href="/open?domain="+encodeURIComponent(name.value);return}
const{error}=await answer.json();failed.textContent=error.message+" "+error.hint}
catch{failed.textContent="Studio does not answer. Try again in some seconds."}
create.disabled=false});
if(new URLSearchParams(location.search).has("new")){history.replaceState(null,"","/");show()}})();"""


def dialog(people: Iterable[str]) -> str:
    """The dialog, closed; `people`: who may be given a role in the new domain."""
    modes = "".join(
        f"<label class=choice><input type=radio name=network value={mode}{' checked' if mode == 'studio' else ''}>"
        f"<b>{label}</b><span class=hint>{text}</span></label>"
        for mode, label, text in _NETWORK
    )
    return (
        "<dialog id=newDomain aria-labelledby=newTitle><h2 id=newTitle>New domain</h2>"
        "<form id=newForm autocomplete=off>"
        "<div class=field><label for=name>Name</label>"
        "<input id=name maxlength=40 required spellcheck=false autocapitalize=none aria-describedby=nameHint>"
        "<p class=hint id=nameHint aria-live=polite></p></div>"
        "<div class=field><label for=title>Title <span class=hint>(optional)</span></label>"
        "<input id=title maxlength=200></div>"
        f"<fieldset><legend>What its code reaches</legend>{modes}</fieldset>{_members(list(people))}"
        '<p class="hint bad" id=failed role=alert></p>'
        "<div class=acts><button type=button class=second id=cancel>Cancel</button>"
        "<button id=create>Create and open</button></div></form></dialog>"
    )


def script(csrf: str, taken: Iterable[str], address: str) -> str:
    """What the dialog does, beside `placed` of the home page; `taken`: names that domains have already."""
    port = urlsplit(address).port
    values = (list(taken), f"http://*.localhost:{port}", csrf)
    return _SCRIPT % tuple(json.dumps(value).replace("<", "\\u003c") for value in values)


def _members(people: list[str]) -> str:
    if not people:
        return ""
    roles = "<option value=''>no member</option>" + "".join(f"<option>{role}</option>" for role in Role)
    rows = "".join(
        f'<label>{user}<select data-user="{user}" aria-label="Role of {user}">{roles}</select></label>'
        for user in map(escape, people)
    )
    return f"<fieldset><legend>First members</legend><div class=people>{rows}</div></fieldset>"
