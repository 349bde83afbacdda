"""Tensors of the Open Inference Protocol, version 2: JSON and the binary tensor data extension ↔ numpy.

Types, shapes and the binary layout as the protocol's specification gives them (KServe, `open_inference_rest.yaml` and
`binary_tensor_data`): little endian, row-major; BYTES elements each after their length as u32.
"""

import math
import struct
from typing import Any

import msgspec

from studio.guest.serving.problems import BadInput

NUMPY = {
    "BOOL": "?",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
_NAMES = {word.lstrip("<"): name for name, word in NUMPY.items()}
# MLflow's column types in the protocol's words.
OF_COLUMNS = {
    "boolean": "BOOL",
    "integer": "INT32",
    "long": "INT64",
    "float": "FP32",
    "double": "FP64",
    "string": "BYTES",
}
_LENGTH = struct.Struct("<I")


class Tensor(msgspec.Struct):
    """One input of a request, as it is sent."""

    name: str
    shape: list[int]
    datatype: str
    data: Any = None
    parameters: dict[str, Any] = {}


def of_numpy(dtype: Any) -> str:
    """The protocol's word for a numpy type; BYTES for what is no number."""
    import numpy

    kind = numpy.dtype(dtype)
    return "BOOL" if kind.kind == "b" else _NAMES.get(kind.str[1:], "BYTES")


def decode(tensor: Tensor, binary: bytes | None) -> Any:
    """The array in `tensor`, or in its `binary` data; `BadInput` names the input and what is wrong."""
    if tensor.datatype != "BYTES" and tensor.datatype not in NUMPY:
        raise BadInput(
            f"The input {tensor.name!r} has the datatype {tensor.datatype!r}, which is none of the protocol's.",
            f"Use one of {', '.join((*NUMPY, 'BYTES'))}.",
        )
    if any(size < 0 for size in tensor.shape):
        raise _wrong(tensor, f"the shape {tensor.shape}", "Send the real size of every dimension.")
    count = math.prod(tensor.shape)
    array = _from_json(tensor) if binary is None else _from_bytes(tensor, binary, count)
    if array.size != count:
        raise _wrong(tensor, f"{array.size} values", f"The shape {tensor.shape} wants {count}.")
    return array.reshape(tensor.shape)


def _from_json(tensor: Tensor) -> Any:
    import numpy

    if tensor.data is None:
        raise _wrong(tensor, "no data", "Send `data`, or binary data with `binary_data_size`.")
    try:
        if tensor.datatype == "BYTES":
            return numpy.array(tensor.data, dtype=object)
        if NUMPY[tensor.datatype][1:2] in ("i", "u") and numpy.array(tensor.data).dtype.kind not in "iub":
            raise TypeError("not whole numbers")
        return numpy.array(tensor.data, dtype=NUMPY[tensor.datatype])
    except (TypeError, ValueError, OverflowError) as error:
        raise _wrong(tensor, f"data that is not {tensor.datatype}", f"{error}.".capitalize()) from error


def _from_bytes(tensor: Tensor, binary: bytes, count: int) -> Any:
    import numpy

    if tensor.datatype != "BYTES":
        width = numpy.dtype(NUMPY[tensor.datatype]).itemsize
        if len(binary) != count * width:
            raise _wrong(tensor, f"{len(binary)} bytes", f"{count} values of {tensor.datatype} take {count * width}.")
        # A copy: models may write into what they are given, as they may with JSON's.
        return numpy.frombuffer(binary, dtype=NUMPY[tensor.datatype]).copy()
    found: list[Any] = []
    at = 0
    while at + 4 <= len(binary) and len(found) <= count:
        (length,) = _LENGTH.unpack_from(binary, at)
        at += 4
        if at + length > len(binary):
            break
        found.append(_text(binary[at : at + length]))
        at += length
    if at != len(binary):
        raise _wrong(tensor, "binary data that ends in an element", "Each element follows its length as u32.")
    array = numpy.empty(len(found), dtype=object)
    array[:] = found
    return array


def _text(element: bytes) -> str | bytes:
    try:
        return element.decode()
    except UnicodeDecodeError:
        return element


def _wrong(tensor: Tensor, what: str, hint: str) -> BadInput:
    return BadInput(f"The input {tensor.name!r} has {what}.", hint)


def encode(name: str, array: Any, *, binary: bool) -> tuple[dict[str, Any], bytes]:
    """An output of the answer, and its binary data (b"" if it is in the JSON). NaN and Infinity are null in JSON."""
    datatype = of_numpy(array.dtype)
    described: dict[str, Any] = {"name": name, "shape": list(array.shape), "datatype": datatype}
    if datatype == "BYTES":
        texts = [item if isinstance(item, bytes) else str(item).encode() for item in array.ravel().tolist()]
        if not binary:
            return described | {"data": [text.decode(errors="replace") for text in texts]}, b""
        data = b"".join(_LENGTH.pack(len(text)) + text for text in texts)
    else:
        if not binary:
            return described | {"data": array.ravel().tolist()}, b""
        data = array.astype(NUMPY[datatype], copy=False).tobytes()
    return described | {"parameters": {"binary_data_size": len(data)}}, data
