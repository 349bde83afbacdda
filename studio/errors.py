"""Errors that people see: each carries a code, an HTTP status and what to do next; each wire renders them its way."""

from typing import ClassVar


class StudioError(Exception):
    """What happened (`message`) and what to do next (`hint`)."""

    code: ClassVar[str] = "INTERNAL"
    status: ClassVar[int] = 500
    position: int | None = None  # the character, from 0, at which a text that was given goes wrong
    retry_s: int | None = None  # after so many seconds it is worth another try

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class Invalid(StudioError):
    """The request itself is wrong."""

    code = "INVALID"
    status = 400


class Unauthenticated(StudioError):
    """Nobody has said who is asking."""

    code = "UNAUTHENTICATED"
    status = 401


class Denied(StudioError):
    """Known, but not allowed."""

    code = "DENIED"
    status = 403


class NotFound(StudioError):
    """No such thing, or not one that the asker may see."""

    code = "NOT_FOUND"
    status = 404


class AlreadyExists(StudioError):
    """The name is taken."""

    code = "ALREADY_EXISTS"
    status = 409


class Conflict(StudioError):
    """The thing is not in a state in which that can be done."""

    code = "CONFLICT"
    status = 409


class TooLarge(StudioError):
    """Over a limit of size."""

    code = "TOO_LARGE"
    status = 413


class TooMany(StudioError):
    """Tried too often."""

    code = "TOO_MANY"
    status = 429

    def __init__(self, message: str, hint: str = "", *, retry_s: int = 1) -> None:
        super().__init__(message, hint)
        self.retry_s = retry_s


class OutOfSpace(StudioError):
    """The disk is full, or so nearly that what is left is kept for what runs already (WebDAV's 507)."""

    code = "OUT_OF_SPACE"
    status = 507


class Unavailable(StudioError):
    """Not now; trying again later may work."""

    code = "UNAVAILABLE"
    status = 503
    retry_s = 1


class Timeout(StudioError):
    """It took longer than the caller allowed."""

    code = "TIMEOUT"
    status = 504
