"""Spans are read as OpenTelemetry's own library reads them; what is not one is refused, never more than that."""

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import Invalid
from studio.tracking import otlp

service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
text = st.text(max_size=6)
scalars = st.one_of(
    st.builds(lambda v: {"string_value": v}, text),
    st.builds(lambda v: {"bool_value": v}, st.booleans()),
    st.builds(lambda v: {"int_value": v}, st.integers(-(2**63), 2**63 - 1)),
    st.builds(lambda v: {"double_value": v}, st.floats(allow_nan=False, allow_infinity=False)),
    st.sampled_from([{"double_value": name} for name in ("NaN", "Infinity", "-Infinity")]),
    st.builds(lambda v: {"bytes_value": base64.b64encode(v).decode()}, st.binary(max_size=4)),
)


def pairs(of: Any) -> Any:
    """Attributes; a value may be missing."""
    return st.lists(
        st.one_of(st.builds(lambda k, v: {"key": k, "value": v}, text.filter(bool), of), st.just({"key": "alone"})),
        max_size=3,
    )


any_value = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(lambda v: {"array_value": {"values": v} if v else {}}, st.lists(inner, max_size=3)),
        st.builds(lambda v: {"kvlist_value": {"values": v} if v else {}}, pairs(inner)),
    ),
    max_leaves=6,
)
numbers = st.integers(0, 2**64 - 1)


def coded(size: int) -> Any:
    """An id of so many bytes."""
    return st.binary(min_size=size, max_size=size).map(lambda raw: base64.b64encode(raw).decode())


spans = st.fixed_dictionaries(
    {"trace_id": coded(16), "span_id": coded(8)},
    optional={
        "name": text,
        "parent_span_id": coded(8),
        "trace_state": text,
        "kind": st.sampled_from(["SPAN_KIND_SERVER", "SPAN_KIND_CONSUMER"]),
        "start_time_unix_nano": numbers,
        "end_time_unix_nano": numbers,
        "flags": st.integers(0, 2**32 - 1),
        "dropped_links_count": st.integers(0, 2**32 - 1),
        "attributes": pairs(any_value),
        "events": st.lists(
            st.fixed_dictionaries({"name": text.filter(bool)}, optional={"time_unix_nano": st.integers(1, 9)}),
            max_size=2,
        ),
        "links": st.lists(st.fixed_dictionaries({"trace_id": coded(16), "span_id": coded(8)}), max_size=2),
        "status": st.sampled_from([{}, {"code": "STATUS_CODE_OK"}, {"code": "STATUS_CODE_ERROR", "message": "no"}]),
    },
)


def plain(span: Any) -> Any:
    """Without what protobuf's JSON leaves out."""
    return {key: value for key, value in span.items() if value not in ("", 0, [])}


def request(found: list[Any]) -> dict[str, Any]:
    """An ExportTraceServiceRequest with these spans."""
    return {"resource_spans": [{"scope_spans": [{"spans": found}]}]}


def camel(data: Any, name: str = "") -> Any:
    """The protocol's own JSON: other names, ids in hexadecimal, long numbers as text."""
    if isinstance(data, dict):
        return {head_of(key): camel(value, key) for key, value in data.items()}
    if isinstance(data, list):
        return [camel(item, name) for item in data]
    if name in ("trace_id", "span_id", "parent_span_id"):
        return base64.b64decode(data).hex()
    return str(data) if name == "int_value" or name.endswith("_nano") else data


def head_of(key: str) -> str:
    """snake_case → camelCase."""
    head, *rest = key.split("_")
    return head + "".join(map(str.title, rest))


@given(found=st.lists(spans, min_size=1, max_size=2))
def test_both_forms_are_read_like_the_librarys(found: list[Any]) -> None:
    from google.protobuf.json_format import ParseDict

    raw = ParseDict(request(found), service.ExportTraceServiceRequest()).SerializeToString()
    wanted = [plain(span) for span in found]
    assert otlp.spans_of_protobuf(raw) == wanted
    assert [plain(span) for span in otlp.spans_of_json(json.dumps(camel(request(found))).encode())] == wanted


@given(raw=st.binary(max_size=60))
def test_any_bytes_are_spans_or_refused(raw: bytes) -> None:
    for read in (otlp.spans_of_protobuf, otlp.spans_of_json):
        try:
            assert isinstance(read(raw), list)
        except Invalid:
            continue


names = st.sampled_from(["resourceSpans", "scopeSpans", "spans", "traceId", "kind", "attributes", "value"])
any_json = st.recursive(
    st.one_of(st.none(), st.integers(), text, st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner)),
)


@given(data=any_json)
def test_any_json_is_spans_or_refused(data: Any) -> None:
    with contextlib.suppress(Invalid):
        assert isinstance(otlp.spans_of_json(json.dumps(data).encode()), list)


@pytest.mark.parametrize(("deep", "is_fine"), [(5, True), (otlp.DEEPEST, False), (5_000, False)])
def test_values_within_values_without_end_are_refused(deep: int, is_fine: bool) -> None:
    value = field(1, b"x")
    for _ in range(deep):
        value = field(5, field(1, value))
    raw = field(1, field(2, field(2, field(9, field(2, value)))))
    nested = '{"arrayValue":{"values":[' * deep + '{"stringValue":"x"}' + "]}}" * deep
    attributes = f'{{"attributes":[{{"value":{nested}}}]}}'
    body = f'{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{attributes}]}}]}}]}}'.encode()
    for read, given_ in ((otlp.spans_of_protobuf, raw), (otlp.spans_of_json, body)):
        if is_fine:
            assert len(read(given_)) == 1
        else:
            with pytest.raises(Invalid, match="Invalid OpenTelemetry format"):
                read(given_)


def field(number: int, data: bytes) -> bytes:
    """A field of protobuf that holds bytes or a message."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(number: int) -> bytes:
    """Protobuf's form of a number."""
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])
