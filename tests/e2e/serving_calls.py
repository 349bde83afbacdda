"""What tests of serving do to endpoints of a live Studio: deploy, ask, load, remove."""

import threading
from collections import Counter
from typing import Any

import httpx

from studio.client import Rest
from tests.e2e.serving_models import COLUMNS
from tests.live import Live, until

ROW = [[0.0, 12.8, 5.0, 4.7]]
BODY = {"dataframe_split": {"columns": COLUMNS, "data": ROW}}


def deploy(api: Rest, name: str, model: str = "models:/rain/1", **more: Any) -> Any:
    api.post("domains/demo/endpoints", {"name": name, "model": model, **more})
    return api.get(f"domains/demo/endpoints/{name}", wait="InService", timeout_s=60)


def predict(http: httpx.Client, name: str) -> httpx.Response:
    return http.post(f"/endpoints/{name}/invocations", json=BODY)


def remove(api: Rest, name: str) -> None:
    api.delete(f"domains/demo/endpoints/{name}")
    until(lambda: name not in [e["name"] for e in api.get("domains/demo/endpoints")], f"the end of {name}")


def replica(api: Rest, name: str) -> Any:
    found = api.get(f"domains/demo/endpoints/{name}")
    return next((r for v in found["variants"] for r in v["replicas"] if r["state"] == "Ready"), None)


class Load:
    """One caller that never stops; every answer but 200 is kept."""

    def __init__(self, live: Live, name: str) -> None:
        self.failed: list[str] = []
        self.answered = 0
        self._live, self._name = live, name
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        headers = {"authorization": f"Bearer {self._live.token}"}  # type: ignore[attr-defined]
        with httpx.Client(base_url=self._live.address, headers=headers, timeout=60) as client:
            while not self._ended.is_set():
                answer = predict(client, self._name)
                self.answered += 1
                if answer.status_code != 200:
                    self.failed.append(f"{answer.status_code} {answer.text}")

    def __enter__(self) -> "Load":
        self._thread.start()
        until(lambda: self.answered > 5, "the first answers")
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def split(http: httpx.Client, name: str, count: int = 40) -> dict[str, int]:
    """How many of `count` requests each variant answered."""
    answered = [http.post(f"/endpoints/{name}/invocations", json=BODY) for _ in range(count)]
    assert {answer.status_code for answer in answered} == {200}
    return dict(Counter(answer.headers["x-amzn-invoked-production-variant"] for answer in answered))


def settled(api: Rest, name: str, **wanted: Any) -> Any:
    """The endpoint, once it is InService with these values."""

    def found() -> Any:
        shown = api.get(f"domains/demo/endpoints/{name}")
        return shown if {**shown, **wanted} == shown and shown["state"] == "InService" else None

    return until(found, f"{name} InService with {wanted}")
