"""Charts of selected runs, logged with mlflow's own client, in a real browser."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import mlflow
import pytest
from mlflow.entities import Metric, Param
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.live import Live
from tests.ui.browser import window
from tests.ui.walk import Walk

pytestmark = pytest.mark.browser
EVIL = '<img src=x onerror="window.hacked=1"><b>bold</b>'
POINTS = 1000  # more than a chart gets: they come thinned


@dataclass
class Lab:
    """An open lab with the runs' ids, and what its page asked for and complained of."""

    walk: Walk
    client: mlflow.MlflowClient
    experiment: str
    ids: list[str]
    asked: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.walk.page

    def select(self, *run_ids: str) -> None:
        """These runs and no others."""
        self.walk.panel("experiments")
        rows = self.walk.see("studio-table-runs")
        expect(rows.locator("[data-testid^='studio-row-runs-']").first).to_be_visible()
        clear = self.page.get_by_role("button", name="Clear the selection")
        if clear.is_visible():
            clear.click()
            expect(rows.locator("[data-testid^='studio-row-runs-'] input:checked")).to_have_count(0)
        for run_id in run_ids:
            self.walk.see(f"studio-row-runs-{run_id}").locator("input[type=checkbox]").check()
        expect(self.walk.see("studio-run-curves")).to_be_visible()

    def tab(self, name: str) -> None:
        self.walk.see(f"studio-chart-tab-{name}").click()

    def control(self, name: str) -> Locator:
        return self.walk.see(f"studio-chart-control-{name}")

    def chart(self, metric: str) -> Locator:
        return self.walk.see(f"studio-chart-{metric}")

    def drawn(self, metric: str) -> Locator:
        """The lines of a chart."""
        return self.chart(metric).locator(".scatterlayer .trace")


def loss(run: int, step: int) -> float:
    return round(1 / (1 + step / (40 + 20 * run)) + 0.1 * run, 6)


def log(client: mlflow.MlflowClient, experiment: str, number: int) -> str:
    """A run of three parameters and two curves; the third is NaN from its middle on."""
    name = EVIL if number == 1 else f"net-{number}"
    run = client.create_run(experiment, run_name=name, start_time=1_790_000_000_000 + number)
    params = {
        "depth": str(2 + number),
        "learning_rate": str(0.1 / 10**number),
        "optimizer": ("adam", "sgd")[number % 2],
    }
    client.log_batch(run.info.run_id, params=[Param(k, v) for k, v in params.items()] + [Param("batch", "32")])
    for key in ("loss", "val/auc"):
        values = [loss(number, step) if key == "loss" else 1 - loss(number, step) / 2 for step in range(POINTS)]
        if number == 2:
            values[POINTS // 2 :] = [math.nan] * (POINTS // 2)
        start = run.info.start_time
        client.log_batch(
            run.info.run_id, [Metric(key, value, start + step * 60, step) for step, value in enumerate(values)]
        )
    client.set_terminated(run.info.run_id, end_time=run.info.start_time + 60_000 + number)
    return str(run.info.run_id)


@pytest.fixture(scope="module")
def lab(live: Live, browser: Browser) -> Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch, window(browser) as page:
        with live.operator() as api:
            user = api.get("users")[0]["name"]
        patch.setenv("MLFLOW_TRACKING_TOKEN", live.key("demo", user))
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        client = mlflow.MlflowClient(live.address)
        experiment = client.create_experiment("charts")
        found = Lab(Walk(page, live), client, experiment, [log(client, experiment, number) for number in range(4)])

        def keep(request: Request) -> None:  # Playwright marks what it calls, which a list's method does not let it
            found.asked.append(request)

        page.on("request", keep)
        page.on("console", lambda line: found.complaints.append(line.text) if line.type == "error" else None)
        found.walk.sign_in()
        found.walk.open_lab()
        yield found


def big_chunks(page: Page) -> list[str]:
    """Scripts of the extension that are as large as Plotly."""
    names = page.evaluate(
        "() => performance.getEntriesByType('resource').filter(e => e.decodedBodySize > 9e5).map(e => e.name)"
    )
    return [name for name in names if "jupyterlab-studio/static" in name]


def test_plotly_is_loaded_with_the_first_chart_and_from_nowhere_else(lab: Lab) -> None:
    lab.walk.panel("experiments")
    expect(lab.walk.see(f"studio-row-runs-{lab.ids[0]}")).to_be_visible()
    assert big_chunks(lab.page) == []
    lab.select(*lab.ids[:2])
    expect(lab.drawn("loss")).to_have_count(2)
    assert len(big_chunks(lab.page)) == 1
    origins = {re.sub(r"^(\w+://[^/]+).*", r"\1", request.url) for request in lab.asked}
    own = {url for url in origins if re.match(r"https?://(127\.0\.0\.1|demo\.localhost):\d+$", url) or "blob:" in url}
    assert origins - own <= {url for url in origins if url.startswith(("data:", "blob:"))}


def test_hover_reads_all_charts_at_one_place(lab: Lab) -> None:
    lab.select(*lab.ids[:3])
    lab.tab("curves")
    expect(lab.drawn("val/auc")).to_have_count(4)  # three lines, and the mark where NaN begins
    area = lab.chart("loss").locator(".jp-Studio-curveArea")
    area.scroll_into_view_if_needed()
    area.hover(position={"x": 150, "y": 80})
    expect(lab.page.locator(".jp-Studio-crosshair circle").first).to_be_visible()
    crosses = lab.page.locator(".jp-Studio-crosshair line")
    expect(crosses).to_have_count(2)
    assert crosses.nth(0).get_attribute("x1") == crosses.nth(1).get_attribute("x1")
    step = int(lab.control("readout").locator(".jp-Studio-hint").first.inner_text().replace(",", ""))
    values = [lab.walk.see(f"studio-chart-line-{run_id}").locator("b").inner_text() for run_id in lab.ids[:2]]
    for number, shown in enumerate(values):
        near = [loss(number, at) for at in range(max(0, step - 6), step + 7)]
        assert min(abs(float(shown) - value) for value in near) < 1e-4


def test_arrow_keys_read_points_and_enter_enlarges(lab: Lab) -> None:
    lab.select(lab.ids[0])
    lab.tab("curves")
    expect(lab.drawn("loss")).to_have_count(1)
    area = lab.chart("loss").locator(".jp-Studio-curveArea")
    area.focus()
    area.press("ArrowRight")
    reading = lab.walk.see("studio-chart-reading-loss")
    expect(reading).to_contain_text(f"{POINTS - 1}")
    expect(reading).to_contain_text(f"{loss(0, POINTS - 1):.4g}")
    area.press("ArrowLeft")
    expect(reading).not_to_contain_text(f"{POINTS - 1}")
    area.press("Enter")
    expect(lab.chart("loss")).to_have_class(re.compile("jp-mod-large"))
    area.press("Enter")


def test_axes_turn_logarithmic_and_into_time(lab: Lab) -> None:
    lab.select(*lab.ids[:2])
    lab.tab("curves")
    ticks = lab.chart("loss").locator(".xtick text")
    expect(ticks.first).to_be_visible()
    lab.control("log-x").click()
    expect(ticks.first).to_have_text("1")
    expect(lab.chart("loss").locator(".xtick text", has_text=re.compile("^100$"))).to_have_count(1)
    lab.control("relative").click()
    lab.control("log-x").click()
    expect(ticks.nth(1)).to_have_text(re.compile(r"^\d+ s$"))
    lab.control("time").click()
    expect(lab.control("log-x")).to_be_disabled()
    lab.control("step").click()
    lab.control("log-y").click()
    expect(lab.chart("loss").locator(".ytick text").first).to_have_text(re.compile(r"^0?\.\d+$"))
    lab.control("log-y").click()


def test_smoothing_leaves_what_was_logged_beneath(lab: Lab) -> None:
    lab.select(*lab.ids[:2])
    lab.tab("curves")
    expect(lab.drawn("loss")).to_have_count(2)
    lab.control("smoothing").fill("0.9")
    expect(lab.drawn("loss")).to_have_count(4)
    lab.control("smoothing").fill("0")
    expect(lab.drawn("loss")).to_have_count(2)


def test_a_group_is_a_mean_with_a_band(lab: Lab) -> None:
    lab.select(*lab.ids)
    lab.tab("curves")
    lab.control("group").select_option("optimizer")
    expect(lab.control("readout").locator("button")).to_have_count(2)
    expect(lab.control("readout")).to_contain_text("optimizer = adam (2)")
    expect(lab.chart("loss").locator(".scatterlayer .js-fill").first).to_be_attached()
    lab.control("group").select_option("")


def test_a_zoom_goes_through_all_charts_and_brings_the_points_left_out(lab: Lab) -> None:
    lab.select(*lab.ids[:2])
    lab.tab("curves")
    expect(lab.drawn("val/auc")).to_have_count(2)
    area = lab.chart("loss").locator(".jp-Studio-curveArea")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    with lab.page.expect_request(lambda request: bool(body_of(request).get("from_step"))) as asked:
        lab.page.mouse.move(box["x"] + 90, box["y"] + 40)
        lab.page.mouse.down()
        lab.page.mouse.move(box["x"] + 130, box["y"] + 42, steps=5)
        lab.page.mouse.up()
    body = body_of(asked.value)
    assert 0 < body["from_step"] < body["to_step"] < POINTS
    for metric in ("loss", "val/auc"):
        expect(lab.chart(metric).locator(".xtick text", has_text=re.compile("^1k$"))).to_have_count(0)
    lab.control("reset").click()
    expect(lab.chart("val/auc").locator(".xtick text", has_text=re.compile("^1k$"))).to_have_count(1)


def body_of(request: Request) -> dict[str, Any]:
    """What was asked of the curves route; nothing if it is another request."""
    is_curves = urlsplit(request.url).path.endswith("/curves") and request.post_data
    return dict(json.loads(request.post_data or "")) if is_curves else {}


def test_points_appear_while_a_run_trains(lab: Lab) -> None:
    run_id = str(lab.client.create_run(lab.experiment, run_name="training").info.run_id)
    try:
        for step in range(3):
            lab.client.log_metric(run_id, "loss", 0.5 + step, step=step)
        expect(lab.walk.see(f"studio-row-runs-{run_id}")).to_be_visible()
        lab.select(run_id)
        lab.tab("curves")
        points = lab.chart("loss").locator(".scatterlayer .point")
        expect(points).to_have_count(3)
        with lab.page.expect_request(lambda request: bool(body_of(request).get("since"))) as asked:
            lab.client.log_metric(run_id, "loss", 0.25, step=3)
        expect(points).to_have_count(4)
        # Only this run's, and only from where it was.
        body = body_of(asked.value)
        assert (body["run_ids"], body["since"]) == ([run_id], {run_id: 2})
    finally:
        lab.client.set_terminated(run_id)
        lab.client.delete_run(run_id)


def test_what_is_no_number_is_marked(lab: Lab) -> None:
    lab.select(lab.ids[2])
    lab.tab("curves")
    expect(lab.chart("loss").locator(".overplot .scatterlayer .point")).to_have_count(1)


def test_a_point_of_the_scatter_opens_its_run(lab: Lab) -> None:
    lab.select(*lab.ids)
    lab.tab("scatter")
    lab.control("scatter-x").select_option("params.depth")
    lab.control("scatter-y").select_option("metrics.val/auc")
    lab.control("scatter-color").select_option("params.optimizer")
    points = lab.chart("scatter").locator(".scatterlayer .point")
    expect(points).to_have_count(3)  # the last value of one is NaN
    assert len({point.evaluate("e => e.style.fill") for point in points.all()}) == 2
    chart = lab.chart("scatter")
    chart.focus()
    chart.press("ArrowRight")
    expect(lab.page.get_by_role("status").get_by_text("net-0")).to_be_visible()
    chart.press("Enter")
    expect(lab.walk.see("studio-panel-run").first).to_be_visible()
    expect(lab.walk.see("studio-panel-run").first).to_contain_text("net-0")


def test_a_range_on_an_axis_filters_runs(lab: Lab) -> None:
    lab.select(*lab.ids)
    lab.tab("parallel")
    inside = lab.control("inside")
    expect(inside).to_have_text("4 of 4 runs")
    axis = lab.walk.see("studio-chart-axis-params.depth")
    axis.scroll_into_view_if_needed()
    box = axis.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2
    lab.page.mouse.move(middle, box["y"] + 2)
    lab.page.mouse.down()
    lab.page.mouse.move(middle, box["y"] + box["height"] * 0.4, steps=4)
    lab.page.mouse.up()
    expect(inside).to_have_text("2 of 4 runs")  # depths 5 and 4
    axis.press("Delete")
    expect(inside).to_have_text("4 of 4 runs")
    for _ in range(10):
        axis.press("ArrowUp")
    expect(inside).to_have_text("2 of 4 runs")
    axis.press("Escape")
    expect(axis).to_have_accessible_name(re.compile("depth: whole axis"))


def test_compare_marks_what_differs(lab: Lab) -> None:
    lab.select(*lab.ids[:2])
    lab.tab("compare")
    table = lab.walk.see("studio-differences")
    depth = table.get_by_role("row").filter(has=lab.page.get_by_role("rowheader", name="depth"))
    expect(depth).to_have_class(re.compile("jp-mod-differs"))
    expect(depth.get_by_role("cell")).to_have_text(["2", "3"])
    batch = table.get_by_role("rowheader", name="batch")
    expect(batch).to_have_count(0)
    lab.control("differing").click()
    expect(batch).to_have_count(1)
    best = table.get_by_role("row").filter(has=lab.page.get_by_role("rowheader", name="loss")).locator(".jp-mod-best")
    expect(best).to_have_text(re.compile(f"^{loss(0, POINTS - 1):.4f}"))
    lab.control("differing").click()


def test_names_are_text_everywhere(lab: Lab) -> None:
    lab.select(*lab.ids[:2])
    for tab in ("curves", "scatter", "parallel", "compare"):
        lab.tab(tab)
        expect(lab.walk.see("studio-run-curves")).to_be_visible()
    expect(lab.walk.see("studio-differences").get_by_text(EVIL)).to_be_visible()
    assert lab.page.evaluate("() => window.hacked") is None


def test_pictures_values_and_code_are_to_be_had(lab: Lab, tmp_path: Path) -> None:
    lab.select(*lab.ids[:2])
    lab.tab("curves")
    expect(lab.drawn("loss")).to_have_count(2)
    for entry, start in (("PNG", b"\x89PNG"), ("SVG", b"<svg"), ("CSV", b"run_id,run,step,time,loss")):
        lab.chart("loss").hover()
        lab.walk.see("studio-chart-download-loss").click()
        with lab.page.expect_download() as download:
            lab.page.get_by_role("menuitem", name=re.compile(entry)).click()
        file = tmp_path / f"loss.{entry}"
        download.value.save_as(file)
        assert file.read_bytes().startswith(start)
        lab.page.keyboard.press("Escape")
    assert f"{lab.ids[0]},net-0,0,".encode() in (tmp_path / "loss.CSV").read_bytes()
    lab.walk.see("studio-chart-code").click()
    expect(lab.walk.see("studio-run-curves").locator("pre")).to_contain_text("get_metric_history")
    lab.walk.see("studio-chart-code").click()


def test_charts_take_the_colours_of_another_theme(lab: Lab) -> None:
    lab.select(*lab.ids[:2])
    lab.tab("curves")
    paper = lab.chart("loss").locator(".main-svg").first
    light = paper.evaluate("e => e.style.background")
    lab.page.emulate_media(color_scheme="dark")  # the lab follows the system
    expect(paper).not_to_have_css("background-color", light, timeout=30_000)
    lab_color = lab.walk.see("studio-run-curves").evaluate("e => getComputedStyle(e).backgroundColor")
    expect(paper).to_have_css("background-color", lab_color)


def test_nothing_was_complained_of(lab: Lab) -> None:
    assert lab.walk.problems == []
    assert [line for line in lab.complaints if re.search("Content.Security|unsafe-eval|Plotly|WebGL", line)] == []
