"""Real models, logged by mlflow, for serving tests."""

import pickle
import subprocess
import sys
from pathlib import Path

# In a process of its own: mlflow's import is slow and warns.
_MAKE = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow, numpy as np, pandas as pd
from mlflow.models import infer_signature
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
folder = sys.argv[1]
random = np.random.default_rng(7)
X = pd.DataFrame(random.normal(size=(200, 3)), columns=["rain", "wind", "temp max"])
y = X["rain"] * 2 + X["wind"] * 3 + X["temp max"] * 5
def save(model, name, example, answers, **more):
    mlflow.sklearn.save_model(model, f"{folder}/{name}", signature=infer_signature(example, answers),
                              input_example=example, pip_requirements=["scikit-learn"], **more)
linear = make_pipeline(StandardScaler(), LinearRegression()).fit(X, y)
save(linear, "linear", X.head(3), linear.predict(X.head(3)))
save(make_pipeline(StandardScaler(), LinearRegression()).fit(X, -y), "negated", X.head(3), y.head(3).to_numpy())
classes = (y > 0).astype("int64")
proba = LogisticRegression().fit(X, classes)
save(proba, "proba", X.head(3), proba.predict_proba(X.head(3)), pyfunc_predict_fn="predict_proba",
     serialization_format="cloudpickle")
bare = LinearRegression().fit(X.to_numpy(), y)
save(bare, "tensor", X.head(3).to_numpy(), bare.predict(X.head(3).to_numpy()))
mixed = pd.DataFrame({"city": ["Oslo", "Rome"] * 50, "days": np.arange(100), "dry": [True, False] * 50})
mixed["mm"] = random.normal(size=100)
encoder = ColumnTransformer([("city", OneHotEncoder(handle_unknown="ignore"), ["city"])], remainder="passthrough")
model = make_pipeline(encoder, LinearRegression()).fit(mixed, np.arange(100.0))
save(model, "mixed", mixed.head(3), model.predict(mixed.head(3)))
mlflow.sklearn.save_model(bare, f"{folder}/unsigned", pip_requirements=["scikit-learn"])
class Foreign(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        words = [f"rain {value}" for value in model_input["rain"]]
        return pd.DataFrame({"sum": model_input.sum(axis=1), "word": words})
mlflow.pyfunc.save_model(f"{folder}/foreign", python_model=Foreign(), input_example=X.head(3),
                         signature=infer_signature(X.head(3), Foreign().predict(None, X.head(3))),
                         pip_requirements=["cloudpickle"])
"""


def make(folder: Path) -> Path:
    """Folders linear, negated, proba, tensor, mixed, unsigned, foreign below `folder`."""
    subprocess.run([sys.executable, "-c", _MAKE, str(folder)], check=True, timeout=300, capture_output=True)
    return folder


_BY_HAND = """
flavors:
  python_function: {loader_module: mlflow.sklearn, model_path: model.pkl, predict_fn: predict}
  sklearn: {pickled_model: model.pkl, serialization_format: pickle}
signature:
  inputs: '[{"type": "double", "name": "a"}, {"type": "double", "name": "b"}]'
"""


def make_by_hand(folder: Path) -> Path:
    """A model 2a + 3b in `folder`, without mlflow, whose import takes seconds."""
    import numpy as np
    from sklearn.linear_model import LinearRegression

    rows = np.random.default_rng(3).normal(size=(50, 2))
    folder.mkdir(exist_ok=True)
    (folder / "MLmodel").write_text(_BY_HAND)
    (folder / "model.pkl").write_bytes(pickle.dumps(LinearRegression().fit(rows, rows @ [2.0, 3.0])))
    return folder
