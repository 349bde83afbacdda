"""What people see while a lab starts, and when it does not."""

from html import escape

from starlette.responses import Response

from studio.wire.pages.html import page


def starting_page(domain: str, refresh: str) -> Response:
    """Shown until `refresh` has been answered."""
    body = (
        f"<h1>Starting {escape(domain)}</h1><p class=soft>JupyterLab is being started in its sandbox. This takes some "
        'seconds the first time; this page goes on by itself.</p><div class=bar role=progressbar aria-label="Starting">'
        "<i></i></div>"
    )
    return page(f"Starting {domain}", body, refresh=refresh)


def failed_page(domain: str, reason: str, again: str) -> Response:
    """Why, and a way to try again."""
    body = (
        f"<h1>{escape(domain)} did not start</h1><p class=warn>{escape(reason)}</p>"
        "<p class=soft>On the computer that runs Studio, <code>studio doctor</code> and <code>studio logs</code> say "
        f'more.</p><p><a class=button href="{escape(again)}">Try again</a></p>'
    )
    return page(f"{domain} did not start", body, status=503)
