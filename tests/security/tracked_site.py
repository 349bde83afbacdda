"""A running product with two domains, whose tracking the attacks are aimed at."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests import leaks
from tests.live import Live

API = "/api/2.0/mlflow/"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
REST = "/api/v1/domains/"
SCRIPT = "<script>window.hit=1</script><img src=x onerror='window.hit=1'>\u202e"
MARK = "known-to-demo-alone"


@dataclass
class Site:
    """demo with ann (editor), and its sibling by name demo2 with bob (admin); everything that demo has is marked."""

    live: Live
    address: str
    ann: httpx.Client
    bob: httpx.Client
    ids: dict[str, str] = field(default_factory=dict)

    def fill(self) -> None:
        """An experiment, a run with a file, a logged model, a registered model with a version, a trace."""
        experiment = self.made("experiments/create", {"name": MARK})["experiment_id"]
        info = self.made("runs/create", {"experiment_id": experiment, "run_name": MARK})["run"]["info"]
        run_id = info["run_id"]
        self.made("runs/log-batch", {"run_id": run_id, "params": [{"key": "p", "value": MARK}]})
        self.made("runs/log-metric", {"run_id": run_id, "key": "m", "value": 1, "timestamp": 1})
        model = self.made("logged-models", {"experiment_id": experiment, "name": "model", "source_run_id": run_id})
        self.made("registered-models/create", {"name": "theirs", "description": MARK})
        source = f"runs:/{run_id}/model"
        self.made("model-versions/create", {"name": "theirs", "source": source, "run_id": run_id, "description": MARK})
        self.ids = {"experiment": experiment, "run": run_id, "model": model["model"]["info"]["model_id"]}
        assert self.ann.put(f"{FILES}/{experiment}/{run_id}/artifacts/a.txt", content=MARK).status_code == 200

    def made(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.ann.post(API + path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def state(self) -> list[Any]:
        """What ann sees of what `fill` made."""
        run, files = self.ids["run"], {"path": f"{self.ids['experiment']}/{self.ids['run']}/artifacts"}
        return [
            self.ann.get(API + "runs/get", params={"run_id": run}).json(),
            self.ann.get(API + "experiments/get", params={"experiment_id": self.ids["experiment"]}).json(),
            self.ann.get(f"{API}logged-models/{self.ids['model']}").json(),
            self.ann.get(API + "registered-models/get", params={"name": "theirs"}).json(),
            self.ann.get(API + "model-versions/get", params={"name": "theirs", "version": "1"}).json(),
            self.ann.get(FILES, params=files).json(),
        ]

    def raw(self, method: str, target: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """(status, body) of a request whose target no client tidies up."""
        at = urlsplit(self.address)
        lines = [
            f"{method} {target} HTTP/1.1",
            f"Host: {at.netloc}",
            f"Authorization: {self.ann.headers['authorization']}",
        ]
        lines += [f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        with socket.create_connection((at.hostname, at.port), timeout=30) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, rest = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), rest


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    live = Live(tmp_path_factory.mktemp("home"))
    try:
        live.studio("up", "--detach", "--no-browser", "--port", "0")
        with live.operator() as api:
            api.post("domains", {"name": "demo2"})
            for user, domain, role in (("ann", "demo", "editor"), ("bob", "demo2", "admin")):
                api.post("users", {"name": user})
                api.post(f"domains/{domain}/members", {"user": user, "role": role})
        address = live.address
        with client(address, live.key("demo", "ann")) as ann, client(address, live.key("demo2", "bob")) as bob:
            found = Site(live, address, ann, bob)
            found.fill()
            yield found
    finally:
        pids = leaks.table(live.settings)
        live.stop()
        leaks.check(live.settings, pids)


def client(address: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=address, headers={"authorization": f"Bearer {token}"}, timeout=60)
