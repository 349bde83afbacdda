"""What people see while a lab starts, and when it does not."""

import json
from html import escape

from starlette.responses import Response

from studio.wire.pages.html import page

_ONWARD = "requestAnimationFrame(()=>setTimeout(()=>location.replace(%s),50));"


def starting_page(domain: str, onward: str, *, at_once: bool) -> Response:
    """Shown until `onward`, a path of this origin, has been answered; asked for at once or in a second."""
    body = (
        f"<h1>Starting {escape(domain)}</h1><p class=soft>JupyterLab is being started in its sandbox. This takes some "
        'seconds the first time; this page goes on by itself.</p><div class=bar role=progressbar aria-label="Starting">'
        "<i></i></div>"
    )
    # A refresh after 0 s would leave before this page was painted; and some browsers run no script.
    script = _ONWARD % json.dumps(onward).replace("<", "\\u003c") if at_once else ""
    return page(f"Starting {domain}", body, refresh=f"1;url={onward}", script=script)


def failed_page(domain: str, reason: str, again: str) -> Response:
    """Why, and a way to try again."""
    body = (
        f"<h1>{escape(domain)} did not start</h1><p class=warn>{escape(reason)}</p>"
        "<p class=soft>On the computer that runs Studio, <code>studio doctor</code> and <code>studio logs</code> say "
        f'more.</p><p><a class=button href="{escape(again)}">Try again</a></p>'
    )
    return page(f"{domain} did not start", body, status=503)
