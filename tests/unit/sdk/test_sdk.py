"""The line of code, against a small Studio over real HTTP and a real MLflow store."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from studio.guest import sdk
from studio.guest.sdk.call import CallFailed
from studio.guest.sdk.data import in_volume, on_disk
from studio.guest.sdk.evaluation import _auc

Asked = list[tuple[str, str, Any]]


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[dict[str, Any], Asked]]:
    """(answers by path below the domain, what was asked)."""
    answers: dict[str, Any] = {}
    asked: Asked = []

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            path = self.path.removeprefix("/api/v1/domains/demo/")
            asked.append((self.command, path, json.loads(body) if body else None))
            refusal = {"error": {"code": "NOT_FOUND", "message": f"There is no {path}.", "hint": "Look elsewhere."}}
            found = answers.get(path.partition("?")[0])
            raw = json.dumps(refusal if found is None else found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    (tmp_path / "shared").mkdir()
    variables = {
        "STUDIO_API": f"http://127.0.0.1:{server.server_address[1]}",
        "STUDIO_TOKEN": "t",
        "STUDIO_DOMAIN": "demo",
        "STUDIO_USER": "ada",
        "STUDIO_SHARED": str(tmp_path / "shared"),
        "STUDIO_HOME_DIR": str(tmp_path / "home"),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    try:
        yield answers, asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


ENDPOINT = {"name": "rain", "state": "InService", "version": 1, "url": "http://x", "reason": ""}


def test_a_refusal_has_the_servers_words_and_no_frames(studio: tuple[dict[str, Any], Asked]) -> None:
    with pytest.raises(CallFailed) as refused:
        sdk.endpoint("absent")
    assert refused.value.status == 404
    assert refused.value._render_traceback_() == ["NOT_FOUND: There is no endpoints/absent.", "Look elsewhere."]


def test_deploy_waits_and_predict_sends_a_frame(studio: tuple[dict[str, Any], Asked]) -> None:
    import pandas as pd

    answers, asked = studio
    answers |= {"endpoints": ENDPOINT, "endpoints/rain": ENDPOINT}
    answers["endpoints/rain/invoke"] = {"answer": {"predictions": [1]}, "latency_ms": 1.0}
    rain = sdk.deploy("models:/rain@champion")
    assert rain.state == "InService"
    assert rain.predict(pd.DataFrame({"wind": [float("nan")]})) == [1]
    assert asked[0][2] == {"name": "rain", "model": "models:/rain@champion", "mode": "always", "capture": True}
    assert asked[-1][2] == {"dataframe_split": {"columns": ["wind"], "data": [[None]]}}


def test_a_failed_deploy_says_why(studio: tuple[dict[str, Any], Asked]) -> None:
    answers, _ = studio
    answers |= {"endpoints": ENDPOINT, "endpoints/rain": ENDPOINT | {"state": "Failed", "reason": "no model"}}
    with pytest.raises(CallFailed, match="no model"):
        sdk.deploy("models:/rain@champion")


def test_rows_of_an_alert_keep_their_ids(studio: tuple[dict[str, Any], Asked]) -> None:
    answers, _ = studio
    answers["alerts/a-1/rows"] = {"columns": ["wind"], "rows": [[1.0]], "row_ids": ["r1"], "code": ""}
    assert list(sdk.rows("a-1").index) == ["r1"]


def test_labels_go_with_captured_rows(studio: tuple[dict[str, Any], Asked]) -> None:
    import pandas as pd

    answers, asked = studio
    answers["endpoints/rain/ground-truth"] = {"accepted": 2}
    said = pd.DataFrame({"id": ["req.7.0", "b.3"], "label": [float("nan"), 1.0], "wind": [1, 2]})
    assert sdk.ground_truth("rain", said) == 2
    wanted = [{"inference_id": "req.7", "row": 0, "label": None}, {"inference_id": "b", "row": 3, "label": 1.0}]
    assert asked[-1] == ("POST", "endpoints/rain/ground-truth", {"rows": wanted})
    sdk.ground_truth("rain", [{"inference_id": "a", "label": "dry"}] * 10_001)
    assert [len(body["rows"]) for _, _, body in asked[-2:]] == [10_000, 1]
    for wrong in ({"id": "a.0"}, {"label": 1}, {"id": "", "label": 1}):
        with pytest.raises(CallFailed, match="Row 0"):
            sdk.ground_truth("rain", [wrong])
    answers["alerts/a-1/rows"] = {"columns": ["wind"], "rows": [[1.0]], "row_ids": ["r"], "truth": ["dry"], "code": ""}
    assert list(sdk.rows("a-1").columns) == ["wind", "truth"]


def test_a_name_never_becomes_another_path(studio: tuple[dict[str, Any], Asked]) -> None:
    _, asked = studio
    with pytest.raises(CallFailed):
        sdk.endpoint("../members?x=1")
    assert asked[0][1] == "endpoints/..%2Fmembers%3Fx%3D1"


def test_paths_of_the_volume(studio: tuple[dict[str, Any], Asked], tmp_path: Path) -> None:
    assert in_volume(tmp_path / "shared" / "data" / "x.csv") == "shared/data/x.csv"
    assert in_volume(tmp_path / "home" / "x.csv") == "ada/x.csv"
    assert on_disk("ada/x.csv") == tmp_path / "home" / "x.csv"
    for outside in ("/etc/passwd", tmp_path / "shared" / ".." / "x.csv"):
        with pytest.raises(CallFailed):
            in_volume(outside)
    with pytest.raises(CallFailed):
        on_disk("eve/x.csv")


def test_auc_is_scikit_learns_with_ties() -> None:
    from sklearn.metrics import roc_auc_score

    truth = [True, False, True, True, False, False, True]
    scores = [0.9, 0.5, 0.5, 0.7, 0.7, 0.1, 0.5]
    assert _auc(truth, scores) == pytest.approx(roc_auc_score(truth, scores))


class Logged:
    """The four calls of mlflow that evaluation makes."""

    def __init__(self) -> None:
        self.metrics: dict[str, float] = {}
        self.texts: dict[str, str] = {}

    def log_metrics(self, metrics: dict[str, float]) -> None:
        self.metrics |= metrics

    def log_text(self, text: str, path: str) -> None:
        self.texts[path] = text


def test_evaluation_keeps_every_row_with_its_score(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np
    import pandas as pd

    from studio.guest.sdk import evaluation

    logged = Logged()
    monkeypatch.setattr(evaluation, "_active_run", lambda: logged)
    rows = pd.DataFrame({"wind": [1.0, float("nan"), 3.0]}, index=["a", "b", "c"])
    metrics = sdk.evaluate(np.array([0.9, 0.2, 0.4]), rows, np.array([1, 0, 1]), positive=1)
    body = json.loads(logged.texts["studio/evaluation.json"])
    assert body["row_ids"] == ["a", "b", "c"] and body["rows"] == [[1.0], [None], [3.0]]
    assert body["y_true"] == [1, 0, 1] and body["positive_label"] == 1 and body["threshold"] == 0.5
    assert (
        metrics
        == logged.metrics
        == pytest.approx({"auc": 1.0, "accuracy": 2 / 3, "precision": 1.0, "recall": 0.5, "f1": 2 / 3})
    )
    with pytest.raises(CallFailed, match="3 classes"):
        sdk.evaluate([0.1, 0.2, 0.3], rows, [0, 1, 2])


def test_baseline_is_the_training_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    import pandas as pd

    from studio.guest.sdk import evaluation

    logged = Logged()
    monkeypatch.setattr(evaluation, "_active_run", lambda: logged)
    sdk.log_baseline(pd.DataFrame({"wind": range(30_000)}))
    assert len(logged.texts["studio/baseline.csv"].splitlines()) == evaluation.MAX_ROWS + 1


def test_packages_are_added_to_the_environment_this_runs_in(
    studio: tuple[dict[str, Any], Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, asked = studio
    monkeypatch.setenv("STUDIO_ENVIRONMENT", "sklearn")
    made = {"name": "demo-sklearn", "state": "Queued", "error": ""}
    answers["environments/sklearn/packages"] = made
    answers["environments/demo-sklearn"] = made | {"state": "Ready"}
    assert sdk.add_packages("polars", "scipy>=1") == "demo-sklearn"
    assert asked[0] == ("POST", "environments/sklearn/packages", {"packages": ["polars", "scipy>=1"]})
    assert asked[1] == ("GET", "environments/demo-sklearn?wait_s=20", None)
    answers["environments/demo-sklearn"] = made | {"state": "Failed", "error": "No solution found."}
    with pytest.raises(CallFailed, match="No solution found"):
        sdk.add_packages("polars==99")
    assert sdk.add_packages("polars==99", wait=False) == "demo-sklearn"
