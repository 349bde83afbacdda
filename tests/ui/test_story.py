"""The story in a real browser: link, example, runs appearing, Deploy, try-it form, alert, rows, dashboard."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.live import Live, running
from tests.ui.browser import window
from tests.ui.walk import Walk

pytestmark = pytest.mark.browser
MINUTE = 60_000


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A new Studio: the story is a first visit, and other tests have left tabs and runs in theirs."""
    with running(tmp_path_factory.mktemp("story") / "home") as found:
        yield found


def test_from_the_sign_in_link_to_the_rows_behind_an_alert(browser: Browser, live: Live) -> None:
    with window(browser) as page:
        walk = Walk(page, live)
        walk.sign_in()
        walk.open_lab()
        walk.run_example()
        _runs_appear_while_training(walk)
        _the_notebook_runs_to_its_end(walk)
        _deploy_and_try(walk)
        _from_the_alert_to_its_rows(walk)
        _dashboard(walk)
        assert walk.problems == []


def _runs_appear_while_training(walk: Walk) -> None:
    walk.panel("experiments")
    rows = walk.see("studio-table-runs").locator("[data-testid^='studio-row-runs-']")
    expect(rows.first).to_be_visible(timeout=2 * MINUTE)
    expect(walk.running_cells().first).to_be_attached()
    expect(rows).to_have_count(3, timeout=2 * MINUTE)


def _the_notebook_runs_to_its_end(walk: Walk) -> None:
    expect(walk.running_cells()).to_have_count(0, timeout=4 * MINUTE)
    expect(walk.errors()).to_have_count(0)


def _deploy_and_try(walk: Walk) -> None:
    walk.panel("models")
    walk.see("studio-row-models-rain-tomorrow").click()
    walk.see("studio-model-deploy-1").click()
    walk.see("studio-deploy-name").fill("from-the-browser")
    walk.see("studio-deploy-button").click()
    expect(walk.see("studio-state-deployed")).to_contain_text("InService", timeout=MINUTE)
    walk.see("studio-deploy-done").click()
    expect(walk.see("studio-endpoint-state")).to_contain_text("InService")
    assert walk.see("studio-try-field-wind").input_value() != ""
    walk.see("studio-try-send").click()
    expect(walk.see("studio-try-answer")).to_contain_text(re.compile(r"[01]"))


def _from_the_alert_to_its_rows(walk: Walk) -> None:
    walk.panel("monitors")
    line = walk.see("studio-state-monitor-rain-tomorrow")
    expect(line).to_contain_text("Drift")
    walk.see("studio-monitor-why-rain-tomorrow").click()
    expect(walk.see("studio-drift-column-wind")).to_be_visible()
    walk.see("studio-open-rows").click()
    cell = walk.page.locator(".jp-Notebook:visible .jp-CodeCell")
    expect(cell.first).to_contain_text("sdk.rows")


def _dashboard(walk: Walk) -> None:
    walk.panel("experiments")
    rows = walk.see("studio-table-runs").locator("[data-testid^='studio-row-runs-']")
    for number in (0, 1):
        rows.nth(number).locator("input[type=checkbox]").check()
    walk.see("studio-compare-runs").click()
    frame = walk.page.frame_locator("[data-testid=studio-dashboard]")
    expect(frame.get_by_text("Compare runs").first).to_be_visible(timeout=MINUTE)
    expect(frame.locator(".js-plotly-plot").first).to_be_visible(timeout=MINUTE)
