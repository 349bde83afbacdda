"""The host's answers beside MLflow's own scoring server, on the same bodies and models."""

import json
import math
import warnings
from pathlib import Path
from typing import Any

import msgspec
import pytest

from studio.guest.serving import answers
from studio.guest.serving.forms import Mlflow
from studio.guest.serving.inputs import media_type
from studio.guest.serving.models import Model, load
from studio.guest.serving.native import NativeModel
from studio.guest.serving.problems import BadInput, CannotLoad
from studio.guest.serving.pyfunc import PyfuncModel
from tests.e2e.served_models import make
from tests.unit.guest.scored import mlflows, ours

JSON = "application/json"
SPLIT = {"columns": ["rain", "wind", "temp max"], "data": [[1.0, 2.0, 3.0], [4.5, -1, 0]]}
MIXED = {"columns": ["city", "days", "dry", "mm"], "data": [["Oslo", 3, True, 0.5], ["Bonn", 4, False, None]]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def models(folder: Path) -> dict[str, Model]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {path.name: load(path) for path in folder.iterdir()}


@pytest.fixture(scope="module")
def theirs(folder: Path) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.pyfunc

        return {path.name: mlflow.pyfunc.load_model(str(path)) for path in folder.iterdir()}


def dump(document: Any) -> bytes:
    return json.dumps(document).encode()


ROWS = [dict(zip(SPLIT["columns"], row, strict=True)) for row in SPLIT["data"]]
MIXED_ROWS = [dict(zip(MIXED["columns"], row, strict=True)) for row in MIXED["data"]]
COLUMNS = {name: [row[name] for row in ROWS] for name in SPLIT["columns"]}
CASES: list[tuple[str, bytes, str]] = [
    ("linear", dump({"dataframe_split": SPLIT}), JSON),
    ("linear", dump({"dataframe_split": SPLIT | {"index": [7, 8]}}), JSON),
    ("linear", dump({"dataframe_split": SPLIT | {"index": [7]}}), JSON),
    (
        "linear",
        dump({"dataframe_split": {"columns": SPLIT["columns"][::-1], "data": [r[::-1] for r in SPLIT["data"]]}}),
        JSON,
    ),
    ("linear", dump({"dataframe_split": {"columns": [*SPLIT["columns"], "more"], "data": [[1, 2, 3, "x"]]}}), JSON),
    ("linear", dump({"dataframe_split": {"columns": ["rain", "wind"], "data": [[1, 2]]}}), JSON),
    ("linear", dump({"dataframe_split": {"columns": SPLIT["columns"], "data": [["1", "2.5", 3]]}}), JSON),
    ("linear", dump({"dataframe_split": {"columns": SPLIT["columns"], "data": [["dry", 2, 3]]}}), JSON),
    ("linear", dump({"dataframe_split": {"columns": SPLIT["columns"], "data": [[1, 2, None]]}}), JSON),
    ("linear", dump({"dataframe_split": {"columns": SPLIT["columns"], "data": [[1, 2, 3], [1, 2]]}}), JSON),
    ("linear", dump({"dataframe_split": {"columns": SPLIT["columns"], "data": [[[1], [2], [3]]]}}), JSON),
    ("linear", dump({"dataframe_split": {"data": [[1, 2, 3]]}}), JSON),
    ("linear", dump({"dataframe_split": SPLIT | {"other": 1}}), JSON),
    ("linear", dump({"dataframe_split": [1, 2]}), JSON),
    ("linear", b'{"dataframe_split": {"columns": ["rain", "wind", "temp max"], "data": [[NaN, 1, 2]]}}', JSON),
    ("linear", dump({"dataframe_split": SPLIT, "params": {"a": 1}}), JSON),
    ("linear", dump({"dataframe_records": ROWS}), JSON),
    ("linear", dump({"dataframe_records": ROWS[0]}), JSON),
    ("linear", dump({"dataframe_records": [{"rain": 1}]}), JSON),
    ("linear", dump({"instances": ROWS}), JSON),
    ("linear", dump({"instances": SPLIT["data"]}), JSON),
    ("linear", dump({"instances": [{"rain": 1, "wind": 2}, {"rain": 1, "wind": 2, "temp max": 3}]}), JSON),
    ("linear", dump({"inputs": COLUMNS}), JSON),
    ("linear", dump({"inputs": ROWS}), JSON),
    ("linear", dump({"inputs": ROWS[0]}), JSON),
    ("linear", dump({"inputs": COLUMNS | {"rain": [1]}}), JSON),
    ("linear", dump({"inputs": COLUMNS, "instances": ROWS}), JSON),
    ("linear", dump({"rows": ROWS}), JSON),
    ("linear", dump(ROWS), JSON),
    ("linear", b"", JSON),
    ("linear", b"{", JSON),
    ("linear", b"\xff\xfe", JSON),
    ("linear", b"rain,wind,temp max\n1,2,3\n4.5,-1,0\n", "text/csv"),
    ("linear", b"rain,wind,temp max\n1,2,\n", "text/csv; charset=utf-8"),
    ("linear", b"rain,wind,temp max\n1,2,warm\n", "text/csv"),
    ("linear", b"rain,wind\n1,2\n", "text/csv"),
    ("linear", b"<x/>", "text/xml"),
    ("linear", dump({"dataframe_split": SPLIT}), "application/json; charset=latin-1"),
    ("proba", dump({"dataframe_split": SPLIT}), JSON),
    ("proba", dump({"inputs": COLUMNS}), JSON),
    ("tensor", dump({"inputs": SPLIT["data"]}), JSON),
    ("tensor", dump({"instances": SPLIT["data"]}), JSON),
    ("tensor", dump({"inputs": [[1, 2]]}), JSON),
    ("tensor", dump({"inputs": [1, 2, 3]}), JSON),
    ("tensor", dump({"inputs": [["a", 2, 3]]}), JSON),
    ("tensor", dump({"dataframe_split": SPLIT}), JSON),
    ("mixed", dump({"dataframe_split": {**MIXED, "data": MIXED["data"][:1]}}), JSON),
    ("mixed", dump({"dataframe_records": MIXED_ROWS[:1]}), JSON),
    ("mixed", dump({"instances": MIXED_ROWS[:1]}), JSON),
    ("mixed", dump({"inputs": {k: [v] for k, v in MIXED_ROWS[0].items()}}), JSON),
    ("mixed", dump({"inputs": MIXED_ROWS[0]}), JSON),
    ("mixed", dump({"dataframe_split": MIXED}), JSON),
    ("mixed", dump({"dataframe_records": [MIXED_ROWS[0] | {"days": 2.0}]}), JSON),
    ("mixed", dump({"dataframe_records": [MIXED_ROWS[0] | {"days": None}]}), JSON),
    ("mixed", dump({"dataframe_records": [MIXED_ROWS[0] | {"days": "many"}]}), JSON),
    ("mixed", dump({"dataframe_records": [MIXED_ROWS[0] | {"city": 5}]}), JSON),
    ("mixed", b"city,days,dry,mm\nOslo,3,True,0.5\n", "text/csv"),
    ("mixed", b"city,days,dry,mm\nOslo,,True,0.5\n", "text/csv"),
    ("unsigned", dump({"inputs": SPLIT["data"]}), JSON),
    ("unsigned", dump({"instances": SPLIT["data"]}), JSON),
    ("unsigned", dump({"dataframe_split": {"data": SPLIT["data"]}}), JSON),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[1][:70].decode('latin-1')}")
def test_answer_is_mlflows(case: tuple[str, bytes, str], models: dict[str, Model], theirs: dict[str, Any]) -> None:
    name, body, kind = case
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = mlflows(theirs[name], body, kind)
        got = ours(models[name], body, kind)
    assert got[0] == expected[0], (got, expected)
    if got[0] == "error":
        assert got[1] == expected[1] or 400 <= got[1] < 500
        return
    flat_got, flat_expected = json.dumps(got[1]), json.dumps(expected[1])
    assert flat_got == flat_expected or got[1] == pytest.approx(expected[1], rel=1e-12, nan_ok=True)


def test_missing_column_is_named_with_what_to_do(models: dict[str, Model]) -> None:
    model = models["linear"]
    assert isinstance(model, NativeModel)
    with pytest.raises(BadInput) as caught:
        model.inputs.parse(dump({"dataframe_split": {"columns": ["rain", "wind", "fog"], "data": [[1, 2, 3]]}}), JSON)
    error = json.loads(caught.value.body())
    assert error["error_code"] == "INVALID_PARAMETER_VALUE"
    assert "'temp max'" in error["message"] and "'fog'" in error["message"] and "null" in error["message"]


def test_wrong_type_names_the_column(models: dict[str, Model]) -> None:
    model = models["mixed"]
    assert isinstance(model, NativeModel)
    with pytest.raises(BadInput, match="column days to type 'long'"):
        model.inputs.parse(dump({"dataframe_records": [MIXED_ROWS[0] | {"days": "many"}]}), JSON)


def test_extra_columns_are_left_out_and_said(models: dict[str, Model]) -> None:
    model = models["linear"]
    assert isinstance(model, NativeModel)
    parsed = model.inputs.parse(dump({"dataframe_records": [ROWS[0] | {"fog": 1}]}), JSON)
    assert parsed.ignored == ("fog",)


def test_only_scikit_learn_on_numbers_goes_without_names(models: dict[str, Model]) -> None:
    assert {name: model.arrays for name, model in models.items()} == {
        "linear": True,
        "negated": True,
        "proba": True,
        "tensor": False,
        "mixed": False,
        "unsigned": False,
        "foreign": False,
    }
    assert {name for name, model in models.items() if not model.row_wise} == {"foreign"}
    exact = {name for name, model in models.items() if model.fast_path == "exact"}
    assert exact == {"linear", "negated", "proba", "tensor"}
    assert "ColumnTransformer" in models["mixed"].fast_path or "float64" in models["mixed"].fast_path
    assert models["unsigned"].fast_path == "no input example was logged"


def test_nan_is_written_as_null() -> None:
    assert answers.encode([math.nan, math.inf, 1.5]) == b'{"predictions":[null,null,1.5]}'


def test_models_of_mlflow_itself_answer_lines_too(models: dict[str, Model]) -> None:
    model = models["foreign"]
    assert isinstance(model, PyfuncModel)
    body = dump({"dataframe_split": SPLIT})
    assert Mlflow(JSON, "text/csv").foreign(model, body) == (b"6.0,rain 1.0\n3.5,rain 4.5\n", {"type": "text/csv"})
    with pytest.raises(BadInput) as caught:
        Mlflow(JSON, "image/png").foreign(model, body)
    assert caught.value.status == 406


def test_deep_json_is_refused() -> None:
    from studio.guest.serving.inputs import decode_object

    with pytest.raises(BadInput):
        decode_object(b'{"inputs":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


def test_media_type_is_split() -> None:
    assert media_type('Application/JSON; charset="UTF-8"') == ("application/json", "utf-8")
    assert media_type("") == ("", "")


def test_missing_package_is_named(tmp_path: Path, folder: Path) -> None:
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(folder / "proba", broken)
    # A pickle of an object from a module that is not installed: protocol 0, GLOBAL.
    (broken / "model.pkl").write_bytes(b"cno_such_package.models\nForest\n.")
    with pytest.raises(CannotLoad) as caught:
        load(broken)
    assert "'no_such_package'" in caught.value.hint
    assert "ModuleNotFoundError" in caught.value.details


def test_folder_without_mlmodel_says_so(tmp_path: Path) -> None:
    with pytest.raises(CannotLoad, match="no file MLmodel"):
        load(tmp_path)


def test_example_that_does_not_predict_is_a_failure(tmp_path: Path, folder: Path) -> None:
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(folder / "linear", broken)
    (broken / "serving_input_example.json").write_bytes(
        msgspec.json.encode({"dataframe_split": {"columns": ["a"], "data": [[1]]}})
    )
    with pytest.raises(CannotLoad, match="predicting the logged input example"):
        load(broken)
