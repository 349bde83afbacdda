"""A small Studio for the pages: the routes they read, over real HTTP, with answers in the form of the REST contract."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

TOKEN = "token-of-the-sandbox"


def run(run_id: str, name: str, depth: int, auc: float) -> dict[str, Any]:
    """A run as `runs/search` shows it."""
    return {
        "run_id": run_id, "name": name, "experiment_id": "1", "status": "FINISHED", "user": "ada",
        "start_ms": 1, "end_ms": 2, "tags": {}, "job_id": None,
        "metrics": {
            "auc": {"last": auc, "min": auc, "max": auc, "step": 0},
            "loss": {"last": 0.5, "min": 0.5, "max": 0.7, "step": 3},
        },
        "params": {"depth": str(depth), "model": name},
    }  # fmt: skip


RUNS = [run("a" * 32, "boosting", 3, 0.72), run("b" * 32, "forest", 6, 0.71)]
CURVE = {"key": "loss", "points": [[1, 1, 0.7], [2, 2, 0.6], [3, 3, 0.5]]}
COLUMN = {
    "name": "wind", "kind": "number", "psi": 3.9, "drifted": True, "missing_reference": 0.0, "missing_current": 0.0,
    "reference": [100, 100, 100], "current": [0, 10, 290], "edges": [2.0, 4.0],
}  # fmt: skip
QUIET = COLUMN | {"name": "temp_max", "psi": 0.01, "drifted": False, "current": [98, 101, 101]}
CHECKS = [
    {"id": "check-2", "at_ms": 1_700_000_060_000, "rows": 300, "columns": [COLUMN, QUIET]},
    {"id": "check-1", "at_ms": 1_700_000_000_000, "rows": 300, "columns": [COLUMN | {"psi": 0.02, "drifted": False}]},
]
MONITOR = {
    "endpoint": "rain-tomorrow", "state": "Drift", "columns": ["wind"], "window": None, "checked_ms": 1,
    "alert_id": "alert-1", "threshold": 0.2, "baseline": {"source": "run", "rows": 300}, "checks": CHECKS,
}  # fmt: skip
EVALUATION = {
    "positive_label": 1, "threshold": 0.5, "n": 10, "matrix": {"tp": 4, "fp": 1, "fn": 2, "tn": 3}, "accuracy": 0.7,
    "precision": 0.8, "recall": 0.667, "f1": 0.727, "auc": 0.72,
    "curve": [[0.0, 6, 4, 0, 0], [0.5, 4, 1, 2, 3], [1.0, 0, 0, 6, 4]],
}  # fmt: skip
ROWS = {"columns": ["wind"], "rows": [[3.2], [4.4]], "row_ids": ["2015-01-03", "2015-02-07"]}


class Studio:
    """What it answers can be changed by a test; what it was asked is kept."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, list[str]]]] = []
        self.answers: dict[str, Any] = {
            "runs/search": {"runs": RUNS, "next_page_token": None, "total": 2},
            "monitors": [MONITOR],
            "monitors/rain-tomorrow": MONITOR,
            "evaluation": EVALUATION,
            "rows": ROWS,
            "loss": CURVE,
        }

    def answer(self, method: str, url: str) -> tuple[int, Any]:
        """The contract's answer by the end of the path."""
        parts = urlsplit(url)
        path = parts.path.removeprefix("/api/v1/domains/demo/")
        self.asked.append((method, path, parse_qs(parts.query)))
        found = self.answers.get(path, self.answers.get(path.rpartition("/")[2]))
        if found is None:
            return 404, {"error": {"code": "NOT_FOUND", "message": f"There is no {path}.", "hint": "Look elsewhere."}}
        return (200, found) if not isinstance(found, tuple) else found


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """A Studio that the pages of this test read."""
    found = Studio()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            known = self.headers.get("authorization") == f"Bearer {TOKEN}"
            refusal = {"error": {"code": "UNAUTHENTICATED", "message": "Who is it?", "hint": "Send a token."}}
            status, body = found.answer(self.command, self.path) if known else (401, refusal)
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = _serve  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("STUDIO_API", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("STUDIO_TOKEN", TOKEN)
    monkeypatch.setenv("STUDIO_DOMAIN", "demo")
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def page(studio: Studio) -> Iterator[Callable[..., Any]]:
    """Runs a page of the app with query parameters."""
    import streamlit as st
    from streamlit.testing.v1 import AppTest

    from studio.dashboards.app import FOLDER

    def run_page(name: str, **query: str) -> Any:
        test = AppTest.from_file(str(FOLDER / f"{name}.py"), default_timeout=30)
        for key, value in query.items():
            test.query_params[key] = value
        return test.run()

    st.cache_data.clear()
    yield run_page
    st.cache_data.clear()
    st.cache_resource.clear()
