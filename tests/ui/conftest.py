"""One running Studio and one browser per worker."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.live import Live, running
from tests.ui.browser import chromium


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A Studio of the tests' own."""
    with running(tmp_path_factory.mktemp("ui") / "home") as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium; not for longer than a module, since Playwright's event loop runs in this thread while it is open."""
    with chromium() as found:
        yield found
