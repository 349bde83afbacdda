"""The few pages of the apex and the lab's waiting page: made by the server, no asset from anywhere."""

from starlette.routing import BaseRoute, Route

from studio.wire.pages import account, enter, errors, home, signin

ROUTES: list[BaseRoute] = [
    Route("/", home.home),
    Route("/signin", signin.signin),
    Route("/signin", signin.with_password, methods=["POST"]),
    Route("/account", account.account),
    Route("/signout", signin.signout, methods=["POST"]),
    Route("/open", home.open_domain),
    Route("/studio/enter", enter.enter),
    Route("/studio/starting", enter.starting),
]

__all__ = ["ROUTES", "errors"]
