"""kill -9 of the server, a lab, a fork server and a sandbox's first process while cells, jobs and predictions run: what
is not the victim's goes on, what is comes back, and nothing is left at the end."""

import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import httpx
import pytest

from studio.cli.demo.kernel import Kernel
from studio.cli.demo.visitor import Visitor
from studio.runtime import isolation
from tests import leaks
from tests.e2e.killing import kill_server, state
from tests.live import Live, until

SEED = 20261122
VICTIMS = ("server", "lab", "fork-sklearn", "init")
# Both say that they are alive by counting in a file; `{name}` is the file's.
BEAT = """
import os, time
from pathlib import Path
count, place = 0, Path(os.environ["STUDIO_HOME_DIR"], "{name}")
while True:
    count += 1
    place.with_suffix(".new").write_text(str(count))
    place.with_suffix(".new").replace(place)
    time.sleep(0.02)
"""
MODEL = """
import mlflow, numpy
class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [float(numpy.asarray(model_input).max())]
with mlflow.start_run():
    mlflow.pyfunc.log_model(name="model", python_model=Echo(), input_example=numpy.array([[1.0]]),
        registered_model_name="echo", pip_requirements=["cloudpickle"])
"""


class Predictions(threading.Thread):
    """One caller after the other of an endpoint; what was not answered with 200 is kept."""

    def __init__(self, address: str, token: str) -> None:
        super().__init__(name="predictions")
        self.answered = 0
        self.failed: list[str] = []
        self._url = f"{address}/endpoints/echo/invocations"
        self._headers = {"authorization": f"Bearer {token}"}
        self._stopping = threading.Event()

    def run(self) -> None:
        with httpx.Client(headers=self._headers, timeout=60) as client:
            while not self._stopping.wait(0.01):
                answer = client.post(self._url, json={"inputs": [[4.0]]})
                self.answered += answer.status_code == 200
                if answer.status_code != 200:
                    self.failed.append(f"{answer.status_code}: {answer.text[:200]}")

    def stop(self) -> None:
        """Ends it; returns when it has ended."""
        self._stopping.set()
        self.join(60)


class Work:
    """A Studio with one person at work: a cell, a job, and an endpoint that is called all the time."""

    def __init__(self, live: Live, visitor: Visitor) -> None:
        self.live, self.visitor = live, visitor
        self.origin = live.in_lab(visitor)
        self.api = live.operator()
        self.box = f"demo.{self.api.get('session')['user']}"
        self.kernel = Kernel.start(visitor, self.origin, "sklearn", "work.ipynb")
        self.kernel.run(MODEL)
        self.api.post("domains/demo/endpoints", {"name": "echo", "model": "models:/echo/1", "mode": "always"})
        until(lambda: self.api.get("domains/demo/endpoints/echo")["state"] == "InService", "the endpoint")
        self.predictions = Predictions(live.address, live.key("demo", self.box.partition(".")[2]))
        self.job = ""
        self.begin()
        self.predictions.start()

    def begin(self) -> None:
        """A cell and a job that run until they are killed."""
        self.count = getattr(self, "count", 0) + 1
        self.kernel._connected().send(_execute(BEAT.format(name=f"cell-{self.count}"), self.kernel))
        script = {"script_name": "beat.py", "script": BEAT.format(name=f"job-{self.count}"), "params": {}}
        self.job = self.api.post("domains/demo/jobs", script)["id"]
        self.goes_on()

    def beat(self, what: str) -> int:
        """How far the cell or job has counted."""
        try:
            user = self.box.partition(".")[2]
            return int((self.live.settings.paths.user("demo", user) / f"{what}-{self.count}").read_text())
        except FileNotFoundError:
            return 0

    def goes_on(self) -> None:
        """Returns when the cell and the job have each counted on."""
        for what in ("cell", "job"):
            before = self.beat(what)
            until(lambda what=what, before=before: self.beat(what) > before, f"the next count of the {what}")  # type: ignore[misc]

    def place(self) -> Any:
        """The person's sandbox as the supervisor shows it, None while there is none."""
        return next((box for box in state(self.live)["sandboxes"] if box["id"] == self.box), None)

    def pid(self, service: str) -> int:
        """Host pid of a service, or of pid 1 ("init"); 0 while it does not run."""
        box = self.place()
        if box is None or service == "init":
            return int(box["pid"]) if box else 0
        return next((int(found["pid"]) for found in box["services"] if found["name"] == service), 0)

    def neighbours(self) -> dict[str, int]:
        """What is not in the person's sandbox: the replica and all that it needs. (Studio's own jobs come and go.)"""
        found = {"gateway": int(state(self.live)["gateway"]["pid"])}
        service = next(box for box in state(self.live)["sandboxes"] if box["id"] == "demo.service")
        stays = ("forwarder", "fork-", "r-")
        parts = [part for part in (*service["services"], *service["children"]) if part["name"].startswith(stays)]
        return found | {"service": int(service["pid"])} | {part["name"]: int(part["pid"]) for part in parts}

    def own(self) -> dict[str, int]:
        """Kernel and job by name."""
        box = self.place()
        return {child["name"]: int(child["pid"]) for child in box["children"]} if box else {}

    def kernels(self) -> list[str]:
        """The ids that the lab has, [] while it does not answer."""
        answer = self.visitor.request("GET", f"{self.origin}/api/kernels")
        return [item["id"] for item in answer.json()] if answer.status_code == 200 else []

    def end(self) -> None:
        """Ends the callers and the connections."""
        self.predictions.stop()
        self.kernel.disconnect()
        self.api.close()


def _execute(code: str, kernel: Kernel) -> str:
    from json import dumps

    from studio.cli.demo.kernel import _message

    return dumps(_message("execute_request", kernel._session, {"code": code, "silent": False, "stop_on_error": True}))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    if isolation.probe().level == "none":
        pytest.skip("without a namespace the first process is no handle of the others")
    with ExitStack() as stack:
        live = Live(tmp_path_factory.mktemp("sandbox") / "home")
        live.start()
        pids: dict[str, int] = {}

        def stop() -> None:
            pids.update(leaks.table(live.settings))
            live.stop()
            leaks.check(live.settings, pids, within_s=5.0)

        stack.callback(stop)
        found = Work(live, stack.enter_context(closing(live.person())))
        stack.callback(found.end)
        yield found
        assert found.predictions.failed == []


def kill(work: Work, victim: str) -> None:
    """Kills `victim`, and returns when everything is as it was, or as it must be."""
    neighbours, own, answered = work.neighbours(), work.own(), work.predictions.answered
    if victim == "server":
        kill_server(work.live)
    else:
        gone = work.pid(victim)
        os.kill(gone, signal.SIGKILL)
        until(lambda: work.pid(victim) not in (0, gone), f"another {victim}", 60)
    if victim == "init":
        comes_back(work)
    else:
        assert work.own() == own
        until(lambda: work.kernel.id in work.kernels(), "the kernel under its old id")
        work.goes_on()
    until(lambda: work.predictions.answered > answered + 3, "more predictions")
    assert work.predictions.failed == []
    assert (now := work.neighbours()) == neighbours, (neighbours, now)


def comes_back(work: Work) -> None:
    """The sandbox's own work is lost and said so; the sandbox and the lab are there again, and work begins anew."""
    job = until(lambda: _failed(work), "the end of the job")
    assert "sandbox" in job["reason"], job
    work.kernel.disconnect()
    until(lambda: work.visitor.request("GET", f"{work.origin}/api/kernels").status_code == 200, "the lab")
    until(lambda: work.kernel.id not in work.kernels(), "the end of the old kernel")
    work.kernel = Kernel.start(work.visitor, work.origin, "sklearn", "work.ipynb")
    work.begin()


def _failed(work: Work) -> Any:
    found = work.api.get(f"domains/demo/jobs/{work.job}")
    return found if found["state"] == "Failed" else None


@pytest.mark.soak  # with a Studio of its own that works all the while
@pytest.mark.parametrize("victim", VICTIMS)
def test_work_goes_on_or_comes_back(work: Work, victim: str) -> None:
    kill(work, victim)


@pytest.mark.soak
def test_work_goes_on_or_comes_back_again_and_again(work: Work) -> None:
    chance = random.Random(SEED)
    for _ in range(20):
        kill(work, chance.choice(VICTIMS))
