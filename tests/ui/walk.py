"""A person's way through the product in a real browser; used by the tests and by `make shots`."""

from playwright.sync_api import Locator, Page, expect

from tests.live import Live

# Names of `data-testid`s are listed in extensions/lab/src/testids.ts.


class Walk:
    """One signed-in window."""

    def __init__(self, page: Page, live: Live) -> None:
        self.page, self.live = page, live
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    def sign_in(self, user: str | None = None) -> None:
        """The link of `studio up`, or of `studio signin --user`: it leads to the list of domains."""
        with self.live.operator() as api:
            link = api.post("signin-links", {"user": user} if user else {})["url"]
        self.page.goto(link)
        expect(self.page.get_by_role("heading", name="Your domains")).to_be_visible()

    def open_lab(self) -> None:
        """Open on the domain's card; Home is the first thing seen in an empty workspace."""
        self.page.get_by_role("link", name="Open").or_(self.page.get_by_role("button", name="Open")).first.click()
        expect(self.see("studio-entry-home")).to_be_visible(timeout=180_000)

    def see(self, testid: str) -> Locator:
        """What carries `data-testid`."""
        return self.page.get_by_test_id(testid)

    def shown(self, testid: str) -> Locator:
        """The same in the tab in front: others may have it too, as restored tabs do."""
        return self.page.locator(f"[data-testid='{testid}']:visible")

    def panel(self, name: str) -> None:
        """A click in the left bar."""
        self.see(f"studio-entry-{name}").click()
        expect(self.see(f"studio-panel-{name}").first).to_be_visible()

    def open_run(self, run_id: str) -> None:
        """One of the newest runs, from the left bar."""
        with self.live.operator() as api:
            name = api.get(f"domains/demo/runs/{run_id}")["name"]
        self.see("studio-sidebar").get_by_role("button", name=name).first.click()
        expect(self.shown("studio-state-run")).to_be_visible()

    def run_example(self) -> None:
        """The big button, then Run → Run All Cells."""
        self.see("studio-run-example").click()
        expect(self.page.locator(".jp-Notebook:visible .jp-CodeCell").first).to_be_visible()
        # Asked to run before its kernel is there, JupyterLab would ask for one.
        expect(self.page.locator(".jp-Toolbar-kernelName:visible")).to_contain_text("sklearn", timeout=60_000)
        expect(self.page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']:visible")).to_be_visible()
        self.page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
        self.page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()

    def code_cell(self, number: int) -> Locator:
        """The n-th code cell of the notebook in sight."""
        return self.page.locator(".jp-Notebook:visible .jp-CodeCell").nth(number)

    def running_cells(self) -> Locator:
        """Cells that wait or run: their prompt is [*]."""
        return self.page.locator(".jp-Notebook .jp-InputPrompt", has_text="[*]")

    def errors(self) -> Locator:
        """Outputs with a traceback."""
        return self.page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']")
