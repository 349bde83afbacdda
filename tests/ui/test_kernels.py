"""Kernels as a person sees them: the way from %pip to the environment, why one died, and a notebook that means ill."""

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.e2e.killing import children
from tests.live import Live, until
from tests.ui.browser import window
from tests.ui.walk import Walk

pytestmark = pytest.mark.browser
# Attack 27d: what an editor of the domain would have an admin's page do: make a friend of theirs an admin, too.
CALLS = """
(async () => {
  window.pwned = 'ran';
  const session = await (await fetch('/studio/api/session')).json();
  await fetch('/studio/api/domains/demo/members', {method: 'POST',
    headers: {'content-type': 'application/json', 'x-studio-csrf': session.csrf},
    body: JSON.stringify({user: 'mallory', role: 'admin'})});
})()
""".replace("\n", " ")
HTML = (
    f'<p>a report</p><script>{CALLS}</script><img src=x onerror="{CALLS.replace(chr(34), "&quot;")}">'
    f'<iframe srcdoc="<script>parent.eval(`{CALLS.replace(chr(34), "&quot;")}`)</script>"></iframe>'
    f'<svg onload="{CALLS.replace(chr(34), "&quot;")}"></svg>'
    "<a data-commandlinker-command='notebook:run-all-cells' href='#'>look</a>"
)


@pytest.fixture(scope="module")
def page(live: Live, browser: Browser) -> Iterator[Page]:
    """Home, in a lab of the domain's admin."""
    with live.operator() as api:
        api.post("users", {"name": "mallory"})
    with window(browser) as found:
        walk = Walk(found, live)
        walk.sign_in()
        walk.open_lab()
        yield found


def notebook(live: Live, name: str, *cells: dict[str, Any]) -> None:
    """Writes a notebook into the shared volume, as an editor's kernel may."""
    spec = {"name": "sklearn", "display_name": "sklearn", "language": "python"}
    content = {"cells": list(cells), "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
    (live.settings.paths.shared("demo") / name).write_text(json.dumps(content))


def code(number: int, source: str, outputs: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    """A code cell; it says of itself that it is trusted."""
    about = {"cell_type": "code", "id": f"c{number}", "metadata": {"trusted": True}, "execution_count": None}
    return about | {"source": source, "outputs": list(outputs)}


def display(kind: str, data: str) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": {kind: data}}


def opened(page: Page, name: str) -> None:
    """Opens shared/`name`; its kernel is there."""
    page.goto(f"{page.url.partition('/lab')[0]}/lab/tree/shared/{name}")
    expect(page.locator(".jp-Toolbar-kernelName:visible")).to_contain_text("sklearn", timeout=60_000)
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']:visible")).to_be_visible(timeout=60_000)


def run_all(page: Page) -> None:
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
    page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()


def test_pip_leads_to_the_environment(live: Live, page: Page) -> None:
    notebook(live, "pip.ipynb", code(1, "%pip install 'polars>=1' pyyaml"))
    opened(page, "pip.ipynb")
    run_all(page)
    button = page.get_by_test_id("studio-add-packages")
    expect(button).to_have_text("Add polars>=1, pyyaml to the environment sklearn", timeout=30_000)
    expect(page.locator(".jp-OutputArea:visible").first).to_contain_text("Nothing was installed")
    button.click()
    expect(page.get_by_text("pyyaml").last).to_be_visible()
    page.keyboard.press("Escape")


def test_why_a_kernel_died_is_said_with_its_notebook(live: Live, page: Page) -> None:
    notebook(live, "dies.ipynb", code(1, "print('alive')"))
    before = set(children(live))
    opened(page, "dies.ipynb")
    name = until(lambda: next((n for n in set(children(live)) - before if n.startswith("kernel-")), ""), "the kernel")
    sessions = "async () => (await (await fetch('/api/sessions')).json()).map(session => session.path).join()"
    until(lambda: "dies.ipynb" in page.evaluate(sessions), "its session")
    os.kill(children(live)[name]["pid"], signal.SIGKILL)
    toast = page.locator(".jp-Notification-Toast-Message, .Toastify__toast").filter(has_text="killed (SIGKILL)")
    expect(toast.first).to_contain_text("dies.ipynb", timeout=30_000)


def test_an_admin_who_opens_an_editors_notebook_does_nothing_for_them(live: Live, page: Page) -> None:
    outputs = (
        display("text/html", HTML),
        display("application/javascript", CALLS),
        display("image/svg+xml", f'<svg xmlns="http://www.w3.org/2000/svg"><script>{CALLS}</script></svg>'),
        display("text/markdown", HTML),
    )
    markdown = {"cell_type": "markdown", "id": "m1", "metadata": {"trusted": True}, "source": HTML}
    notebook(live, "mallory.ipynb", markdown, code(2, "'never run'", outputs))
    asked: list[str] = []

    def note(request: Request) -> None:
        if request.method != "GET" and "/members" in request.url:
            asked.append(request.url)

    page.on("request", note)
    opened(page, "mallory.ipynb")
    expect(page.locator(".jp-RenderedHTMLCommon:visible", has_text="a report").first).to_be_visible()
    expect(page.locator(".jp-CodeCell .jp-OutputArea-output").first).to_be_attached()
    # What would have run has had its turn when a later macrotask of the page is over.
    page.evaluate("() => new Promise(done => setTimeout(() => requestAnimationFrame(done), 0))")
    assert page.evaluate("window.pwned") is None
    assert asked == []
    with live.operator() as api:
        assert "mallory" not in [member["user"] for member in api.get("domains/demo/members")]
