"""The table of runs with 100,000, in Chromium: from the click to the first rows, and frames dropped in a scroll."""

import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect

from studio.settings import Settings
from studio.store.engine import open_engine
from tests.benchmarks import report
from tests.benchmarks.report import Row
from tests.benchmarks.seeding import Shape, fill_studio
from tests.live import Live, running
from tests.ui.browser import chromium, window
from tests.ui.walk import Walk

RUNS = 100_000
MINUTE = 60_000
OPENING_MS = 200
# From the click in the left bar to the frame after the one that has rows.
OPEN = """() => new Promise(done => {
  const begun = performance.now();
  document.querySelector("[data-testid='studio-entry-experiments']").click();
  const look = () => document.querySelector("[data-testid^='studio-row-runs-']")
    ? requestAnimationFrame(() => done(performance.now() - begun))
    : requestAnimationFrame(look);
  look();
})"""
# Percent of the frames that a screen of 60 Hz would have shown and that were not drawn, while `step` pixels a frame are
# scrolled for three seconds; without an element nothing is scrolled: what the machine itself leaves out.
SCROLL = """([selector, step]) => new Promise(done => {
  const grid = document.querySelector(selector);
  const begun = performance.now();
  let last = begun, frames = 0, waiting = 0, rows = 0;
  const frame = now => {
    frames += 1;
    if (grid) {
      grid.scrollTop += step;
      rows += 1;
      waiting += grid.querySelector('.jp-Studio-gridWaits') ? 1 : 0;
    }
    if (now - begun < 3000) return requestAnimationFrame(frame);
    const due = (now - begun) / (1000 / 60);
    done([Math.max(0, 100 * (1 - frames / due)), rows ? 100 * waiting / rows : 0]);
  };
  requestAnimationFrame(frame);
})"""


def measure(_live: Live) -> list[Row]:
    """Rows `opening` in milliseconds (aim 200), and `frames dropped` in percent at two speeds, beside an idle page.

    In a Studio of its own: the others leave runs behind."""
    with tempfile.TemporaryDirectory() as home, running(Path(home)) as live:
        return _measure(live)


def _measure(live: Live) -> list[Row]:
    engine = open_engine(Settings(home=live.home).database)
    fill_studio(engine, "demo", "many", Shape(RUNS))
    engine.dispose()
    opening: list[float] = []
    dropped: dict[int, list[float]] = {0: [], 28: [], 280: []}
    with chromium() as browser, window(browser) as page:
        walk = Walk(page, live)
        walk.sign_in()
        walk.open_lab()
        for _ in range(report.ROUNDS):
            opening.append(float(page.evaluate(OPEN)))
            expect(walk.see("studio-run-total")).to_contain_text("100,", timeout=MINUTE)
            for step, found in dropped.items():
                selector = "[data-testid='studio-table-runs']" if step else "#nothing"
                found.append(float(page.evaluate(SCROLL, [selector, step])[0]))
            _close(page)
    return [
        Row("opening 100,000 runs → first rows", "ms", opening, limit=OPENING_MS),
        Row("frames dropped, 60 rows a second", "%", dropped[28], dropped[0], "idle page", target_ratio=0),
        Row("frames dropped, 600 rows a second", "%", dropped[280], dropped[0], "idle page", target_ratio=0),
    ]


def _close(page: Page) -> None:
    """The panel's tab, so that the next round opens it anew."""
    tab = page.locator(".lm-TabBar-tab", has_text="Experiments").first
    tab.locator(".lm-TabBar-tabCloseIcon").click()
    expect(page.get_by_test_id("studio-panel-experiments")).to_have_count(0)
