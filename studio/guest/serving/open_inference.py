"""The Open Inference Protocol, version 2: requests with tensors, JSON or binary, and the model's description.

An input is a column of the signature (shape [n] or [n, 1]); one input of shape [n, columns] is all of them in their
order. A model with a tensor as its signature takes one input of that shape. Predictions are the output `predict`, or
one output for each column if the model gives a table.
"""

from typing import Any

import msgspec

from studio.guest.serving import tensors
from studio.guest.serving.inputs import Inputs, Parsed
from studio.guest.serving.mlmodel import Signature
from studio.guest.serving.outputs import Named
from studio.guest.serving.problems import BadInput
from studio.guest.serving.pyfunc import PyfuncModel
from studio.guest.serving.script import ScriptModel
from studio.guest.serving.tensors import Tensor

OUTPUT = "predict"
_HINT = "See /v2/models/NAME for the inputs that it takes."


class _Wanted(msgspec.Struct):
    name: str
    parameters: dict[str, Any] = {}


class _Request(msgspec.Struct):
    inputs: list[Tensor]
    id: str = ""
    parameters: dict[str, Any] = {}
    outputs: list[_Wanted] | None = None


class About(msgspec.Struct):
    """What the gateway knows of a call: whose name the answer bears, and how long its JSON is (`binary data follows`;
    -1: all of the body is JSON)."""

    model: str
    version: str
    json_bytes: int = -1


_decode = msgspec.json.Decoder(_Request).decode
_encode = msgspec.json.Encoder().encode


class OpenInference:
    """The form of one call."""

    def __init__(self, about: About) -> None:
        self._about = about
        self._id = ""
        self._wanted: list[_Wanted] | None = None
        self._binary = False

    def parse(self, inputs: Inputs, body: bytes) -> Parsed:
        """The rows of the request, as the model's signature wants them; `BadInput` if it does not."""
        arrays = self.arrays(body)
        return _rows(inputs, arrays)

    def arrays(self, body: bytes) -> dict[str, Any]:
        """Input → its array."""
        split = self._about.json_bytes
        if split > len(body):
            raise BadInput(
                f"Inference-Header-Content-Length says {split}, and the body has {len(body)} bytes.",
                "It is the length of the JSON before the binary data.",
            )
        head, rest = (body, b"") if split < 0 else (body[:split], memoryview(body)[split:])
        try:
            request = _decode(head)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadInput(f"The request is not one of the Open Inference Protocol: {error}.", _HINT) from error
        self._id, self._wanted = request.id, request.outputs
        self._binary = request.parameters.get("binary_data_output") is True
        if not request.inputs:
            raise BadInput("The request has no inputs.", _HINT)
        found: dict[str, Any] = {}
        at = 0
        for tensor in request.inputs:
            size = tensor.parameters.get("binary_data_size")
            if size is not None and (not isinstance(size, int) or not 0 <= size <= len(rest) - at):
                raise BadInput(f"The input {tensor.name!r} has binary_data_size {size!r}.", "The body has not so much.")
            binary = None if size is None else bytes(rest[at : at + size])
            at += size or 0
            if tensor.name in found:
                raise BadInput(f"The input {tensor.name!r} occurs twice.", "Give every input a name of its own.")
            found[tensor.name] = tensors.decode(tensor, binary)
        if at != len(rest):
            raise BadInput(f"{len(rest) - at} bytes of the body belong to no input.", "Give each its binary_data_size.")
        return found

    def foreign(self, model: PyfuncModel | ScriptModel, body: bytes) -> tuple[bytes, dict[str, Any] | None]:
        """By a model that only MLflow itself can ask."""
        if isinstance(model, ScriptModel):
            text = "inference.py takes bodies of its own form, not the tensors of the Open Inference Protocol."
            raise BadInput(text, "Send them to /endpoints/NAME/invocations.")
        arrays = self.arrays(body)
        return self.answer(model.predict(_given(model, arrays)))

    def answer(self, predictions: Any, parsed: Parsed | None = None) -> tuple[bytes, dict[str, Any] | None]:
        """{"model_name", "id"?, "outputs": …}, followed by binary data where that was asked for."""
        given = outputs(predictions)
        wanted = self._wanted or [_Wanted(name) for name in given]
        described, binary = [], []
        for item in wanted:
            if item.name not in given:
                raise BadInput(f"The model has no output {item.name!r}.", f"It has {sorted(given)[:20]}.")
            as_binary = item.parameters.get("binary_data", self._binary) is True
            one, data = tensors.encode(item.name, given[item.name], binary=as_binary)
            described.append(one)
            binary.append(data)
        document = {"model_name": self._about.model, "model_version": self._about.version, "outputs": described}
        head = _encode(document | ({"id": self._id} if self._id else {}))
        rest = b"".join(binary)
        if not any("parameters" in one for one in described):
            return head, None
        about = {"type": "application/octet-stream", "headers": {"inference-header-content-length": str(len(head))}}
        return head + rest, about

    def problem(self, error: BadInput) -> bytes:
        """{"error": …}."""
        return _encode({"error": f"{error.message} {error.hint}".strip()})


def outputs(predictions: Any) -> dict[str, Any]:
    """Output → array of what a model gave: a table's columns, a dictionary's values, or all of it as `predict`."""
    import numpy

    if isinstance(predictions, Named):
        return predictions.arrays
    if hasattr(predictions, "columns") and hasattr(predictions, "iloc"):
        return {str(name): predictions[name].to_numpy() for name in predictions.columns}
    if isinstance(predictions, dict):
        return {str(name): numpy.asarray(value) for name, value in predictions.items()}
    if hasattr(predictions, "toarray"):  # scipy's sparse matrices
        predictions = predictions.toarray()
    array = numpy.asarray(predictions)
    return {OUTPUT: array if array.ndim else array.reshape(1)}


def _rows(inputs: Inputs, arrays: dict[str, Any]) -> Parsed:
    signature = inputs.signature
    if signature.kind == "columns":
        return _columns(inputs, signature, arrays)
    if len(arrays) == 1:
        return inputs.from_array(next(iter(arrays.values())))
    if signature.kind == "tensor":
        raise BadInput(f"The model takes one input, the request has {sorted(arrays)[:20]}.", _HINT)
    return inputs.from_columns(_flat(arrays))


def _columns(inputs: Inputs, signature: Signature, arrays: dict[str, Any]) -> Parsed:
    if len(arrays) == 1:
        [(name, array)] = arrays.items()
        if array.ndim == 2 and not (name in signature.names and array.shape[1] == 1):
            if array.shape[1] != len(signature.columns):
                raise BadInput(
                    f"The input {name!r} has the shape {list(array.shape)}; the model has {len(signature.columns)} "
                    "columns.",
                    _HINT,
                )
            return inputs.from_matrix(array)
    return inputs.from_columns(_flat(arrays))


def _given(model: PyfuncModel, arrays: dict[str, Any]) -> Any:
    """What `predict` of mlflow.pyfunc takes: an array, named arrays, or a table."""
    import pandas

    signature = model.described.signature
    first = next(iter(arrays.values()))
    if signature.kind == "tensor" or (signature.kind == "none" and len(arrays) == 1):
        return first
    if signature.kind == "other" and model.takes_tensors:
        return arrays
    if len(arrays) == 1 and first.ndim == 2 and first.shape[1] == len(signature.columns):
        return pandas.DataFrame(first, columns=signature.names)
    return pandas.DataFrame(_flat(arrays))


def _flat(arrays: dict[str, Any]) -> dict[str, Any]:
    """Each array as one column; all have equally many rows."""
    columns: dict[str, Any] = {}
    for name, array in arrays.items():
        if array.ndim != 1 and array.shape[1:] != (1,):
            raise BadInput(
                f"The input {name!r} has the shape {list(array.shape)}, which is no column.",
                "Send a column as [n] or [n, 1], or all columns in one input [n, columns].",
            )
        columns[name] = array.reshape(-1)
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise BadInput(f"The inputs have {sorted(lengths)} rows.", "Give every input equally many.")
    return columns


def describe(about: About, platform: str, inputs: Signature, given: Signature) -> bytes:
    """The model's metadata; without inputs or outputs where the model says nothing of them."""
    named = {"name": about.model, "versions": [about.version] if about.version else [], "platform": platform}
    return _encode(named | {"inputs": _described(inputs, "input"), "outputs": _described(given, OUTPUT)})


def _described(signature: Signature, name: str) -> list[dict[str, Any]]:
    if signature.kind == "tensor":
        return [{"name": name, "datatype": tensors.of_numpy(signature.dtype), "shape": list(signature.shape)}]
    return [
        {"name": column.name, "datatype": tensors.OF_COLUMNS[column.type], "shape": [-1]}
        for column in signature.columns
    ]
