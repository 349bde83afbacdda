"""One call of Studio's REST with what the sandbox has in its environment."""

import json
import os
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any, BinaryIO

from studio.errors import StudioError

PAUSE_S = 0.1
# Of a server that restarts: connections are tried again for so long before an error is shown.
PATIENCE_S = 10.0


class CallFailed(StudioError):
    """Studio refused or could not be reached; `code` and `status` are those of its answer (0: it gave none)."""

    def __init__(self, message: str, hint: str = "", code: str = "UNAVAILABLE", status: int = 0) -> None:
        super().__init__(message, hint)
        self.code, self.status = code, status  # type: ignore[misc]  # this class stands for every error of the wire

    def _render_traceback_(self) -> list[str]:
        # IPython shows this: the frames inside of this package would say nothing to who reads a notebook.
        return [f"{self.code}: {self.message}", *([self.hint] if self.hint else [])]


def call(method: str, path: str, body: Any = None, **query: Any) -> Any:
    """The JSON answer of `/api/v1/<path>`; parameters that are None are left out. `CallFailed` says what to do."""
    url = f"{_address()}/api/v1/{path.lstrip('/')}"
    wanted = {key: value for key, value in query.items() if value is not None}
    if wanted:
        url += "?" + urllib.parse.urlencode(wanted, doseq=True)
    headers = _credential() | {"accept": "application/json"}
    data = None
    if method != "GET":
        data = json.dumps({} if body is None else body).encode()
        headers["content-type"] = "application/json"
    text = _answer(urllib.request.Request(url, data, headers, method=method), method, lambda answer: answer.read())
    return json.loads(text) if text else None


def save(path: str, file: BinaryIO) -> None:
    """GET of any path of Studio's, streamed into `file`."""
    asked = urllib.request.Request(f"{_address()}/{path.lstrip('/')}", headers=_credential())

    def take(answer: Any) -> None:
        file.seek(0)  # of an answer that broke off nothing stays
        file.truncate()
        shutil.copyfileobj(answer, file, 1 << 20)

    _answer(asked, "GET", take)


def in_domain(path: str) -> str:
    """`path` below the domain of this sandbox."""
    domain = os.environ.get("STUDIO_DOMAIN", "")
    if not domain:
        raise CallFailed("This code runs outside of a domain.", "Set STUDIO_DOMAIN, STUDIO_URL and STUDIO_TOKEN.")
    return f"domains/{segment(domain)}/{path}"


def segment(name: str) -> str:
    """`name` as one part of a path; whatever it holds, it stays one part."""
    return urllib.parse.quote(str(name), safe="")


def session() -> Any:
    """Who this code acts as: user, role, domain, isolation."""
    return call("GET", "session")


def wait(what: str, look: Callable[[], Any], timeout_s: float) -> Any:
    """The first true value of `look`; `CallFailed` naming `what` after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        if time.monotonic() > deadline:
            raise CallFailed(f"{what} took longer than {timeout_s:.0f} s.", "It goes on; look again later.", "TIMEOUT")
        time.sleep(PAUSE_S)
    return found


def table(rows: list[Any], columns: list[str] | None = None, index: list[Any] | None = None) -> Any:
    """A pandas DataFrame where pandas is, else a list of dictionaries."""
    try:
        import pandas
    except ImportError:
        return rows if columns is None else [dict(zip(columns, row, strict=True)) for row in rows]
    return pandas.DataFrame(rows, columns=columns, index=index)


def _address() -> str:
    found = os.environ.get("STUDIO_API") or os.environ.get("STUDIO_URL")
    if not found:
        if os.environ.get("STUDIO_NETWORK") == "none":
            raise CallFailed("This domain's network mode is none: code here has no way to Studio.", "Use the panels.")
        raise CallFailed("This code does not know where Studio is.", "Run it in Studio, or set STUDIO_URL.")
    return found.rstrip("/")


def _credential() -> dict[str, str]:
    return {"authorization": f"Bearer {os.environ.get('STUDIO_TOKEN', '')}"}


def _answer(request: urllib.request.Request, method: str, take: Callable[[Any], Any]) -> Any:
    # No proxy of the environment is asked: Studio's address is loopback or the person's own host.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with opener.open(request, timeout=120) as answer:
                return take(answer)
        except urllib.error.HTTPError as error:
            raise _refusal(error) from None
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            # A call that may have been carried out is not sent a second time.
            refused = isinstance(getattr(error, "reason", error), ConnectionRefusedError)
            if time.monotonic() > deadline or not (refused or method == "GET"):
                reason = getattr(error, "reason", error)
                raise CallFailed(
                    f"Studio does not answer ({reason}).", "It may be restarting; run this again."
                ) from None
            time.sleep(PAUSE_S)


def _refusal(error: urllib.error.HTTPError) -> CallFailed:
    text = error.read()
    try:
        said = json.loads(text)["error"]
        return CallFailed(said["message"], said.get("hint", ""), said["code"], error.code)
    except (ValueError, KeyError, TypeError):
        return CallFailed(
            f"Studio answered {error.code}: {text[:200].decode(errors='replace')}", "", "HTTP", error.code
        )
