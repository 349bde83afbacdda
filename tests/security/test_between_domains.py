"""What a kernel and a terminal of one domain see of another domain that is at work beside it: nothing."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.sync.client import connect

from studio.cli.demo.kernel import Kernel
from studio.cli.demo.visitor import Visitor
from studio.runtime import isolation
from tests.e2e.killing import children, state
from tests.live import Live, running, until

SECRET = "the secret of beta"
# Run by a kernel and by a shell: tries every way it knows, and says how each ended.
SPY = """
import json, os, signal, socket, sys
def tried(work):
    try:
        return str(work() or "done")
    except Exception as error:
        return type(error).__name__
os.chdir(os.path.expanduser("~"))
facts = json.load(open("facts.json"))
def find(top):
    for folder, folders, files in os.walk(top):
        if folder == "/proc":
            folders[:] = []
        if "beta-secret.txt" in files:
            return os.path.join(folder, "beta-secret.txt")
    return "nowhere"
commands = [tried(lambda: open(f"/proc/{p}/cmdline").read()) for p in os.listdir("/proc") if p.isdigit()]
environments = [tried(lambda: open(f"/proc/{p}/environ").read()) for p in os.listdir("/proc") if p.isdigit()]
seen = {
    "files": {path: tried(lambda: open(path, "rb").read()) for path in facts["files"]},
    "folders": {path: tried(lambda: os.listdir(path)) for path in facts["folders"]},
    "sockets": {path: tried(lambda: socket.socket(socket.AF_UNIX).connect(path)) for path in facts["sockets"]},
    "ports": {port: tried(lambda: socket.create_connection(("127.0.0.1", port), 2)) for port in facts["ports"]},
    "killed": {pid: tried(lambda: os.kill(pid, signal.SIGKILL)) for pid in facts["pids"]},
    "found": find("/"),
    "beta_in_proc": [text for text in commands + environments if "beta" in text],
}
json.dump(seen, open(sys.argv[1] if sys.argv[1:] else "seen.json", "w"))
"""


@dataclass
class Neighbours:
    """Two domains at work: `demo`, whose code spies, and `beta`, which has a secret in a file and in a kernel."""

    live: Live
    visitor: Visitor
    origin: str
    beta: Kernel
    facts: dict[str, Any]

    @property
    def own(self) -> Path:
        """The spy's own folder, as the host sees it."""
        with self.live.operator() as api:
            user = api.get("session")["user"]
        return self.live.home / "domains" / "demo" / "users" / user


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    if isolation.probe().level == "none":
        pytest.skip("bubblewrap cannot run here")
    with ExitStack() as stack:
        live = stack.enter_context(running(tmp_path_factory.mktemp("domains")))
        api = stack.enter_context(live.operator())
        api.post("domains", {"name": "beta", "title": "Beta"})
        secret = live.settings.paths.shared("beta") / "beta-secret.txt"
        secret.write_text(SECRET)
        at_beta, visitor = stack.enter_context(closing(live.person())), stack.enter_context(closing(live.person()))
        beta = Kernel.start(at_beta, live.in_lab(at_beta, "beta"), "sklearn", "beta.ipynb")
        stack.callback(beta.disconnect)
        beta.run(f"secret = {SECRET!r}")
        box = next(box for box in state(live)["sandboxes"] if box["domain"] == "beta")
        pids = [box["pid"], *(service["pid"] for service in box["services"])]
        pids += [child["pid"] for name, child in children(live).items() if beta.id in name]
        paths = live.settings.paths
        facts = {
            "files": [str(secret), str(paths.database), *map(str, sorted(paths.keys.iterdir()))],
            "folders": [str(paths.home), str(paths.sockets), str(secret.parent), str(paths.logs)],
            "sockets": [str(path) for path in sorted(paths.sockets.rglob("*.sock")) if ".beta" not in str(path)]
            + [str(path) for path in sorted(paths.box(box["id"]).rglob("*.sock"))],
            "ports": [urlsplit(live.address).port],
            "pids": pids,
        }
        assert len(facts["files"]) > 2 and len(facts["sockets"]) > 4 and len(pids) > 2, facts
        yield Neighbours(live, visitor, live.in_lab(visitor), beta, facts)


def checked(seen: dict[str, Any], neighbours: Neighbours) -> None:
    """Fails for anything that the spy reached."""
    assert set(seen["files"].values()) == {"FileNotFoundError"}, seen["files"]
    assert set(seen["folders"].values()) == {"FileNotFoundError"}, seen["folders"]
    assert set(seen["sockets"].values()) <= {"FileNotFoundError", "ConnectionRefusedError"}, seen["sockets"]
    assert set(seen["ports"].values()) == {"ConnectionRefusedError"}, seen["ports"]
    # A number may be one of its own processes; what counts is that nobody at beta has ended.
    assert set(seen["killed"].values()) <= {"ProcessLookupError", "PermissionError", "done"}, seen["killed"]
    assert seen["found"] == "nowhere"
    assert seen["beta_in_proc"] == []
    assert neighbours.beta.value("secret") == SECRET
    box = next(box for box in state(neighbours.live)["sandboxes"] if box["domain"] == "beta")
    assert box["pid"] == neighbours.facts["pids"][0]


def test_a_kernel_reaches_nothing_of_another_domain(neighbours: Neighbours) -> None:
    (neighbours.own / "facts.json").write_text(json.dumps(neighbours.facts | {"pids": []}))
    kernel = Kernel.start(neighbours.visitor, neighbours.origin, "sklearn", "spy.ipynb")
    try:
        kernel.run("import sys; sys.argv = ['spy']\n" + SPY)
        checked(kernel.value("seen"), neighbours)
    finally:
        kernel.disconnect()


def test_a_terminal_reaches_nothing_of_another_domain(neighbours: Neighbours) -> None:
    (neighbours.own / "facts.json").write_text(json.dumps(neighbours.facts))
    (neighbours.own / "spy.py").write_text(SPY)
    name = neighbours.visitor.json("POST", f"{neighbours.origin}/api/terminals")["name"]
    netloc = urlsplit(neighbours.origin).netloc
    raw = socket.create_connection((neighbours.visitor.host, neighbours.visitor.port))
    cookies = {"Cookie": neighbours.visitor.cookies(netloc)}
    where = f"ws://{netloc}/terminals/websocket/{name}"
    with connect(where, sock=raw, origin=neighbours.origin, additional_headers=cookies, proxy=None) as shell:  # type: ignore[arg-type]
        shell.send(json.dumps(["stdin", "cd && python3 spy.py terminal.part; mv terminal.part terminal.json\r"]))
        until((neighbours.own / "terminal.json").exists, "the terminal's answer")
    checked(json.loads((neighbours.own / "terminal.json").read_text()), neighbours)


def test_a_link_into_another_domain_leads_nowhere(neighbours: Neighbours) -> None:
    (neighbours.own / "stolen.txt").symlink_to(neighbours.facts["files"][0])
    (neighbours.own / "stolen").symlink_to(neighbours.facts["folders"][2])
    home = neighbours.own.name
    assert neighbours.visitor.request("GET", f"{neighbours.origin}/api/contents/{home}/spy.py").status_code == 200
    for path in (f"{home}/stolen.txt", f"{home}/stolen/beta-secret.txt", f"{home}/stolen"):
        for api in ("api/contents", "files"):
            answer = neighbours.visitor.request("GET", f"{neighbours.origin}/{api}/{path}")
            assert answer.status_code in (400, 403, 404), (api, path, answer.status_code)
            assert SECRET not in answer.text


def test_the_session_of_one_domain_is_none_in_the_other(neighbours: Neighbours) -> None:
    """The same person, at work in both: the pages of one cannot call the other's API."""
    visitor, origin = neighbours.visitor, neighbours.origin
    for path in ("jobs", "experiments", "datasets", "endpoints"):
        answer = visitor.request("GET", f"{origin}/studio/api/domains/beta/{path}")
        assert answer.status_code == 403, (path, answer.status_code, answer.text)


def test_a_kernelspec_of_ones_own_starts_nothing_outside_of_studio(neighbours: Neighbours) -> None:
    """22, 23: under another name, or planted with Jupyter's own provisioner, in every folder that Jupyter reads."""
    spec = {"argv": ["touch", "/volume/shared/started"], "display_name": "evil", "language": "python"}
    spec["metadata"] = {"kernel_provisioner": {"provisioner_name": "local-provisioner"}}
    home = neighbours.own
    for folder in (".local/share/jupyter/kernels", ".ipython/kernels", "kernels", ".jupyter/kernels"):
        for name in ("evil", "sklearn"):
            place = home / folder / name
            place.mkdir(parents=True, exist_ok=True)
            (place / "kernel.json").write_text(json.dumps(spec))
    offered = neighbours.visitor.json("GET", f"{neighbours.origin}/api/kernelspecs")["kernelspecs"]
    assert "evil" not in offered
    assert offered["sklearn"]["spec"]["metadata"]["kernel_provisioner"]["provisioner_name"] == "studio-fork"
    for name in ("evil", "python3", "../evil", "sklearn/../evil", "/volume"):
        answer = neighbours.visitor.request("POST", f"{neighbours.origin}/api/kernels", json={"name": name})
        assert answer.status_code >= 400, (name, answer.text)
    kernel = Kernel.start(neighbours.visitor, neighbours.origin, "sklearn", "own.ipynb")
    try:
        # The name that both have is Studio's: a child of the fork server, let in and under its own limits.
        assert any(kernel.id in name for name in children(neighbours.live))
    finally:
        kernel.disconnect()
    assert not (neighbours.live.settings.paths.shared("demo") / "started").exists()


UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@pytest.mark.soak
def test_a_link_planted_over_a_socket_is_not_followed(neighbours: Neighbours) -> None:
    """27b: code puts links to the host's own sockets, and to a neighbour's, where Studio connects to its lab and fork
    server; on the host those names mean something."""
    live, origin = neighbours.live, neighbours.origin
    sockets = live.settings.paths.sockets
    beta_lab = next(path for path in neighbours.facts["sockets"] if path.endswith("lab.sock") and "beta" in path)
    kernel = Kernel.start(neighbours.visitor, origin, "sklearn", "links.ipynb")
    try:
        kernel.run("import os; out = os.environ['STUDIO_OUT']; os.rename(f'{out}/lab.sock', f'{out}/kept.sock')")
        for target in (sockets / "operator.sock", sockets / "server.sock", sockets / "supervisor.sock", beta_lab):
            kernel.run(f"os.symlink({str(target)!r}, f'{{out}}/lab.sock')")
            # A websocket has a connection of its own; a request may still find one that was opened before.
            asking = UPGRADE | {"origin": origin}
            answer = neighbours.visitor.request("GET", f"{origin}/api/events/subscribe", headers=asking)
            assert answer.status_code in (502, 503, 504), (target, answer.status_code, answer.text)
            assert "user" not in neighbours.visitor.request("GET", f"{origin}/api/v1/session").text
            kernel.run("os.unlink(f'{out}/lab.sock')")
    finally:
        kernel.run("os.rename(f'{out}/kept.sock', f'{out}/lab.sock')")
        kernel.disconnect()
    until(lambda: neighbours.visitor.request("GET", f"{origin}/api/kernels").status_code == 200, "the lab")
    assert neighbours.beta.value("secret") == SECRET


FORGE = """
import json, os, signal, socket
line = json.dumps(report) + chr(10)
with socket.socket(socket.AF_UNIX) as client:
    client.connect(os.environ["STUDIO_IN"] + "/hello.sock")
    client.sendall(line.encode())
    client.recv(99)
with open(os.environ["STUDIO_OUT"] + "/exits-fork-sklearn.jsonl", "w") as file:
    file.write(line)
os.kill(os.getppid(), signal.SIGKILL)
"""


def test_a_forged_exit_record_ends_nobody(neighbours: Neighbours) -> None:
    """27c: said at the door, and left in the file that the fork server's successor reads, after killing it."""
    live = neighbours.live
    kernel = Kernel.start(neighbours.visitor, neighbours.origin, "sklearn", "forger.ipynb")
    victim = Kernel.start(neighbours.visitor, neighbours.origin, "sklearn", "victim.ipynb")
    try:
        victim.run("kept = 42")
        name = next(name for name in children(live) if victim.id in name)
        pid = int(victim.value("__import__('os').getpid()"))
        report = {"exited": {"name": name, "pid": pid, "code": 0, "signal": None, "at_ms": 1}, "from": "fork-sklearn"}
        before = next(box for box in state(live)["sandboxes"] if box["domain"] == "demo" and box["owner"] != "service")
        gone = next(service["pid"] for service in before["services"] if service["name"] == "fork-sklearn")
        kernel.run(f"report = {report!r}\n{FORGE}")

        def again() -> bool:
            box = next(box for box in state(live)["sandboxes"] if box["id"] == before["id"])
            return any(item["name"] == "fork-sklearn" and item["pid"] not in (0, gone) and item["state"] == "Running"
                       for item in box["services"])  # fmt: skip

        until(again, "another fork server, which has read the file")
        assert name in children(live)
        assert victim.value("kept") == 42
        with live.operator() as api:
            assert api.get("domains/demo/exits", name=name)["exits"] == []
    finally:
        for used in (kernel, victim):
            used.disconnect()
            neighbours.visitor.request("DELETE", f"{neighbours.origin}/api/kernels/{used.id}")
