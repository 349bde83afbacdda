"""Batch's tables and columns: every row once and in order, whatever the chunk; nothing half ever under its name."""

import fcntl
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pandas
import pytest

from studio.errors import Invalid, NotFound
from studio.guest.batch import scoring, tables
from studio.guest.batch.main import score
from studio.guest.serving.outputs import Named

FRAME = pandas.DataFrame({"zip": ["01", "2", None], "wind": [1.5, None, 3.0], "dry": [True, False, True]})
KINDS = ("csv", "tsv", "jsonl", "parquet")


def write(path: Path, frame: Any, kind: str) -> Path:
    with tables.written(path, kind, "job-1") as sink:
        sink.write(frame[:2])
        sink.write(frame[2:])
    return path


def read(path: Path, kind: str, rows: int = 2) -> Any:
    with tables.opened(path) as file:
        return pandas.concat(list(tables.chunks(file, kind, rows, {"zip": str})), ignore_index=True)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_read_again_in_chunks(tmp_path: Path, kind: str) -> None:
    found = read(write(tmp_path / f"rows.{kind}", FRAME, kind), kind)
    assert list(found.columns) == list(FRAME.columns)
    assert found["wind"].fillna(-1).tolist() == [1.5, -1.0, 3.0]
    assert found["zip"].tolist()[:2] == ["01", "2"] and found["dry"].tolist() == [True, False, True]
    assert [item.name for item in tmp_path.iterdir()] == [f"rows.{kind}"]


def test_what_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", FRAME, "csv")
    before = path.read_bytes()
    with pytest.raises(RuntimeError), tables.written(path, "csv", "job-2") as sink:
        sink.write(FRAME)
        assert path.read_bytes() == before
        raise RuntimeError
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (before, [path])


def test_what_a_killed_one_left_goes_and_what_another_writes_stays(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    dead, alive, other = (tmp_path / f".{name}.part" for name in ("rows.csv.job-0", "rows.csv.job-9", "else.csv.job-2"))
    for item in (dead, alive, other):
        item.write_text("half")
    with alive.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        write(path, FRAME, "csv")
    assert (dead.exists(), alive.exists(), other.exists(), path.exists()) == (False, True, True, True)


def test_an_input_that_changes_is_not_scored(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", FRAME, "csv")
    with pytest.raises(Invalid, match="changed while it was read"), tables.opened(path):
        path.write_text("else")
    with pytest.raises(Invalid, match="changed"), tables.opened(path):
        (tmp_path / "new").write_text("else")
        (tmp_path / "new").replace(path)
    with pytest.raises(NotFound), tables.opened(tmp_path / "none.csv"):
        pass


def test_formats_are_known_by_name_or_given(tmp_path: Path) -> None:
    assert [tables.format_of(f"a.{end}") for end in ("csv", "NDJSON", "pq")] == ["csv", "jsonl", "parquet"]
    assert tables.format_of("rows.txt", "tsv") == "tsv"
    with pytest.raises(Invalid, match="no format"):
        tables.format_of("rows.xlsx")
    (tmp_path / "rows.parquet").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(Invalid, match="read as parquet"):
        read(tmp_path / "rows.parquet", "parquet")


def test_lines_of_json_keep_their_types_and_columns(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": "01", "b": 1}\n\n{"b": 2.5}\n{"a": "x", "b": null}\n')
    found = read(path, "jsonl")
    assert found["a"].tolist()[0] == "01" and list(found.columns) == ["a", "b"] and len(found) == 3
    for text, words in (('{"a": 1}\n{"b": 1}\n', "have 'b'"), ('{"a": 1}\n[1]\n', "Row 2 is a list"), ("{", "Row 1")):
        path.write_text(text)
        with pytest.raises(Invalid, match=words):
            read(path, "jsonl", 1)


def test_parquet_of_changing_types_is_refused_whole(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    with pytest.raises(Invalid, match="other types"), tables.written(path, "parquet", "job-1") as sink:
        sink.write(pandas.DataFrame({"a": [1, 2]}))
        sink.write(pandas.DataFrame({"a": ["x", "y"]}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (numpy.array([1, 2]), {"prediction": [1, 2]}),
        (pandas.Series([1.0, 2.0], name="x"), {"prediction": [1.0, 2.0]}),
        (numpy.array([[1, 2], [3, 4]]), {"prediction_0": [1, 3], "prediction_1": [2, 4]}),
        (pandas.DataFrame({"sum": [1, 2], "word": ["a", "b"]}), {"sum": [1, 2], "word": ["a", "b"]}),
        ([{"a": 1}, {"b": 2}], {"a": [1, None], "b": [None, 2]}),
        (["x", "y"], {"prediction": ["x", "y"]}),
        ({"a": [1, 2]}, {"a": [1, 2]}),
        (Named({"p": numpy.array([0.5, 0.25])}, records=False), {"p": [0.5, 0.25]}),
    ],
)
def test_predictions_become_columns(result: Any, expected: dict[str, Any]) -> None:
    assert {name: list(values) for name, values in scoring.columns(result).items()} == expected


def model(predict: Any) -> Any:
    """A model without signature that is asked with a DataFrame."""
    signature = SimpleNamespace(columns=())
    return SimpleNamespace(predict=predict, described=SimpleNamespace(signature=signature))


def test_every_row_gets_its_own_prediction_once_whatever_the_chunk() -> None:
    text = b"n\n" + b"".join(b"%d\n" % number for number in range(100))
    outputs = []
    for rows in (1, 7, 100, 1000):
        out = io.BytesIO()
        double = model(lambda frame: frame["n"].to_numpy() * 2)
        assert score(double, io.BytesIO(text), "csv", rows, tables.Lines(out, "csv")) == 100
        outputs.append(out.getvalue())
    assert set(outputs) == {b"n,prediction\n" + b"".join(b"%d,%d\n" % (n, 2 * n) for n in range(100))}


def test_what_does_not_fit_is_said() -> None:
    frame = pandas.DataFrame({"n": [1, 2]})
    with pytest.raises(Invalid, match="1 predictions for 2 rows"):
        scoring.score(model(lambda frame: [0]), frame, 1)
    with pytest.raises(Invalid, match="has a column 'n' already"):
        scoring.score(model(lambda frame: {"n": [0, 0]}), frame, 1)
    with pytest.raises(Invalid, match="no rows"):
        score(model(len), io.BytesIO(b"n\n"), "csv", 10, tables.Lines(io.BytesIO(), "csv"))
