"""The Environments view in a real browser: what is refused and why, a clone, its versions, the domain's choice."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.live import Live
from tests.ui.browser import window
from tests.ui.walk import Walk

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def walk(browser: Browser, live: Live) -> Iterator[Walk]:
    with window(browser) as page:
        found = Walk(page, live)
        found.sign_in()
        found.open_lab()
        found.panel("environments")
        yield found
        assert found.problems == []


def choose(walk: Walk, name: str) -> Locator:
    """Opens an environment; its state."""
    walk.shown(f"studio-row-environments-{name}").click()
    state = walk.shown(f"studio-state-environment-{name}")
    expect(state).to_be_visible()
    return state


def menu(walk: Walk, label: str) -> None:
    walk.shown("studio-environment-more").click()
    walk.see("studio-menu-environment").get_by_text(label).click()


def test_options_are_refused_in_the_dialog_and_nothing_typed_is_lost(walk: Walk) -> None:
    expect(choose(walk, "sklearn")).to_have_attribute("data-state", "Ready")
    walk.shown("studio-environment-add").click()
    dialog = walk.shown("studio-dialog-add-packages")
    expect(dialog).to_contain_text("this domain gets a clone of this name")
    expect(walk.shown("studio-environment-name")).to_have_value("demo-sklearn")
    wanted = walk.shown("studio-environment-packages")
    wanted.fill("polars\n--index-url https://evil.example/simple")
    walk.shown("studio-dialog-accept").click()
    expect(dialog.get_by_role("alert")).to_contain_text("options, URLs and paths are not taken")
    expect(wanted).to_have_value("polars\n--index-url https://evil.example/simple")
    walk.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(walk.see("studio-row-environments-demo-sklearn")).to_have_count(0)


def test_a_clone_is_ready_is_chosen_and_is_not_deleted_while_it_is(walk: Walk) -> None:
    choose(walk, "sklearn")
    menu(walk, "Clone")
    walk.shown("studio-environment-name").fill("mine")
    walk.shown("studio-dialog-accept").click()
    # The same lock, so the folder is there already.
    expect(walk.shown("studio-state-environment-mine")).to_have_attribute("data-state", "Ready", timeout=30_000)
    expect(walk.shown("studio-environment-locked")).to_contain_text("scikit-learn")
    walk.shown("studio-environment-tab-versions").click()
    expect(walk.shown("studio-row-environment-versions-1")).to_contain_text("Cloned from sklearn, version 1.")

    menu(walk, "Make it the default")
    expect(walk.shown("studio-row-environments-mine")).to_contain_text("default")
    walk.shown("studio-environment-tab-uses").click()
    expect(walk.shown("studio-table-environment-uses")).to_contain_text("Default")
    menu(walk, "Delete")
    walk.shown("studio-dialog-accept").click()
    refused = walk.shown("studio-dialog-confirm").get_by_role("alert")
    expect(refused).to_contain_text("the domain's choice")
    walk.page.keyboard.press("Escape")

    choose(walk, "sklearn")
    menu(walk, "Make it the default")
    expect(walk.shown("studio-row-environments-sklearn")).to_contain_text("default")
    choose(walk, "mine")
    menu(walk, "Delete")
    walk.shown("studio-dialog-accept").click()
    expect(walk.see("studio-row-environments-mine")).to_have_count(0)
