"""What one run of the story knows, and how its steps are run and told."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from studio.cli.demo.kernel import Kernel
from studio.cli.demo.visitor import Visitor
from studio.client import Rest
from studio.clock import monotonic
from studio.errors import StudioError, Timeout
from studio.settings import Settings

T = TypeVar("T")
Evidence = dict[str, Any]
Step = Callable[["Story"], Evidence]
POLL_S = 0.1


@dataclass(slots=True)
class Story:
    """The state that steps hand on to each other; each fills in what it made."""

    settings: Settings
    omit: frozenset[str] = frozenset()  # parts left out on purpose, to see that the story then fails
    domain: str = "demo"
    endpoint: str = "rain-tomorrow"
    address: str = ""
    link: str = ""
    user: str = ""
    token: str = ""
    origin: str = ""
    notebook: Path = Path()
    cells: dict[str, list[str]] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)
    _operator: Rest | None = None
    _visitor: Visitor | None = None
    _kernel: Kernel | None = None

    @property
    def operator(self) -> Rest:
        """REST as who runs the installation."""
        return _there(self._operator, "up")

    @property
    def visitor(self) -> Visitor:
        """The person at the browser."""
        return _there(self._visitor, "signin")

    @property
    def kernel(self) -> Kernel:
        """The notebook's kernel."""
        return _there(self._kernel, "kernel")

    def meet(
        self, *, operator: Rest | None = None, visitor: Visitor | None = None, kernel: Kernel | None = None
    ) -> None:
        """Remembers what a step has opened."""
        self._operator = operator or self._operator
        self._visitor = visitor or self._visitor
        self._kernel = kernel or self._kernel

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the panels: REST of the domain, as the person, on the lab's origin."""
        return self.visitor.json(method, f"{self.origin}/studio/api/domains/{self.domain}/{path}", body)

    def until(self, what: str, condition: Callable[[], Any], timeout_s: float = 30.0) -> Any:
        """The first true value of `condition`, asked every 0.1 s."""
        return until(what, condition, timeout_s)

    def close(self) -> None:
        """Closes every connection."""
        for thing in (self._operator, self._visitor):
            if thing is not None:
                thing.close()
        if self._kernel is not None:
            self._kernel.disconnect()


def until(what: str, condition: Callable[[], Any], timeout_s: float = 30.0) -> Any:
    """The first true value of `condition`; `Timeout` naming `what` if there is none."""
    deadline = monotonic() + timeout_s
    while not (value := condition()):
        if monotonic() > deadline:
            raise Timeout(f"{what} did not happen within {timeout_s:.0f} s.", "See `studio status` and `studio logs`.")
        time.sleep(POLL_S)
    return value


def check(truth: object, message: str) -> None:
    """Ends the step with `message` unless `truth`."""
    if not truth:
        raise StudioError(message)


def _there(value: T | None, step: str) -> T:
    if value is None:
        raise StudioError(f"The step {step} has not been made yet.")
    return value
