"""A real Chromium, driven by Playwright, for UI tests and pictures."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# Nothing of the browser's own may ask the network; the product must work without one.
ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FAILED = Path(__file__).resolve().parents[2] / "shots" / "failed"
VIEW = {"width": 1440, "height": 900}


def executable() -> str:
    """Whatever Chromium or Chrome is there; `make test` installs one where it can."""
    found = [path for name in NAMES if (path := shutil.which(name))]
    found += [path for path in APPLICATIONS if Path(path).exists()]
    assert found, "no Chromium or Chrome found: sh .ci/browser says what to do"
    return found[0]


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for the length of the block."""
    arguments = ARGUMENTS + (["--no-sandbox"] if os.getuid() == 0 else [])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def window(browser: Browser, dark: bool = False) -> Iterator[Page]:
    """A fresh profile's page, light or dark."""
    context = browser.new_context(viewport=VIEW, color_scheme="dark" if dark else "light")
    context.set_default_timeout(30_000)
    page = context.new_page()
    try:
        yield page
    except BaseException:
        FAILED.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=FAILED / f"{time.strftime('%H%M%S')}.png")
        raise
    finally:
        context.close()
