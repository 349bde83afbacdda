"""What to do about a version of an environment: pure."""

from dataclasses import dataclass
from typing import Any

from studio.environments.buildlog import parse
from studio.environments.environments import Progress, Version
from studio.environments.states import State


@dataclass(frozen=True, slots=True)
class Observed:
    """`complete`: the hash under which its definition is in the store, or ""; `tool`: Running, Exited or Unknown;
    `log`: the end of the build's log; `may_start`: fewer builds run than may run at a time."""

    complete: str
    tool: str
    log: str
    may_start: bool = True


@dataclass(frozen=True, slots=True)
class Start:
    """Start its build."""


@dataclass(frozen=True, slots=True)
class Finish:
    """It is complete."""

    content_hash: str


@dataclass(frozen=True, slots=True)
class Fail:
    """Its build ended without result."""

    error: str


@dataclass(frozen=True, slots=True)
class Show:
    """Say what the build is at."""

    progress: Progress


Action = Start | Finish | Fail | Show | None


def decide(item: Version, observed: Observed) -> Action:
    """Desired and observed → the one next step."""
    if item.state in (State.not_built, State.queued, State.failed) and observed.complete:
        return Finish(observed.complete)
    if item.state is State.ready and observed.complete != item.hash:
        return Fail("Its folder is gone or was changed. Build it again: `studio env build`.")
    if item.state is State.queued:
        return Start() if observed.may_start else None
    if item.state is not State.building:
        return None
    if observed.tool == "Running":
        found = progress(observed.log)
        return Show(found) if found is not None and found != item.progress else None
    if observed.complete:
        return Finish(observed.complete)
    return Fail(failure(observed.log) or "Its build ended without a word, perhaps with the computer. Build it again.")


def progress(log: str) -> Progress | None:
    """The last thing that the build said it is at."""
    for line in _said(log, "progress"):
        return Progress(int(line.get("done", 0)), int(line.get("total", 0)), str(line.get("text", "")))
    return None


def failure(log: str) -> str:
    """Why the build says it failed, "" if it does not say."""
    for line in _said(log, "failed"):
        return str(line.get("message", ""))
    return ""


def _said(log: str, kind: str) -> list[dict[str, Any]]:
    return [found for line in reversed(log.splitlines()) if (found := parse(line)).get("studio") == kind]
