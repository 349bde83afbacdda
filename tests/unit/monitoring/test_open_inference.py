"""Captured requests and answers of the Open Inference Protocol as rows; the answers are those a replica makes."""

import json
import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from studio.gateway.open_inference import Question
from studio.guest.serving import tensors
from studio.guest.serving.open_inference import About, OpenInference
from studio.guest.serving.tensors import NUMPY, Tensor
from studio.monitoring.inputs import outputs_of, rows_of

NAMES = ["rain", "wind"]
PLAIN = Question("m").content_type


def asked(*inputs: dict[str, object], binary: bytes = b"") -> tuple[bytes, str]:
    """A request's body, and what the gateway calls it."""
    head = json.dumps({"inputs": inputs}).encode()
    return head + binary, Question("m", json_bytes=len(head) if binary else -1).content_type


def test_columns_and_a_matrix_are_the_same_rows() -> None:
    columns, kind = asked(
        {"name": "rain", "shape": [2], "datatype": "FP64", "data": [1, 2]},
        {"name": "wind", "shape": [2, 1], "datatype": "FP64", "data": [[3], [4]]},
    )
    matrix, _ = asked({"name": "x", "shape": [2, 2], "datatype": "FP64", "data": [1, 3, 2, 4]})
    packed, binary = asked(
        {"name": "x", "shape": [2, 2], "datatype": "FP64", "parameters": {"binary_data_size": 32}},
        binary=struct.pack("<4d", 1, 3, 2, 4),
    )
    wanted = [{"rain": 1.0, "wind": 3.0}, {"rain": 2.0, "wind": 4.0}]
    assert rows_of(columns, kind) == rows_of(matrix, kind, NAMES) == rows_of(packed, binary, NAMES) == wanted


def test_what_cannot_be_read_gives_no_rows() -> None:
    uneven, kind = asked(
        {"name": "rain", "shape": [2], "datatype": "FP64", "data": [1, 2]},
        {"name": "wind", "shape": [1], "datatype": "FP64", "data": [3]},
    )
    for body in (b"", b"{", b"[]", b'{"inputs": []}', uneven):
        assert rows_of(body, kind, NAMES) == []
    for body in (b"", b"{", b'{"error": "no"}', b'{"outputs": [{"name": "x", "shape": [9], "datatype": "FP64"}]}'):
        assert outputs_of(body, 2, kind) == [None, None]


@given(
    st.sampled_from([*NUMPY, "BYTES"]),
    st.lists(st.integers(0, 100), min_size=1, max_size=20),
    st.booleans(),
    st.booleans(),
)
def test_an_answer_is_read_as_it_was_written(datatype: str, values: list[int], binary: bool, several: bool) -> None:
    words = [f"wört {value}" for value in values]
    array = np.array(words if datatype == "BYTES" else values, dtype=NUMPY.get(datatype, object))
    form = OpenInference(About("m", "1"))
    form._binary = binary
    body, about = form.answer({"first": array, "second": array} if several else {"first": array})
    assert (about is not None) is binary
    plain = array.tolist()
    wanted = [{"first": value, "second": value} for value in plain] if several else plain
    assert outputs_of(body, len(values), PLAIN) == wanted
    described, data = tensors.encode("x", array, binary=binary)
    read = tensors.decode(Tensor("x", described["shape"], datatype, described.get("data")), data if binary else None)
    assert read.tolist() == plain and described["datatype"] == datatype
    assert read.flags.writeable  # a model may write into what it is given
