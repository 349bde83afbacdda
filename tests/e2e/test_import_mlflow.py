"""`studio import mlflow`, `studio export mlflow`: what the real MLflow wrote comes whole, and MLflow reads it again."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from mlflow import MlflowClient

from tests.benchmarks.peers import free_port
from tests.e2e.mlflow_contents import contents
from tests.live import ROOT, until
from tests.postgres import Cluster
from tests.protocol.conftest import QUIET, Running

# MLflow says that its file store is old, and uses what SQLAlchemy calls old.
pytestmark = pytest.mark.filterwarnings(
    "ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning"
)
# What the database has no part in is tried on one.
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")
WHO = {"files": ("ann", "demo"), "sql": ("bob", "other")}  # source → whose key, and their domain


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file store and a database, as MLflow leaves them."""
    folder = tmp_path_factory.mktemp("sources")
    argv = [sys.executable, "-m", "tests.e2e.mlflow_sources", str(folder)]
    environment = os.environ | QUIET | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(argv, env=environment, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def server(
    database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """A Studio of this file's own."""
    cluster: Cluster | None = request.getfixturevalue("postgres") if database == "postgresql" else None
    url = cluster.url("imports", template="schema") if cluster else ""
    running = Running(tmp_path_factory.mktemp("studio"), free_port(), url)
    running.start()
    yield running
    running.stop()
    if cluster:
        cluster.drop("imports")


@pytest.fixture(autouse=True)
def _client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # MLflow leaves a database where it runs
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")


def start(server: Running, who: str, *words: str) -> subprocess.Popen[str]:
    own = {"STUDIO_URL": server.url, "STUDIO_TOKEN": server.token(who), "STUDIO_HOME": str(server.home)}
    argv = [sys.executable, "-m", "studio.cli.main", *words]
    return subprocess.Popen(
        argv, env=os.environ | own, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def studio(server: Running, who: str, *words: str, code: int = 0) -> tuple[str, str]:
    """(output, errors) of the command `studio WORDS` as `who`."""
    with start(server, who, *words) as process:
        out, err = process.communicate(timeout=300)
    assert process.returncode == code, f"{out}\n{err}"
    return out, " ".join(err.split())


def imported(server: Running, kind: str, path: Path, *words: str, code: int = 0) -> Any:
    who, domain = WHO[kind]
    return json.loads(studio(server, who, "import", "mlflow", str(path), "-d", domain, "--json", *words, code=code)[0])


def here(server: Running, kind: str, monkeypatch: pytest.MonkeyPatch, files: Path) -> Any:
    """What the official client finds in Studio."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", server.token(WHO[kind][0]))
    return contents(MlflowClient(server.url, server.url), files)


def there(uri: str, files: Path) -> Any:
    """What the official client finds at a file store or database."""
    return contents(MlflowClient(uri, uri), files)


def place(sources: Path, kind: str) -> tuple[Path, str]:
    """(path, MLflow's URI) of a source."""
    if kind == "files":
        path = sources / "files" / "mlruns"
        return path, path.as_uri()
    path = sources / "sql" / "mlflow.db"
    return path, f"sqlite:///{path}"


@pytest.mark.parametrize("kind", ["files", "sql"])
def test_everything_comes_once_and_goes_back(
    kind: str, server: Running, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, uri = place(sources, kind)
    before = there(uri, tmp_path / "before")
    dry = imported(server, kind, path, "--dry-run")
    assert (dry["runs"], dry["registered_models"], dry["versions"]) == (6, 2, 3)
    assert here(server, kind, monkeypatch, tmp_path / "dry")["runs"] == {}
    came = imported(server, kind, path)
    assert came["skipped"] == []
    assert (came["runs"], came["same"], came["logged_models"], came["versions"]) == (6, 0, 1, 3)
    assert came["files"] == dry["files"] > 5
    after = here(server, kind, monkeypatch, tmp_path / "after")
    assert after == before
    # Again: nothing is new.
    again = imported(server, kind, path)
    assert [again[name] for name in ("experiments", "runs", "changed", "points", "files", "versions")] == [0] * 6
    assert again["same"] == 6
    assert here(server, kind, monkeypatch, tmp_path / "again") == before
    # And back, read by MLflow as a folder and as the database that it makes of it.
    who, domain = WHO[kind]
    back = tmp_path / "back"
    studio(server, who, "export", "mlflow", str(back), "-d", domain)
    assert there(back.as_uri(), tmp_path / "exported") == before
    model = MlflowClient(back.as_uri(), back.as_uri()).get_model_version_by_alias("iris", "champion")
    assert (Path(model.source.removeprefix("file://")) / "MLmodel").exists() or model.source.startswith("models:/m-")


@on_sqlite
def test_an_import_that_was_cut_goes_on(
    server: Running, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "mlruns"
    shutil.copytree(sources / "files" / "mlruns", source)
    for meta in source.glob("*/*/meta.yaml"):
        if meta.parent.name.isalnum() and len(meta.parent.name) == 32:
            _rename(sources / "files" / "mlruns", source, meta.parent)
    (source / "models").rename(tmp_path / "no-models")
    shutil.rmtree(next(source.glob("*/models")))
    for folder in source.glob("*/*/outputs"):
        shutil.rmtree(folder)
    runs = {path.parent.name for path in source.glob("*/*/meta.yaml") if len(path.parent.name) == 32}
    with httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {server.token('ann')}"}) as http:
        process = start(server, "ann", "import", "mlflow", str(source), "-d", "demo")
        until(lambda: process.poll() is not None or _any_is_here(http, runs), "the first of them")
        process.send_signal(signal.SIGKILL)
        process.communicate()
    came = imported(server, "files", source)
    assert came["skipped"] == []
    found = here(server, "files", monkeypatch, tmp_path / "found")["runs"]
    expected = there(source.as_uri(), tmp_path / "expected")["runs"]
    for run in runs:
        assert found[run] == expected[run]
    assert imported(server, "files", source)["same"] == came["same"] + came["runs"] + came["changed"]


def _any_is_here(http: httpx.Client, runs: set[str]) -> bool:
    return any(http.get("/api/2.0/mlflow/runs/get", params={"run_id": run}).status_code == 200 for run in runs)


def _rename(was: Path, source: Path, run: Path) -> None:
    """Another id, as a run's id can be in one place only; its files are those of the copy."""
    changed = run.name[::-1]
    text = (run / "meta.yaml").read_text().replace(run.name, changed)
    (run / "meta.yaml").write_text(text.replace(str(was), str(source)))
    run.rename(run.parent / changed)


@on_sqlite
def test_only_one_experiment_is_taken(server: Running, sources: Path, tmp_path: Path) -> None:
    imported(server, "files", sources / "files" / "mlruns")
    taken = json.loads(
        studio(server, "ann", "export", "mlflow", str(tmp_path / "one"), "--experiment", "gone", "--json")[0]
    )
    assert (taken["experiments"], taken["registered_models"]) == (1, 0)
    _, err = studio(server, "ann", "export", "mlflow", str(tmp_path / "none"), "--experiment", "nope", code=1)
    assert "There is no experiment 'nope'" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one"]
    _, err = studio(server, "ann", "export", "mlflow", str(tmp_path / "one"), code=1)
    assert "is there already" in err


@on_sqlite
def test_a_viewer_imports_nothing(server: Running, sources: Path) -> None:
    _, err = studio(server, "vic", "import", "mlflow", str(sources / "files" / "mlruns"), "-d", "demo", code=1)
    assert "DENIED" in err


@on_sqlite
def test_what_cannot_be_taken_is_named_each_time_and_the_rest_comes(server: Running, tmp_path: Path) -> None:
    run = "7" * 32
    root = tmp_path / "mlruns"
    files = root / "5" / run / "artifacts"
    files.mkdir(parents=True)
    (root / "5" / "meta.yaml").write_text("experiment_id: '5'\nname: odd\n")
    (root / "5" / run / "meta.yaml").write_text(f"run_id: {run}\nstatus: 3\nstart_time: 1\nend_time: 2\n")
    (root / "6").mkdir()
    (root / "6" / "meta.yaml").write_text("!!python/object/apply:os.system ['true']")
    (tmp_path / "secret").write_text("of the host")
    (files / "out").symlink_to(tmp_path / "secret")
    for name in ("..%2f..%2fup", "%2e%2e", "back\\slash", "new\nline"):
        (files / name).write_text("x")
    with (files / "big").open("wb") as file:
        file.truncate(64 << 20)  # more than a body of this wire may have
    first = imported(server, "files", root, code=1)
    assert (first["experiments"], first["runs"], first["files"], first["bytes"]) == (1, 1, 1, 64 << 20)
    named = ["6/meta.yaml", "artifacts/out", "..%2f..%2fup", "%2e%2e", "back\\slash", "new\nline"]
    assert len(first["skipped"]) == len(named)
    assert all(any(name in line for line in first["skipped"]) for name in named)
    again = imported(server, "files", root, code=1)
    assert sorted(again["skipped"]) == sorted(first["skipped"])
    assert (again["runs"], again["files"]) == (0, 0)
    with httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {server.token('ann')}"}) as http:
        listed = http.get("/api/2.0/mlflow/artifacts/list", params={"run_id": run}).json()["files"]
    assert [(item["path"], int(item["file_size"])) for item in listed] == [("big", 64 << 20)]
