"""One check before every route of a lab, static files and websockets too: a handler that forgets its own, as some of
JupyterLab's do, is still behind it."""

from typing import Any

import tornado.httputil as httputil
import tornado.web as web
from jupyter_server.utils import url_path_join
from tornado.routing import Matcher, Rule

from studio.errors import Denied, StudioError, Unauthenticated
from studio.lab.config import Lab
from studio.lab.identity import ROLE_HEADER, ROLES, USER_HEADER, carries

_SAFE = ("GET", "HEAD", "OPTIONS")
# What a viewer may write: how their own lab looks. It is kept beside the lab, not in the domain's volume.
_VIEWER_WRITES = ("lab/api/settings/", "lab/api/workspaces/")


def refusal(request: httputil.HTTPServerRequest, lab: Lab) -> StudioError | None:
    """Why `request` may reach no route of `lab`; None if it may."""
    if not lab.secret or not carries(request, lab.secret):
        return Unauthenticated("This lab answers its gateway only.", "Open the lab from Studio's address.")
    role = request.headers.get(ROLE_HEADER)
    if request.headers.get(USER_HEADER) != lab.user or role not in ROLES:
        return Denied("This lab is somebody else's.", "Open your own from Studio's address.")
    if role == "viewer" and request.method not in _SAFE:
        own = tuple(url_path_join(lab.base_url, path) for path in _VIEWER_WRITES)
        if not request.path.startswith(own):
            return Denied("A viewer of this domain changes nothing in it.", "Ask one of its admins to be an editor.")
    return None


class _Refused(web.RequestHandler):
    """The only thing that a refused request ever reaches."""

    def initialize(self, error: StudioError) -> None:
        """`error` is what is answered."""
        self.error = error

    def check_xsrf_cookie(self) -> None:
        """Nothing is done here that could be forged; without this, writes would be answered before `prepare`."""

    def prepare(self) -> None:
        """Ends every request, whatever its verb. JupyterLab shows `message`; Studio's panels read `error`."""
        self.set_status(self.error.status)
        told = {"code": self.error.code, "message": self.error.message, "hint": self.error.hint}
        self.finish({"message": f"{self.error.message} {self.error.hint}", "error": told})


class _Refusals(Matcher):
    """Matches every request that must not get further."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def match(self, request: httputil.HTTPServerRequest) -> dict[str, Any] | None:
        """What the answer is made of; None lets the request through to the routes."""
        error = refusal(request, self._lab)
        return None if error is None else {"target_kwargs": {"error": error}}


def guard(app: web.Application, lab: Lab) -> None:
    """Puts the check before every route of `app`, those of extensions too."""
    app.default_router.rules.insert(0, Rule(_Refusals(lab), _Refused))
