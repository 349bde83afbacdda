"""The table of runs with thousands of them, in a real browser."""

import csv
import getpass
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from studio.settings import Settings
from studio.store.engine import open_engine
from tests.benchmarks.seeding import Shape, fill_studio
from tests.live import Live, running
from tests.ui.browser import window
from tests.ui.walk import Walk

pytestmark = pytest.mark.browser
RUNS = 12_000
WINTER, SUMMER = "team/rain/winter", "team/rain/summer"


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A Studio of this file's own, with 12,000 runs in one folder and 40 in another."""
    with running(tmp_path_factory.mktemp("runs") / "home") as live:
        engine = open_engine(Settings(home=live.home).database)
        fill_studio(engine, "demo", WINTER, Shape(RUNS))
        fill_studio(engine, "demo", SUMMER, Shape(40, seed=1))
        fill_studio(engine, "demo", "alone", Shape(5, seed=2))
        engine.dispose()
        yield live


class Table:
    """The Experiments view of one window."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.page = walk, walk.page
        self.grid = walk.see("studio-table-runs")
        self.rows = self.grid.locator("[data-testid^='studio-row-runs-']")
        self.total = walk.see("studio-run-total")
        self.filter = walk.see("studio-run-filter")

    def plain(self) -> None:
        """As at the start: all experiments, nothing filtered, sorted, grouped or selected."""
        self.walk.panel("experiments")
        self.walk.see("studio-experiment-all").click()
        self.walk.see("studio-run-views").click()
        self.page.get_by_role("button", name="Plain table").click()
        if self.page.get_by_role("toolbar", name="Selected runs").is_visible():
            self.page.get_by_role("toolbar", name="Selected runs").get_by_text("Clear").click()
        expect(self.total).to_have_text(re.compile(r"^12,0\d\d runs$"))

    def cell(self, row: int, column: str) -> Locator:
        """What the n-th row in the document shows in a column."""
        return self.grid.locator(f"[data-index='{row}'] [data-column='{column}']")

    def head(self, column: str) -> Locator:
        """The head of a column."""
        return self.grid.locator(f"[data-head='{column}']")

    def column(self, name: str, count: int = 5) -> list[str]:
        """The first cells of a column."""
        return [self.cell(row, name).inner_text() for row in range(count)]

    def choose(self, menu: str, item: str) -> None:
        """An item of an open menu."""
        self.walk.see(f"studio-menu-{menu}").get_by_text(item, exact=True).click()


@pytest.fixture(scope="module")
def opened(browser: Browser, seeded: Live) -> Iterator[Table]:
    """One window for the whole file: opening a lab takes longer than all these tests."""
    with window(browser) as page:
        walk = Walk(page, seeded)
        walk.sign_in()
        walk.open_lab()
        expect.set_options(timeout=30_000)
        yield Table(walk)
        expect.set_options(timeout=5_000)
        assert walk.problems == []


@pytest.fixture
def table(opened: Table) -> Table:
    """The table as at the start."""
    opened.plain()
    return opened


@pytest.fixture(scope="module")
def mlflow(seeded: Live) -> Iterator[httpx.Client]:
    """MLflow's wire, as a client speaks it."""
    headers = {"authorization": f"Bearer {seeded.key('demo', getpass.getuser())}"}
    with httpx.Client(base_url=f"{seeded.address}/api/2.0/mlflow/", headers=headers, timeout=60) as client:
        yield client


def test_only_what_is_in_sight_is_in_the_document(table: Table) -> None:
    expect(table.rows.first).to_be_visible()
    assert table.rows.count() < 80
    table.grid.evaluate("grid => grid.scrollTop = grid.scrollHeight")
    last = table.grid.locator("[aria-rowindex='12045']")
    expect(last.locator("[data-column='attributes.run_name']")).to_contain_text(re.compile(r"\w+-0"))
    assert table.rows.count() < 80
    table.grid.evaluate("grid => grid.scrollTop = 0")
    expect(table.grid.locator("[aria-rowindex='1']")).to_be_visible()


def test_a_click_sorts_and_shift_adds(table: Table) -> None:
    table.head("metrics.auc").locator("button").first.click()
    expect(table.head("metrics.auc")).to_have_attribute("aria-sort", "descending")
    expect(table.cell(0, "metrics.auc")).to_have_text(re.compile(r"0\.9[6-9]"))
    values = [float(text) for text in table.column("metrics.auc")]
    assert values == sorted(values, reverse=True)
    table.head("params.model").locator("button").first.click()
    table.head("metrics.auc").locator("button").first.click(modifiers=["Shift"])
    expect(table.cell(0, "params.model")).to_have_text("boosting")
    expect(table.cell(0, "metrics.auc")).to_have_text(re.compile(r"0\.9"))
    table.head("metrics.auc").click(button="right")
    table.choose("column", "Highest value")
    expect(table.head("metrics.auc#max")).to_contain_text("max")


def test_a_filter_is_completed_counted_and_marked_where_it_is_wrong(table: Table) -> None:
    table.grid.focus()
    table.page.keyboard.press("/")
    expect(table.filter).to_be_focused()
    table.page.keyboard.type("mod")
    table.page.keyboard.press("Tab")
    expect(table.filter).to_have_value("params.model ")
    table.page.keyboard.type("= 'fo")
    expect(table.walk.see("studio-run-option").first).to_contain_text("'forest'")
    table.page.keyboard.press("Enter")
    expect(table.filter).to_have_value("params.model = 'forest' ")
    expect(table.total).to_have_text(re.compile(r"^\d,\d\d\d of 12,0\d\d$"))
    expect(table.cell(0, "params.model")).to_have_text("forest")
    table.filter.fill("metrics.auc > 'x'")
    error = table.walk.see("studio-run-filter-error")
    expect(error).to_contain_text("numeric value")
    mark, field = error.locator("i").bounding_box(), table.filter.bounding_box()
    assert mark is not None
    assert field is not None
    # Fourteen characters of a fixed width stand before what is wrong.
    assert abs(mark["x"] + 4 - field["x"] - 14 * 7.22) < 10
    table.filter.focus()
    table.page.keyboard.press("Escape")
    table.page.keyboard.press("Escape")
    expect(table.filter).to_have_value("")
    expect(error).to_have_count(0)


def test_groups_count_and_open(table: Table, seeded: Live) -> None:
    table.walk.see("studio-run-group").click()
    table.walk.see("studio-run-group-params.model").click()
    groups = table.grid.locator(".jp-mod-group")
    expect(groups).to_have_count(6)
    with seeded.operator() as rest:
        told = rest.post("domains/demo/runs/groups", {"by": "params.model", "columns": ["metrics.auc"]})["groups"]
    for row, group in enumerate(told):
        expect(table.cell(row, "attributes.run_name")).to_contain_text(group["value"])
        expect(table.cell(row, "attributes.run_name")).to_contain_text(f"{group['runs']:,} runs")
        figures = group["figures"][0]
        expect(table.cell(row, "metrics.auc")).to_have_text(f"{figures['mean']:.4f} ± {figures['deviation']:.4f}")
    groups.first.click()
    expect(table.grid.locator(".jp-mod-nested").first).to_contain_text("min")
    expect(table.grid).to_have_attribute("aria-rowcount", str(6 + told[0]["runs"]))
    table.grid.focus()
    table.page.keyboard.press("Home")
    table.page.keyboard.press("ArrowLeft")
    expect(table.grid).to_have_attribute("aria-rowcount", "6")


def test_columns_are_chosen_pinned_resized_and_moved(table: Table) -> None:
    table.walk.see("studio-run-columns").click()
    table.walk.see("studio-run-column-search").fill("rmse")
    table.walk.see("studio-run-column-metrics.rmse").click()
    table.page.keyboard.press("Escape")
    table.head("attributes.duration").click(button="right")
    table.choose("column", "Hide")
    expect(table.head("attributes.duration")).to_have_count(0)
    table.grid.evaluate("grid => grid.scrollLeft = 4000")
    table.head("metrics.rmse").click(button="right")
    table.choose("column", "Pin at the left")
    table.grid.evaluate("grid => grid.scrollLeft = 0")
    head = table.head("metrics.rmse")
    expect(head).to_be_in_viewport()
    before = head.bounding_box()
    assert before is not None
    table.page.mouse.move(before["x"] + before["width"] - 2, before["y"] + 10)
    table.page.mouse.down()
    table.page.mouse.move(before["x"] + before["width"] + 58, before["y"] + 10, steps=4)
    table.page.mouse.up()
    after = head.bounding_box()
    assert after is not None
    assert abs(after["width"] - before["width"] - 60) <= 2
    table.head("metrics.f1").locator("button").first.focus()
    order = table.grid.locator("[data-head]").evaluate_all("heads => heads.map(head => head.dataset.head)")
    table.page.keyboard.press("Alt+ArrowLeft")
    left = order[order.index("metrics.f1") - 1]
    expect(table.grid.locator("[data-head='metrics.f1'] + [data-head]")).to_have_attribute("data-head", left)


def test_only_what_differs(table: Table) -> None:
    table.filter.fill("params.model = 'forest' AND params.optimizer = 'adam'")
    expect(table.total).to_contain_text(" of ")
    table.walk.see("studio-run-differs").click()
    expect(table.head("params.model")).to_have_count(0)
    expect(table.head("metrics.auc")).to_be_visible()
    table.walk.see("studio-run-differs").click()
    expect(table.head("params.model")).to_have_count(1)


def test_selection_by_keyboard_and_range_draws_charts(table: Table) -> None:
    table.grid.focus()
    table.page.keyboard.press("Home")
    table.page.keyboard.press(" ")
    table.page.keyboard.press("Shift+ArrowDown")
    table.page.keyboard.press("Shift+ArrowDown")
    selected = table.grid.locator("[aria-selected=true]")
    expect(selected).to_have_count(3)
    bar = table.page.get_by_role("toolbar", name="Selected runs")
    expect(bar).to_contain_text("3 selected")
    expect(table.walk.see("studio-run-curves")).to_be_visible()
    table.grid.locator("[data-index='9'] input[type=checkbox]").click(modifiers=["Shift"])
    expect(bar).to_contain_text("10 selected")
    table.grid.focus()
    table.page.keyboard.press("Control+a")
    expect(bar).to_contain_text("1000 selected, the most at once")
    table.page.keyboard.press("Escape")
    expect(bar).to_have_count(0)


def test_renamed_archived_deleted_and_undone(table: Table) -> None:
    name = table.cell(0, "attributes.run_name")
    before = name.inner_text()
    table.rows.first.click(button="right")
    table.choose("run", "Rename")
    table.page.get_by_test_id("rename-text").fill("the best one")
    table.walk.see("studio-dialog-accept").click()
    expect(name).to_have_text("the best one")
    undo(table.page, "is now called")
    expect(name).to_have_text(before)
    total = table.total.inner_text()
    for act, said in (("archive", "Archived"), ("delete", "Deleted")):
        for row in range(2):
            table.grid.locator(f"[data-index='{row}'] input[type=checkbox]").check()
        table.walk.see(f"studio-run-act-{act}").click()
        expect(table.total).not_to_have_text(total)
        expect(name).not_to_have_text(before)
        undo(table.page, said)
        expect(table.total).to_have_text(total)
        expect(name).to_have_text(before)


def undo(page: Page, said: str) -> None:
    """The newest toast's button."""
    toast = page.locator(".Toastify__toast", has_text=said).last
    toast.get_by_role("button", name="Undo").click()


def test_deleted_runs_are_seen_and_restored(table: Table) -> None:
    name = table.cell(0, "attributes.run_name").inner_text()
    table.grid.focus()
    table.page.keyboard.press("Home")
    table.page.keyboard.press("Delete")
    expect(table.cell(0, "attributes.run_name")).not_to_have_text(name)
    table.walk.see("studio-run-more").click()
    table.choose("table", "Deleted runs")
    expect(table.cell(0, "attributes.run_name")).to_have_text(name)
    table.rows.first.click(button="right")
    table.choose("run", "Restore")
    expect(table.walk.see("studio-empty-runs")).to_contain_text("No deleted runs")
    table.walk.see("studio-run-more").click()
    table.choose("table", "Deleted runs")
    expect(table.cell(0, "attributes.run_name")).to_have_text(name)


def test_a_view_is_saved_and_a_link_opens_it(table: Table, seeded: Live) -> None:
    table.filter.fill("params.model = 'svm'")
    table.head("metrics.loss").locator("button").first.click()
    expect(table.cell(0, "params.model")).to_have_text("svm")
    table.walk.see("studio-run-views").click()
    table.walk.see("studio-run-act-save-view").click()
    table.page.get_by_test_id("view-text").fill("svm by loss")
    table.walk.see("studio-dialog-accept").click()
    expect(table.walk.see("studio-run-views")).to_contain_text("svm by loss")
    first = table.cell(0, "attributes.run_name").inner_text()
    table.plain()
    expect(table.filter).to_have_value("")
    link = table.page.url.split("?")[0] + "?studio=experiments&item=view%3Dsvm%2Bby%2Bloss"
    table.page.goto(link)
    expect(table.filter).to_have_value("params.model = 'svm'", timeout=60_000)
    expect(table.cell(0, "attributes.run_name")).to_have_text(first)
    expect(table.head("metrics.loss")).to_have_attribute("aria-sort", "descending")
    assert "studio=" not in table.page.url


def test_folders_of_experiments(table: Table) -> None:
    see = table.walk.see
    see("studio-experiment-team/").click()
    expect(table.total).to_have_text(re.compile(r"^12,0[34]\d runs$"))
    table.page.keyboard.press("ArrowLeft")
    expect(see("studio-experiment-team/rain/")).to_have_count(0)
    table.page.get_by_role("tree").focus()
    table.page.keyboard.press("ArrowRight")
    see("studio-experiment-team/rain/").get_by_role("button").first.click()
    see("studio-experiment-team/rain/").get_by_role("button").first.click()
    table.page.get_by_role("treeitem").filter(has_text="summer").click()
    expect(table.total).to_have_text("40 runs")
    see("studio-new-experiment").click()
    table.page.get_by_test_id("experiment-text").fill("team/rain/autumn")
    see("studio-dialog-accept").click()
    autumn = table.page.get_by_role("treeitem").filter(has_text="autumn")
    expect(autumn).to_have_attribute("aria-selected", "true")
    expect(see("studio-empty-runs")).to_contain_text("No runs here yet")
    table.page.get_by_role("tree").focus()
    table.page.keyboard.press("Delete")
    expect(autumn).to_have_count(0)
    undo(table.page, "Deleted the experiment")
    expect(autumn).to_have_count(1)


def test_a_run_that_trains_moves_without_a_jump(table: Table, seeded: Live, mlflow: httpx.Client) -> None:
    with seeded.operator() as rest:
        experiment = next(item for item in rest.get("domains/demo/experiments") if item["name"] == "alone")
    table.grid.evaluate("grid => grid.scrollTop = 28 * 300")
    at = table.grid.locator("[data-index='300'] [data-column='attributes.run_name']")
    expect(at).to_have_text(re.compile(r"\w+-\d+"))
    name, before = at.inner_text(), at.bounding_box()
    new = {"experiment_id": experiment["experiment_id"], "run_name": "training now", "start_time": 1_900_000_000_000}
    run = mlflow.post("runs/create", json=new).raise_for_status().json()["run"]["info"]["run_id"]
    moved = table.grid.locator("[data-index='301'] [data-column='attributes.run_name']")
    expect(moved).to_have_text(name)
    after = moved.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) <= 1
    table.grid.evaluate("grid => grid.scrollTop = 0")
    row = table.walk.see(f"studio-row-runs-{run}")
    expect(row).to_contain_text("training now")
    for step, value in enumerate((0.5, 0.625)):
        metric = {"run_id": run, "key": "auc", "value": value, "timestamp": 1, "step": step}
        mlflow.post("runs/log-metric", json=metric).raise_for_status()
        expect(row.locator("[data-column='metrics.auc']")).to_have_text(f"{value:.4f}")


def test_the_csv_has_what_is_filtered(table: Table, tmp_path: Path) -> None:
    table.filter.fill("params.model = 'mlp' AND metrics.auc > 0.9")
    expect(table.total).to_contain_text(" of ")
    table.walk.see("studio-run-more").click()
    with table.page.expect_download() as download:
        table.choose("table", "Export as CSV")
    download.value.save_as(tmp_path / "runs.csv")
    with (tmp_path / "runs.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == int(table.total.inner_text().split(" of ")[0].replace(",", ""))
    assert {line["params.model"] for line in lines} == {"mlp"}
