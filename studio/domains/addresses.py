"""Where a domain's lab is in the browser."""

from urllib.parse import urlsplit

from studio.domains.domains import Domain


def origin(address: str, domain: Domain) -> str:
    """`http://demo.localhost:8600`, or the port of its own where names don't resolve. `address`: the apex's."""
    port = urlsplit(address).port or 80
    if domain.port:
        return f"http://127.0.0.1:{domain.port}"
    return f"http://{domain.name}.localhost:{port}"
