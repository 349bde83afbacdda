"""The server is killed and nobody notices; what it cost; all stopped; nothing left."""

import os
import signal
from typing import Any

import psutil

from studio.cli.demo.place import command
from studio.cli.demo.serve import example_rows, invoke
from studio.cli.demo.story import Evidence, Story, check


def kill_server(story: Story) -> Evidence:
    """kill -9: the endpoint answers meanwhile, the kernel keeps its variables, the runs are all there afterwards."""
    split = example_rows(story, 1)
    before = story.api("POST", "runs/search", {"max_results": 1000})["total"]
    story.kernel.run("kept_through_the_kill = 41 + 1")
    pid = command(story.settings, "status", "--json")["server"]["pid"]
    os.kill(pid, signal.SIGKILL)
    meanwhile = invoke(story, story.endpoint, split)
    kept = story.kernel.value("kept_through_the_kill")

    def back() -> Any:
        shown = command(story.settings, "status", "--json")["server"]
        return shown if shown["pid"] not in (0, pid) and shown["state"] == "Running" else None

    again = story.until("The server's restart", back)
    after = story.api("POST", "runs/search", {"max_results": 1000})["total"]
    check(kept == 42, "The kernel lost its variables.")
    check(after == before, f"{before} runs before, {after} after.")
    return {"killed": pid, "again": again["pid"], "prediction_meanwhile": meanwhile, "runs": after}


def cost(story: Story) -> Evidence:
    """What runs now and what it has cost."""
    running = story.api("GET", "running")
    spent = story.api("GET", "cost")
    kinds = sorted({item["kind"] for item in running})
    check("endpoint" in kinds and "kernel" in kinds, f"An endpoint and a kernel were expected to run: {kinds}")
    check(spent["today"] > 0, f"Nothing has cost anything: {spent}")
    return {"running": kinds, "today": spent["today"], "currency": spent["currency"], "by_kind": spent["by_kind"]}


def stop_all(story: Story) -> Evidence:
    """One button: no kernel, job or endpoint runs afterwards."""
    story.api("POST", "stop-all")

    def quiet() -> bool:
        kinds = {item["kind"] for item in story.api("GET", "running")}
        return not kinds & {"kernel", "job", "endpoint"}

    story.until("Everything stopped", quiet)
    return {"running": [item["kind"] for item in story.api("GET", "running")]}


def down(story: Story) -> Evidence:
    """`studio down` leaves no process and no socket."""
    status = command(story.settings, "status", "--json")
    pids = _pids(status)
    command(story.settings, "down")
    left = [pid for pid in pids if _is_alive(pid)]
    check(not left, f"Still running: {left}")
    check(not story.settings.paths.sockets.exists(), f"{story.settings.paths.sockets} is still there.")
    return {"ended": len(pids), "pids_left": left}


def _is_alive(pid: int) -> bool:
    """A process that has ended but that nobody has waited for yet does not count."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _pids(status: dict[str, Any]) -> list[int]:
    found = [status["supervisor"]["pid"], status["gateway"]["pid"], status["server"]["pid"]]
    for box in status["sandboxes"]:
        found += [box["pid"], *(item["pid"] for item in box["services"] + box["children"])]
    return [pid for pid in found if pid]
