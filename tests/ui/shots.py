"""`make shots`: named views of the product after the story, light and dark, as PNG in shots/; names narrow it."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from studio.store.engine import open_engine
from tests.benchmarks.seeding import Shape, fill_studio
from tests.live import Live, running
from tests.ui import rich_domain, rich_run
from tests.ui.browser import chromium, window
from tests.ui.domain_shots import DOMAIN
from tests.ui.endpoint_shots import ENDPOINT
from tests.ui.walk import Walk

SHOTS = Path(__file__).resolve().parents[2] / "shots"
MINUTE = 60_000


def signin(walk: Walk) -> None:
    """The list of domains."""
    walk.page.goto(walk.live.address)


def home(walk: Walk) -> None:
    """Home after the story."""
    walk.panel("home")


def notebook(walk: Walk) -> None:
    """The example with its outputs."""
    walk.page.get_by_role("tab", name="welcome.ipynb").click()


def data(walk: Walk) -> None:
    """A data set's columns."""
    walk.panel("data")
    walk.see("studio-row-datasets-seattle-weather").click()
    expect(walk.see("studio-data-column-wind").first).to_be_visible()


def experiments(walk: Walk) -> None:
    """Runs with two selected, their curves below."""
    walk.panel("experiments")
    rows = walk.see("studio-table-runs").locator("[data-testid^='studio-row-runs-']")
    expect(rows).to_have_count(4)
    for number in range(3):
        rows.nth(number).locator("input[type=checkbox]").check()
    expect(walk.see("studio-run-curves")).to_be_visible()


def run(walk: Walk) -> None:
    """One run's page."""
    walk.panel("experiments")
    rows = walk.see("studio-table-runs").locator("[data-testid^='studio-row-runs-']")
    rows.first.click()
    expect(walk.page.locator("[data-testid=studio-state-run]:visible")).to_be_visible()


def evaluation(walk: Walk) -> None:
    """The confusion matrix and the rows behind its false negatives."""
    run(walk)
    walk.page.locator("[data-testid=studio-run-tab-evaluation]:visible").click()
    walk.page.locator("[data-testid=studio-matrix-fn]:visible").click()
    expect(walk.see("studio-drawer")).to_be_visible()


def models(walk: Walk) -> None:
    """Versions and aliases."""
    walk.panel("models")
    walk.see("studio-row-models-rain-tomorrow").click()


def artifacts(walk: Walk) -> None:
    """A run's files, one of them shown."""
    walk.page.locator(".jp-Studio-newest button", has_text="boosting-shallow").click()
    walk.shown("studio-run-tab-artifacts").click()
    walk.shown("studio-file-plots").click()
    walk.shown("studio-file-plots/roc.svg").click()
    expect(walk.shown("studio-preview-svg").locator("img")).to_be_visible()


def note(walk: Walk) -> None:
    """A run's note and tags."""
    artifacts(walk)
    walk.shown("studio-run-tab-tags").click()
    expect(walk.shown("studio-run-note").get_by_role("table")).to_be_visible()


def lineage(walk: Walk) -> None:
    """From the data set to the versions of a model."""
    walk.panel("models")
    walk.see("studio-row-models-storm-warning").click()
    walk.shown("studio-model-tab-lineage").click()
    expect(walk.shown("studio-lineage")).to_be_visible()


def versions(walk: Walk) -> None:
    """Two versions of a model side by side."""
    lineage(walk)
    walk.shown("studio-model-tab-versions").click()
    walk.shown("studio-model-compare-button").click()
    expect(walk.shown("studio-model-compare").get_by_role("table").first).to_be_visible()


def deploy(walk: Walk) -> None:
    """The deploy dialog."""
    models(walk)
    walk.see("studio-model-deploy-1").click()
    expect(walk.see("studio-deploy-name")).to_be_visible()


def jobs(walk: Walk) -> None:
    """A job with its log."""
    walk.panel("jobs")
    walk.page.locator("[data-testid^='studio-row-jobs-']:visible").first.click()
    expect(walk.see("studio-job-log")).to_contain_text("days to learn from")


def endpoint(walk: Walk) -> None:
    """An endpoint's page after a try."""
    walk.panel("endpoints")
    walk.see("studio-row-endpoints-rain-tomorrow").click()
    send = walk.page.locator("[data-testid=studio-try-send]:visible")
    send.click()
    expect(walk.page.locator("[data-testid=studio-try-answer]:visible")).to_be_visible()


def monitors(walk: Walk) -> None:
    """Which endpoints drift."""
    walk.panel("monitors")
    expect(walk.see("studio-state-monitor-rain-tomorrow")).to_be_visible()


def why(walk: Walk) -> None:
    """Why: the columns of the window."""
    monitors(walk)
    walk.see("studio-monitor-why-rain-tomorrow").click()
    expect(walk.see("studio-drift-column-wind")).to_be_visible()


def environments(walk: Walk) -> None:
    """One of the domain's own, and what is in it."""
    with walk.live.operator() as api:
        if all(item["name"] != "seasons" for item in api.get("domains/demo/environments")):
            body = {"name": "seasons", "title": "Seasons and weather", "source": "sklearn"}
            api.post("domains/demo/environments", body)
            # No wheel is fetched for a picture: a version that cannot be built shows that the one before goes on.
            api.post("domains/demo/environments/seasons/versions", {"add": ["scikit-learn>=99"]})
    walk.panel("environments")
    walk.see("studio-row-environments-seasons").click()
    expect(walk.see("studio-state-environment-seasons")).to_have_attribute("data-state", "Failed", timeout=MINUTE)


def environment(walk: Walk) -> None:
    """Its versions, and how they differ."""
    environments(walk)
    walk.see("studio-environment-tab-versions").click()
    walk.see("studio-row-environment-versions-1").click()


def environment_add(walk: Walk) -> None:
    """Packages for one of the catalogue."""
    walk.panel("environments")
    walk.see("studio-row-environments-sklearn").click()
    walk.see("studio-environment-add").click()
    walk.see("studio-environment-packages").fill("polars\nxgboost-cpu>=3")


def cost(walk: Walk) -> None:
    """What runs and what it costs."""
    walk.panel("cost")


def compare(walk: Walk) -> None:
    """The dashboard that compares runs."""
    experiments(walk)
    walk.see("studio-compare-runs").click()
    frame = walk.page.frame_locator("[data-testid=studio-dashboard]:visible")
    expect(frame.locator(".js-plotly-plot").first).to_be_visible(timeout=MINUTE)
    expect(frame.locator("[data-testid=stStatusWidget]")).to_have_count(0, timeout=MINUTE)


def table(walk: Walk) -> None:
    """100,000 runs, ordered by two columns, somewhere in their middle."""
    walk.panel("experiments")
    walk.see("studio-experiment-all").click()
    expect(walk.see("studio-run-total")).to_contain_text("100,", timeout=MINUTE)
    runs = walk.see("studio-table-runs")
    runs.locator("[data-head='params.model'] button").first.click()
    runs.locator("[data-head='metrics.auc'] button").first.click(modifiers=["Shift"])
    expect(runs.locator("[data-index='0'] [data-column='params.model']")).to_have_text("boosting", timeout=MINUTE)
    expect(walk.see("studio-run-total")).to_contain_text("100,")
    expect(runs.locator(".jp-Studio-gridWaits")).to_have_count(0, timeout=MINUTE)


def table_selected(walk: Walk) -> None:
    """Some of them selected, with their charts."""
    _plain(walk)
    for number in range(0, 8, 2):
        walk.see("studio-table-runs").locator(f"[data-index='{number}'] input[type=checkbox]").click()
    expect(walk.see("studio-run-curves")).to_be_visible(timeout=MINUTE)
    settle(walk.page)


def table_grouped(walk: Walk) -> None:
    """Grouped by a parameter, one group open."""
    _plain(walk)
    walk.see("studio-run-group").click()
    walk.see("studio-run-group-params.model").click()
    runs = walk.see("studio-table-runs")
    expect(runs.locator(".jp-Studio-deviation").first).to_be_visible(timeout=MINUTE)
    runs.locator(".jp-Studio-groupName").nth(2).click()
    expect(runs.locator(".jp-mod-nested").first).to_be_visible(timeout=MINUTE)
    expect(runs.locator(".jp-Studio-gridWaits")).to_have_count(0, timeout=MINUTE)


def table_wrong_filter(walk: Walk) -> None:
    """A filter that is wrong, and where."""
    _plain(walk)
    walk.see("studio-run-filter").fill("params.model = 'forest' AND metrics.auc > 'high'")
    walk.page.keyboard.press("End")
    expect(walk.see("studio-run-filter-error")).to_be_visible(timeout=MINUTE)


def table_columns(walk: Walk) -> None:
    """What can be a column."""
    _plain(walk)
    walk.see("studio-run-columns").click()
    expect(walk.see("studio-run-column-metrics.rmse")).to_be_visible(timeout=MINUTE)


def _plain(walk: Walk) -> None:
    walk.panel("experiments")
    walk.see("studio-run-views").click()
    walk.page.get_by_role("button", name="Plain table").click()
    clear = walk.page.get_by_role("toolbar", name="Selected runs").get_by_text("Clear")
    if clear.is_visible():
        clear.click()
    expect(walk.see("studio-run-total")).to_contain_text("100,", timeout=MINUTE)


# Views of a run and a model with everything in them, which the story's are not.
RICH: dict[str, Callable[[Walk], None]] = {view.__name__: view for view in (artifacts, note, lineage, versions)}
LARGE: dict[str, Callable[[Walk], None]] = {
    view.__name__: view for view in (table, table_selected, table_grouped, table_wrong_filter, table_columns)
}
VIEWS: dict[str, Callable[[Walk], None]] = {
    view.__name__: view
    for view in (
        home, notebook, data, experiments, run, evaluation, models, deploy, jobs, endpoint, monitors, why, environments,
        environment, environment_add, cost, compare, *ENDPOINT.values(), signin,
    )
}  # fmt: skip


def take(walk: Walk, name: str, suffix: str) -> None:
    """One picture; a dialog or drawer that it opened is closed again."""
    (VIEWS | RICH | DOMAIN | LARGE)[name](walk)
    settle(walk.page)
    walk.page.screenshot(path=SHOTS / f"{name}-{suffix}.png")
    walk.page.keyboard.press("Escape")


def settle(page: Page) -> None:
    """Until fonts, layout and the first answers are drawn."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 600)))")


def story(live: Live) -> None:
    """Runs the example once, so that every view has something to show."""
    with chromium() as browser, window(browser) as page:
        walk = Walk(page, live)
        walk.sign_in()
        walk.open_lab()
        walk.run_example()
        expect(walk.running_cells().first).to_be_visible()
        expect(walk.running_cells()).to_have_count(0, timeout=5 * MINUTE)
        page.keyboard.press("Control+s")
        expect(page.locator(".lm-TabBar-tab.jp-mod-dirty")).to_have_count(0)


def main(names: list[str]) -> None:
    """Pictures of the named views, or of all."""
    SHOTS.mkdir(exist_ok=True)
    small = [name for name in names or VIEWS if name in VIEWS]
    rich = [name for name in names or RICH if name in RICH]
    people = [name for name in names or DOMAIN if name in DOMAIN]
    large = [name for name in names or LARGE if name in LARGE]
    with tempfile.TemporaryDirectory(prefix="studio-shots-") as folder, running(Path(folder) / "home") as live:
        if small:
            story(live)
            take_all(live, small)
        if rich:
            for number, (name, package, extra) in enumerate(
                (("boosting-deep", "1.7.0", ""), ("boosting-shallow", "1.6.1", "season"))
            ):
                (made := Path(folder) / str(number)).mkdir()
                rich_run.log(live, made, name, package, extra)
            take_all(live, rich)
        if people:
            rich_domain.fill(live)
            take_all(live, people)
        if large:
            # Afterwards: the other views show the story's few runs.
            engine = open_engine(live.settings.database)
            fill_studio(engine, "demo", "team/rain/winter", Shape(99_000, points=20))
            fill_studio(engine, "demo", "team/rain/summer", Shape(1_000, points=20, seed=1))
            engine.dispose()
            take_all(live, large)


def take_all(live: Live, names: list[str]) -> None:
    """Pictures of those views, light and dark."""
    for dark in (False, True):
        with chromium() as browser, window(browser, dark) as page:
            walk = Walk(page, live)
            walk.sign_in()
            walk.open_lab()
            for name in names:
                print(name, "dark" if dark else "light", file=sys.stderr)
                take(walk, name, "dark" if dark else "light")


if __name__ == "__main__":
    main(sys.argv[1:])
