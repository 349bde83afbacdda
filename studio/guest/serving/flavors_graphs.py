"""ONNX and PyTorch models, as `mlflow.onnx` and `mlflow.pytorch` load and ask them. Nobody knows of a graph whether it
takes each row by itself: that is tried with the example."""

import importlib
from typing import Any

from studio.guest.serving.mlmodel import MLModel
from studio.guest.serving.native import Predictor, cores
from studio.guest.serving.outputs import Named


def onnx(described: MLModel, given: dict[str, Any]) -> Predictor | None:
    """One session on the CPU; MLflow itself where the model names providers of its own."""
    import onnxruntime

    if described.predict_fn != "predict" or set(given.get("providers") or [_CPU]) - {_CPU, *_GPUS}:
        return None
    if set(onnxruntime.get_available_providers()) & set(_GPUS):
        return None
    options = _options(onnxruntime, given.get("onnx_session_options") or {})
    path = described.folder / str(described.flavors["python_function"].get("data") or given.get("data"))
    session = onnxruntime.InferenceSession(str(path), providers=[_CPU], sess_options=options)
    return _of_session(session)


_CPU = "CPUExecutionProvider"
_GPUS = ("CUDAExecutionProvider", "TensorrtExecutionProvider")


def _options(onnxruntime: Any, given: dict[str, Any]) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = given.get("intra_op_num_threads") or cores()
    options.inter_op_num_threads = given.get("inter_op_num_threads") or 1
    # Threads that wait by spinning would take the cores of the neighbours.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if level := given.get("graph_optimization_level"):
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel(level)
    for name, value in (given.get("extra_session_config") or {}).items():
        options.add_session_config_entry(name, value)
    return options


def _of_session(session: Any) -> Predictor:
    import numpy

    inputs = [(item.name, item.type) for item in session.get_inputs()]
    outputs = [item.name for item in session.get_outputs()]
    singles = {name for name, kind in inputs if kind == "tensor(float)"}

    def run(feeds: dict[str, Any]) -> list[Any]:
        for name in singles:
            if feeds[name].dtype == numpy.float64:
                feeds[name] = feeds[name].astype(numpy.float32)
        found: list[Any] = session.run(outputs, feeds)
        return found

    def flat(found: list[Any]) -> Named:
        # As MLflow puts each output into one column of a table.
        return Named(
            {name: numpy.asarray(part).reshape(-1) for name, part in zip(outputs, found, strict=True)}, records=True
        )

    def table(data: Any) -> Any:
        if not hasattr(data, "iloc"):
            if len(inputs) != 1:
                raise ValueError(f"the model has the inputs {[name for name, _ in inputs]}, it was given one array")
            found = run({inputs[0][0]: data})
            return Named({name: numpy.asarray(part) for name, part in zip(outputs, found, strict=True)}, records=False)
        if len(inputs) > 1:
            return flat(run({name: data[name].to_numpy() for name, _ in inputs}))
        return flat(run({inputs[0][0]: data.to_numpy()}))

    def matrix(data: Any) -> Any:
        return flat(run({inputs[0][0]: data}))

    return Predictor("onnx", table, matrix if len(inputs) == 1 else None)


def pytorch(described: MLModel, given: dict[str, Any]) -> Predictor | None:
    """A module on the CPU; MLflow itself where a gpu is, or where the model is of another kind."""
    import torch

    path = described.folder / str(given.get("model_data"))
    if described.predict_fn != "predict" or torch.cuda.is_available() or not (path / "model.pth").is_file():
        return None
    module_name = (path / "pickle_module_info.txt").read_text().strip()
    pickle = importlib.import_module(module_name)
    model = torch.load(path / "model.pth", map_location="cpu", pickle_module=pickle, weights_only=False)
    if type(model).__module__.startswith("pytorch_forecasting"):
        return None
    return _of_module(torch, model)


def _of_module(torch: Any, model: Any) -> Predictor:
    import numpy

    torch.set_num_threads(cores())
    model.eval()
    model.to(device="cpu")

    def ask(data: Any) -> Any:
        with torch.no_grad():
            found = model(torch.from_numpy(data).to("cpu"))
        if not isinstance(found, torch.Tensor):
            raise TypeError(f"the model gives a {type(found).__name__}, where one tensor can be answered")
        return found.numpy()

    def rows(data: Any) -> Any:
        found = ask(data)
        if found.ndim not in (1, 2):
            raise ValueError(f"the model gives an array of shape {found.shape}, which is no table of rows")
        # As MLflow makes a table of them, whose columns are numbered.
        return Named({str(at): column for at, column in enumerate(numpy.atleast_2d(found.T))}, records=True)

    def table(data: Any) -> Any:
        return rows(data.to_numpy(dtype=numpy.float32)) if hasattr(data, "iloc") else ask(data)

    def matrix(data: Any) -> Any:
        # Column by column in memory, as pandas keeps a table: sums over it end in the same bits.
        return rows(data.astype(numpy.float32, order="F"))

    return Predictor("pytorch", table, matrix)
