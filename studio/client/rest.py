"""One HTTP client of `/api/v1`, over TCP with a token or over the owner-only socket without one."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import httpx

from studio.errors import (
    AlreadyExists,
    Conflict,
    Denied,
    Invalid,
    NotFound,
    StudioError,
    Timeout,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)

_ERRORS: dict[str, type[StudioError]] = {
    error.code: error
    for error in (
        Invalid, Unauthenticated, Denied, NotFound, AlreadyExists, Conflict, TooLarge, TooMany, Unavailable, Timeout,
        StudioError,
    )
}  # fmt: skip


class Rest:
    """`get`, `post`, `put`, `delete` on paths below `/api/v1`; answers are parsed JSON, errors are `StudioError`s."""

    def __init__(self, base_url: str, token: str = "", *, unix: Path | None = None, timeout: float = 60.0) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        transport = httpx.HTTPTransport(uds=str(unix)) if unix is not None else httpx.HTTPTransport()
        # No proxy of the environment is asked: Studio's address is loopback.
        self._socket = unix
        self._http = httpx.Client(base_url=base_url, headers=headers, transport=transport, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        """GET; parameters that are None are left out."""
        return self._call("GET", path, params={key: value for key, value in params.items() if value is not None})

    def post(self, path: str, body: Any = None) -> Any:
        """POST of a JSON body."""
        return self._call("POST", path, json={} if body is None else body)

    def put(self, path: str, body: Any) -> Any:
        """PUT of a JSON body."""
        return self._call("PUT", path, json=body)

    def upload(self, path: str, file: BinaryIO, /, **params: Any) -> Any:
        """PUT of a file, streamed from where it stands."""
        return self._call("PUT", path, params=params, content=file)

    def send(self, path: str, file: BinaryIO, content_type: str) -> Any:
        """POST of a file of this type, streamed from where it stands."""
        return self._call("POST", path, content=file, headers={"content-type": content_type})

    def download(self, path: str, file: BinaryIO, /, **params: Any) -> None:
        """GET of a file, streamed into `file`."""
        with self._told("GET", path), self._http.stream("GET", _below(path), params=params) as response:
            if not response.is_success:
                response.read()
                raise _error(response)
            for part in response.iter_bytes():
                file.write(part)

    def patch(self, path: str, body: Any) -> Any:
        """PATCH of a JSON body."""
        return self._call("PATCH", path, json=body)

    def delete(self, path: str, **params: Any) -> Any:
        """DELETE."""
        return self._call("DELETE", path, params=params)

    def follow(self, path: str, pause: float = 0.3) -> Iterator[str]:
        """The growing text of a log route (`text`, `next_offset`, `done`) until it is done."""
        offset = 0
        while True:
            part = self.get(path, offset=offset)
            if part["text"]:
                yield part["text"]
            offset = part["next_offset"]
            if part["done"]:
                return
            time.sleep(pause)

    def _call(self, method: str, path: str, **options: Any) -> Any:
        with self._told(method, path):
            response = self._http.request(method, _below(path), **options)
        if response.is_success:
            return response.json() if response.content else None
        raise _error(response)

    @contextmanager
    def _told(self, method: str, path: str) -> Iterator[None]:
        """What goes wrong on the way, as errors of ours."""
        if self._socket is not None and not _answers(self._socket):
            raise Unavailable("Studio does not answer.", "Start it with `studio up`.")
        try:
            yield
        except httpx.ConnectError as error:
            raise Unavailable(f"Studio does not answer ({error}).", "Start it with `studio up`.") from error
        except httpx.TimeoutException as error:
            raise Timeout(f"{method} {path} took too long.", "Look at `studio status`; then try again.") from error
        except httpx.TransportError as error:
            raise Unavailable(f"The connection to Studio broke ({error}).", "Try again.") from error


def _below(path: str) -> str:
    return "/api/v1/" + path.lstrip("/")


def _answers(path: Path) -> bool:
    """Asked before each call: httpx leaves its socket open when a unix socket refuses."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _error(response: httpx.Response) -> StudioError:
    try:
        error = response.json()["error"]
        return _ERRORS.get(error["code"], StudioError)(error["message"], error.get("hint", ""))
    except (ValueError, KeyError, TypeError):
        return StudioError(
            f"Studio answered {response.status_code}: {response.text[:200]}", "See `studio logs server`."
        )
