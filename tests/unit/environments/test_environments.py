"""Environments: definitions, decisions, rows, and a build that cannot reach anything."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio import environments
from studio.environments import build, definitions
from studio.environments import store as built
from studio.environments.buildlog import plain
from studio.environments.decide import Fail, Finish, Observed, Show, Start, decide, progress
from studio.environments.definitions import Definition
from studio.environments.environments import Environment, Progress, Version
from studio.environments.kernelspecs import kernelspec
from studio.environments.states import ALLOWED, State
from studio.errors import Invalid
from studio.settings import Settings

SMALL = Definition("small", "Small", "", ("numpy>=2", "scikit-learn[extra] ; python_version >= '3.11'"), ("numpy",))


@pytest.mark.parametrize(
    "line",
    ["pandas", "pandas>=2.2", "mlflow==3.17.2", "a[b,c]>=1,<2", "x ~= 1.0", "y==1.*", "z ; sys_platform == 'linux'"],
)
def test_packages_with_versions_are_taken(line: str) -> None:
    assert definitions.check_requirement(line) == line


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://evil.example/simple",
        "-e .",
        "-r other.txt",
        "pandas @ https://evil.example/x.whl",
        "https://evil.example/x.whl",
        "git+ssh://evil.example/x",
        "./local",
        "../up",
        "/etc/x.whl",
        "pandas --hash=sha256:00",
        "pandas\n--index-url=https://evil.example",
        "pandas; import os",
        "",
        "$(touch x)",
        "pandas>=2.2 # note",
    ],
)
def test_options_urls_and_paths_are_refused(line: str) -> None:
    with pytest.raises(Invalid):
        definitions.check_requirement(line)


@given(st.text(max_size=40))
def test_whatever_is_taken_is_no_option_and_no_place(line: str) -> None:
    try:
        taken = definitions.check_requirement(line)
    except Invalid:
        return
    assert taken[0].isalnum()
    assert "://" not in taken and "@" not in taken and "\n" not in taken and "/" not in taken


@pytest.mark.parametrize(
    "text",
    [
        "name = ",
        'name = "A B"',
        'name = "x"\npackages = "pandas"',
        'name = "x"\npreload = ["os; x"]',
        'name = "x"\npython = "2"',
    ],
)
def test_wrong_definitions_name_the_file(text: str) -> None:
    with pytest.raises(Invalid):
        definitions.parse(text, "x.toml")


def test_the_shipped_definitions_are_right() -> None:
    found = {item.name: item for item in definitions.load(Settings().assets / "environments")}
    assert environments.DEFAULT in found
    assert {"ipykernel", "msgspec", "uvloop", "httptools"} <= set(found["sklearn"].requirements)


def test_a_fingerprint_changes_with_what_is_installed_only() -> None:
    assert replace(SMALL, title="Other", preload=()).fingerprint == SMALL.fingerprint
    assert replace(SMALL, packages=("numpy>=3",)).fingerprint != SMALL.fingerprint


LINE = "numpy==2.1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"


def test_a_lock_holds_pins_and_hashes_only() -> None:
    build.check_lock(LINE + "uvloop==0.22.1 ; sys_platform != 'win32' \\\n    --hash=sha256:" + "a" * 64)
    for bad in ("--index-url https://x/simple", "numpy @ https://x/y.whl", "numpy>=2", "-e .", "    --hash=md5:00"):
        with pytest.raises(Invalid):
            build.check_lock(LINE + bad + "\n")


def item(state: State, **fields: object) -> Version:
    found = Version(
        *("env-small", 1, "", ("numpy",), (), "f" * 64, state, "", 0, Progress(0, 0, ""), "", 1, "", "ada", 0, None)
    )
    return replace(found, **fields)  # type: ignore[arg-type]


def test_decisions() -> None:
    nothing = Observed("", "Unknown", "")
    there = Observed("abc", "Unknown", "")
    assert decide(item(State.not_built), nothing) is None
    assert decide(item(State.not_built), there) == Finish("abc")
    assert decide(item(State.failed), there) == Finish("abc")
    assert decide(item(State.queued), nothing) == Start()
    assert decide(item(State.queued), replace(nothing, may_start=False)) is None
    assert decide(item(State.queued), replace(there, may_start=False)) == Finish("abc")
    assert decide(item(State.queued), there) == Finish("abc")
    assert decide(item(State.ready, hash="abc"), there) is None
    assert isinstance(decide(item(State.ready, hash="abc"), nothing), Fail)
    said = '{"studio": "progress", "done": 3, "total": 9, "text": "x"}\n'
    assert decide(item(State.building), Observed("", "Running", said)) == Show(Progress(3, 9, "x"))
    assert decide(item(State.building, progress=Progress(3, 9, "x")), Observed("", "Running", said)) is None
    assert decide(item(State.building), Observed("abc", "Exited", said)) == Finish("abc")
    failed = said + '{"studio": "failed", "message": "no network"}\n'
    assert decide(item(State.building), Observed("", "Exited", failed)) == Fail("no network")
    ended = decide(item(State.building), Observed("", "Exited", ""))
    assert isinstance(ended, Fail) and "Build it again" in ended.error


def test_every_decision_is_an_allowed_step() -> None:
    after = {Start: State.building, Finish: State.ready, Fail: State.failed}
    for state in State:
        for complete in ("", "abc"):
            for tool in ("Running", "Exited", "Unknown"):
                action = decide(item(state, hash="old"), Observed(complete, tool, ""))
                if type(action) in after:
                    assert after[type(action)] in ALLOWED[state] | {state}


@given(st.text())
def test_any_log_is_read(log: str) -> None:
    progress(log + '\n{"studio": "progr')


def test_a_half_made_environment_does_not_count(tmp_path: Path) -> None:
    path = built.lock_path(tmp_path, SMALL)
    path.parent.mkdir(parents=True)
    path.write_text(LINE)
    name = built.content_hash(LINE)
    folder = built.folder(tmp_path, name)
    folder.mkdir(parents=True)
    assert built.find_complete(tmp_path, SMALL.fingerprint) == ""
    (folder / built.COMPLETE).write_text("{}")
    assert built.find_complete(tmp_path, SMALL.fingerprint) == name
    assert build.build(SMALL, tmp_path) == name  # complete: nothing is done, no network asked


def test_without_a_network_a_build_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    definition = tmp_path / "small.toml"
    definition.write_text('name = "small"\npackages = ["numpy"]\n')
    argv = [sys.executable, "-m", "studio.environments.build", "--definition", str(definition)]
    offline = {"UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path / "cache"), "UV_NO_CONFIG": "1"}
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
    done = subprocess.run(
        [*argv, "--store", str(tmp_path / "store")], env=keep | offline, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert "The network is needed for this once" in done.stdout
    assert not list((tmp_path / "store" / "store").iterdir())
    assert not list((tmp_path / "store" / "locks").glob("*.txt"))


def test_a_kernelspec_names_the_environment() -> None:
    version = item(State.ready, hash="abc")
    spec = kernelspec(Environment("env-small", "", "small", "Small", "", version, version, "", 0), is_default=True)
    assert spec["display_name"] == "Python (small)"
    assert spec["metadata"]["kernel_provisioner"] == {
        "provisioner_name": "studio-fork",
        "config": {"environment": "small"},
    }
    assert spec["metadata"]["environment"] == {"version": 1, "hash": "abc", "default": True}


def test_a_log_for_people_has_no_line_twice() -> None:
    said = (
        '{"studio": "progress", "done": 0, "total": 0, "text": "Choosing versions"}\n'
        "Resolved 3 packages\n"
        '{"studio": "progress", "done": 5, "total": 100, "text": "Resolved 3 packages"}\n'
        '{"studio": "failed", "message": "No room."}\n'
        '{"studio": "progr'
    )
    assert plain(said) == 'Choosing versions\nResolved 3 packages\nNo room.\n{"studio": "progr\n'
