"""How kernels, jobs and replicas end, in the same words: out of memory, killed, crashed, an import that failed. And the
debugger, in the same sandbox under the same filters."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from studio.cli.demo.kernel import Kernel
from studio.cli.demo.visitor import Visitor
from studio.client import Rest
from tests.e2e.debugging import Debugger
from tests.e2e.killing import children, state
from tests.live import Live, running, until

CRASH = "import ctypes\ndef broken():\n    ctypes.string_at(0)\nbroken()"
EAT = "held = []\nwhile True:\n    held.append(b'1' * (64 << 20))"
WAIT = "import time\nprint('begun', flush=True)\ntime.sleep(600)"
# A model whose replica ends as the wind blows, and one whose replica lacks a module that the notebook does not need.
MODELS = """
import os, mlflow, numpy
class Moody(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        wind = float(numpy.asarray(model_input).max())
        if wind > 200:
            import ctypes
            ctypes.string_at(0)
        held = []
        while wind > 100:
            held.append(b'1' * (64 << 20))
        return [wind]
class Lacking(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        if os.environ["STUDIO_USER"] == "service":
            import polars
    def predict(self, context, model_input, params=None):
        return [1.0]
for name, model in (("moody", Moody()), ("lacking", Lacking())):
    with mlflow.start_run():
        mlflow.pyfunc.log_model(name="model", python_model=model, input_example=numpy.array([[1.0]]),
            registered_model_name=name, pip_requirements=["cloudpickle"])
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("ends")) as started:
        yield started


@pytest.fixture(scope="module")
def visitor(live: Live) -> Iterator[Visitor]:
    with closing(live.person()) as found:
        yield found


@pytest.fixture(scope="module")
def origin(live: Live, visitor: Visitor) -> str:
    return live.in_lab(visitor)


@pytest.fixture
def kernel(visitor: Visitor, origin: str) -> Iterator[Kernel]:
    found = Kernel.start(visitor, origin, "sklearn", "ends.ipynb")
    yield found
    found.disconnect()
    visitor.request("DELETE", f"{origin}/api/kernels/{found.id}")


@pytest.fixture
def api(live: Live) -> Iterator[Rest]:
    with live.operator() as client:
        yield client


def limited(live: Live) -> bool:
    """Whether this host limits memory by itself, so that the moment of its end is sure."""
    return str(state(live)["supervisor"]["limits"]).startswith("cgroup")


def ended(api: Rest, kernel: Kernel) -> Any:
    """How the first process of `kernel` ended."""
    found = until(lambda: api.get("domains/demo/exits", name=f"kernel-{kernel.id}")["exits"], "the kernel's end")
    return found[-1]


@pytest.mark.parametrize("way", ["crash", "memory", "kill"])
def test_a_kernel_ends_with_a_reason(live: Live, api: Rest, kernel: Kernel, way: str) -> None:
    if way == "memory" and not limited(live):
        pytest.skip("no cgroup that this user may write")
    assert kernel.value("1 + 1") == 2
    pid = next(child["pid"] for name, child in children(live).items() if kernel.id in name)
    if way == "kill":
        os.kill(pid, signal.SIGKILL)
    else:
        Debugger(kernel).execute(CRASH if way == "crash" else EAT)  # no answer comes from a process that has ended
    found = ended(api, kernel)
    reason, words = {
        "crash": ("segmentation fault (SIGSEGV)", "in string_at"),
        "memory": ("out of memory", "the limit of 2048 MiB (highest use: "),
        "kill": ("killed", "from outside Studio"),
    }[way]
    assert (found["reason"], found["unexpected"]) == (reason, True), found
    assert words in found["message"] and found["message"].endswith(".")


def test_a_kernel_that_is_stopped_ends_as_expected(api: Rest, visitor: Visitor, origin: str, kernel: Kernel) -> None:
    # So that its lab has to kill it, which is not somebody from outside Studio.
    Debugger(kernel).execute("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
    assert visitor.request("DELETE", f"{origin}/api/kernels/{kernel.id}").status_code == 204
    assert not ended(api, kernel)["unexpected"]


def test_jobs_end_with_a_reason(live: Live, api: Rest) -> None:
    scripts = {"crash": CRASH, "kill": WAIT, "import": "import polars"} | ({"memory": EAT} if limited(live) else {})
    jobs = {
        way: api.post("domains/demo/jobs", {"script_name": f"{way}.py", "script": script, "params": {}})["id"]
        for way, script in scripts.items()
    }

    def begun() -> bool:
        return "begun" in api.get(f"domains/demo/jobs/{jobs['kill']}/log")["text"]

    until(begun, "the job's first line")
    os.kill(children(live)[jobs["kill"]]["pid"], signal.SIGKILL)

    def failed(way: str) -> str:
        found = until(lambda: _failed(api, jobs[way]), f"the end of {way}")
        return str(found["reason"])

    assert "segmentation fault (SIGSEGV) in string_at" in failed("crash")
    assert live.json("exits", "--name", jobs["crash"])[0]["reason"] == "segmentation fault (SIGSEGV)"
    assert "killed (SIGKILL)" in failed("kill")
    assert "import error" in failed("import") and "'polars' to the environment" in failed("import")
    if limited(live):
        assert "out of memory" in failed("memory") and "the limit of 2048 MiB" in failed("memory")


def _failed(api: Rest, job: str) -> Any:
    found = api.get(f"domains/demo/jobs/{job}")
    return found if found["state"] == "Failed" else None


@pytest.mark.soak
def test_replicas_end_with_a_reason(live: Live, api: Rest, kernel: Kernel) -> None:
    kernel.run(MODELS)
    token = live.key("demo", live.status["user"])

    def post(wind: float) -> int:
        headers = {"authorization": f"Bearer {token}"}
        url = f"{live.address}/endpoints/moody/invocations"
        return httpx.post(url, json={"inputs": [[wind]]}, headers=headers, timeout=60).status_code

    for name in ("moody", "lacking"):
        api.post("domains/demo/endpoints", {"name": name, "model": f"models:/{name}/1", "mode": "always"})
    lacking = until(lambda: _endpoint(api, "lacking", "Failed"), "the endpoint that cannot start")
    assert "lacks the package that provides 'polars'" in lacking["reason"]
    until(lambda: _endpoint(api, "moody", "InService"), "the endpoint")
    for wind, words in ((300.0, "segmentation fault (SIGSEGV)"), (0.0, "killed (SIGKILL)"), (150.0, "out of memory")):
        if wind == 150.0 and not limited(live):
            continue
        replica = until(lambda: _replica(live), "a replica")
        if wind:
            until(lambda wind=wind: post(wind) >= 500, "the model's end")  # type: ignore[misc]
        else:
            os.kill(replica["pid"], signal.SIGKILL)
        until(lambda words=words: _said(api, words), words)  # type: ignore[misc]
        until(lambda: post(5.0) == 200, "answers again")


def _endpoint(api: Rest, name: str, wanted: str) -> Any:
    found = api.get(f"domains/demo/endpoints/{name}")
    return found if found["state"] == wanted else None


def _replica(live: Live) -> Any:
    return next((child for child in children(live).values() if child["kind"] == "replica"), None)


def _said(api: Rest, words: str) -> bool:
    return any(words in event["text"] for event in api.get("domains/demo/endpoints/moody")["events"])


def test_the_debugger_stops_in_a_forked_kernel(kernel: Kernel) -> None:
    code = "def double(number):\n    result = number * 2\n    return result\nprint(double(21))"
    debugger = Debugger(kernel)
    debugger.attach()
    path = debugger.ask("dumpCell", code=code)["sourcePath"]
    found = debugger.ask("setBreakpoints", source={"path": path}, breakpoints=[{"line": 3}], sourceModified=False)
    assert found["breakpoints"][0]["verified"], found
    debugger.ask("configurationDone")
    cell = debugger.execute(code)
    thread = debugger.stopped()
    assert debugger.variable(thread, "result") == "42"
    debugger.ask("continue", threadId=thread)
    assert debugger.reply(cell)["status"] == "ok"
    debugger.ask("disconnect", restart=False, terminateDebuggee=False)
    assert kernel.value("double(4)") == 8
