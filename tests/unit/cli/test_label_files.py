"""Labels from a CSV file: what is a number, which row is meant, and what a wrong file is told."""

from pathlib import Path

import pytest

from studio.cli.captures import _rows
from studio.errors import Invalid


def rows(folder: Path, text: str | bytes) -> list[tuple[object, ...]]:
    file = folder / "labels.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [tuple(row.values()) for row in _rows(file)]


def test_both_ways_to_name_a_row(tmp_path: Path) -> None:
    assert rows(tmp_path, "id,label\na-1.0,1\nb.x.12,rain\n") == [("a-1", 0, 1), ("b.x", 12, "rain")]
    assert rows(tmp_path, "\ufeffinference_id,label\na,1.5\n") == [("a", 0, 1.5)]
    assert rows(tmp_path, "inference_id,row,label\na,2,true\na,,\n") == [("a", 2, True), ("a", 0, None)]


@pytest.mark.parametrize(
    ("text", "label"), [("NaN", "NaN"), ("1e999", "1e999"), ("[1]", "[1]"), ("null", "null"), ("-3", -3)]
)
def test_only_what_json_calls_a_number_is_one(tmp_path: Path, text: str, label: object) -> None:
    assert rows(tmp_path, f"id,label\na.0,{text}\n") == [("a", 0, label)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "columns"),
        ("id\na.0\n", "columns"),
        ("label\n1\n", "columns"),
        ("id,label\na.0,1\nnothing,2\n", "Line 3"),
        ("inference_id,row,label\na,-1,2\n", "Line 2"),
        (b"id,label\n\xff\xfe,1\n", "UTF-8|utf-8"),
    ],
)
def test_a_wrong_file_says_where(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        rows(tmp_path, text)
    with pytest.raises(Invalid, match="not a file"):
        list(_rows(tmp_path / "absent.csv"))
