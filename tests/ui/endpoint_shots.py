"""Views of an endpoint with several variants, for `tests.ui.shots`; after the story, whose endpoint they share."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.live import until
from tests.ui.walk import Walk

NAME = "rain-tomorrow"
MINUTE = 60_000


def endpoint_variants(walk: Walk) -> None:
    """Two that share the traffic and a shadow, with a split that is not applied yet."""
    several(walk)
    page(walk)
    for _ in range(5):
        walk.shown("studio-variant-slider-candidate").press("ArrowRight")
    expect(walk.shown("studio-split-apply")).to_be_visible()


def endpoint_captures(walk: Walk) -> None:
    """What was asked and answered, the shadow's answers among it."""
    several(walk)
    page(walk)
    walk.shown("studio-endpoint-tab-captures").click()
    expect(walk.shown("studio-table-captures")).to_be_visible(timeout=MINUTE)


def endpoint_events(walk: Walk) -> None:
    """Why it is as it is."""
    several(walk)
    page(walk)
    walk.shown("studio-endpoint-tab-events").click()


def endpoint_settings(walk: Walk) -> None:
    """What can be changed while it serves."""
    page(walk)
    walk.shown("studio-endpoint-tab-settings").click()
    walk.shown("studio-endpoint-setting-mode").select_option("serverless")


def endpoint_shadow(walk: Walk) -> None:
    """The dialog that adds a shadow."""
    page(walk)
    walk.shown("studio-variant-add-shadow").click()
    expect(walk.shown("studio-dialog-variant")).to_be_visible()


def deploy_replicas(walk: Walk) -> None:
    """The deploy dialog, serverless with up to four replicas, once it has been seen how long a wake takes."""
    woken(walk)
    walk.panel("models")
    walk.see(f"studio-row-models-{NAME}").click()
    walk.see("studio-model-deploy-1").click()
    walk.see("studio-deploy-name").fill("rain-at-night")
    walk.see("studio-deploy-mode-serverless").check()
    walk.see("studio-deploy-advanced").click()
    walk.see("studio-deploy-replicas-most").fill("4")


def woken(walk: Walk) -> None:
    """The endpoint is stopped, and a request wakes it."""
    with walk.live.operator() as api:
        example = api.get(f"domains/demo/endpoints/{NAME}")["example"]
        api.post(f"domains/demo/running/endpoint:{NAME}/stop")
        until(lambda: api.get(f"domains/demo/endpoints/{NAME}")["state"] == "Idle", "Idle")
        api.post(f"domains/demo/endpoints/{NAME}/invoke", example)
        until(lambda: api.get("domains/demo/wake-times"), "the time that it took")


def page(walk: Walk) -> None:
    """The endpoint's page, newly opened: what was typed in it before is gone."""
    walk.panel("endpoints")
    walk.see(f"studio-row-endpoints-{NAME}").click()
    walk.shown("studio-endpoint-tab-try").click()
    expect(walk.shown("studio-try-send")).to_be_visible()


def several(walk: Walk) -> None:
    """A candidate with a tenth of the traffic and a shadow beside what serves."""
    with walk.live.operator() as api:

        def found() -> Any:
            return api.get(f"domains/demo/endpoints/{NAME}")

        for name, weight, shadow in (("candidate", 100 / 9, False), ("next", 50, True)):
            if all(variant["name"] != name for variant in found()["variants"]):
                body = {"version": found()["version"], "name": name, "weight": weight, "shadow": shadow}
                api.post(f"domains/demo/endpoints/{NAME}/variants", body)
        until(lambda: sum(v["state"] == "Serving" for v in found()["variants"]) >= 3, "three that serve")
        for _ in range(40):
            api.post(f"domains/demo/endpoints/{NAME}/invoke", found()["example"])


ENDPOINT: dict[str, Callable[[Walk], None]] = {
    view.__name__: view
    for view in (
        endpoint_variants, endpoint_captures, endpoint_events, endpoint_settings, endpoint_shadow, deploy_replicas,
    )
}  # fmt: skip
