"""Real builds with uv, from wheels in a folder: no network is asked."""

import json
import os
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

import pytest

from studio.environments import build, bytecode, collect, store
from studio.environments.definitions import Definition
from studio.errors import OutOfSpace, StudioError
from tests.unit.environments import wheels


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place that uv knows."""
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_"))]:
        monkeypatch.delenv(name)
    found = wheels.house(tmp_path / "wheels")
    wheels.write(found, "alpha", "1.0", "beta>=1")
    wheels.write(found, "alpha", "2.0", "beta>=1")
    wheels.write(found, "beta", "1.0")
    own = {"FIND_LINKS": found, "OFFLINE": "1", "NO_CONFIG": "1", "CACHE_DIR": tmp_path / "cache"}
    for name, value in own.items():
        monkeypatch.setenv(f"UV_{name}", str(value))
    return found


def of(*packages: str) -> Definition:
    return Definition("mine", "", "", packages, ())


def bytecode_of(root: Path, name: str) -> dict[str, Path]:
    """Module → its bytecode."""
    return {path.parent.parent.name: path for path in packages(root, name).glob("*/__pycache__/*")}


def packages(root: Path, name: str) -> Path:
    [found] = store.folder(root, name).glob("lib/python*/site-packages")
    return found


@pytest.mark.usefixtures("house")
def test_a_build_is_locked_complete_and_never_done_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = build.build(of("alpha>=1"), tmp_path)
    assert "Choosing versions" in capsys.readouterr().out
    lock = store.lock_path(tmp_path, of("alpha>=1")).read_text()
    assert "alpha==2.0 \\\n    --hash=sha256:" in lock and "beta==1.0" in lock
    marker = json.loads((store.folder(tmp_path, name) / store.COMPLETE).read_text())
    assert marker["packages"] == 6 and marker["bytes"] > 1000 and "mine" not in str(marker)
    assert (packages(tmp_path, name) / "alpha" / "__pycache__").is_dir()
    assert build.build(of("alpha>=1"), tmp_path) == name
    assert capsys.readouterr().out == ""
    # Another definition with the same lock is the same environment; what is pinned stays when newer ones appear.
    assert build.build(of("alpha==2.0"), tmp_path) == name


@pytest.mark.usefixtures("house")
def test_another_environment_takes_over_the_bytecode_of_what_is_the_same(tmp_path: Path) -> None:
    first = build.build(of("alpha==1.0"), tmp_path)
    second = build.build(of("alpha==2.0"), tmp_path)
    assert first != second
    old, new = bytecode_of(tmp_path, first), bytecode_of(tmp_path, second)
    assert old["beta"].stat().st_ino == new["beta"].stat().st_ino
    assert old["alpha"].stat().st_ino != new["alpha"].stat().st_ino
    # The older one can go; the newer keeps what it took over.
    collect.remove(tmp_path, first)
    assert not store.folder(tmp_path, first).exists() and new["beta"].stat().st_nlink == 1


def test_bytecode_of_another_text_is_not_taken_over(tmp_path: Path) -> None:
    for where, text in (("there", "A = 1\n"), ("here", "A = 2\n")):
        wheels.write(tmp_path / "w", "same", "1.0")
        meta = tmp_path / where / "same-1.0.dist-info"
        meta.mkdir(parents=True)
        (tmp_path / where / "same.py").write_text(text)
        (meta / "RECORD").write_text(f"same.py,sha256={hash(text)},{len(text)}\n../escape.py,sha256=0,1\n")
    made = tmp_path / "there" / "__pycache__"
    made.mkdir()
    (made / Path(bytecode._bytecode(Path("same.py"))).name).write_bytes(b"x" * 32)
    bytecode.share(tmp_path / "there", tmp_path / "here")
    assert not (tmp_path / "here" / "__pycache__").exists()


def test_what_cannot_be_resolved_is_said_in_words(house: Path, tmp_path: Path) -> None:
    wheels.write(house, "needy", "1.0", "beta<1")
    with pytest.raises(StudioError, match=r"Versions could not be chosen: .*beta<1.*unsatisfiable") as caught:
        build.build(of("needy", "alpha"), tmp_path)
    assert "Mend the package list" in caught.value.hint
    assert not list((tmp_path / "locks").glob("*.txt")) and not list((tmp_path / "store").iterdir())


def test_nothing_of_a_package_runs_while_it_is_built(house: Path, tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    code = f"import pathlib; pathlib.Path({str(planted)!r}).write_text('x')\n"
    wheels.write(house, "wheeled", "1.0", wheeled__pth=code, sitecustomize__py=code)
    name = build.build(of("wheeled"), tmp_path)
    assert (packages(tmp_path, name) / "wheeled.pth").is_file() and not planted.exists()
    # Source would have to be run to become a wheel: it is not taken.
    with tarfile.open(house / "sourced-1.0.tar.gz", "w:gz") as archive:
        for path, text in {"setup.py": code, "PKG-INFO": "Name: sourced\nVersion: 1.0\n"}.items():
            entry = tarfile.TarInfo(f"sourced-1.0/{path}")
            entry.size = len(text)
            archive.addfile(entry, BytesIO(text.encode()))
    with pytest.raises(StudioError, match="sourced"):
        build.build(of("sourced"), tmp_path)
    assert not planted.exists()


@pytest.mark.usefixtures("house")
def test_a_full_disk_is_said_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "LEAST_FREE_BYTES", 1 << 62)
    with pytest.raises(OutOfSpace, match="studio env gc"):
        build.build(of("alpha"), tmp_path)
    assert not list((tmp_path / "store").iterdir())


def test_a_folder_that_this_account_may_not_use_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with tempfile.TemporaryDirectory() as made:  # pytest's own folders are root's alone
        folder, definition = Path(made) / "environments", Path(made) / "mine.toml"
        Path(made).chmod(0o755)
        definition.write_text(of("alpha").toml)
        folder.mkdir(mode=0o000)
        before = os.geteuid()
        os.seteuid(before or 54321)  # root may do everything
        try:
            assert store.find_complete(folder, of("alpha").fingerprint) == ""
            assert build.main(["--definition", str(definition), "--store", str(folder)]) == 1
        finally:
            os.seteuid(before)
            folder.chmod(0o700)
    assert "Open it for this account, or name another in STUDIO_ENVIRONMENTS" in capsys.readouterr().out


@pytest.mark.usefixtures("house")
def test_only_what_nothing_needs_is_removed(tmp_path: Path) -> None:
    first, second = (build.build(of(f"alpha=={number}"), tmp_path) for number in ("1.0", "2.0"))
    long_ago = 1_000_000_000
    for name in (first, second):
        os.utime(store.folder(tmp_path, name) / store.COMPLETE, (long_ago, long_ago))
    collect.touch(tmp_path, [second])
    assert [item.hash for item in collect.unused(tmp_path, set(), 1.0)] == [first]
    assert collect.unused(tmp_path, {first, second}, 0.0) == []
    found = collect.unused(tmp_path, set(), 0.0)
    assert [item.hash for item in found] == [first, second] and found[0].bytes > 1000
    (tmp_path / "store" / ".removed-killed-1").mkdir()
    collect.remove(tmp_path, first)
    assert [path.name for path in (tmp_path / "store").iterdir()] == [second]
    assert build.build(of("alpha==1.0"), tmp_path) == first  # from its lock, the same again
