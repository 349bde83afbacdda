"""A run with everything that its page shows, logged by the ordinary client into a running Studio."""

import contextlib
import json
import math
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.live import Live

QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet"}
COLUMNS = ["wind", "temp_max", "season"]
MLMODEL = """artifact_path: model
flavors:
  python_function: {{env: {{conda: conda.yaml, virtualenv: python_env.yaml}}, loader_module: mlflow.sklearn,
    python_version: 3.11.2}}
  sklearn: {{pickled_model: model.skops, serialization_format: skops, sklearn_version: {sklearn}}}
mlflow_version: 3.17.2
saved_input_example_info: {{artifact_path: input_example.json, pandas_orient: split, type: dataframe}}
signature:
  inputs: '{inputs}'
  outputs: '[{{"type": "long", "required": true}}]'
  params: null
utc_time_created: '2026-11-20 09:12:44.120000'
"""


@contextlib.contextmanager
def client(live: Live) -> Iterator[Any]:
    """`mlflow` set up as it is outside of Studio, with an access key."""
    import mlflow

    token = live.key("demo", _operator(live))
    before = {name: os.environ.get(name) for name in (*QUIET, "MLFLOW_TRACKING_TOKEN")}
    os.environ.update(QUIET, MLFLOW_TRACKING_TOKEN=token)
    address = live.address
    mlflow.set_tracking_uri(address)
    mlflow.set_registry_uri(address)
    try:
        yield mlflow
    finally:
        mlflow.end_run()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _operator(live: Live) -> str:
    with live.operator() as api:
        return str(api.get("session")["user"])


def log(
    live: Live, folder: Path, name: str = "boosting-deep", version: str = "1.7.0", extra: str = ""
) -> tuple[str, int]:
    """(run id, version): a run with curves, parameters, a data set, files of every kind and a note, registered as
    `storm-warning`."""
    with client(live) as mlflow:
        mlflow.set_experiment("storm-warning")
        with mlflow.start_run(run_name=name) as run:
            _figures(mlflow, shift=len(extra))
            mlflow.set_tags({"team": "weather", "stage": "candidate", "mlflow.source.git.commit": "4f2c9be1d0a7"})
            mlflow.set_tag("mlflow.note.content", NOTE)
            _data_set(mlflow, run.info.run_id)
            mlflow.log_artifacts(str(_files(folder)))
            version_number = _model(mlflow, folder / "model", run.info, version, extra)
    return run.info.run_id, version_number


def _figures(mlflow: Any, shift: int) -> None:
    params = {f"param_{n:02d}": n * 10 for n in range(12)}
    mlflow.log_params({"model": "boosting", "learning_rate": 0.05 + shift / 1000, "max_depth": 6 + shift, **params})
    for step in range(40):
        mlflow.log_metric("loss", 0.7 * math.exp(-step / (12 + shift)) + 0.02 * math.sin(step), step=step)
        mlflow.log_metric("val_auc", 0.6 + 0.2 * (1 - math.exp(-step / 9)), step=step)
    mlflow.log_metrics({"auc": 0.7991 + shift / 500, "accuracy": 0.7512, "f1": 0.7304, "recall": 0.7123 - shift / 300})


def _data_set(mlflow: Any, run_id: str) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    used = Dataset("seattle-weather", "9f0c2b7d", "local", json.dumps({"uri": "shared/seattle-weather.csv"}))
    context = InputTag("mlflow.data.context", "training")
    mlflow.MlflowClient().log_inputs(run_id, [DatasetInput(used, [context])])


def _model(mlflow: Any, folder: Path, run: Any, version: str, extra: str) -> int:
    made = mlflow.MlflowClient()
    inputs = [{"name": column, "type": "double", "required": True} for column in (*COLUMNS[:2], *extra.split())]
    folder.mkdir()
    (folder / "MLmodel").write_text(MLMODEL.format(sklearn=version, inputs=json.dumps(inputs)))
    (folder / "requirements.txt").write_text(f"mlflow==3.17.2\nscikit-learn=={version}\nnumpy==2.3.1\npandas==2.3.0\n")
    (folder / "conda.yaml").write_text("name: mlflow-env\ndependencies:\n- python=3.11.2\n- pip\n")
    example = {"columns": COLUMNS[:2], "data": [[3.4, 17.2], [5.1, 9.9]]}
    (folder / "input_example.json").write_text(json.dumps(example))
    (folder / "model.skops").write_bytes(bytes(range(256)) * (40 + len(extra)))
    logged = made.create_logged_model(run.experiment_id, "model", source_run_id=run.run_id)
    made.log_model_artifacts(logged.model_id, str(folder))
    made.finalize_logged_model(logged.model_id, "READY")
    with contextlib.suppress(mlflow.exceptions.MlflowException):
        made.create_registered_model("storm-warning", description="Warns of *storms* a day ahead.")
    source = f"models:/{logged.model_id}"
    return int(made.create_model_version("storm-warning", source, run.run_id, model_id=logged.model_id).version)


def _files(folder: Path) -> Path:
    root = folder / "files"
    for name, data in {
        "plots/confusion_matrix.png": png(),
        "plots/roc.svg": SVG.encode(),
        "plots/report.html": HTML.encode(),
        "tables/errors.csv": _csv().encode(),
        "tables/eval_results_table.json": json.dumps({"columns": COLUMNS, "data": [[1.5, 20, "winter"]] * 30}).encode(),
        "notes/README.md": NOTE.encode(),
        "config.json": json.dumps({"trees": 60, "split": {"seed": 7, "folds": [1, 2, 3]}}).encode(),
        "train.log": "".join(f"round {n}: loss {0.7 - n / 100:.3f}\n" for n in range(60)).encode(),
    }.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return root


def _csv() -> str:
    lines = [f'{n / 3:.2f},{n},"day {n}, {"wet" if n % 2 else "dry"}"' for n in range(200)]
    return "\n".join([",".join(COLUMNS), *lines]) + "\n"


def png(size: int = 240) -> bytes:
    """A confusion matrix of four squares."""
    shades = [bytes(shade) for shade in ((33, 102, 172), (214, 226, 240), (226, 234, 243), (67, 124, 184))]
    half = size // 2
    upper, lower = (b"\0" + left * half + right * half for left, right in (shades[:2], shades[2:]))
    rows = upper * half + lower * half
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    made = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + made


SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 240" width="480">
<rect width="320" height="240" fill="#fff"/>
<path d="M30 210V20M30 210H300" stroke="#555" fill="none"/><path d="M30 210C60 90 120 50 300 24" stroke="#1f77b4"
stroke-width="3" fill="none"/><path d="M30 210 300 24" stroke="#bbb" stroke-dasharray="4 4"/></svg>"""
HTML = """<!doctype html>
<style>body{font:14px sans-serif;margin:24px}td{padding:4px 16px;border-bottom:1px solid #ddd}</style>
<h1>Evaluation</h1><p id="said">The figures of the test set.</p><table><tr><td>AUC</td><td>0.799</td></tr>
<tr><td>Recall</td><td>0.712</td></tr></table>
<script>document.getElementById("said").textContent = "Scripts ran.";</script>"""
NOTE = """## Deeper trees

Depth **6** instead of 3: better on *winter* days, slower to train.

- recall of storms rose from 0.66 to **0.71**
- the four misses are all in `2014-11`

| depth | auc | recall |
|---|---|---|
| 3 | .771 | .66 |
| 6 | .799 | .71 |
"""
