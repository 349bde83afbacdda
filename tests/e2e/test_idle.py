"""A sandbox that nobody uses ends after its domain's time; an open page, a job or a cell that runs keeps it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from studio.cli.demo.kernel import Kernel
from tests.e2e.killing import state
from tests.live import Live, running, until

pytestmark = pytest.mark.soak
LONGEST_S = 240.0


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with running(tmp_path / "home") as started:
        yield started


def box_of(live: Live) -> int:
    """The first process of the person's sandbox; 0 if there is none."""
    return next((box["pid"] for box in state(live)["sandboxes"] if box["owner"] != "service"), 0)


def test_it_ends_once_nobody_is_there_and_comes_back_when_asked_for(live: Live) -> None:
    live.studio("domain", "set", "demo", "--idle-minutes", "1")
    with closing(live.person()) as visitor:
        origin = live.in_lab(visitor)
        kernel = Kernel.start(visitor, origin, "sklearn", "own.ipynb")
        pid = box_of(live)
        # Longer than its time: the page that shows the waiting cell is open.
        kernel.run("import time; time.sleep(100)")
        assert box_of(live) == pid
        kernel.disconnect()
        until(lambda: box_of(live) != pid, "the end of what nobody uses", LONGEST_S)
        assert not box_of(live)
        assert live.in_lab(visitor) and box_of(live) not in (0, pid)
