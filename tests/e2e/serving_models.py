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


def log_models(address: str, token: str, count: int = 5) -> None:
    """Registers rain 1 and 2 (trained on winters, with baseline); 3, which cannot be loaded; 4, which ends its process
    when it is loaded; 5, which ends it at a wind above 1000. `count`: only the first so many."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STUDIO_", "MLFLOW_"))}
    given = {"MLFLOW_TRACKING_URI": address, "MLFLOW_TRACKING_TOKEN": token}
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    command = [sys.executable, "-W", "ignore", "-c", _SCRIPT, str(DATA), ",".join(COLUMNS), str(count)]
    done = subprocess.run(command, env=kept | given | quiet, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
