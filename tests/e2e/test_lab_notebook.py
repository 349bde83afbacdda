"""The example's notebook, cell by cell, in a real kernel of a real Studio."""

from pathlib import Path

from studio.cli.demo import place
from studio.cli.demo.story import Story
from studio.client import connect
from tests.live import Live


def test_the_example_runs_from_its_first_cell_to_its_last(tmp_path: Path) -> None:
    live = Live(tmp_path / "home")
    live.start()
    story = Story(live.settings)
    try:
        story.address = live.address
        story.meet(operator=connect(live.settings))
        for step in (place.signin, place.domain, place.lab, place.kernel):
            step(story)
        said = {step: "".join(story.kernel.run(cell) for cell in cells) for step, cells in story.cells.items()}
        assert "540 days to learn from" in said["data"]
        assert "rain-tomorrow version 1 is the champion" in said["register"]
        assert "InService" in said["deploy"]
        assert "Quiet" in said["traffic"] and "Drift" in said["drift"]
        assert "wind" in said["alert"] and "Completed" in said["job"]
        assert "version 2" in said["promote"] and "version 1" in said["undo"]
    finally:
        story.close()
        live.stop()
