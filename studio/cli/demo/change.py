"""Retrain as a job, compare, promote, undo: callers never see an error."""

import threading
from collections.abc import Callable
from itertools import cycle
from typing import Any, TypeVar

import httpx

from studio.cli.demo.model import MODEL
from studio.cli.demo.serve import example_rows, invoke
from studio.cli.demo.story import Evidence, Story, check

T = TypeVar("T")


def job(story: Story) -> Evidence:
    """A script with parameters runs to its end in the sandbox; its log is live and its run is linked."""
    script = (story.settings.assets / "notebooks" / "train.py").read_text()
    params = {"model": "boosting", "depth": "3", "register": MODEL}
    body = {"name": "retrain", "environment": "sklearn", "script_name": "train.py", "script": script, "params": params}
    made = story.api("POST", "jobs", body)

    def ended() -> Any:
        shown = story.api("GET", f"jobs/{made['id']}")
        return shown if shown["state"] in ("Completed", "Failed", "Stopped") else None

    done = story.until("The end of the job", ended, 120)
    log = story.api("GET", f"jobs/{made['id']}/log?offset=0")["text"]
    check(done["state"] == "Completed", f"{done['state']}: {done['reason']}\n{log[-2000:]}")
    check(done["run_ids"], f"No run is linked to {made['id']}.")
    story.known["challenger"] = str(max(int(v["version"]) for v in story.api("GET", f"models/{MODEL}")["versions"]))
    return {"job": made["id"], "state": done["state"], "runs": done["run_ids"], "log_lines": len(log.splitlines())}


def compare(story: Story) -> Evidence:
    """Both versions' source runs side by side."""
    model = story.api("GET", f"models/{MODEL}")
    runs = {str(v["version"]): story.api("GET", f"runs/{v['run_id']}") for v in model["versions"]}
    auc = {version: round(run["metrics"]["auc"]["last"], 3) for version, run in runs.items()}
    check(len(auc) >= 2, f"Two versions were expected: {auc}")
    return {"auc_by_version": auc, "challenger": story.known["challenger"]}


def promote(story: Story) -> Evidence:
    """Another version takes over under load without a failed request."""
    path = f"endpoints/{story.endpoint}"

    def act() -> Any:
        story.api("POST", f"{path}/promote", {"version": story.known["challenger"]})
        return story.until("The promotion", lambda: _serves(story, story.known["challenger"]))

    shown, answered = _under_load(story, act)
    return {
        "version": shown["version"],
        "previous": shown["previous_version"],
        "answered_meanwhile": answered,
        "failed": 0,
    }


def undo(story: Story) -> Evidence:
    """One call brings the earlier version back, again without a failed request."""

    def act() -> Any:
        story.api("POST", f"endpoints/{story.endpoint}/undo")
        return story.until("The undo", lambda: _serves(story, story.known["version"]))

    shown, answered = _under_load(story, act)
    return {"version": shown["version"], "answered_meanwhile": answered, "failed": 0}


def _serves(story: Story, version: str) -> Any:
    shown = story.api("GET", f"endpoints/{story.endpoint}")
    check(shown["state"] != "Failed", f"{shown['state']}: {shown['reason']}")
    return shown if shown["state"] == "InService" and str(shown["version"]) == version else None


def _under_load(story: Story, act: Callable[[], T]) -> tuple[T, int]:
    """What `act` gave and how many requests were answered around it; a failed request fails the step."""
    # Rows like those of the training data: however many a slow machine sends, they are no drift of their own.
    split = example_rows(story, 300)
    requests = cycle({"columns": split["columns"], "data": [row]} for row in split["data"])
    ended = threading.Event()
    answered = 0
    failed: list[Exception] = []

    def load() -> None:
        nonlocal answered
        with httpx.Client() as client:
            while not ended.is_set():
                try:
                    invoke(story, story.endpoint, next(requests), client)
                    answered += 1
                except Exception as error:  # handed to the step, which fails with it
                    failed.append(error)
                    return

    thread = threading.Thread(target=load)
    thread.start()
    try:
        value = act()
    finally:
        ended.set()
        thread.join()
    check(not failed, f"A request failed meanwhile: {failed[:1]}")
    check(answered, "No request was answered meanwhile.")
    return value, answered
