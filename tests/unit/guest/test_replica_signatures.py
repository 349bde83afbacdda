"""The signature as MLflow enforces it, on random signatures and bodies: the same table, or an error on both sides."""

import json
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.guest.serving.inputs import Inputs
from studio.guest.serving.mlmodel import parse_signature
from studio.guest.serving.problems import BadInput

TYPES = ("double", "float", "long", "integer", "boolean", "string")
NAMES = ("rain", "wind", "temp max", "days")
WHOLE = st.integers(-(2**31), 2**31 - 1) | st.sampled_from([2**53 - 1, 2**53, 2**53 + 1, -(2**62), 0])
REAL = st.floats(allow_nan=False, allow_infinity=False, width=64) | st.sampled_from([0.5, 1e300, 3e38, 1e-320, 2.0])
ODD = st.none() | st.booleans() | st.sampled_from(["", "5", "2.5", "rain", " 7 ", "1e3", [1], {}])
# Mostly what fits, so that not every body is refused.
FIT = {
    "double": REAL | WHOLE,
    "float": REAL,
    "long": WHOLE,
    "integer": st.integers(-(2**31), 2**31 - 1),
    "boolean": st.booleans(),
    "string": st.text(max_size=4),
}


@st.composite
def cases(draw: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The JSON of a signature, and a body for it in one of the table forms."""
    kinds = st.sampled_from(draw(st.sampled_from([TYPES, ("double",), ("double", "long"), ("float", "integer")])))
    columns = [{"name": name, "type": draw(kinds)} for name in NAMES[: draw(st.integers(1, 4))]]
    for column in columns:
        column["required"] = draw(st.integers(0, 9)) > 0
    odd = draw(st.integers(0, 3)) == 0

    def value(kind: str) -> Any:
        return draw(ODD | REAL | WHOLE if odd and draw(st.booleans()) else FIT[kind])

    names = [column["name"] for column in columns]
    change = draw(st.sampled_from(["", "", "", "turned", "missing", "more"]))
    given_names = {"turned": names[::-1], "missing": names[1:], "more": [*names, "fog"]}.get(change, names)
    types = {column["name"]: column["type"] for column in columns} | {"fog": "double"}
    rows = [[value(types[name]) for name in given_names] for _ in range(draw(st.integers(1, 3)))]
    form = draw(st.sampled_from(["dataframe_split", "dataframe_records"]))
    if form == "dataframe_split":
        return columns, {form: {"columns": given_names, "data": rows}}
    return columns, {form: [dict(zip(given_names, row, strict=True)) for row in rows]}


class Metadata:
    """What MLflow's parser asks of a model."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema

    def get_input_schema(self) -> Any:
        return self._schema

    def get_params_schema(self) -> Any:
        return None


def theirs(columns: list[dict[str, Any]], body: str) -> Any:
    """The table that reaches the model, or the error."""
    from mlflow.models.utils import _enforce_schema
    from mlflow.pyfunc.scoring_server import _parse_json_data
    from mlflow.types import Schema

    schema = Schema.from_json(json.dumps(columns))
    return _enforce_schema(_parse_json_data(body, Metadata(schema), schema).data, schema)


def ours(columns: list[dict[str, Any]], body: str, *, arrays: bool) -> Any:
    signature = parse_signature(columns)
    return Inputs(signature, arrays=arrays and bool(signature.matrix)).parse(body.encode(), "application/json").data


@pytest.fixture(scope="module", autouse=True)
def mlflow_imported() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.pyfunc.scoring_server  # noqa: F401


@settings(max_examples=150, derandomize=True, deadline=None)
@given(cases())
def test_the_same_table_or_an_error_on_both_sides(case: tuple[list[dict[str, Any]], dict[str, Any]]) -> None:
    columns, document = case
    body = json.dumps(document)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = theirs(columns, body)
        except Exception as error:
            with pytest.raises(BadInput):
                ours(columns, body, arrays=False)
            with pytest.raises(BadInput):
                ours(columns, body, arrays=True)
            assert str(error)
            return
        table, matrix = (ours(columns, body, arrays=arrays) for arrays in (False, True))
        assert list(table.columns) == list(expected.columns)
        for name in expected.columns:
            one, other = table[name].to_numpy(), expected[name].to_numpy()
            assert one.dtype == other.dtype, (name, one.dtype, other.dtype)
            assert one.tolist() == other.tolist() or np.array_equal(one, other, equal_nan=True), (name, one, other)
        if isinstance(matrix, np.ndarray):
            # What a library makes of the table.
            made = expected.to_numpy()
            assert matrix.dtype == made.dtype and np.array_equal(matrix, made, equal_nan=True), (matrix, made)
