"""What a hostile or broken source can do: nothing is read outside of it, what is wrong is named, the rest comes."""

import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from studio.cli.transfer import files, writing
from studio.cli.transfer.database import Database
from studio.cli.transfer.files import Bad, Tree
from studio.cli.transfer.folder import Folder
from studio.cli.transfer.records import Run
from studio.errors import Invalid

RUN = "a" * 32
SECRET = "the host's secret"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text(SECRET)
    return folder


@pytest.fixture
def mlruns(tmp_path: Path) -> Path:
    """One experiment with one run."""
    root = tmp_path / "mlruns"
    write(root / "1" / "meta.yaml", "experiment_id: '1'\nname: e\nlifecycle_stage: active\n")
    write(root / "1" / RUN / "meta.yaml", f"run_id: {RUN}\nstatus: 3\nstart_time: 5\nend_time: 6\nrun_name: r\n")
    write(root / "1" / RUN / "params" / "p", "1")
    write(root / "1" / RUN / "metrics" / "m", "7 0.5 3\n")
    write(root / "1" / RUN / "artifacts" / "a" / "b.txt", "hello")
    return root


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def read(root: Path) -> tuple[list[Run], list[Any], list[str]]:
    """(runs, points, problems) of a source's only experiment."""
    source = Folder(root)
    (experiment,) = source.experiments()
    runs = list(source.runs(experiment))
    points = [point for run in runs for point in source.points(experiment, run)]
    return runs, points, source.problems


def test_a_plain_folder_is_read(mlruns: Path) -> None:
    runs, points, problems = read(mlruns)
    assert [(run.run_id, run.name, run.status, run.end_ms, run.params) for run in runs] == [
        (RUN, "r", "FINISHED", 6, {"p": "1"})
    ]
    assert points == [("m", 7, 0.5, 3)]
    assert problems == []


@pytest.mark.parametrize("place", ["params/x", "metrics/x", "tags/x", "artifacts/x"])
def test_a_link_out_is_named_and_not_followed(mlruns: Path, outside: Path, place: str) -> None:
    link = mlruns / "1" / RUN / place
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside / "secret")
    (link.parent / "folder").symlink_to(outside)
    runs, points, problems = read(mlruns)
    tree = Tree(mlruns)
    listed = list(tree.walk(f"1/{RUN}/artifacts", problems))
    assert SECRET not in repr((runs, points, problems))
    assert listed == [("a/b.txt", 5)]
    assert any(place in problem for problem in problems)
    with pytest.raises(Bad, match="links are not followed"):
        tree.open(f"1/{RUN}/{place}")
    with pytest.raises(Bad, match="links are not followed"):
        tree.open(f"1/{RUN}/{place.rpartition('/')[0]}/folder/secret")


@pytest.mark.parametrize("name", ["1", f"1/{RUN}", f"1/{RUN}/params", f"1/{RUN}/artifacts"])
def test_a_folder_that_is_a_link_is_left_out(mlruns: Path, tmp_path: Path, name: str) -> None:
    moved = tmp_path / "moved"
    (mlruns / name).rename(moved)
    (mlruns / name).symlink_to(moved)
    source = Folder(mlruns)
    for experiment in source.experiments():
        for run in source.runs(experiment):
            assert not (name.endswith("params") and run.params)
            assert files.find([Tree(mlruns)], run.artifacts, run.run_id) is None or not name.endswith("artifacts")


def test_an_artifact_uri_leads_nowhere_else(mlruns: Path, outside: Path) -> None:
    trees = [Tree(mlruns)]
    for uri in (outside.as_uri(), str(outside), "file:///etc", f"/etc/{RUN}/../..", f"1/{RUN}/../../../outside", "/"):
        assert files.find(trees, uri, RUN) is None
    for uri in (f"file:///was/once/mlruns/1/{RUN}/artifacts", f"mlflow-artifacts:/1/{RUN}/artifacts"):
        assert files.find(trees, uri, RUN) == (trees[0], f"1/{RUN}/artifacts")


def test_a_pipe_does_not_hold_the_command(mlruns: Path) -> None:
    os.mkfifo(mlruns / "1" / RUN / "params" / "pipe")
    os.mkfifo(mlruns / "1" / RUN / "artifacts" / "pipe")
    runs, _, problems = read(mlruns)
    assert list(Tree(mlruns).walk(f"1/{RUN}/artifacts", problems)) == [("a/b.txt", 5)]
    assert runs[0].params == {"p": "1"}
    assert any("pipe" in problem for problem in problems)


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['touch /tmp/owned']",
        "name: !!python/name:os.system",
        "- a list",
        "name: [unclosed",
        "name: {deep: er}",
        "status: 99",
        "start_time: soon",
        "x: &a [1]\nrun_name: [*a, *a]",
        "[" * 5000,
        "\x00",
    ],
)
def test_hostile_yaml_is_named_and_the_rest_comes(mlruns: Path, text: str) -> None:
    write(mlruns / "1" / ("b" * 32) / "meta.yaml", text if text.startswith(("!!", "-", "[", "\x00")) else f"{text}\n")
    if text == "name: {deep: er}":
        write(mlruns / "1" / ("b" * 32) / "meta.yaml", "run_name: {deep: er}")
    runs, _, problems = read(mlruns)
    left = [run.run_id for run in runs if run.run_id == RUN]
    assert left == [RUN]
    assert not Path("/tmp/owned").exists()
    assert len(problems) == 1
    assert "b" * 32 in problems[0]


def test_a_bomb_of_aliases_is_no_text(mlruns: Path) -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 20)]
    write(mlruns / "1" / RUN / "meta.yaml", "\n".join([*lines, "run_name: *a19"]))
    runs, _, problems = read(mlruns)
    assert runs == []
    assert problems == [f"1/{RUN}: run_name: is not text"]


def test_lines_that_are_no_values_are_named(mlruns: Path) -> None:
    write(mlruns / "1" / RUN / "metrics" / "odd", "1 nan 0\nx y z\n2 inf\n\n3\n" + "9" * 100_000 + "\n4 1.5 2\n")
    _, points, problems = read(mlruns)
    odd = [point[1:] for point in points if point[0] == "odd"]
    assert [(ts, repr(value), step) for ts, value, step in odd] == [(1, "nan", 0), (2, "inf", 0), (4, "1.5", 2)]
    assert [problem.rpartition("line ")[2][0] for problem in problems] == ["2", "5", "6"]


def test_a_file_that_is_too_large_for_text_is_named(mlruns: Path) -> None:
    with (mlruns / "1" / RUN / "params" / "big").open("wb") as file:
        file.truncate(1 << 40)
    runs, _, problems = read(mlruns)
    assert runs == []
    assert "larger than" in problems[0]


def test_values_of_a_gigantic_metric_are_read_one_by_one(mlruns: Path) -> None:
    with (mlruns / "1" / RUN / "metrics" / "m").open("w") as file:
        file.writelines(f"{n} 1.0 {n}\n" for n in range(300_000))
    source = Folder(mlruns)
    (experiment,) = source.experiments()
    (run,) = source.runs(experiment)
    points = source.points(experiment, run)
    assert next(points) == ("m", 0, 1.0, 0)
    assert sys.getsizeof(points) < 1000


def test_what_is_no_database_of_mlflow_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("not a database at all" * 100)
    with pytest.raises(Invalid, match="cannot be read as a database"):
        Database(text)
    for name, statement, message in (
        ("other.db", "CREATE TABLE t (a)", "not one of MLflow's"),
        ("old.db", "CREATE TABLE alembic_version (version_num)", "not one of MLflow's"),
    ):
        with sqlite3.connect(tmp_path / name) as db:
            db.execute(statement)
        db.close()
        with pytest.raises(Invalid, match=message):
            Database(tmp_path / name)


def test_a_schema_that_is_too_old_says_what_to_do(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "mlflow.db") as db:
        db.execute("CREATE TABLE alembic_version (version_num)")
        db.execute("INSERT INTO alembic_version VALUES ('181f10493468')")
        db.execute("CREATE TABLE experiments (experiment_id, name, lifecycle_stage)")
        db.execute("CREATE TABLE metrics (key, value, timestamp, run_uuid)")
    db.close()
    with pytest.raises(Invalid, match="181f10493468") as caught:
        Database(tmp_path / "mlflow.db")
    assert "mlflow db upgrade" in caught.value.hint


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", "a//b", ".", "..", "a/\0"])
def test_nothing_is_written_outside_of_an_export(tmp_path: Path, path: str) -> None:
    with pytest.raises(Bad):
        writing._below(tmp_path / "out", path)
    assert list(tmp_path.iterdir()) == []


def test_a_key_below_a_key_is_named(tmp_path: Path) -> None:
    writing._text(tmp_path, "a", "1")
    with pytest.raises(Bad, match="cannot hold both"):
        writing._text(tmp_path, "a/b", "2")
