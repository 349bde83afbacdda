"""A person with a browser, as far as the story needs one: cookies per host, sign-in, Jupyter's and Studio's tokens."""

from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import httpx

from studio.errors import StudioError


class Visitor:
    """Speaks to the gateway's port under any of its host names; names need not resolve on this machine."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.host, self.port = str(parts.hostname), int(parts.port or 80)
        self._http = httpx.Client(timeout=60.0, follow_redirects=False, transport=httpx.HTTPTransport())
        self._cookies: dict[str, dict[str, str]] = {}
        self.csrf: dict[str, str] = {}

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """One request as a browser on `url`'s own page sends it; cookies are kept per host."""
        parts = urlsplit(url)
        headers = {"host": parts.netloc, "cookie": self.cookies(parts.netloc), **options.pop("headers", {})}
        if method not in ("GET", "HEAD"):
            headers["origin"] = f"{parts.scheme}://{parts.netloc}"
            headers["x-studio-csrf"] = self.csrf.get(parts.netloc, "")
            headers["x-xsrftoken"] = self._cookies.get(parts.netloc, {}).get("_xsrf", "")
        target = f"http://{self.host}:{self.port}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
        response = self._http.request(method, target, headers=headers, **options)
        for line in response.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                self._cookies.setdefault(parts.netloc, {})[name] = morsel.value
        return response

    def visit(self, url: str, most: int = 12) -> httpx.Response:
        """Follows redirects across hosts, as the address bar does."""
        for _ in range(most):
            response = self.request("GET", url)
            if response.status_code not in (301, 302, 303, 307):
                return response
            parts, location = urlsplit(url), response.headers["location"]
            url = location if "://" in location else f"{parts.scheme}://{parts.netloc}{location}"
        raise StudioError(f"{url} redirects without end.", "See `studio logs gateway`.")

    def json(self, method: str, url: str, body: Any = None) -> Any:
        """A JSON call; an answer that is no success raises with the server's own words."""
        options = {} if body is None else {"json": body}
        response = self.request(method, url, **options)
        if not response.is_success:
            raise StudioError(f"{method} {urlsplit(url).path} answered {response.status_code}: {response.text[:300]}")
        return response.json() if response.content else None

    def cookies(self, netloc: str) -> str:
        """The Cookie header for `netloc`."""
        return "; ".join(f"{name}={value}" for name, value in self._cookies.get(netloc, {}).items())
