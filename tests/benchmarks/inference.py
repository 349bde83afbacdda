"""Predictions a second beside the peers: the same models, rows and load for all, one worker or replica each.

Studio's figures are through the gateway, with a key, with capture on; the exact fast path is off unless a row says so.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from tests.benchmarks import inference_peers, peer_servers, peers, report, wrk
from tests.benchmarks.inference_peers import Model, Peer
from tests.benchmarks.report import Row
from tests.live import ROOT, Live

DOMAIN = "demo"
_MAKE = """
import os, sys, joblib, mlflow
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

folder = sys.argv[1]
X, y = load_breast_cancer(return_X_y=True)
table = load_breast_cancer(as_frame=True).data
made = {
    "lr": (make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y), X[:2]),
    "rf": (RandomForestClassifier(100, random_state=0, n_jobs=1).fit(X, y), X[:2]),
    "named": (make_pipeline(StandardScaler(), LogisticRegression()).fit(table, y), table.head(2)),
}
for name, (model, example) in made.items():
    joblib.dump(model, f"{folder}/{name}.joblib")
    os.makedirs(f"{folder}/{name}")
    kept = {"input_example": example, "serialization_format": "cloudpickle", "pip_requirements": ["scikit-learn"]}
    mlflow.sklearn.save_model(model, f"{folder}/{name}/mlflow", **kept)
    with mlflow.start_run():
        mlflow.sklearn.log_model(model, name="model", registered_model_name=name, **kept)
print(",".join(table.columns))
"""
_ALONE = """
import sys, time, joblib
from sklearn.datasets import load_breast_cancer
model, rows = joblib.load(sys.argv[1]), load_breast_cancer().data[:64]
times = []
for turn in range(2000):
    begun = time.perf_counter()
    model.predict(rows[turn % 64:turn % 64 + 1])
    times.append(time.perf_counter() - begun)
print(sorted(times)[len(times) // 2] * 1000)
"""


def measure(live: Live) -> list[Row]:
    """Rows of predictions a second, of the latency that serving adds, of the gateway's CPU."""
    if not wrk.is_there():
        print("wrk is not on this machine (Debian: apt install wrk): predictions a second are not measured")
        return []
    with tempfile.TemporaryDirectory(prefix="studio-bench-models-") as name:
        return _measure(live, Path(name))


def make_models(live: Live, folder: Path) -> tuple[str, list[str]]:
    """Registers `lr`, `rf` and `named` and keeps them in `folder` for the peers: (key, the columns of `named`)."""
    token = live.key(DOMAIN, live.status["user"])
    env = {"MLFLOW_TRACKING_URI": live.address, "MLFLOW_TRACKING_TOKEN": token, "MLFLOW_DISABLE_TELEMETRY": "true"}
    return token, _python(_MAKE, str(folder), **env).splitlines()[-1].split(",")


def _measure(live: Live, folder: Path) -> list[Row]:
    token, columns = make_models(live, folder)
    with live.operator() as api:
        for name, model in (("lr", "lr"), ("fast", "lr"), ("rf", "rf"), ("named", "named")):
            asked = {"name": name, "model": f"models:/{model}/1", "fast_path": name == "fast"}
            api.post(f"domains/{DOMAIN}/endpoints", asked)
            api.get(f"domains/{DOMAIN}/endpoints/{name}", wait="InService", timeout_s=60)
    ours = _Ours(live, token)
    one = [wrk.rows_as("inputs", [row]) for row in rows()]
    found = _against("LogisticRegression, 1 row, 8 connections", folder, "lr", ours.peer("lr"), one, 8, ratio=4)
    found += [_alone("the same, exact fast path on", ours.peer("fast"), one, 8)]
    what = "RandomForest(100), 1 row, 64 connections"
    found += _against(what, folder, "rf", ours.peer("rf"), one, 64, ratio=5, batched=True, p99=20)
    with _relay(live, folder) as (pid, relay):
        found += [_overhead(folder, ours.peer("lr"), relay, one)]
        found += [_cpu(live, ours.peer("lr"), pid, relay, one)]
    found += [_hundred(folder, ours)]
    found += [_named(folder, ours, columns)]
    with live.operator() as api:
        for name in ("lr", "fast", "rf", "named"):
            api.delete(f"domains/{DOMAIN}/endpoints/{name}")
    return found


class _Ours:
    """Studio's endpoints as servers like the peers."""

    def __init__(self, live: Live, token: str) -> None:
        self._address = live.address
        self._headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}

    def peer(self, name: str, **headers: str) -> Peer:
        """An endpoint by MLflow's wire."""
        return Peer("Studio", f"{self._address}/endpoints/{name}/invocations", "inputs", self._headers | headers)

    def binary(self, name: str, json_bytes: int) -> Peer:
        """An endpoint by the Open Inference Protocol's binary extension."""
        kind = {"content-type": "application/octet-stream", "inference-header-content-length": str(json_bytes)}
        return Peer("Studio", f"{self._address}/v2/models/{name}/infer", "binary", self._headers | kind)


def _python(code: str, *words: str, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *words],
        env=os.environ | env | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows() -> list[list[float]]:
    """Sixty-four distinct ones."""
    from sklearn.datasets import load_breast_cancer

    return [list(map(float, row)) for row in load_breast_cancer().data[:64]]


@contextmanager
def _peers(folder: Path, model: str, *, batched: bool) -> Iterator[list[Peer]]:
    """All peers that can be installed and started; the others are named."""
    with ExitStack() as stack:
        found: list[Peer] = []
        kept = Model(folder / f"{model}.joblib", folder / model / "mlflow")
        for name in inference_peers.PACKAGES:
            try:
                place = folder / f"{name}-{model}"
                found.append(stack.enter_context(inference_peers.started(name, kept, place, batched=batched)))
            except (subprocess.CalledProcessError, AssertionError, OSError) as error:
                print(f"{name} cannot be measured: {str(error)[:200]}", file=sys.stderr)
        yield found


def _load(peer: Peer, bodies: list[bytes], connections: int) -> wrk.Measured:
    measured = wrk.run(peer.url, bodies, peer.headers, connections, max(1.0, report.SECONDS))
    assert not measured.errors, f"{peer.name}: {measured.errors} of {measured.requests} failed"
    return measured


def _in_form(peer: Peer, bodies: list[bytes]) -> list[bytes]:
    return bodies if peer.form != "v2" else [wrk.rows_as("v2", [row]) for row in rows()]


def _against(
    what: str, folder: Path, model: str, ours: Peer, bodies: list[bytes], connections: int, *, ratio: float,
    batched: bool = False, p99: float | None = None,
) -> list[Row]:  # fmt: skip
    """A row beside each peer, of which the best one counts; with `p99`, another for that of Studio."""
    with _peers(folder, model, batched=batched) as found:
        mine: list[wrk.Measured] = []
        theirs: dict[str, list[float]] = {peer.name: [] for peer in found}
        for _ in range(report.ROUNDS):
            mine.append(_load(ours, bodies, connections))
            for peer in found:
                theirs[peer.name].append(_load(peer, _in_form(peer, bodies), connections).rate)
    rates = [one.rate for one in mine]
    best = max(theirs, key=lambda name: statistics.median(theirs[name]), default="")
    rows = [
        Row(what, "rps", rates, rounds, name, higher_is_better=True, target_ratio=ratio if name == best else 0)
        for name, rounds in theirs.items()
    ]
    if p99 is not None:
        rows.append(Row(f"{what}: p99", "ms", [one.p99 for one in mine], limit=p99))
    return rows


def _alone(what: str, ours: Peer, bodies: list[bytes], connections: int) -> Row:
    rates = [_load(ours, bodies, connections).rate for _ in range(report.ROUNDS)]
    return Row(what, "rps", rates, higher_is_better=True)


def _overhead(folder: Path, ours: Peer, relay: Peer, bodies: list[bytes]) -> Row:
    """What serving adds at one connection to the model's own time, which is taken in a process of its own."""
    added: list[float] = []
    bare: list[float] = []
    for _ in range(report.ROUNDS):
        alone = float(_python(_ALONE, str(folder / "lr.joblib")))
        added.append(_load(ours, bodies, 1).p50 - alone)
        bare.append(_load(relay, bodies, 1).p50 - alone)
    name = "p50 at 1 connection over the model's own"
    return Row(name, "ms", added, bare, relay.name, target_ratio=0, limit=0.15)


def _cpu(live: Live, ours: Peer, pid: int, relay: Peer, bodies: list[bytes]) -> Row:
    """The gateway's beside that of a bare relay in front of the same replica: what Python, kernel and this machine cost
    before anything is asked of a gateway."""
    gateway = int(live.status["gateway"]["pid"])
    spent: list[float] = []
    bare: list[float] = []
    for _ in range(report.ROUNDS):
        spent.append(_cpu_per_request(gateway, ours, bodies))
        bare.append(_cpu_per_request(pid, relay, bodies))
    return Row("gateway's CPU per request, 8 connections", "us", spent, bare, relay.name, target_ratio=0, limit=20)


def _cpu_per_request(pid: int, asked: Peer, bodies: list[bytes]) -> float:
    process = psutil.Process(pid)
    before = process.cpu_times()
    measured = _load(asked, bodies, 8)
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    return 1e6 * used / measured.requests


@contextmanager
def _relay(live: Live, folder: Path) -> Iterator[tuple[int, Peer]]:
    """(pid, address) of a bare relay in front of the replica of `lr`."""
    with live.operator() as api:
        [replica] = api.get(f"domains/{DOMAIN}/endpoints/lr")["variants"][0]["replicas"]
    found = next(live.settings.paths.sockets.rglob(f"{replica['id']}.sock"))
    port = peers.free_port()
    command = [sys.executable, str(Path(peer_servers.__file__).parent / "relay.py"), str(port), str(found)]
    with peers.server(command, f"http://127.0.0.1:{port}/", folder, {"PYTHONPATH": str(ROOT)}) as pid:
        yield pid, Peer("bare relay", f"http://127.0.0.1:{port}/", "inputs", {"content-type": "application/json"})


def _binary_body(given: list[list[float]]) -> tuple[bytes, int]:
    """100 rows by the binary extension: (body, bytes of its JSON)."""
    import json

    import numpy

    data = numpy.array(given, dtype="<f8").tobytes()
    tensor = {"name": "rows", "shape": [len(given), len(given[0])], "datatype": "FP64"}
    asked = {"inputs": [tensor | {"parameters": {"binary_data_size": len(data)}}]}
    head = json.dumps(asked).encode()
    return head + data, len(head)


def _hundred(folder: Path, ours: _Ours) -> Row:
    hundred = [*rows(), *rows()][:100]
    body, size = _binary_body(hundred)
    peer = ours.binary("lr", size)
    plain, v2 = wrk.rows_as("inputs", hundred), wrk.rows_as("v2", hundred)
    with _peers(folder, "lr", batched=False) as found:
        mine: list[float] = []
        theirs: dict[str, list[float]] = {one.name: [] for one in found}
        for _ in range(report.ROUNDS):
            mine.append(_load(peer, [body], 8).rate)
            for one in found:
                theirs[one.name].append(_load(one, [v2 if one.form == "v2" else plain], 8).rate)
    best = max(theirs, key=lambda name: statistics.median(theirs[name]), default="")
    name = "100 rows, binary, 8 connections (peers: JSON)"
    return Row(name, "rps", mine, theirs.get(best, []), best, higher_is_better=True, target_ratio=2)


def _named(folder: Path, ours: _Ours, columns: list[str]) -> Row:
    bodies = [wrk.rows_as("split", [row], columns) for row in rows()]
    kept = Model(folder / "named.joblib", folder / "named" / "mlflow")
    mine: list[float] = []
    theirs: list[float] = []
    with inference_peers.started("MLflow", kept, folder / "MLflow-named") as mlflow:
        for _ in range(report.ROUNDS):
            mine.append(_load(ours.peer("named"), bodies, 8).rate)
            theirs.append(_load(mlflow, bodies, 8).rate)
    name = "30 named columns (dataframe_split), 8 connections"
    return Row(name, "rps", mine, theirs, "MLflow", higher_is_better=True, target_ratio=10)
