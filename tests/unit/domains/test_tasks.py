"""What follows from the state of a task, its program and its report."""

from dataclasses import replace

import pytest

from studio.domains import snapshots, tasks
from studio.domains.snapshots import Restore, Snapshot
from studio.domains.storing import Report
from studio.domains.tasks import Fail, Finish, Show, Start, Wait, decide

MADE = Snapshot("snap-1", "demo", "", "", "Waiting", "ann", 1, None, 0, 0, 0, 0, 0, 0, 0, "", 0)
RESTORE = Restore("restore-1", "demo", "snap-0", "", "", "snap-1", "Waiting", "ann", 2, None, 0, 0, "", 0)
DONE, FAILED, RUNNING = Report("Done", 9, 9), Report("Failed", error="The disk is full."), Report("Running", 3, 9)


@pytest.mark.parametrize(
    ("state", "tool", "report", "attempts", "expected"),
    [
        ("Waiting", "Unknown", None, 0, Start()),
        ("Running", "Running", None, 1, Wait()),
        ("Running", "Running", RUNNING, 1, Show(3, 9)),
        ("Running", "Running", DONE, 1, Finish(DONE)),
        ("Running", "Exited", DONE, 1, Finish(DONE)),
        ("Running", "Exited", FAILED, 1, Fail("The disk is full.")),
        # Killed, with or without the supervisor.
        ("Running", "Exited", RUNNING, 1, Start()),
        ("Running", "Unknown", None, 2, Start()),
        ("Deleting", "Exited", None, 0, Start()),
    ],
)
def test_the_program_is_started_watched_and_ended(
    state: str, tool: str, report: Report | None, attempts: int, expected: tasks.Action
) -> None:
    assert decide(replace(MADE, state=state, attempts=attempts), tool, report, None) == expected


def test_a_program_that_is_killed_again_and_again_is_given_up() -> None:
    given_up = decide(replace(MADE, state="Running", attempts=tasks.ATTEMPTS), "Exited", RUNNING, None)
    assert isinstance(given_up, Fail) and "studio logs" in given_up.error


def test_a_restore_in_place_waits_for_the_snapshot_of_what_is_there() -> None:
    for state in ("Waiting", "Running"):
        assert decide(RESTORE, "Unknown", None, replace(MADE, state=state)) == Wait()
    assert decide(RESTORE, "Unknown", None, replace(MADE, state=snapshots.READY)) == Start()
    for kept in (None, replace(MADE, state=snapshots.FAILED, error="full")):
        assert isinstance(decide(RESTORE, "Unknown", None, kept), Fail)
    assert decide(replace(RESTORE, folder="back", kept=""), "Unknown", None, None) == Start()
