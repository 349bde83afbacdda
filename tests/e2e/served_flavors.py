"""Models of MLflow's other flavours, logged by mlflow, for serving tests: boosting, ONNX, PyTorch."""

import subprocess
import sys
from pathlib import Path

# In a process of its own: their imports start threads and warn.
_HEAD = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow, numpy as np, pandas as pd
from mlflow.models import infer_signature
folder = sys.argv[1]
random = np.random.default_rng(7)
X = pd.DataFrame(random.normal(size=(200, 3)), columns=["rain", "wind", "temp max"])
X["days"] = random.integers(0, 300, size=200)
y = X["rain"] * 2 + X["wind"] * 3 + X["temp max"] * 5 + X["days"] / 100
classes = pd.cut(y, [-np.inf, -3, 4, np.inf], labels=False)
bare, given = X.to_numpy(), X.head(5)
def about(example, answers):
    # Requirements that are given need not be found out by loading each model once more.
    return {"signature": infer_signature(example, answers), "input_example": example, "pip_requirements": ["mlflow"]}
"""

_BOOSTING = """
import lightgbm, xgboost
few = {"n_estimators": 12, "max_depth": 3}
def sk(flavour, name, model, target, **more):
    model.fit(X, target)
    getattr(mlflow, flavour).save_model(model, f"{folder}/{name}", **about(given, model.predict(given)), **more)
sk("xgboost", "xgb-classifier", xgboost.XGBClassifier(**few), classes)
sk("lightgbm", "lgb-classifier", lightgbm.LGBMClassifier(**few, verbose=-1), classes,
   serialization_format="cloudpickle")
booster = xgboost.train({"objective": "multi:softprob", "num_class": 3, "max_depth": 3},
                        xgboost.DMatrix(X, classes), 12)
mlflow.xgboost.save_model(booster, f"{folder}/xgb-softprob", **about(given, booster.predict(xgboost.DMatrix(given))))
linear = xgboost.train({"booster": "gblinear", "nthread": 1}, xgboost.DMatrix(X, y), 5)
mlflow.xgboost.save_model(linear, f"{folder}/xgb-gblinear", **about(given, linear.predict(xgboost.DMatrix(given))))
booster = lightgbm.train({"objective": "multiclass", "num_class": 3, "verbose": -1, "max_depth": 3},
                         lightgbm.Dataset(X, classes), 12)
mlflow.lightgbm.save_model(booster, f"{folder}/lgb-booster", **about(given, booster.predict(given)))
"""

_ONNX = """
import onnx
from onnx import TensorProto, helper
def graph(nodes, outputs, weights, rows="rows", width=4, kind=TensorProto.FLOAT):
    made = helper.make_graph(nodes, "made", [helper.make_tensor_value_info("x", kind, [rows, width])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [rows, size]) for name, size in outputs],
        [helper.make_tensor(name, TensorProto.FLOAT, value.shape, value.ravel()) for name, value in weights.items()
         if any(name in node.input for node in nodes)])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
weights = {"w": random.normal(size=(4, 1)).astype("float32"), "b": np.ones(1, "float32")}
dense = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["y"])]
mean = [*dense[:1], helper.make_node("ReduceMean", ["m"], ["r"], axes=[0], keepdims=1),
        helper.make_node("Sub", ["m", "r"], ["y"])]
two = [*dense, helper.make_node("Sigmoid", ["y"], ["p"])]
table = about(given, pd.DataFrame({"y": y.head(5)}))
single = bare[:5].astype("float32")
tensor = about(single, {"y": single[:, :1]})
mlflow.onnx.save_model(graph(two, [("y", 1), ("p", 1)], weights), f"{folder}/onnx-two", **table)
mlflow.onnx.save_model(graph(dense, [("y", 1)], weights), f"{folder}/onnx-tensor", **tensor)
mlflow.onnx.save_model(graph(mean, [("y", 1)], weights), f"{folder}/onnx-mean", **table)
mlflow.onnx.save_model(graph(dense, [("y", 1)], weights, rows=1), f"{folder}/onnx-fixed",
                       **about(given.head(1), pd.DataFrame({"y": y.head(1)})))
"""

_PYTORCH = """
import torch
torch.manual_seed(7)
net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
single = bare[:5].astype("float32")
answers = net(torch.from_numpy(single)).detach().numpy()
def save(model, name, example, given):
    mlflow.pytorch.save_model(model, f"{folder}/{name}", serialization_format="pickle", **about(example, given))
save(net, "torch-table", given, pd.DataFrame(answers))
save(net, "torch-tensor", single, answers)
mean = torch.nn.Sequential(torch.nn.Linear(4, 1), torch.nn.Softmax(dim=0))
save(mean, "torch-mean", given, pd.DataFrame(answers[:, :1]))
"""

_PARTS = {"boosting": _BOOSTING, "onnx": _ONNX, "pytorch": _PYTORCH}


def make(folder: Path, part: str) -> Path:
    """Folders of the models of `part` (boosting, onnx or pytorch) below `folder`."""
    command = [sys.executable, "-c", _HEAD + _PARTS[part], str(folder)]
    done = subprocess.run(command, timeout=300, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder
