"""No value of a redacted column is in any file after collection, whatever form it came in."""

import json
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.gateway.open_inference import Question
from studio.guest import frames
from studio.monitoring import captures, collect, intake, lake, model_columns, spool
from studio.monitoring.captures import Wanted
from studio.monitoring.collect import Task
from studio.monitoring.intake import Reading
from studio.monitoring.redaction import SHOWN, kept

COLUMNS = ["wind", "income", "rain"]
SECRETS = [91827364.25 + at for at in range(4)]  # stand in no other column
TEXTS = [str(secret) for secret in SECRETS] + [str(int(secret)) for secret in SECRETS]
Form = Callable[[list[list[float]]], tuple[bytes, str]]


def _json(document: object) -> tuple[bytes, str]:
    return json.dumps(document).encode(), "application/json"


def _records(rows: list[list[float]]) -> list[dict[str, float]]:
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def _csv(rows: list[list[float]], head: bool = True) -> tuple[bytes, str]:
    lines = [",".join(COLUMNS)] * head + [",".join(map(str, row)) for row in rows]
    return "\n".join(lines).encode(), "text/csv"


def _matrix(rows: list[list[float]], *, binary: bool = False) -> tuple[bytes, str]:
    values = [value for row in rows for value in row]
    tensor: dict[str, Any] = {"name": "x", "shape": [len(rows), 3], "datatype": "FP64"}
    tensor |= {"parameters": {"binary_data_size": 8 * len(values)}} if binary else {"data": values}
    head = json.dumps({"inputs": [tensor]}).encode()
    packed = struct.pack(f"<{len(values)}d", *values) if binary else b""
    return head + packed, Question("m", json_bytes=len(head) if binary else -1).content_type


def _tensors(rows: list[list[float]]) -> tuple[bytes, str]:
    inputs = [
        {"name": name, "shape": [len(rows)], "datatype": "FP64", "data": [row[at] for row in rows]}
        for at, name in enumerate(COLUMNS)
    ]
    return json.dumps({"inputs": inputs}).encode(), Question("m").content_type


FORMS: dict[str, Form] = {
    "split": lambda rows: _json({"dataframe_split": {"columns": COLUMNS, "data": rows}}),
    "split without names": lambda rows: _json({"dataframe_split": {"data": rows}}),
    "split, wrong names": lambda rows: _json(
        {"dataframe_split": {"columns": ["wind", "Income ", "rain"], "data": rows}}
    ),
    "records": lambda rows: _json({"dataframe_records": _records(rows)}),
    "instances": lambda rows: _json({"instances": _records(rows)}),
    "instances without names": lambda rows: _json({"instances": rows}),
    "inputs by column": lambda rows: _json({"inputs": {n: [r[at] for r in rows] for at, n in enumerate(COLUMNS)}}),
    "inputs without names": lambda rows: _json({"inputs": rows}),
    "inputs, too wide": lambda rows: _json({"inputs": [[*row, 1.0] for row in rows]}),
    "nested": lambda rows: _json({"instances": [{"wind": one, "rain": 0.0} for one in _records(rows)]}),
    "nested twice": lambda rows: _json({"instances": [{"wind": json.dumps([one])} for one in _records(rows)]}),
    "csv": _csv,
    "csv without names": lambda rows: _csv(rows, head=False),
    "tensors": _tensors,
    "matrix": _matrix,
    "binary": lambda rows: _matrix(rows, binary=True),
    "none": lambda rows: (repr(rows).encode(), "application/json"),
}


@contextmanager
def place(*, signature: bool = True) -> Iterator[Path]:
    """A capture folder, beside it a model with a signature and a sample of training data."""
    root = Path(tempfile.mkdtemp())
    try:
        (root / "model").mkdir()
        inputs = json.dumps([{"name": name, "type": "double"} for name in COLUMNS])
        lines = ["flavors: {}", *(["signature:", f"  inputs: '{inputs}'"] if signature else [])]
        (root / "model" / "MLmodel").write_text("\n".join(lines))
        (root / "known").mkdir()
        sample = pl.DataFrame({name: [float(at) for at in range(300)] for name in COLUMNS})
        sample.write_csv(root / "known" / "baseline.csv")
        (root / "captured" / "spool").mkdir(parents=True)
        yield root
    finally:
        shutil.rmtree(root)


def spooled(root: Path, name: str, requests: list[tuple[bytes, str, int, bytes]]) -> None:
    data = b""
    for at, (request, kind, status, answer) in enumerate(requests):
        head = {"id": f"{name}{at}", "at_ms": 1, "variant": "v1", "version": "1", "status": status, "latency_us": 9}
        head |= {"content_type": kind, "request_bytes": len(request)}
        data += frames.encode(frames.CAPTURE, at, json.dumps(head).encode(), request + answer)
    (root / "captured" / "spool" / f"{name}-1.frames").write_bytes(data)


def run(root: Path, id: str = "run-a", after: int = 0, **more: Any) -> Any:
    given = {"baseline": root / "known", "models": {1: root / "model"}, "redact": frozenset({"income"})}
    return collect.run(Task(root / "captured", id, after, days=3650 * 30, **(given | more)))


def everything(folder: Path) -> str:
    """All that is written there, in words: cells of Parquet, and other files as they are."""
    texts = []
    for path in folder.rglob("*"):
        if path.suffix == ".parquet":
            texts += [str(pl.read_parquet(path).rows()), str(pl.read_parquet(path).columns)]
        elif path.is_file():
            texts.append(path.read_text())
    return "\n".join(texts)


answers = st.sampled_from(
    [(200, b'{"predictions": [1, 0]}'), (200, b""), (400, b'{"message": "91827364.25 is no text"}')]
)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(FORMS)), answers, st.booleans())
def test_no_redacted_value_is_in_any_file(form: str, answer: tuple[int, bytes], signature: bool) -> None:
    rows = [[float(at), SECRETS[at], 2.0] for at in range(2)]
    body, kind = FORMS[form](rows)
    with place(signature=signature) as root:
        spooled(root, "1", [(body, kind, *answer)] * 110)
        result = run(root)
        assert result.error == "" and result.collected > 0
        written = everything(root / "captured")
        assert not [text for text in TEXTS if text in written]
        assert not list((root / "captured" / "spool").iterdir())
        assert "income" not in [column.name for window in result.windows for column in window.columns]


@pytest.mark.parametrize("form", ["split", "records", "inputs without names", "csv", "tensors", "matrix", "binary"])
def test_the_other_columns_go_on(form: str) -> None:
    body, kind = FORMS[form]([[3.0, SECRETS[0], 2.0], [4.0, SECRETS[1], 2.5]])
    with place() as root:
        spooled(root, "1", [(body, kind, 200, b'{"predictions": [1, 0]}')] * 110)
        [window] = run(root).windows
        assert window.rows == 220
        assert {column.name for column in window.columns} == {"wind", "rain"}
        newest = captures.rows(root / "captured", Wanted(1)).rows[0]
        assert newest.inputs == {"wind": 4.0, "income": SHOWN, "rain": 2.5}
        table = captures.window(root / "captured", window.id)
        assert table.rows[0][:3] == [3.0, SHOWN, 2.0]
        stored = lake.after(lake.parts(root / "captured" / "parquet"), 0)
        assert stored["input.income"].null_count() == 220


def test_redacting_later_hides_what_readers_would_see_of_before() -> None:
    body, kind = FORMS["split"]([[3.0, SECRETS[0], 2.0]])
    asked = (body, kind, 200, b'{"predictions": [1]}')
    with place() as root:
        spooled(root, "1", [asked] * 220)
        first = run(root, redact=frozenset())
        assert {column.name for column in first.windows[0].columns} == set(COLUMNS)
        redact = ["income"]
        # The files of before: hidden by whoever reads them.
        assert captures.rows(root / "captured", Wanted(1), redact).rows[0].inputs["income"] == SHOWN
        assert SHOWN in captures.window(root / "captured", "run-a-0", redact).rows[0]
        spooled(root, "2", [asked] * 220)
        second = run(root, "run-b", first.to_seq)
        stored = lake.after(lake.parts(root / "captured" / "parquet"), 0)["input.income"]
        assert (stored[:220].null_count(), stored[220:].null_count()) == (0, 220)
        assert "91827364" not in (root / "captured" / "tail.json").read_text()
        assert len(second.windows) == 1


def test_answers_are_redacted_by_the_names_in_them() -> None:
    known = ["wind"]
    assert kept({"wind": 1}, {"income": 5, "risk": 1}, 200, ["income"], known).output == {"income": SHOWN, "risk": 1}
    assert kept({"wind": 1}, [{"a": {"income": 5}}], 200, ["income"], known).output == [{"a": {"income": SHOWN}}]
    # Several values of CSV have no names: any of them may be the one.
    for named, output in ((True, [5, 1]), (False, None)):
        assert kept({"wind": 1}, [5, 1], 200, ["income"], known, is_named=named).output == output
    assert kept({"wind": 1}, 5, 200, ["income"], known, is_named=False).output == 5
    hidden = kept({"wind": 1}, 7, 200, ["output"], known)
    assert (hidden.inputs, hidden.output, hidden.hidden) == ({"wind": 1}, None, ("output",))
    assert kept({"other": 1}, 7, 500, [], known).inputs == {"other": 1}


def test_an_error_does_not_quote_what_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "parquet").write_text("a file where a folder is to be")
    (tmp_path / "spool").mkdir()
    body = b'{"inputs": [[1]]}'
    head = json.dumps({"id": "a", "at_ms": 1, "request_bytes": len(body)}).encode()
    (tmp_path / "spool" / "1-1.frames").write_bytes(frames.encode(frames.CAPTURE, 1, head, body))
    words = ["collect", "--root", str(tmp_path), "--after", "0", "--version", "1", "--threshold", "0.2"]
    for run_id, redact in (("open", "[]"), ("shut", '["a"]')):
        monkeypatch.setattr("sys.argv", [*words, "--run", run_id, "--redact", redact])
        assert collect.main() == 0
    said = {name: captures.result(tmp_path, name) for name in ("open", "shut")}
    assert str(tmp_path) in said["open"].error  # type: ignore[union-attr]
    assert str(tmp_path) not in said["shut"].error  # type: ignore[union-attr]
    assert "words are not kept" in said["shut"].error  # type: ignore[union-attr]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.binary(max_size=60), st.sampled_from(["application/json", "text/csv", "x"])), max_size=4),
    st.lists(st.sampled_from(["1", "1.5", "null", '"a"', "[1,[2]]", '{"b": {}}', "9" * 40, "true", '"é"', "-1e300"])),
)
def test_nothing_that_is_sent_stops_the_job(odd: list[tuple[bytes, str]], values: list[str]) -> None:
    rows = ",".join(f'{{"wind": {value}, "x{at}": {value}}}' for at, value in enumerate(values))
    body = f'{{"instances": [{rows}]}}'.encode()
    with place() as root:
        requests = [(*one, 200, one[0]) for one in odd]
        spooled(root, "1", [*requests, (body, "application/json", 200, b'{"predictions": ' + b"9" * 40 + b"}")])
        for redact in (frozenset(), frozenset({"x1"})):
            reading = Reading(columns={1: COLUMNS}, redact=redact)
            assert intake.collect(root / "captured", reading)[0]


def test_columns_that_callers_make_up_are_few() -> None:
    made_up = {f"x{at}": 1 for at in range(3000)} | {"y" * 600: 1, "wind": 2}
    body = json.dumps({"instances": [made_up]}).encode()
    head = spool.Head(id="a", version="1", content_type="application/json")
    for columns, count in (({1: COLUMNS}, intake.FOREIGN + 1), ({}, intake.NAMED)):
        [row] = intake.rows_in(spool.Captured(head, body, b""), Reading(columns=columns))
        assert len(row["inputs"]) == count
        assert "y" * 600 not in row["inputs"]
    rows = [{**row, "seq": at, "inputs": {f"x{at}-{n}": 1 for n in range(1000)}} for at in range(7)]
    assert len(lake.frame(rows).columns) < lake.MOST_COLUMNS + 20


def test_columns_come_from_the_signature(tmp_path: Path) -> None:
    assert model_columns.read(tmp_path) == []
    for text in ("", "[]", "signature:\n  inputs: 7", "signature: {inputs: '[{}]'}", "a: b: c", "signature:"):
        (tmp_path / "MLmodel").write_text(text)
        assert model_columns.read(tmp_path) == []
    with place() as root:
        assert model_columns.read(root / "model") == COLUMNS
