"""The Models view in a real browser: approval by an admin, aliases with undo, comparison, lineage, deletion."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.live import Live
from tests.ui import rich_run
from tests.ui.browser import window
from tests.ui.walk import Walk

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def numbers(live: Live, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, int]:
    """Two versions of `storm-warning` that differ in a package, an input, params and metrics."""
    first = rich_run.log(live, tmp_path_factory.mktemp("first"))[1]
    return first, rich_run.log(live, tmp_path_factory.mktemp("second"), "boosting-shallow", "1.6.1", "season")[1]


@pytest.fixture(scope="module")
def walk(browser: Browser, live: Live, numbers: tuple[int, int]) -> Iterator[Walk]:
    with window(browser) as page:
        found = Walk(page, live)
        found.sign_in()
        found.open_lab()
        found.panel("models")
        found.see("studio-row-models-storm-warning").click()
        expect(found.shown(f"studio-row-versions-{numbers[1]}")).to_be_visible()
        yield found
        assert found.problems == []


def choose(walk: Walk, version: int) -> None:
    """The page of a version."""
    walk.shown("studio-model-tab-lineage").click()
    walk.shown("studio-model-tab-versions").click()
    walk.shown(f"studio-row-versions-{version}").click()
    expect(walk.shown(f"studio-model-version-{version}")).to_be_visible()


def test_an_admin_rejects_with_a_reason_and_then_approves(walk: Walk, live: Live, numbers: tuple[int, int]) -> None:
    choose(walk, numbers[1])
    walk.shown("studio-approval-reject").click()
    expect(walk.shown("studio-dialog-accept")).to_be_disabled()
    walk.shown("studio-approval-reason").fill("recall of storms fell <b>again</b>")
    walk.shown("studio-dialog-accept").click()
    version = walk.shown(f"studio-model-version-{numbers[1]}")
    expect(version).to_contain_text("recall of storms fell <b>again</b>")
    expect(version.get_by_test_id("studio-approval-state")).to_have_attribute("data-state", "Rejected")
    walk.shown(f"studio-model-deploy-{numbers[1]}").click()
    dialog = walk.shown("studio-dialog-deploy")
    expect(dialog).to_contain_text("Rejected")
    expect(dialog).to_contain_text("recall of storms fell")
    walk.shown("studio-dialog-cancel").click()
    walk.shown("studio-approval-approve").click()
    walk.shown("studio-dialog-accept").click()
    expect(version.get_by_test_id("studio-approval-state").first).to_have_attribute("data-state", "Approved")
    history = walk.shown("studio-approval-history")
    history.locator("summary").click()
    expect(history.get_by_role("listitem")).to_have_count(2)
    with rich_run.client(live) as mlflow:
        tags = mlflow.MlflowClient().get_model_version("storm-warning", str(numbers[1])).tags
        assert tags["studio.approval"] == "approved"
        with pytest.raises(mlflow.exceptions.MlflowException, match="what was decided"):
            mlflow.MlflowClient().set_model_version_tag("storm-warning", str(numbers[1]), "studio.approval", "x")


def test_an_alias_moves_and_the_move_is_undone(walk: Walk, live: Live, numbers: tuple[int, int]) -> None:
    def aliases() -> dict[str, int]:
        with live.operator() as api:
            return dict(api.get("domains/demo/models/storm-warning")["aliases"])

    choose(walk, numbers[0])
    for number in numbers:
        walk.shown(f"studio-model-alias-{number}").click()
        walk.shown("studio-dialog-accept").click()
        expect(walk.shown(f"studio-row-versions-{number}")).to_contain_text("@champion")
    assert aliases() == {"champion": numbers[1]}
    toast = walk.page.locator(".Toastify__toast", has_text=f"means version {numbers[1]}")
    toast.get_by_role("button", name="Undo").click()
    expect(walk.shown(f"studio-row-versions-{numbers[0]}")).to_contain_text("@champion")
    assert aliases() == {"champion": numbers[0]}


def test_two_versions_are_compared(walk: Walk, numbers: tuple[int, int]) -> None:
    choose(walk, numbers[0])
    for number in numbers:
        walk.shown(f"studio-row-versions-{number}").locator("input[type=checkbox]").check()
    walk.shown("studio-model-compare-button").click()
    compared = walk.shown("studio-model-compare")
    for name, text in {
        "Metrics of the run": r"auc.*0\.7991.*0\.8111.*\+0\.0120",
        "Parameters": r"max_depth.*6.*12",
        "Signature": r"input season.*–.*double",
        "Packages": r"scikit-learn.*1\.7\.0.*1\.6\.1",
        "Files": r"model\.skops",
    }.items():
        expect(compared.get_by_role("table", name=name)).to_contain_text(re.compile(text, re.DOTALL))
    walk.page.keyboard.press("Escape")
    expect(compared).to_have_count(0)


def test_a_version_is_deleted_after_it_was_named(walk: Walk, live: Live, tmp_path: Path) -> None:
    number = rich_run.log(live, tmp_path, "to-delete")[1]
    expect(walk.shown(f"studio-row-versions-{number}")).to_be_visible()
    choose(walk, number)
    walk.shown(f"studio-model-delete-{number}").click()
    expect(walk.shown("studio-dialog-confirm")).to_contain_text("No endpoint has it: no traffic changes.")
    walk.shown("studio-dialog-accept").click()
    expect(walk.shown(f"studio-row-versions-{number}")).to_have_count(0)


def test_the_description_is_written_and_lineage_has_both_versions(walk: Walk, numbers: tuple[int, int]) -> None:
    walk.shown("studio-model-tab-about").click()
    walk.shown("studio-run-note-edit").click()
    walk.shown("studio-run-note").fill("Warns of **storms**.")
    walk.shown("studio-run-note-save").click()
    expect(walk.shown("studio-model-description").locator("strong")).to_have_text("storms")
    walk.shown("studio-model-tab-lineage").click()
    for number in numbers:
        expect(walk.shown(f"studio-lineage-version:storm-warning/{number}")).to_be_visible()
