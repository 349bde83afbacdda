"""Boosting, ONNX and PyTorch without mlflow: the same answers as mlflow.pyfunc's, rows joined where that is right."""

import importlib.util
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.guest.serving.models import Model, load
from studio.guest.serving.native import NativeModel
from tests.e2e.served_flavors import make
from tests.unit.guest.scored import mlflows, ours
from tests.unit.guest.test_replica_host import answers

NAMES = ["rain", "wind", "temp max", "days"]
random = np.random.default_rng(3)
ROWS = [[*map(float, random.normal(size=3)), int(random.integers(300))] for _ in range(7)]
# flavour → model → (numbers without names, rows joined)
EXPECTED = {
    "boosting": {
        "xgb-classifier": (True, True),
        "xgb-softprob": (True, True),
        "xgb-gblinear": (False, True),
        "lgb-classifier": (True, True),
        "lgb-booster": (True, True),
    },
    "onnx": {
        "onnx-two": (True, True),
        "onnx-tensor": (False, True),
        "onnx-mean": (True, False),
        "onnx-fixed": (True, False),
    },
    "pytorch": {"torch-table": (True, True), "torch-tensor": (False, True), "torch-mean": (True, False)},
}


class Made:
    """The models of a part, loaded by us and by MLflow."""

    def __init__(self, folder: Path, part: str) -> None:
        import mlflow.pyfunc

        self.folders = {path.name: path for path in make(folder, part).iterdir()}
        self.ours = {name: load(path) for name, path in self.folders.items()}
        self.theirs = {name: mlflow.pyfunc.load_model(str(path)) for name, path in self.folders.items()}


@pytest.fixture(scope="module", params=EXPECTED)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Made]:
    if request.param == "pytorch" and importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return request.param, Made(tmp_path_factory.mktemp(request.param), request.param)


def bodies(name: str) -> dict[str, bytes]:
    if "tensor" in name:
        rows = np.array(ROWS, dtype="float32").tolist()
        return {"row": dump({"inputs": rows[:1]}), "rows": dump({"instances": rows}), "wide": dump({"inputs": [[1.0]]})}
    records = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
    turned = {"columns": NAMES[::-1], "data": [row[::-1] for row in ROWS]}
    return {
        "row": dump({"dataframe_split": {"columns": NAMES, "data": ROWS[:1]}}),
        "rows": dump({"dataframe_split": {"columns": NAMES, "data": ROWS}}),
        "turned": dump({"dataframe_split": turned}),
        "records": dump({"dataframe_records": records}),
        "instances": dump({"instances": records}),
        "missing value": dump({"dataframe_records": [records[0] | {"rain": None}]}),
        "fraction": dump({"dataframe_records": [records[0] | {"days": 2.75}]}),
        "text": dump({"dataframe_records": [records[0] | {"days": "12", "rain": "0.5"}]}),
        "large": dump({"dataframe_records": [records[0] | {"days": 2**62 + 1}]}),
        "no number": dump({"dataframe_records": [records[0] | {"days": "many"}]}),
        "no days": dump({"dataframe_records": [records[0] | {"days": None}]}),
        "no column": dump({"dataframe_split": {"columns": NAMES[:3], "data": [row[:3] for row in ROWS]}}),
    }


def dump(document: Any) -> bytes:
    return json.dumps(document).encode()


def test_answers_are_mlflows_to_the_last_bit(made: tuple[str, Made]) -> None:
    part, models = made
    for name in EXPECTED[part]:
        for what, body in bodies(name).items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected, got = mlflows(models.theirs[name], body), ours(models.ours[name], body)
            if expected[0] == "error":
                assert got[0] == "error" or name == "onnx-fixed", (name, what, got)
            else:
                # MLflow writes the bare word NaN, which only Python reads.
                assert json.dumps(got[1]) == json.dumps(expected[1]).replace("NaN", "null"), (name, what)


def test_each_is_loaded_without_mlflow_and_batched_where_rows_stand_alone(made: tuple[str, Made]) -> None:
    part, models = made
    assert all(isinstance(model, NativeModel) for model in models.ours.values())
    assert {name: (model.arrays, model.row_wise) for name, model in models.ours.items()} == EXPECTED[part]
    assert {model.fast_path for model in models.ours.values()} == {
        "only scikit-learn's linear models and forests have one"
    }


@pytest.mark.filterwarnings("ignore")
async def test_what_arrives_together_is_answered_as_alone(made: tuple[str, Made]) -> None:
    part, models = made
    for name, (_, row_wise) in EXPECTED[part].items():
        model: Model = models.ours[name]
        body = (
            (lambda row: dump({"inputs": np.array([row], dtype="float32").tolist()}))
            if "tensor" in name
            else (lambda row: dump({"dataframe_split": {"columns": NAMES, "data": [row]}}))
        )
        together = await answers(model, *map(body, ROWS))
        alone = [(await answers(model, body(row)))[0] for row in ROWS]
        assert [status for status, _ in together] == [200] * len(ROWS)
        flat = [[part for _, said in group for part in numbers(said["predictions"])] for group in (together, alone)]
        assert flat[0] == pytest.approx(flat[1], rel=1e-5, abs=1e-7), (name, row_wise)


def numbers(value: Any) -> Any:
    """All numbers in an answer, in their order."""
    if isinstance(value, dict):
        return numbers(list(value.values()))
    return tuple(part for item in value for part in numbers(item)) if isinstance(value, list) else (value,)
