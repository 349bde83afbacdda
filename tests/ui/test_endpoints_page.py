"""Endpoints in a real browser: deployed, divided by sliders, shifted and taken back, settings saved, failures shown."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.serving_models import COLUMNS, log_models
from tests.live import Live, until
from tests.ui.browser import window
from tests.ui.walk import Walk

pytestmark = pytest.mark.browser
MINUTE = 60_000
BODY = {"dataframe_split": {"columns": COLUMNS, "data": [[0.0, 12.8, 5.0, 4.7]]}}


@pytest.fixture(scope="module")
def token(live: Live) -> str:
    """A key of the domain."""
    return live.key("demo", live.status["user"])


@pytest.fixture(scope="module")
def walk(browser: Browser, live: Live, token: str) -> Iterator[Walk]:
    """A window with the versions 1 to 3 of `rain`, logged while its lab opened; the third cannot be loaded."""
    with ThreadPoolExecutor(1) as beside, window(browser) as page:
        logged = beside.submit(log_models, live.address, token, 3)
        found = Walk(page, live)
        found.sign_in()
        found.open_lab()
        logged.result()
        found.panel("models")
        found.see("studio-row-models-rain").click()
        yield found
        assert found.problems == []


def shown(live: Live) -> Any:
    """The endpoint `rain-page` as the API has it."""
    with live.operator() as api:
        return api.get("domains/demo/endpoints/rain-page")


def shares(live: Live) -> dict[str, float]:
    """Per cent of the traffic by variant, of those that have some."""
    return {v["name"]: round(v["share"], 1) for v in shown(live)["variants"] if v["share"]}


def asked(live: Live, token: str, times: int = 40) -> list[str]:
    """Which variant answered each of that many predictions."""
    with httpx.Client(base_url=live.address, headers={"authorization": f"Bearer {token}"}, timeout=60) as http:
        found = [http.post("/endpoints/rain-page/invocations", json=BODY) for _ in range(times)]
    assert {answer.status_code for answer in found} == {200}
    return [answer.headers["x-amzn-invoked-production-variant"] for answer in found]


def deploy(walk: Walk, version: int, name: str) -> None:
    """The dialog of a version, filled and sent."""
    walk.shown(f"studio-model-deploy-{version}").click()
    expect(walk.shown("studio-deploy-version")).to_have_value(str(version))
    walk.shown("studio-deploy-name").fill(name)
    walk.shown("studio-deploy-button").click()


def test_a_failed_deploy_shows_the_traceback_and_leaves_nothing(walk: Walk, live: Live) -> None:
    deploy(walk, 3, "broken-page")
    error = walk.shown("studio-dialog-deploy").get_by_test_id("studio-error")
    expect(error).to_contain_text("the weights are corrupt", timeout=MINUTE)
    error.locator("summary").click()
    expect(error.locator("pre")).to_contain_text("__setstate__")
    walk.shown("studio-dialog-cancel").click()
    with live.operator() as api:
        until(lambda: "broken-page" not in [e["name"] for e in api.get("domains/demo/endpoints")], "its end")


def test_two_versions_share_the_traffic_as_the_sliders_say(walk: Walk, live: Live, token: str) -> None:
    deploy(walk, 1, "rain-page")
    walk.shown("studio-deploy-done").click(timeout=MINUTE)
    expect(walk.shown("studio-endpoint-state")).to_have_attribute("data-state", "InService", timeout=MINUTE)
    walk.shown("studio-variant-add-variant").click()
    walk.shown("studio-deploy-version").select_option("2")
    walk.shown("studio-variant-weight").fill("50")
    expect(walk.shown("studio-dialog-variant")).to_contain_text("v2 50 % · v1 50 %")
    walk.shown("studio-dialog-accept").click()
    expect(walk.shown("studio-variant-slider-v2")).to_have_value("50", timeout=MINUTE)

    slider = walk.shown("studio-variant-slider-v2")
    slider.fill("31")
    slider.press("ArrowLeft")
    expect(walk.shown("studio-variant-share-v1")).to_have_value("70")
    expect(walk.shown("studio-split")).to_contain_text("v1 50 % → 70 % · v2 50 % → 30 %")
    walk.shown("studio-split-apply").click()
    expect(walk.shown("studio-split")).to_have_count(0)
    assert shares(live) == {"v1": 70, "v2": 30}
    until(lambda: 11 <= asked(live, token).count("v2") <= 13, "the split that was set")
    requests = walk.shown("studio-variant-v2").get_by_role("cell").nth(3)
    expect(requests).not_to_have_text("0", timeout=MINUTE)


def test_a_canary_is_watched_and_taken_back(walk: Walk, live: Live, token: str) -> None:
    walk.shown("studio-endpoint-promote").click()
    walk.shown("studio-deploy-version").select_option("2")
    walk.shown("studio-strategy-canary").check()
    walk.shown("studio-strategy-field-percent").fill("20")
    walk.shown("studio-strategy-field-step").fill("an hour")
    expect(walk.shown("studio-dialog-accept")).to_be_disabled()
    walk.shown("studio-strategy-field-step").fill("1 h")
    expect(walk.shown("studio-strategy-words")).to_contain_text("20 % of the requests go to it for 1 h")
    walk.shown("studio-dialog-accept").click()
    shift = walk.shown("studio-rollout")
    expect(shift).to_contain_text("20 % of the traffic", timeout=MINUTE)
    expect(shift).to_contain_text("more than 5 % errors")
    expect(walk.shown("studio-variant-slider-v1")).to_be_disabled()
    assert shares(live) == {"v1": 56, "v2": 24, "v2-2": 20}
    walk.shown("studio-rollout-undo").click()
    expect(shift).to_have_count(0, timeout=MINUTE)
    expect(walk.shown("studio-endpoint-reason")).to_contain_text("taken back")
    assert shares(live) == {"v1": 70, "v2": 30}
    assert len(asked(live, token)) == 40


def test_settings_are_saved_together_and_the_endpoint_is_deleted(walk: Walk, live: Live) -> None:
    walk.shown("studio-endpoint-tab-settings").click()
    save = walk.shown("studio-endpoint-save")
    expect(save).to_be_disabled()
    walk.shown("studio-endpoint-setting-rate").fill("250")
    walk.shown("studio-endpoint-setting-cors").fill("*")
    expect(save).to_be_disabled()
    walk.shown("studio-endpoint-setting-cors").fill("https://app.example.org")
    walk.shown("studio-endpoint-setting-redact-wind").click()
    save.click()
    # What is saved is what the form shows: nothing is left to save.
    expect(save).to_be_disabled()
    expect(save).to_have_text("Save")
    found = shown(live)["settings"]
    assert (found["rate_limit"], found["cors"], found["redact"]) == (250, ["https://app.example.org"], ["wind"])

    walk.shown("studio-endpoint-tab-events").click()
    expect(walk.shown("studio-panel-endpoint")).to_contain_text("sets v1 to 70, v2 to 30")
    walk.shown("studio-endpoint-delete").click()
    walk.shown("studio-dialog-accept").click()
    expect(walk.shown("studio-panel-endpoints")).to_be_visible()
    with live.operator() as api:
        until(lambda: "rain-page" not in [e["name"] for e in api.get("domains/demo/endpoints")], "the end")
