"""The profile of a file: the sample against pandas, every format, every file that is none."""

import hashlib
import os
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from studio.data import profile, reports
from studio.data.reports import Profile, Report
from studio.errors import Invalid, NotFound

ASSETS = Path(__file__).resolve().parents[3] / "assets" / "data"


def profiled(root: Path, path: str) -> Profile:
    """The profile, after the way it takes to the server."""
    found = reports.decode(reports.encode(profile.look(root, path))).profile
    assert found is not None
    return found


def test_the_sample_in_figures() -> None:
    report = profile.look(ASSETS, "seattle-weather.csv")
    frame = pd.read_csv(ASSETS / "seattle-weather.csv", parse_dates=["date"])
    assert report.hash == hashlib.sha256((ASSETS / "seattle-weather.csv").read_bytes()).hexdigest()
    found = profiled(ASSETS, "seattle-weather.csv")
    assert (found.row_count, found.column_count, found.sampled_rows) == (1461, 6, None)
    assert [column.name for column in found.columns] == list(frame.columns)
    for column in found.columns:
        values = frame[column.name]
        assert column.missing == values.isna().sum()
        assert column.distinct == values.nunique()
        if column.dtype == "float64":
            assert (column.min, column.max) == (values.min(), values.max())
            assert column.mean == pytest.approx(values.mean())
        if column.histogram is not None:
            assert sum(column.histogram.counts) == 1461
            assert len(column.histogram.edges) == len(column.histogram.counts) + 1 <= 21
    date, weather = found.columns[0], found.columns[-1]
    assert (date.dtype, date.min, date.max) == ("date", "2012-01-01", "2015-12-31")
    assert weather.top == [tuple(pair) for pair in frame["weather"].value_counts().items()]
    assert found.head.columns == list(frame.columns)
    assert len(found.head.rows) == 50
    assert found.head.rows[0] == ["2012-01-01", 0.0, 12.8, 5.0, 4.7, "drizzle"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "x,name\n1,ada\n2,\nNA,eve\n"),
        ("a.tsv", "x\tname\n1\tada\n2\t\nNA\teve\n"),
        ("semicolons.csv", "x;name\n1;ada\n2;\nNA;eve\n"),
        ("a.jsonl", '{"x":1,"name":"ada"}\n{"x":2,"name":null}\n{"x":null,"name":"eve"}\n'),
        ("crlf.csv", "x,name\r\n1,ada\r\n2,\r\nNA,eve\r\n"),
        ("byte order mark.csv", "\ufeffx,name\n1,ada\n2,\nNA,eve\n"),
        ("*glob[a].csv", "x,name\n1,ada\n2,\nNA,eve\n"),
    ],
)
def test_the_same_table_in_every_text_format(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    x, names = profiled(tmp_path, name).columns
    assert (x.name, x.missing, x.min, x.max, x.mean) == ("x", 1, 1, 2, 1.5)
    assert (names.name, names.missing, names.distinct, names.top) == ("name", 1, 2, [("ada", 1), ("eve", 1)])


def test_parquet_with_every_kind_of_column(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "whole": [1, 2, 7, None],
            "huge": [2**60, 1, 2, 3],
            "odd": [float("inf"), float("nan"), 1.0, -1.0],
            "flag": [True, True, None, False],
            "nothing": pl.Series([None] * 4, dtype=pl.Null),
            "list": [[1], [], None, [2]],
            "bytes": [b"\xff", None, b"", b"a"],
            "span": pl.Series([1, 2, 3, None], dtype=pl.Duration("ms")),
            "kind": pl.Series(["u", "v", "u", None], dtype=pl.Categorical),
            "text": ["x" * 500, "", "<script>", None],
        }
    )
    frame.write_parquet(tmp_path / "all.parquet")
    found = {column.name: column for column in profiled(tmp_path, "all.parquet").columns}
    assert [column.missing for column in found.values()] == [1, 0, 1, 1, 4, 1, 1, 1, 1, 1]
    assert found["whole"].histogram is not None
    assert found["whole"].histogram.counts == [1, 1, 0, 0, 0, 0, 1]
    assert found["huge"].max == str(2**60)
    assert (found["odd"].min, found["odd"].max) == (-1.0, 1.0)
    assert found["flag"].mean == pytest.approx(2 / 3)
    assert found["flag"].top == [(True, 2), (False, 1)]
    assert found["list"].distinct is None
    assert found["span"].max == 0.003
    assert found["kind"].top == [("u", 2), ("v", 1)]
    assert all(len(str(value)) <= 120 for value, _ in found["text"].top or [])


def test_constant_and_empty_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("same,none\n5,\n5,\n")
    same, none = profiled(tmp_path, "a.csv").columns
    assert same.histogram is not None
    assert same.histogram.counts == [2]
    assert (none.missing, none.distinct, none.histogram) == (2, 0, None)
    (tmp_path / "head.csv").write_text("a,b\n")
    assert profiled(tmp_path, "head.csv").row_count == 0


def test_only_the_first_rows_of_a_large_file_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "LARGE_BYTES", 10)
    monkeypatch.setattr(profile, "SAMPLE_ROWS", 3)
    (tmp_path / "a.csv").write_text("x\n" + "1\n" * 10)
    found = profiled(tmp_path, "a.csv")
    assert (found.row_count, found.sampled_rows) == (10, 3)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", "empty"),
        ("a.xlsx", b"PK\3\4", ".xlsx"),
        ("noise.csv", bytes(range(256)), "is not csv"),
        ("noise.parquet", b"PAR1" + bytes(range(256)), "cannot be read as parquet"),
        ("text.parquet", b"a,b\n1,2\n", "is not parquet"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n", "cannot be read as csv"),
        ("broken.jsonl", b'{"a": 1\n{"a"', "cannot be read as jsonl"),
        ("none", b"a,b\n1,2\n", "no suffix"),
    ],
)
def test_what_cannot_be_read_says_why_and_what_can(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Invalid, match=words) as found:
        profile.look(tmp_path, name)
    assert found.value.hint


def test_only_a_regular_file_below_the_root_is_opened(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (root / "link.csv").symlink_to(tmp_path / "secret.csv")
    (root / "away").symlink_to(tmp_path)
    (root / "inside.csv").symlink_to(root / "folder")
    os.mkfifo(root / "pipe.csv")
    for path, kind in {
        "link.csv": Invalid,
        "away/secret.csv": Invalid,
        "inside.csv": Invalid,
        "pipe.csv": Invalid,
        "folder": Invalid,
        "../secret.csv": Invalid,
        "folder/../../secret.csv": Invalid,
        "nope.csv": NotFound,
        "link.csv/x": Invalid,
        "": Invalid,
    }.items():
        with pytest.raises(kind):
            profile.look(root, path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"hash": "' + b"0" * 64 + b'"}',
        b'{"hash":"x","profile":{"row_count":1,"column_count":0,"columns":[],"head":{"columns":[],"rows":[]}}}',
        b'{"error": "' + b"x" * 5000 + b'"}',
        b"[" * 100_000,
        b'{"hash":"' + b"0" * 64 + b'","profile":{"row_count":-1,"column_count":0,"columns":[],"head":{}}}',
    ],
)
def test_a_forged_report_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        reports.decode(data)


def test_an_error_comes_through() -> None:
    assert reports.decode(reports.encode(Report(error="It is empty."))) == Report(error="It is empty.")
