"""Kernels of a lab: forked, restarted, interrupted, refused, and taken over by the next lab."""

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

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
    page.close()
    again = Channels(lab, kernel)
    assert again.execute("x")[1] == "NameError"
    again.close()


def test_installing_packages_is_refused_with_a_way_out(channels: Channels) -> None:
    for command in ("%pip install polars", "!pip install polars", "!python -m pip install polars"):
        text, error = channels.execute(command)
        assert error == "PackagesAreFixed"
        assert "Add polars to the environment" in text


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


def test_a_kernel_outlives_a_killed_lab(lab: Box, kernel: str) -> None:
    first = Channels(lab, kernel)
    assert first.execute("kept = 42") == ("", "")
    before = lab.processes[-1]
    os.kill(before.pid, signal.SIGKILL)
    before.wait()
    lab.lab()
    page = lab.page()
    lab.until(lambda: any(item["id"] == kernel for item in page.get("/api/kernels").json()), "the kernel's adoption")
    again = Channels(lab, kernel)
    assert again.execute("kept") == ("42", "")
    assert page.post(f"/api/kernels/{kernel}/interrupt").status_code == 204
    again.close()
    page.close()
