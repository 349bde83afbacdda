"""Reading an MLmodel file (MLflow 3.17): flavours, files and signature, without importing mlflow."""

import json
from pathlib import Path
from typing import Any, Literal

import msgspec

from studio.guest.serving.problems import CannotLoad, explain

# MLflow's scalar column types and the numpy types it converts to (mlflow.types.schema.DataType).
NUMPY = {"boolean": "bool", "integer": "int32", "long": "int64", "float": "float32", "double": "float64"}
_NUMBERS = {"integer", "long", "float", "double"}
Kind = Literal["none", "columns", "tensor", "other"]


class Column(msgspec.Struct, frozen=True):
    """One input column: its name, MLflow's type word, and whether a request must have it."""

    name: str
    type: str
    required: bool = True


class Signature(msgspec.Struct, frozen=True):
    """The inputs of a model. `columns`: named scalar columns; `tensor`: one unnamed array of `dtype` and `shape`;
    `other`: what only MLflow itself enforces (objects, dates, named tensors …); `none`: no signature was logged."""

    kind: Kind
    columns: tuple[Column, ...] = ()
    dtype: str = ""
    shape: tuple[int, ...] = ()
    has_params: bool = False

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def matrix(self) -> str:
        """The numpy type of an array of all columns, as pandas makes it of a table; "" if they are not all numbers that
        every request has."""
        types = {column.type for column in self.columns}
        if not types or not types <= _NUMBERS or not all(column.required for column in self.columns):
            return ""
        if len(types) == 1:
            return NUMPY[types.pop()]
        return "int64" if types == {"integer", "long"} else "float64"


class MLModel(msgspec.Struct, frozen=True):
    """What the host needs of a model's folder."""

    folder: Path
    flavors: dict[str, Any]
    signature: Signature
    outputs: Signature
    example: Path | None

    @property
    def predict_fn(self) -> str:
        return str(self.flavors.get("python_function", {}).get("predict_fn") or "predict")


def read(folder: Path) -> MLModel:
    """The model in `folder`; `CannotLoad` if there is no MLmodel or it is none."""
    path = folder / "MLmodel"
    if not path.is_file():
        raise CannotLoad(
            "The model's folder has no file MLmodel.",
            "Log the model with mlflow.<flavour>.log_model and deploy that version.",
        )
    try:
        import yaml  # type: ignore[import-untyped]

        # The loader in C, where it is built, takes a tenth of the time; both make plain values only.
        document = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        flavors = document["flavors"]
        logged = document.get("signature") or {}
        inputs, outputs, params = (logged.get(part) for part in ("inputs", "outputs", "params"))
        signature = parse_signature(json.loads(inputs) if inputs else None, has_params=bool(params))
        if document.get("is_signature_from_type_hint") or document.get("type_hint_from_example"):
            signature = Signature("other", has_params=bool(params))
        given = parse_signature(json.loads(outputs) if outputs else None)
    except Exception as error:
        raise explain(error, "reading the file MLmodel") from error
    example = _example(folder, document.get("saved_input_example_info") or {})
    return MLModel(folder, dict(flavors), signature, given, example)


def parse_signature(inputs: list[dict[str, Any]] | None, *, has_params: bool = False) -> Signature:
    """From the JSON of `signature.inputs` (mlflow.types.Schema.to_json)."""
    if not inputs:
        return Signature("none", has_params=has_params)
    if len(inputs) == 1 and inputs[0].get("type") == "tensor" and "name" not in inputs[0]:
        spec = inputs[0]["tensor-spec"]
        return Signature("tensor", dtype=spec["dtype"], shape=tuple(spec["shape"]), has_params=has_params)
    if all(item.get("name") and item["type"] in (*NUMPY, "string") for item in inputs):
        columns = tuple(Column(item["name"], item["type"], bool(item.get("required", True))) for item in inputs)
        if len({column.name for column in columns}) == len(columns):
            return Signature("columns", columns, has_params=has_params)
    return Signature("other", has_params=has_params)


def _example(folder: Path, info: dict[str, Any]) -> Path | None:
    for name in (info.get("serving_input_path"), "serving_input_example.json"):
        if name and "/" not in name and (folder / name).is_file():
            return folder / name
    return None
