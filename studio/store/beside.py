"""What a request wants written beside its first write, in the same transaction: both are there or neither."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


class Beside:
    """`also` is run with the first write that succeeds while this is the current one, then never again."""

    __slots__ = ("_is_taken", "also", "is_over")

    def __init__(self) -> None:
        self.also: Callable[[Connection], None] | None = None
        self.is_over = False  # the request is answered: what goes on in the background is not part of it
        self._is_taken = False

    @property
    def is_due(self) -> bool:
        """Whether there is something that no write has taken along yet."""
        return self.also is not None and not self._is_taken and not self.is_over

    def take(self, function: Callable[[Connection], T]) -> Callable[[Connection], T]:
        """`function` and what is due, as one write; `give_back` if it fails."""
        also = self.also
        assert also is not None
        self._is_taken = True

        def both(db: Connection) -> T:
            answer = function(db)
            also(db)
            return answer

        return both

    def give_back(self) -> None:
        """The write that took it along came to nothing."""
        self._is_taken = False


current: ContextVar[Beside | None] = ContextVar("beside", default=None)
