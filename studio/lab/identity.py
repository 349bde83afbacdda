"""Who is at the lab's door: only what comes with this lab's secret, which the gateway alone adds."""

from typing import Any

import tornado.httputil as httputil
import tornado.web as web
from jupyter_server.auth import Authorizer, IdentityProvider, User
from traitlets import Unicode

from studio.signing import equal

SECRET_HEADER = "x-studio-lab"
USER_HEADER = "x-studio-user"
ROLE_HEADER = "x-studio-role"
ROLES = ("viewer", "editor", "admin")


def carries(request: httputil.HTTPServerRequest, secret: str) -> bool:
    """Whether `request` has exactly one secret and it is this lab's; compared in constant time."""
    given = request.headers.get_list(SECRET_HEADER)
    return len(given) == 1 and equal(given[0], secret)


class StudioIdentityProvider(IdentityProvider):
    """Takes the person from the gateway's headers; has no password, no token and no login page."""

    secret = Unicode("", config=True, help="What the gateway sends as x-studio-lab.")
    domain = Unicode("", config=True, help="The domain this lab belongs to.")
    user = Unicode("", config=True, help="The person this lab belongs to; nobody else is let in.")
    token = Unicode("")
    need_token = False

    @property
    def auth_enabled(self) -> bool:
        """Always: an empty token must not mean an open server here."""
        return True

    @property
    def login_available(self) -> bool:
        """Signing in is the gateway's business."""
        return False

    @property
    def logout_available(self) -> bool:
        """So is signing out."""
        return False

    def validate_security(self, app: Any, ssl_options: Any = None) -> None:
        """Nothing to warn of: the socket is owner-only and every request needs the secret."""

    def get_user(self, handler: web.RequestHandler) -> User | None:
        """The person of this request, None without the secret, for somebody else's or without a known role."""
        request = handler.request
        if not self.secret or not carries(request, self.secret):
            return None
        name = request.headers.get(USER_HEADER, "")
        if not name or name != self.user or request.headers.get(ROLE_HEADER) not in ROLES:
            return None
        return User(username=name, name=name, display_name=name, initials=name[:2].upper())

    def is_token_authenticated(self, handler: web.RequestHandler) -> bool:
        """Never, so that Origin and XSRF are checked on every request."""
        return False

    def should_check_origin(self, handler: web.RequestHandler) -> bool:
        """Always."""
        return True


class RoleAuthorizer(Authorizer):
    """A viewer reads; editors and admins do anything, since this lab and its sandbox are theirs alone."""

    def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:
        """`action` is Jupyter's `read`, `write` or `execute`."""
        role = handler.request.headers.get(ROLE_HEADER)
        return role in ("editor", "admin") or (role == "viewer" and action == "read")
