"""The first steps: Studio is up, a person is in, and has a place to work that is closed to others."""

import json
import os
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

from studio.cli.demo.kernel import Kernel
from studio.cli.demo.story import Evidence, Story, check
from studio.cli.demo.visitor import Visitor
from studio.client import connect
from studio.clock import monotonic
from studio.errors import StudioError
from studio.settings import Settings

LAB_S = 180
# What code in a sandbox must not reach: read by path, as a curious notebook would.
SPY = """
import os, pathlib, socket
def _try(f):
    try:
        return f() or "nothing"
    except Exception as error:
        return type(error).__name__
seen = {
    "database": _try(lambda: pathlib.Path(%(database)r).read_bytes()[:9].decode()),
    "neighbour": _try(lambda: pathlib.Path(%(neighbour)r).read_text()),
    "host_processes": sorted({_try(lambda p=p: pathlib.Path(f"/proc/{p}/cmdline").read_text()) for p in %(pids)r}),
    "gateway_port": _try(lambda: socket.create_connection(("127.0.0.1", %(port)d), 2) and "connected"),
    "init_environment": _try(lambda: pathlib.Path("/proc/1/environ").read_text()),
}
print(seen)
"""


def command(settings: Settings, *words: str) -> Any:
    """Runs `studio WORDS --json` on the story's home, as a person at a terminal would; returns its JSON."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STUDIO_")}
    environment |= {"STUDIO_ENVIRONMENTS": str(settings.paths.environments), "STUDIO_ISOLATION": settings.isolation}
    line = [sys.executable, "-m", "studio.cli.main", "--home", str(settings.home), *words]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=1500, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise StudioError(f"studio {' '.join(words)} ended with {done.returncode}: {done.stderr[-800:]}")
    return json.loads(done.stdout) if done.stdout.strip().startswith(("{", "[")) else done.stdout


def up(story: Story) -> Evidence:
    """`studio up --detach` on an empty folder."""
    command(story.settings, "up", "--detach", "--no-browser", "--port", str(story.settings.port))
    status = command(story.settings, "status", "--json")
    story.address = status["address"]
    story.known["status"] = status
    story.meet(operator=connect(story.settings))
    return {"address": story.address, "gateway": status["gateway"]["pid"], "server": status["server"]["pid"]}


def signin(story: Story) -> Evidence:
    """The link signs in once; used again it does not."""
    link = story.operator.post("signin-links", {})["url"]
    visitor = Visitor(story.address)
    story.meet(visitor=visitor)
    page = visitor.visit(link)
    check(page.status_code == 200, f"The sign-in link answered {page.status_code}.")
    again = Visitor(story.address)
    second = again.visit(link)
    again.close()
    check(second.status_code in (400, 401, 403), f"The link worked twice: {second.status_code}.")
    return {"user": _user(story), "link_used_again": second.status_code}


def _user(story: Story) -> str:
    session = story.visitor.json("GET", f"{story.address}/api/v1/session")
    story.user = session["user"]
    story.visitor.csrf[urlsplit(story.address).netloc] = session["csrf"]
    return story.user


def domain(story: Story) -> Evidence:
    """The first domain is there, its creator is its admin, and a key for programs can be had."""
    shown = story.operator.get(f"domains/{story.domain}")
    key = story.operator.post(f"domains/{story.domain}/keys", {"user": story.user, "name": "demo"})
    story.token = key["token"]
    roles = {member["user"]: member["role"] for member in shown["members"]}
    check(roles.get(story.user) == "admin", f"{story.user} is not an admin of {story.domain}: {roles}.")
    return {"domain": story.domain, "role": roles[story.user], "network": shown["network_mode"], "key": key["id"]}


def environment(story: Story) -> Evidence:
    """The environment `sklearn` is built, named by the hash of its lock."""
    command(story.settings, "env", "build", "sklearn")
    found = story.operator.get("environments/sklearn")
    check(found["state"] == "Ready", f"The environment is {found['state']}: {found['error']}")
    return {"environment": found["name"], "hash": found["hash"]}


def lab(story: Story) -> Evidence:
    """The domain's own origin opens its JupyterLab; without a session it does not."""
    deadline = monotonic() + LAB_S
    while f"studio_{story.domain}=" not in story.visitor.cookies(urlsplit(story.origin).netloc):
        check(monotonic() < deadline, f"The lab was not opened within {LAB_S} s: see `studio logs`.")
        # On a slow machine the answer is the page that waits: as that page does, the visitor comes again.
        opened = story.visitor.visit(f"{story.address}/open?domain={story.domain}&wait=1")
        check(opened.status_code == 200, f"Opening the lab answered {opened.status_code}: {opened.text[:300]}")
        state = story.operator.get(f"domains/{story.domain}/lab", user=story.user)
        story.origin = state["address"].rstrip("/").removesuffix("/lab")
    session = story.visitor.json("GET", f"{story.origin}/studio/api/session")
    story.visitor.csrf[urlsplit(story.origin).netloc] = session["csrf"]
    stranger = Visitor(story.address)
    refused = stranger.request("GET", f"{story.origin}/api/contents")
    stranger.close()
    check(refused.status_code in (302, 401, 403), f"A stranger read the lab's files: {refused.status_code}.")
    version = story.visitor.json("GET", f"{story.origin}/api")["version"]
    return {"origin": story.origin, "jupyter_server": version, "stranger": refused.status_code}


def kernel(story: Story) -> Evidence:
    """*Run the example* puts the notebook into the person's folder; its kernel is a fork that has pandas at once."""
    path = story.api("POST", "example")["path"]
    story.visitor.request("GET", f"{story.origin}/lab")
    notebook = story.visitor.json("GET", f"{story.origin}/api/contents/{path}")["content"]
    for cell in notebook["cells"]:
        step = cell["metadata"].get("studio", {}).get("step")
        if cell["cell_type"] == "code" and step:
            story.cells.setdefault(step, []).append("".join(cell["source"]))
    kernel = Kernel.start(story.visitor, story.origin, "sklearn", path)
    story.meet(kernel=kernel)
    usable = kernel.value("[__import__(name).__version__ for name in ('pandas', 'sklearn')]")
    return {"kernel": kernel.id, "notebook": path, "pandas_sklearn": usable}


def isolation(story: Story) -> Evidence:
    """From the kernel: no database, no neighbour's file, no host process, no other port."""
    status = command(story.settings, "status", "--json")
    level = next(box["isolation"] for box in status["sandboxes"] if box["id"] == f"{story.domain}.{story.user}")
    if level == "none":
        return {"isolation": "none", "note": "this host cannot isolate; studio doctor says why"}
    story.operator.post("domains", {"name": "neighbour", "title": "Neighbour"})
    neighbour = story.settings.paths.shared("neighbour") / "secret.txt"
    neighbour.write_text("the neighbour's secret")
    facts = {
        "database": str(story.settings.paths.database),
        "neighbour": str(neighbour),
        "pids": [status["gateway"]["pid"], status["server"]["pid"]],
        "port": urlsplit(story.address).port,
    }
    story.kernel.run(SPY % facts)
    seen = story.kernel.value("seen")
    check(seen["database"] == "FileNotFoundError", f"The database can be read: {seen}")
    check(seen["neighbour"] == "FileNotFoundError", f"The neighbour's file can be read: {seen}")
    check(not any("studio.gateway" in text or "studio.server" in text for text in seen["host_processes"]), str(seen))
    check(str(story.settings.home) not in seen["init_environment"], f"The first process shows the host: {seen}")
    check(seen["gateway_port"] == "ConnectionRefusedError", f"The host's port can be reached: {seen}")
    return {"isolation": level, **seen}


def end(settings: Settings) -> None:
    """Ends what a failed story left running."""
    if settings.paths.run.exists():
        command(settings, "down")
