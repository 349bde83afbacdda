"""The frame of all pages: everything inline under a nonce, nothing else allowed; light and dark."""

import secrets
from html import escape

from starlette.responses import HTMLResponse

STYLE = """
:root{color-scheme:light dark;--ink:#1d232b;--soft:#5b6672;--line:#dfe3e8;--paper:#fbfbfa;--card:#fff;--accent:#2a6f6a;
--on-accent:#fff;--warn:#9a4a1c;--edge:#8a949e}
@media (prefers-color-scheme:dark){:root{--ink:#e7eaee;--soft:#9aa5b1;--line:#31383f;--paper:#15181c;--card:#1c2025;
--accent:#7cc5bd;--on-accent:#10201f;--warn:#eba878;--edge:#6d7883}}
@media (prefers-contrast:more){:root{--soft:var(--ink);--line:var(--ink);--edge:var(--ink)}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;display:flex;justify-content:center}
main{width:100%;max-width:34rem;padding:12vh 1.5rem 4rem}
.brand{display:flex;align-items:center;gap:.6rem;font-weight:600;color:var(--soft);margin:0 0 2.2rem}
.brand svg{width:1.5rem;height:1.5rem;color:var(--accent)}
h1{font-size:1.6rem;line-height:1.25;font-weight:600;margin:0 0 .6rem}
p{margin:0 0 1rem}a{color:var(--accent)}.soft{color:var(--soft)}.warn{color:var(--warn)}
code{font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;
background:color-mix(in srgb,var(--ink) 8%,transparent);
padding:.1em .4em;border-radius:.3em}
ul{list-style:none;margin:1.6rem 0;padding:0;display:grid;gap:.7rem}
li{display:flex;align-items:center;gap:1rem;background:var(--card);border:1px solid var(--line);border-radius:.7rem;
padding:.9rem 1rem .9rem 1.2rem}
li div{flex:1;min-width:0}li b{display:block;font-weight:600;overflow-wrap:anywhere}
li span{color:var(--soft);font-size:.9rem}
a.button,button{font:inherit;font-weight:600;border:0;border-radius:.5rem;padding:.5rem 1.1rem;background:var(--accent);
color:var(--on-accent);text-decoration:none;cursor:pointer;white-space:nowrap;display:inline-block}
a.button:hover,button:hover{filter:brightness(1.08)}
button:disabled{opacity:.5;cursor:default;filter:none}
button.second{background:none;color:var(--ink);box-shadow:inset 0 0 0 1px var(--edge)}
:focus-visible{outline:3px solid color-mix(in srgb,var(--accent) 55%,transparent);outline-offset:2px}
button.plain{background:none;color:var(--soft);padding:.3rem 0;font-weight:400;text-decoration:underline}
.head{display:flex;gap:1rem;justify-content:space-between;align-items:flex-start}
form{display:grid;gap:1.1rem;margin:1.6rem 0}
.field{display:grid;gap:.3rem}.field label,legend{font-weight:600;font-size:.92rem;padding:0}
input:not([type=radio]),select{font:inherit;width:100%;min-width:0;height:2.5rem;padding:0 .7rem;
border:1px solid var(--edge);border-radius:.5rem;background:var(--card);color:var(--ink)}
input[type=radio]{accent-color:var(--accent);margin:.3rem 0 0}
.hint{margin:0;font-size:.86rem;line-height:1.4;color:var(--soft);overflow-wrap:anywhere}.hint.bad{color:var(--warn)}
fieldset{border:0;margin:0;padding:0;display:grid;gap:.5rem;min-width:0}
.choice{display:grid;grid-template-columns:1rem 1fr;gap:0 .7rem;padding:.6rem .8rem;border:1px solid var(--line);
border-radius:.5rem;cursor:pointer}.choice:has(:checked){border-color:var(--accent)}
.choice b{display:block;font-weight:600}.choice .hint{grid-column:2}
.people{display:grid;gap:.4rem;max-height:11rem;overflow:auto;padding:2px}
.people label{display:grid;grid-template-columns:1fr 9rem;gap:1rem;align-items:center}.people select{height:2.1rem}
dialog{width:min(34rem,calc(100vw - 2rem));max-height:calc(100vh - 2rem);overflow:auto;padding:1.6rem;color:inherit;
background:var(--card);border:1px solid var(--line);border-radius:.8rem}
dialog::backdrop{background:rgb(0 0 0/.45)}dialog h2{font-size:1.25rem;font-weight:600;line-height:1.3;margin:0}
dialog form{margin:1.1rem 0 0}.acts{display:flex;gap:.7rem;justify-content:flex-end}
h2{font-size:1.1rem;font-weight:600;margin:2rem 0 .4rem}
form.signin{display:grid;gap:.35rem;margin:1.4rem 0 1.6rem;max-width:22rem}form.signin[hidden]{display:none}
form.signin label{font-size:.9rem;font-weight:600;margin-top:.6rem}
form.signin button{margin-top:1.1rem;justify-self:start}
footer{margin-top:2.5rem;padding-top:1rem;border-top:1px solid var(--line);font-size:.88rem;color:var(--soft);
display:flex;gap:0 1rem;justify-content:space-between;align-items:baseline;flex-wrap:wrap}
.links{display:flex;gap:1rem;align-items:baseline}.links a{color:inherit}
.bar{height:4px;border-radius:2px;background:var(--line);overflow:hidden;margin:1.6rem 0}
.bar i{display:block;height:100%;width:35%;border-radius:2px;
background:var(--accent);animation:run 1.6s ease-in-out infinite}
@keyframes run{0%{margin-left:-35%}100%{margin-left:100%}}
@media (prefers-reduced-motion:reduce){.bar i{animation:none;width:100%;opacity:.5}}
"""
_MARK = (
    '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" '
    'aria-hidden="true"><path d="M4 18 9 9l4 5 7-9"/><circle cx="4" cy="18" r="1.6" fill="currentColor"/>'
    '<circle cx="20" cy="5" r="1.6" fill="currentColor"/></svg>'
)


def page(
    title: str,
    body: str,
    *,
    status: int = 200,
    refresh: str = "",
    script: str = "",
    connect: str = "'self'",
    headers: dict[str, str] | None = None,
) -> HTMLResponse:
    """`body` and `script` are HTML and JavaScript made here, every value in them escaped. `refresh`: of a meta element;
    `connect`: where the script may connect to."""
    nonce = secrets.token_urlsafe(16)
    again = f'<meta http-equiv="refresh" content="{escape(refresh)}">' if refresh else ""
    code = f'<script nonce="{nonce}">{script}</script>' if script else ""
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} · Studio</title>{again}'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">'
        f'<style nonce="{nonce}">{STYLE}</style></head><body><main><p class="brand">{_MARK}Studio</p>{body}</main>'
        f"{code}</body></html>"
    )
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src {connect}; "
        "img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    fixed = {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "cross-origin-opener-policy": "same-origin",
    }
    return HTMLResponse(text, status, fixed | (headers or {}))
