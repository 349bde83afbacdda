"""Spans of OpenTelemetry's protocol (opentelemetry/proto/trace/v1/trace.proto), from protobuf or JSON to one JSON form.

That form is protobuf's own JSON with the names of the .proto file, bytes as base64 and whole numbers as numbers: the
one in which MLflow's traces carry spans. Only the messages below are known; unknown fields are passed over.
"""

import base64
import binascii
import json
import math
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from studio.errors import Invalid

DEEPEST = 64  # values within values
_Field = tuple[str, str]  # (name, kind); a kind that ends with * comes any number of times
_COMMON: dict[str, dict[int, _Field]] = {
    "Request": {1: ("resource_spans", "ResourceSpans*")},
    "ResourceSpans": {2: ("scope_spans", "ScopeSpans*")},
    "ScopeSpans": {2: ("spans", "Span*")},
    "Span": {
        1: ("trace_id", "bytes"),
        2: ("span_id", "bytes"),
        3: ("trace_state", "string"),
        4: ("parent_span_id", "bytes"),
        5: ("name", "string"),
        6: ("kind", "SpanKind"),
        7: ("start_time_unix_nano", "fixed64"),
        8: ("end_time_unix_nano", "fixed64"),
        9: ("attributes", "KeyValue*"),
        10: ("dropped_attributes_count", "uint"),
        11: ("events", "Event*"),
        12: ("dropped_events_count", "uint"),
        13: ("links", "Link*"),
        14: ("dropped_links_count", "uint"),
        15: ("status", "Status"),
        16: ("flags", "fixed32"),
    },
    "Event": {
        1: ("time_unix_nano", "fixed64"),
        2: ("name", "string"),
        3: ("attributes", "KeyValue*"),
        4: ("dropped_attributes_count", "uint"),
    },
    "Link": {
        1: ("trace_id", "bytes"),
        2: ("span_id", "bytes"),
        3: ("trace_state", "string"),
        4: ("attributes", "KeyValue*"),
        5: ("dropped_attributes_count", "uint"),
        6: ("flags", "fixed32"),
    },
    "Status": {2: ("message", "string"), 3: ("code", "StatusCode")},
    "KeyValue": {1: ("key", "string"), 2: ("value", "AnyValue")},
    "AnyValue": {
        1: ("string_value", "string"),
        2: ("bool_value", "bool"),
        3: ("int_value", "int"),
        4: ("double_value", "double"),
        5: ("array_value", "ArrayValue"),
        6: ("kvlist_value", "KeyValueList"),
        7: ("bytes_value", "bytes"),
    },
    "ArrayValue": {1: ("values", "AnyValue*")},
    "KeyValueList": {1: ("values", "KeyValue*")},
}
_ENUMS = {
    "SpanKind": tuple(f"SPAN_KIND_{name}" for name in "UNSPECIFIED INTERNAL SERVER CLIENT PRODUCER CONSUMER".split()),
    "StatusCode": tuple(f"STATUS_CODE_{name}" for name in "UNSET OK ERROR".split()),
}
_IDS = {"trace_id", "span_id", "parent_span_id"}  # hexadecimal in the protocol's JSON
_FIXED = {"fixed64": (1, "<Q"), "double": (1, "<d"), "fixed32": (5, "<I")}
_SIZES = {1: 8, 5: 4}


def spans_of_protobuf(raw: bytes) -> list[dict[str, Any]]:
    """The spans of an ExportTraceServiceRequest; `Invalid` if it is not one."""
    try:
        return _spans(_message(memoryview(raw), "Request", 0))
    except (IndexError, ValueError, struct.error) as error:
        raise _wrong() from error


def spans_of_json(raw: bytes) -> list[dict[str, Any]]:
    """The same of the protocol's JSON; `Invalid` if it is not that."""
    try:
        return _spans(_object(json.loads(raw), "Request", 0))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _wrong() from error


def _spans(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not request.get("resource_spans"):
        raise Invalid("Invalid OpenTelemetry format - no spans found")
    scopes = (scope for group in request["resource_spans"] for scope in group.get("scope_spans", ()))
    return [span for scope in scopes for span in scope.get("spans", ())]


def _wrong() -> Invalid:
    return Invalid("Invalid OpenTelemetry format", "Send an ExportTraceServiceRequest as protobuf or JSON.")


def _message(data: memoryview, kind: str, depth: int) -> dict[str, Any]:
    if depth > DEEPEST:
        raise ValueError(f"nested deeper than {DEEPEST}")
    fields = _COMMON[kind]
    found: dict[str, Any] = {}
    for number, wire, value in _parts(data):
        if number not in fields:
            continue
        name, what = fields[number]
        one = what.rstrip("*")
        item = _value(one, wire, value, depth)
        if what.endswith("*"):
            found.setdefault(name, []).append(item)
        elif _says_something(kind, one, item):
            found[name] = item
    return found


def _parts(data: memoryview) -> Iterator[tuple[int, int, Any]]:
    """(field, wire type, varint or bytes) of a message, as protobuf's encoding has them."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, wire, value
            continue
        size = _SIZES.get(wire, 0)
        if wire == 2:
            size, at = _varint(data, at)
        elif not size:
            raise ValueError(f"unknown wire type {wire}")
        if at + size > len(data):
            raise ValueError("cut off")
        yield number, wire, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (2**64 - 1), at
        shift += 7
    raise ValueError("a number of more than ten bytes")


def _value(kind: str, wire: int, value: Any, depth: int) -> Any:
    if kind in _FIXED:
        expected, form = _FIXED[kind]
        if wire != expected:
            raise ValueError(f"wire type {wire} for {kind}")
        number = struct.unpack(form, value)[0]
        return _double(number) if kind == "double" else number
    if (wire == 0) != (kind in ("uint", "int", "bool") or kind in _ENUMS):
        raise ValueError(f"wire type {wire} for {kind}")
    if kind == "int":
        return value - 2**64 if value >= 2**63 else value
    if kind == "bool":
        return bool(value)
    if kind in _ENUMS:
        return _name(kind, value)
    if kind == "uint":
        return value & (2**32 - 1)
    if kind == "string":
        return str(value, "utf-8")
    return base64.b64encode(value).decode() if kind == "bytes" else _message(value, kind, depth + 1)


def _object(data: Mapping[str, Any], kind: str, depth: int) -> dict[str, Any]:
    if depth > DEEPEST:
        raise ValueError(f"nested deeper than {DEEPEST}")
    found = {}
    for name, what in _COMMON[kind].values():
        head, *rest = name.split("_")
        given = data.get(head + "".join(map(str.title, rest)), data.get(name))
        one = what.rstrip("*")
        if given is None:
            continue
        if what.endswith("*"):
            found[name] = [_read(name, one, item, depth) for item in given]
        elif _says_something(kind, one, item := _read(name, one, given, depth)):
            found[name] = item
    return found


def _read(name: str, kind: str, given: Any, depth: int) -> Any:
    if kind in _COMMON:
        return _object(given, kind, depth + 1)
    if kind == "bytes":
        raw = bytes.fromhex(given) if name in _IDS else base64.b64decode(given)
        return base64.b64encode(raw).decode()
    if kind in _ENUMS:
        return given if given in _ENUMS[kind] else _name(kind, int(given))
    if kind == "string" and isinstance(given, str):
        return given
    if kind == "bool" and isinstance(given, bool):
        return given
    if kind == "double" and not isinstance(given, bool):
        return _double(float(given))
    if kind in ("int", "uint", "fixed32", "fixed64") and not isinstance(given, bool | float):
        number = int(given)
        if -(2**63) <= number < (2**63 if kind == "int" else 2**64) and (kind == "int" or number >= 0):
            return number
    raise ValueError(f"{name}: {given!r} is no {kind}")


def _double(number: float) -> float | str:
    if math.isfinite(number):
        return number
    return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"


def _name(kind: str, number: int) -> Any:
    return _ENUMS[kind][number] if 0 <= number < len(_ENUMS[kind]) else number


def _says_something(of: str, kind: str, item: Any) -> bool:
    """Protobuf's JSON leaves out what is empty or zero, but for the one value that an AnyValue holds."""
    return of == "AnyValue" or kind in _COMMON or item not in ("", 0, False, _ENUMS.get(kind, ("",))[0])


def hexadecimal(coded: str) -> str:
    """An id in hexadecimal, as trace ids are written."""
    try:
        return base64.b64decode(coded, validate=True).hex()
    except (binascii.Error, ValueError) as error:
        raise _wrong() from error
