"""The job inside the sandbox: spool to Parquet to windows, killed anywhere, nothing lost or doubled."""

import json
import time
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from studio.guest import frames
from studio.monitoring import captures, collect, intake, lake, windows
from studio.monitoring.captures import Wanted
from studio.monitoring.collect import Task
from studio.monitoring.inputs import outputs_of, rows_of
from studio.monitoring.intake import Reading
from studio.monitoring.results import Result, Rows, Tail

NOW = time.time_ns() // 3_600_000_000_000 * 3_600_000  # the beginning of this hour


def segment(root: Path, number: int, requests: int, *, rows: int = 1, start: int = 0, version: str = "1") -> Path:
    """A closed segment of `requests` requests with the values start, start + 1, …"""
    spool = root / "spool"
    spool.mkdir(parents=True, exist_ok=True)
    data = b""
    for at in range(requests):
        values = [[float(start + at * rows + i), "a"] for i in range(rows)]
        request = json.dumps({"dataframe_split": {"columns": ["x", "kind"], "data": values}}).encode()
        answer = json.dumps({"predictions": [1] * rows}).encode()
        head = {"id": f"q{number}-{at}", "at_ms": NOW + number * 1000 + at, "variant": "v1", "version": version}
        head |= {"status": 200, "latency_us": 900, "content_type": "application/json", "request_bytes": len(request)}
        data += frames.encode(frames.CAPTURE, at, json.dumps(head).encode(), request + answer)
    path = spool / f"{NOW + number * 1000}-{number}.frames"
    path.write_bytes(data)
    return path


def run(root: Path, id: str, after: int = 0, **more: Any) -> Result:
    return collect.run(Task(root, id, after, **more))


def numbers(root: Path) -> list[int]:
    return lake.after(lake.parts(root / "parquet"), 0)["seq"].to_list()


def baseline(root: Path, rows: int = 1000) -> Path:
    folder = root / "baseline"
    folder.mkdir()
    pl.DataFrame({"x": [float(i % 250) for i in range(rows)], "kind": ["a"] * rows}).write_csv(folder / "baseline.csv")
    return folder


def test_rows_are_numbered_without_gaps_over_runs(tmp_path: Path) -> None:
    segment(tmp_path, 1, 30, rows=2)
    assert intake.collect(tmp_path, Reading())[1] == 60
    segment(tmp_path, 2, 5)
    assert intake.collect(tmp_path, Reading())[1] == 5
    assert numbers(tmp_path) == list(range(1, 66))
    assert list((tmp_path / "spool").iterdir()) == []


def test_killed_before_it_could_delete_takes_nothing_twice(tmp_path: Path) -> None:
    path = segment(tmp_path, 1, 10)
    kept = path.read_bytes()
    intake.collect(tmp_path, Reading())
    path.write_bytes(kept)  # as if the job had been killed between writing the part and deleting the segment
    segment(tmp_path, 2, 3)
    assert intake.collect(tmp_path, Reading())[1] == 3
    assert numbers(tmp_path) == list(range(1, 14))


def test_half_written_part_and_cut_segment_do_no_harm(tmp_path: Path) -> None:
    path = segment(tmp_path, 1, 10)
    path.write_bytes(path.read_bytes()[:-5])  # the gateway was killed in the last frame
    hour = tmp_path / "parquet" / lake.hour(NOW)
    hour.mkdir(parents=True)
    (hour / "000000000001-000000000010.making").write_bytes(b"half")
    (tmp_path / "spool" / "garbage.frames").write_bytes(b"\0" * 40)
    assert intake.collect(tmp_path, Reading())[1] == 9
    assert numbers(tmp_path) == list(range(1, 10))


def test_windows_are_at_least_200_rows_and_take_every_row_once() -> None:
    assert windows.sizes(199) == []
    assert windows.sizes(200) == [200]
    assert windows.sizes(2000) == [2000]
    assert windows.sizes(2001) == [1001, 1000]
    assert sum(windows.sizes(123_456)) == 123_456
    assert min(windows.sizes(123_456)) >= 200


def test_check_waits_for_200_rows_then_moves_on(tmp_path: Path) -> None:
    known = baseline(tmp_path)
    segment(tmp_path, 1, 150)
    first = run(tmp_path, "run-a", 0, baseline=known)
    assert (first.windows, first.pending, first.to_seq, first.last_seq) == ([], 150, 0, 150)
    segment(tmp_path, 2, 100, start=150)
    second = run(tmp_path, "run-b", first.to_seq, baseline=known)
    [window] = second.windows
    assert (window.rows, window.from_seq, window.to_seq, second.pending) == (250, 1, 250, 0)
    assert not any(column.drifted for column in window.columns)
    rows = captures.window(tmp_path, "run-b-0")
    assert rows.columns == ["x", "kind", "output"]
    assert len(rows.rows) == len(set(rows.row_ids)) == 250
    assert rows.rows[0] == [0.0, "a", 1]
    third = run(tmp_path, "run-c", second.to_seq, baseline=known)
    assert (third.windows, third.pending) == ([], 0)


def test_other_versions_and_refused_requests_are_in_no_window(tmp_path: Path) -> None:
    known = baseline(tmp_path)
    segment(tmp_path, 1, 300, version="2")
    result = run(tmp_path, "run-a", 0, baseline=known)
    assert (result.windows, result.pending, result.to_seq) == ([], 0, 300)
    assert len(captures.rows(tmp_path, Wanted(500)).rows) == 300


def test_drift_is_named_worst_first(tmp_path: Path) -> None:
    known = baseline(tmp_path)
    segment(tmp_path, 1, 250, start=10_000)
    [window] = run(tmp_path, "run-a", 0, baseline=known).windows
    assert [(column.name, column.drifted) for column in window.columns] == [("x", True), ("kind", False)]


def test_captured_rows_can_be_narrowed(tmp_path: Path) -> None:
    segment(tmp_path, 1, 4, rows=2)
    segment(tmp_path, 2, 3, version="2")
    run(tmp_path, "run-a")

    def found(**wanted: Any) -> list[str]:
        return [row.id for row in captures.rows(tmp_path, Wanted(**{"limit": 9, **wanted})).rows]

    assert found(limit=4) == ["q2-2.0", "q2-1.0", "q2-0.0", "q1-3.1"]
    assert found(version=1, limit=3) == ["q1-3.1", "q1-3.0", "q1-2.1"]
    assert found(version=2, to_ms=NOW + 2001) == ["q2-0.0"]
    assert found(ids=frozenset({"q1-2", "q2-1.0"})) == ["q2-1.0", "q1-2.1", "q1-2.0"]
    assert found(from_ms=NOW * 2) == found(variant="v9") == found(status=500) == found(truth=True) == []
    [row] = captures.rows(tmp_path, Wanted(1, ids=frozenset({"q1-3.1"}))).rows
    assert (row.inputs, row.output) == ({"x": 7.0, "kind": "a"}, 1)


def test_files_of_the_sandbox_are_not_trusted(tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_bytes(msgspec.json.encode(Tail([], [])))
    root = tmp_path / "endpoint"
    (root / "results").mkdir(parents=True)
    (root / "tail.json").symlink_to(secret)
    with pytest.raises(Exception, match="is a link"):
        captures.rows(root, Wanted(1))
    (root / "results" / "run-a.json").write_text('{"run": "run-a", "collected": 99999999999999999999999}')
    assert captures.result(root, "run-a") is None
    (root / "windows").mkdir()
    (root / "windows" / "c.json").write_bytes(msgspec.json.encode(Rows(["x"], [[1]], ["a"])))
    assert captures.window(root, "c").row_ids == ["a"]


@pytest.mark.parametrize(
    ("body", "kind", "rows"),
    [
        (b'{"dataframe_split": {"columns": ["a"], "data": [[1], [2]]}}', "application/json", [{"a": 1}, {"a": 2}]),
        (b'{"dataframe_records": [{"a": 1}, {"a": null}]}', "application/json", [{"a": 1}, {"a": None}]),
        (b'{"instances": [{"a": 1}]}', "application/json", [{"a": 1}]),
        (b'{"inputs": {"a": [1, 2]}}', "application/json", [{"a": 1}, {"a": 2}]),
        (b'{"inputs": {"a": 1}}', "application/json", [{"a": 1}]),
        (b'{"inputs": [[1], [2]]}', "application/json", [{"a": 1}, {"a": 2}]),
        (b'{"inputs": [[1, 2]]}', "application/json", [{"0": 1, "1": 2}]),
        (b"a\n1\n2\n", "text/csv; charset=utf-8", [{"a": 1.0}, {"a": 2.0}]),
        (b'{"dataframe_split": {"data": [[1]]}}', "", [{"0": 1}]),
        (b"not json", "application/json", []),
        (b"[1]", "application/json", []),
    ],
)
def test_every_input_form_gives_rows(body: bytes, kind: str, rows: list[dict[str, object]]) -> None:
    assert rows_of(body, kind, ["a"]) == rows


def test_outputs_go_with_their_rows() -> None:
    assert outputs_of(b'{"predictions": [1, 2]}', 2) == [1, 2]
    assert outputs_of(b'{"predictions": [[0.1, 0.9]]}', 1) == [[0.1, 0.9]]
    assert outputs_of(b'{"message": "no"}', 2) == [{"message": "no"}] * 2
    assert outputs_of(b"", 1) == [None]


def test_csv_answers_are_lines_of_values() -> None:
    assert outputs_of(b"1\n0.5\n", 2, "", "text/csv") == [1.0, 0.5]
    assert outputs_of(b"a,1\nb,2\n", 2, "", "text/csv; charset=utf-8") == [["a", 1.0], ["b", 2.0]]
    assert outputs_of(b"rain\n", 2, "", "text/csv") == [["rain"], ["rain"]]
    assert outputs_of(b"\xff", 1, "", "text/csv") == ["\ufffd"]


def test_rows_that_were_kept_before_a_column_existed(tmp_path: Path) -> None:
    segment(tmp_path, 1, 250)
    [part] = intake.collect(tmp_path, Reading())[0]
    old = pl.read_parquet(part.path).drop("shadow", "redacted")
    old.write_parquet(part.path, metadata={"segments": "[]"})
    result = run(tmp_path, "run-a", baseline=baseline(tmp_path), redact=frozenset({"kind"}))
    assert (result.error, [window.rows for window in result.windows]) == ("", [250])
    assert captures.rows(tmp_path, Wanted(1)).rows[0].inputs == {"x": 249.0, "kind": "(redacted)"}


def test_finished_hours_become_one_part(tmp_path: Path) -> None:
    for number in range(20):
        segment(tmp_path, number, 2)
        intake.collect(tmp_path, Reading())
    store = tmp_path / "parquet"
    found = lake.parts(store)
    assert len(found) == 20
    lake.merge(store, found, NOW + 3 * 3_600_000)
    assert len(lake.parts(store)) == 1
    assert numbers(tmp_path) == list(range(1, 41))
    assert lake.prune(store, lake.parts(store), 30, NOW + 29 * 86_400_000) != []
    assert lake.prune(store, lake.parts(store), 30, NOW + 40 * 86_400_000) == lake.parts(store) == []
