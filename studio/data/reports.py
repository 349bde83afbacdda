"""What a profile says, as it crosses from the sandbox to the server and as it is stored. The reader trusts nothing."""

import re
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from studio.errors import Invalid

MAX_BYTES = 4 * 1024 * 1024
MAX_COLUMNS = 300  # profiled; a wider file says how many it has
HEAD_ROWS = 50
HEAD_COLUMNS = 100
MAX_TEXT = 120

Text = Annotated[str, Meta(max_length=400)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Cell = str | int | float | bool | None


class Histogram(Struct, frozen=True):
    """`counts[i]` values lie in [edges[i], edges[i + 1]), the last bin closed; dates and times as ms since 1970."""

    edges: Annotated[list[float], Meta(max_length=21)]
    counts: Annotated[list[Count], Meta(max_length=20)]


class ColumnProfile(Struct, frozen=True):
    """One column. `missing` counts null and NaN; `mean` of a boolean: its share of true; temporal bounds: ISO 8601."""

    name: Text
    dtype: Text
    missing: Count
    distinct: Count | None = None
    min: Cell = None
    max: Cell = None
    mean: float | None = None
    histogram: Histogram | None = None
    top: Annotated[list[tuple[Cell, Count]], Meta(max_length=20)] | None = None


class Head(Struct, frozen=True):
    """The first rows."""

    columns: Annotated[list[Text], Meta(max_length=HEAD_COLUMNS)]
    rows: Annotated[list[list[Cell]], Meta(max_length=HEAD_ROWS)]


class Profile(Struct, frozen=True):
    """A file's content in figures. `sampled_rows`: statistics are over so many first rows; null = over all."""

    row_count: Count
    column_count: Count
    columns: Annotated[list[ColumnProfile], Meta(max_length=MAX_COLUMNS)]
    head: Head
    sampled_rows: Count | None = None


class Report(Struct, frozen=True):
    """The result of one look at a file: an `error` for people, or its hash, size and profile."""

    error: Annotated[str, Meta(max_length=2000)] = ""
    hash: str = ""
    bytes: Count = 0
    profile: Profile | None = None


def encode(report: Report | Profile) -> bytes:
    """JSON; infinite figures become null."""
    return msgspec.json.encode(report)


def decode(data: bytes) -> Report:
    """The report in `data`, which a sandbox wrote; `Invalid` if it is not one."""
    try:
        report = msgspec.json.decode(data, type=Report)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid(f"The profile that came back is not one: {error}.", "Register the file again.") from error
    if report.error:
        return Report(error=report.error)
    if report.profile is None or not re.fullmatch(r"[0-9a-f]{64}", report.hash):
        raise Invalid("The profile that came back has no hash or no content.", "Register the file again.")
    return report


def decode_profile(data: str) -> Profile:
    """A stored profile."""
    return msgspec.json.decode(data, type=Profile)
