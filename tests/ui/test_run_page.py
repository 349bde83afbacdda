"""A run's page in a real browser: rename, parameters, files of every kind, lineage, note, and what it cost."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.live import Live
from tests.ui import rich_run
from tests.ui.browser import window
from tests.ui.walk import Walk

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def run_id(live: Live, tmp_path_factory: pytest.TempPathFactory) -> str:
    return rich_run.log(live, tmp_path_factory.mktemp("rich"))[0]


@pytest.fixture(scope="module")
def walk(browser: Browser, live: Live, run_id: str) -> Iterator[Walk]:
    """One window on the page of the rich run; each test goes to the tab it is about."""
    with window(browser) as page:
        found = Walk(page, live)
        found.sign_in()
        found.open_lab()
        found.open_run(run_id)
        yield found
        assert found.problems == []


def tab(walk: Walk, name: str) -> Page:
    """The run's page at one of its tabs, freshly drawn."""
    page = walk.page
    page.get_by_role("tab", name=re.compile("boosting-deep|a better name")).last.click()
    walk.shown("studio-run-tab-evaluation").click()
    walk.shown(f"studio-run-tab-{name}").click()
    return page


def test_a_run_is_renamed_in_its_header(walk: Walk, live: Live, run_id: str) -> None:
    walk.shown("studio-run-name").hover()
    walk.shown("studio-run-rename").click()
    walk.shown("studio-run-name").fill("a better name")
    walk.shown("studio-run-name").press("Enter")
    expect(walk.shown("studio-run-name")).to_have_text("a better name")
    with live.operator() as api:
        run = api.get(f"domains/demo/runs/{run_id}")
    assert (run["name"], run["tags"]["mlflow.runName"]) == ("a better name", "a better name")
    walk.shown("studio-run-rename").click()
    walk.shown("studio-run-name").fill("not kept")
    walk.shown("studio-run-name").press("Escape")
    expect(walk.shown("studio-run-name")).to_have_text("a better name")


def test_parameters_are_found_and_metrics_have_their_bounds(walk: Walk) -> None:
    tab(walk, "overview")
    expect(walk.shown("studio-run-param-max_depth")).to_have_text("6")
    walk.page.locator("[aria-label='Find a parameter']:visible").fill("rate")
    expect(walk.shown("studio-run-param-max_depth")).to_have_count(0)
    expect(walk.shown("studio-run-param-learning_rate")).to_have_text("0.05")
    row = walk.shown("studio-row-metrics-Metrics-val_auc")
    expect(row).to_contain_text(re.compile(r"0\.79\d\d.*0\.6000.*0\.79\d\d.*39"))
    expect(row.locator("svg")).to_be_visible()


def test_files_are_shown_by_kind(walk: Walk) -> None:
    tab(walk, "artifacts")
    card = walk.shown("studio-preview-model")
    expect(card).to_contain_text("scikit-learn")
    expect(card).to_contain_text("temp_max")
    for folder in ("plots", "tables", "notes"):
        walk.shown(f"studio-file-{folder}").click()
    walk.shown("studio-file-plots/confusion_matrix.png").click()
    picture = walk.shown("studio-preview-image").locator("img")
    expect(picture).to_have_js_property("naturalWidth", 240)
    walk.shown("studio-file-plots/roc.svg").click()
    drawing = walk.shown("studio-preview-svg").locator("img")
    expect(drawing).to_have_attribute("src", re.compile("^data:image/svg"))
    assert drawing.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    walk.shown("studio-file-tables/errors.csv").click()
    expect(walk.shown("studio-preview-table")).to_contain_text("day 3, wet")
    walk.shown("studio-file-tables/eval_results_table.json").click()
    expect(walk.shown("studio-preview-json").get_by_role("row").nth(1)).to_contain_text("winter")
    walk.shown("studio-file-config.json").click()
    walk.shown("studio-preview-json").get_by_text("split").click()
    expect(walk.shown("studio-preview-json")).to_contain_text("folds")
    walk.shown("studio-file-train.log").click()
    expect(walk.shown("studio-preview-text")).to_contain_text("round 59")
    walk.shown("studio-file-notes/README.md").click()
    expect(walk.shown("studio-preview-markdown").get_by_role("heading", name="Deeper trees")).to_be_visible()


def test_the_tree_goes_by_keys_and_a_file_downloads(walk: Walk) -> None:
    tab(walk, "artifacts")
    folder = walk.shown("studio-file-plots")
    folder.focus()
    walk.page.keyboard.press("ArrowRight")
    expect(folder).to_have_attribute("aria-expanded", "true")
    expect(walk.shown("studio-file-plots/confusion_matrix.png")).to_be_visible()
    walk.page.keyboard.press("ArrowDown")
    expect(walk.shown("studio-file-plots/confusion_matrix.png")).to_be_focused()
    walk.page.keyboard.press("Enter")
    expect(walk.shown("studio-preview-image")).to_be_visible()
    with walk.page.expect_download() as download:
        walk.shown("studio-file-download").click()
    assert download.value.suggested_filename == "confusion_matrix.png"
    assert Path(download.value.path()).read_bytes() == rich_run.png()


def test_lineage_leads_from_data_to_the_version(walk: Walk) -> None:
    tab(walk, "lineage")
    graph = walk.shown("studio-lineage")
    expect(graph.get_by_role("button")).to_have_count(3)
    expect(walk.shown("studio-lineage-dataset:seattle-weather:9f0c2b7d")).to_be_visible()
    walk.page.locator("[data-testid^='studio-lineage-version:storm-warning/']").click()
    expect(walk.shown("studio-panel-models")).to_be_visible()
    expect(walk.page.get_by_role("heading", name="storm-warning")).to_be_visible()


def test_the_note_is_edited_and_tags_are_added_and_taken_away(walk: Walk, live: Live, run_id: str) -> None:
    tab(walk, "tags")
    expect(walk.shown("studio-run-note").get_by_role("heading", name="Deeper trees")).to_be_visible()
    walk.shown("studio-run-note-edit").click()
    walk.shown("studio-run-note").fill("# Kept\n\nin **bold**")
    walk.shown("studio-run-note-save").click()
    expect(walk.shown("studio-run-note").get_by_role("heading", name="Kept")).to_be_visible()
    expect(walk.shown("studio-run-note").locator("strong")).to_have_text("bold")
    walk.page.locator("[aria-label='Key of a new tag']:visible").fill("reviewed")
    value = walk.page.locator("[aria-label='Value of a new tag']:visible")
    value.fill("yes")
    value.press("Enter")
    expect(walk.page.locator(".jp-Studio-tagChip", has_text="reviewed")).to_be_visible()
    walk.page.get_by_title("Take team away").click()
    expect(walk.page.locator(".jp-Studio-tagChip", has_text="team")).to_have_count(0)
    with live.operator() as api:
        tags = api.get(f"domains/demo/runs/{run_id}")["tags"]
    assert tags["mlflow.note.content"] == "# Kept\n\nin **bold**"
    assert (tags["reviewed"], "team" in tags) == ("yes", False)


def test_a_run_without_log_says_how_to_get_one(walk: Walk) -> None:
    tab(walk, "logs")
    expect(walk.shown("studio-empty-logs")).to_contain_text("sdk.run_job")
    walk.shown("studio-code-button").click()
    expect(walk.shown("studio-code").first).to_contain_text("mlflow.get_run")


def test_large_files_come_by_their_beginning_only(walk: Walk, live: Live, run_id: str, tmp_path: Path) -> None:
    big = tmp_path / "big.log"
    big.write_bytes(b"line of a large log\n" * 1_000_000)
    with rich_run.client(live) as mlflow:
        mlflow.MlflowClient().log_artifact(run_id, str(big))
    sizes: list[str | None] = []
    walk.page.on(
        "response",
        lambda answer: sizes.append(answer.headers.get("content-range")) if "big.log" in answer.url else None,
    )
    tab(walk, "artifacts")
    walk.shown("studio-file-big.log").click()
    expect(walk.shown("studio-preview-text")).to_contain_text("of 20 MB")
    assert sizes == [f"bytes 0-499999/{big.stat().st_size}"]
