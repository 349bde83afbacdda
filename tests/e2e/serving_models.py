"""Models for the tests of serving and monitoring: logged by the real mlflow client, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "assets" / "data" / "seattle-weather.csv"
COLUMNS = ["precipitation", "temp_max", "temp_min", "wind"]

_SCRIPT = """
import sys
import mlflow, pandas
from sklearn.linear_model import LogisticRegression

data, columns = pandas.read_csv(sys.argv[1]), sys.argv[2].split(",")
inputs = data[columns].astype(float)
rain = (data["precipitation"].shift(-1) > 0).astype(int)
winter = pandas.to_datetime(data["date"]).dt.month.isin([11, 12, 1, 2])

class Corrupt(LogisticRegression):
    def __setstate__(self, state):
        raise RuntimeError("the weights are corrupt")

class Mute(LogisticRegression):
    def __setstate__(self, state):
        import os
        if "STUDIO_SANDBOX" in os.environ:
            os._exit(7)
        self.__dict__.update(state)

class Fragile(LogisticRegression):
    def predict(self, rows):
        import os
        if rows["wind"].max() > 1000:
            os._exit(7)
        return super().predict(rows)

mlflow.set_experiment("serving tests")
good = [LogisticRegression(C=1.0, max_iter=500), LogisticRegression(C=0.001, max_iter=500)]
for model in (*good, Corrupt(), Mute(), Fragile())[: int(sys.argv[3])]:
    with mlflow.start_run():
        model.fit(inputs[winter], rain[winter])
        mlflow.log_text(inputs[winter].to_csv(index=False), "studio/baseline.csv")
        mlflow.sklearn.log_model(model, name="model", input_example=inputs[winter].head(3),
            registered_model_name="rain", serialization_format="cloudpickle",
            pip_requirements=["scikit-learn", "cloudpickle"])
"""

# SageMaker's layout: a script and what it needs, packed, no MLmodel anywhere.
_PACKED = """
import io, sys, tarfile
import mlflow

code = \"\"\"
import json, os, pathlib

def model_fn(model_dir):
    assert "STUDIO_SANDBOX" in os.environ, "models are loaded in sandboxes only"
    return json.loads(pathlib.Path(model_dir, "weights.json").read_text())

def predict_fn(rows, weights):
    return rows @ weights
\"\"\"
client = mlflow.MlflowClient()
client.create_registered_model("packed")
mlflow.set_experiment("serving tests")
for more in ({}, {"code/requirements.txt": "no-such-package==1.0"}, {"code/inference.py": "import no_such_module"}):
    files = {"code/inference.py": code, "weights.json": "[1, 2, 3, 4]"} | more
    with tarfile.open("model.tar.gz", "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    with mlflow.start_run() as run:
        mlflow.log_artifact("model.tar.gz", "packed")
    client.create_model_version("packed", f"{run.info.artifact_uri}/packed", run.info.run_id)
"""


def log_models(address: str, token: str, count: int = 5) -> None:
    """Registers rain 1 and 2 (trained on winters, with baseline); 3, which cannot be loaded; 4, which ends its process
    when it is loaded; 5, which ends it at a wind above 1000. `count`: only the first so many."""
    _run(address, token, _SCRIPT, str(DATA), ",".join(COLUMNS), str(count))


def log_scripts(address: str, token: str, folder: Path) -> None:
    """Registers packed 1, a model.tar.gz with an inference.py that weighs its columns by 1 to 4; 2, whose requirements
    no environment has; 3, which imports what there is not."""
    _run(address, token, _PACKED, folder=folder)


def _run(address: str, token: str, script: str, *given: str, folder: Path | None = None) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STUDIO_", "MLFLOW_"))}
    client = {"MLFLOW_TRACKING_URI": address, "MLFLOW_TRACKING_TOKEN": token}
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    command = [sys.executable, "-W", "ignore", "-c", script, *given]
    done = subprocess.run(command, env=kept | client | quiet, capture_output=True, text=True, timeout=300, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
