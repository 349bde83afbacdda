"""What to do about a snapshot or restore that was asked for: pure."""

from dataclasses import dataclass

from studio.domains.snapshots import DELETING, FAILED, READY, WAITING, Restore, Snapshot
from studio.domains.storing import Report

ATTEMPTS = 3  # of a program that was ended before it told of an end


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing now."""


@dataclass(frozen=True, slots=True)
class Start:
    """Start the program, or start it again."""


@dataclass(frozen=True, slots=True)
class Show:
    """Write how far it is."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Finish:
    """It is done."""

    report: Report


@dataclass(frozen=True, slots=True)
class Fail:
    """It came to nothing, for this reason."""

    error: str


Action = Wait | Start | Show | Finish | Fail


def kind_of(item: Snapshot | Restore) -> str:
    """What the program is to do."""
    if isinstance(item, Restore):
        return "restore"
    return "remove" if item.state == DELETING else "snapshot"


def decide(item: Snapshot | Restore, tool: str, report: Report | None, kept: Snapshot | None) -> Action:
    """`tool`: the program's state as the supervisor says it (Running, Exited, Unknown), looked at before `report`;
    `kept`: the snapshot that an in-place restore waits for."""
    if isinstance(item, Restore) and item.state == WAITING and item.kept:
        if kept is None or kept.state == FAILED:
            return Fail(f"What is there now could not be kept first: {kept.error if kept else 'its snapshot is gone.'}")
        if kept.state != READY:
            return Wait()
    if report is not None and report.state == "Done":
        return Finish(report)
    if report is not None and report.state == "Failed":
        return Fail(report.error)
    if tool == "Running":
        if report is None or (report.done, report.total) == (item.done, item.total):
            return Wait()
        return Show(report.done, report.total)
    if item.attempts < ATTEMPTS:
        return Start()
    return Fail(f"The program that did this was ended {ATTEMPTS} times. Look at its log: studio logs.")
