"""Captured requests and answers of the Open Inference Protocol as rows; read as the replica reads them."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from studio.guest.serving import tensors
from studio.guest.serving.open_inference import About, OpenInference
from studio.guest.serving.tensors import Tensor

CONTENT_TYPE = "application/vnd.studio.open-inference"  # as the gateway calls it


class _Answer(msgspec.Struct):
    outputs: list[Tensor] = []


def rows_of(body: bytes, content_type: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """One dictionary per row; `BadInput` if the body is none of the protocol."""
    length = content_type.rpartition("json=")[2]
    arrays = OpenInference(About("", "", int(length) if length.isdigit() else -1)).arrays(body)
    return _rows(arrays, names)


def outputs_of(body: bytes) -> list[Any]:
    """One value per row, or one dictionary where the model has several outputs; [] if there is no answer to read."""
    try:
        # Binary data may follow the JSON, whose length is not kept.
        end = json.JSONDecoder().raw_decode(body.decode("latin-1"))[1]
        answer = msgspec.json.decode(body[:end], type=_Answer)
    except (ValueError, msgspec.DecodeError, RecursionError):
        return []
    arrays: dict[str, Any] = {}
    for tensor in answer.outputs:
        size = tensor.parameters.get("binary_data_size")
        binary = None if size is None else body[end : end + size]
        arrays[tensor.name] = tensors.decode(tensor, binary)
        end += size or 0
    if len(arrays) == 1:
        values: list[Any] = next(iter(arrays.values())).tolist()
        return values
    return list(_rows(arrays, ()))


def _rows(arrays: dict[str, Any], names: Sequence[str]) -> list[dict[str, Any]]:
    columns: dict[str, list[Any]] = {}
    for name, array in arrays.items():
        if array.ndim == 2 and array.shape[1] != 1:
            named = list(names) if len(names) == array.shape[1] else [str(at) for at in range(array.shape[1])]
            columns |= {one: array[:, at].tolist() for at, one in enumerate(named)}
        else:
            columns[name] = array.reshape(len(array), -1)[:, 0].tolist() if array.ndim == 2 else array.tolist()
    if len({len(values) for values in columns.values()}) != 1:
        return []
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
