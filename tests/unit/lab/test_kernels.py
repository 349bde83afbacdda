"""Kernels of a lab: forked, restarted, interrupted, refused, and taken over by the next lab."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.unit.lab.conftest import Box, Channels

PRELOAD = "ipykernel.kernelapp,ipykernel.debugger"


@pytest.fixture(scope="module")
def lab(box: Box) -> Iterator[Box]:
    box.fork_server(PRELOAD)
    box.lab()
    yield box


@pytest.fixture
def kernel(lab: Box) -> Iterator[str]:
    page = lab.page()
    answer = page.post("/api/kernels", json={"name": "sklearn"})
    assert answer.status_code == 201, answer.text
    yield answer.json()["id"]
    page.delete(f"/api/kernels/{answer.json()['id']}")
    page.close()


@pytest.fixture
def channels(lab: Box, kernel: str) -> Iterator[Channels]:
    found = Channels(lab, kernel)
    yield found
    found.close()


def test_the_five_sockets_exist_when_the_post_is_answered(lab: Box, kernel: str) -> None:
    prefix = kernel.replace("-", "")[:16]
    assert len(list((lab.outside / "k").glob(f"{prefix}-*"))) == 5


def test_a_kernel_is_a_fork_with_its_own_environment(lab: Box, channels: Channels) -> None:
    code = "import os, sys; print(os.environ['STUDIO_ENVIRONMENT'], 'JPY_PARENT_PID' in os.environ, os.getcwd())"
    text, error = channels.execute(code)
    assert not error
    assert text.split() == ["sklearn", "False", str(lab.home)]
    assert any(message.get("kind") == "kernel" for message in lab.hello.messages)


def test_an_interrupt_stops_a_cell(lab: Box, kernel: str, channels: Channels) -> None:
    page = lab.page()

    def interrupt() -> None:
        # Only what has begun to run can be interrupted.
        lab.until((lab.home / "begun").exists, "the cell's begin")
        page.post(f"/api/kernels/{kernel}/interrupt")

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    begun = time.monotonic()
    _, error = channels.execute("import time; open('begun', 'w').close(); time.sleep(30)")
    interrupting.join()
    assert error == "KeyboardInterrupt"
    assert time.monotonic() - begun < 25
    page.close()


def test_a_restart_keeps_the_sockets_and_forgets_the_variables(lab: Box, kernel: str, channels: Channels) -> None:
    assert channels.execute("x = 1") == ("", "")
    page = lab.page()
    assert page.post(f"/api/kernels/{kernel}/restart").status_code == 200
    # Both who stayed and who comes back before the lab saw them go: the session is the page's, and the same.
    assert channels.execute("x")[1] == "NameError"
    assert page.post(f"/api/kernels/{kernel}/restart").status_code == 200
    page.close()
    again = Channels(lab, kernel)
    assert again.execute("x")[1] == "NameError"
    again.close()


CARD = "application/vnd.studio.add-packages+json"


@pytest.mark.parametrize(
    "command",
    [
        "%pip install -q polars",
        "%conda install polars",
        "%uv pip install polars",
        "!pip install polars",
        "!cd / && python -m pip install --upgrade polars",
        "import sys\n!{sys.executable} -m pip install polars",
        "lines = !uv pip install polars",
    ],
)
def test_installing_packages_is_refused_with_a_way_out(channels: Channels, command: str) -> None:
    text, error = channels.execute(command)
    assert error == "PackagesAreFixed"
    assert "Add polars to the environment" in text and "Nothing was installed" in text
    card = channels.shown[0][CARD]
    assert (card["environment"], card["packages"]) == ("sklearn", ["polars"])
    assert card["line"].endswith("sdk.add_packages('polars')")


def test_what_only_looks_is_run_and_what_only_looks_like_it_too(channels: Channels) -> None:
    assert channels.execute("!echo pip install polars")[0].strip() == "pip install polars"
    assert channels.execute("def say(command):\n    !echo {command} $command\nsay('x')")[0].strip() == "x x"
    assert channels.execute("%pip uninstall polars")[1] == "PackagesAreFixed"
    assert channels.shown == []


def test_a_missing_package_is_offered_below_its_traceback(channels: Channels) -> None:
    text, error = channels.execute("import absent_package.part")
    assert error == "ModuleNotFoundError" and "absent_package" in text
    assert channels.shown[0][CARD]["packages"] == ["absent_package"]
    channels.execute("import json.absent")
    assert channels.shown == []


def test_an_unknown_kernel_is_refused(lab: Box) -> None:
    page = lab.page()
    assert page.post("/api/kernels", json={"name": "python3"}).status_code != 201
    page.close()


def test_a_missing_fork_server_is_said(lab: Box) -> None:
    import json

    folder = lab.inside / "kernels" / "absent"
    folder.mkdir(exist_ok=True)
    spec = json.loads((lab.inside / "kernels" / "sklearn" / "kernel.json").read_text())
    (folder / "kernel.json").write_text(json.dumps(spec))
    page = lab.page()
    page.timeout = 60
    answer = page.post("/api/kernels", json={"name": "absent"})
    page.close()
    assert answer.status_code == 503
    assert "absent has no fork server running" in answer.text


def test_over_the_quota_no_kernel_starts_and_those_that_run_go_on(lab: Box, kernel: str) -> None:
    said = lab.inside / "full"
    said.write_text("demo stores 2 GiB; its quota is 1 GiB.")
    page = lab.page()
    try:
        answer = page.post("/api/kernels", json={"name": "sklearn"})
        assert answer.status_code == 503
        assert "its quota is 1 GiB" in answer.text and "Remove files" in answer.text
        assert page.post(f"/api/kernels/{kernel}/restart").status_code == 200
    finally:
        said.unlink()
        page.close()


def again(lab: Box, number: int) -> None:
    """Another lab in place of the one that runs, which is ended by the signal `number`."""
    before = lab.processes[-1]
    os.kill(before.pid, number)
    before.wait()
    lab.lab()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_kernel_and_its_running_cell_outlive_their_lab(lab: Box, number: signal.Signals) -> None:
    page = lab.page()
    body = {"name": "a.ipynb", "path": "ada/a.ipynb", "type": "notebook", "kernel": {"name": "sklearn"}}
    session = page.post("/api/sessions", json=body).json()
    kernel, mark = session["kernel"]["id"], f"{number.name}"
    first = Channels(lab, kernel)
    assert first.execute("kept = 42") == ("", "")
    first.send(
        f"import os, time; open('begun-{mark}', 'w').close()\n"
        f"while not os.path.exists('go-{mark}'): time.sleep(0.02)\n"
        "kept += 1"
    )
    lab.until((lab.home / f"begun-{mark}").exists, "the cell's begin")
    page.close()
    again(lab, number)
    with pytest.raises(ConnectionClosed):
        first.execute("kept")
    first.close()
    # Asked at once: a lab that listens has its kernels, so that no notebook loses its own.
    page = lab.page()
    assert [item["id"] for item in page.get("/api/sessions").json()] == [session["id"]]
    assert page.get(f"/api/kernels/{kernel}").json()["execution_state"] == "busy"
    (lab.home / f"go-{mark}").touch()
    lab.until(lambda: page.get(f"/api/kernels/{kernel}").json()["execution_state"] == "idle", "the cell's end")
    second = Channels(lab, kernel)
    assert second.execute("kept") == ("43", "")
    assert page.post(f"/api/kernels/{kernel}/interrupt").status_code == 204
    pid = int(second.execute("os.getpid()")[0])
    second.close()
    assert page.post(f"/api/kernels/{kernel}/restart").status_code == 200
    third = Channels(lab, kernel)
    assert third.execute("kept")[1] == "NameError"
    third.close()
    assert page.delete(f"/api/kernels/{kernel}").status_code == 204
    assert not Path(f"/proc/{pid}").exists()
    page.close()


def test_a_kernel_that_no_lab_knows_is_ended_by_the_next_one(lab: Box, kernel: str, channels: Channels) -> None:
    pid = int(channels.execute("import os; os.getpid()")[0])
    # As if its lab had been killed before it could write down what it had started.
    (lab.outside / "k" / f"{kernel}.kernel").unlink()
    again(lab, signal.SIGKILL)
    lab.until(lambda: not Path(f"/proc/{pid}").exists(), "the stray's end")
