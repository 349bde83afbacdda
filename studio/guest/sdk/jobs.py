"""Jobs: a script with parameters, run to its end in this person's sandbox."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.guest.sdk.answers import Answer
from studio.guest.sdk.call import PAUSE_S, CallFailed, call, in_domain, segment

ENDED = ("Completed", "Failed", "Stopped")


class Job(Answer):
    """One job; attributes are those of the REST answer (state, reason, run_ids, cost, …), as they were when read."""

    noun = "A job"

    def __repr__(self) -> str:
        return f"<{self.name} ({self.id}): {self.state}>"

    def refresh(self) -> "Job":
        """Reads it again."""
        self.found = call("GET", in_domain(f"jobs/{segment(self.id)}"))
        return self

    def wait(self, timeout_s: float = 3600.0, *, show_log: bool = True) -> "Job":
        """Returns when it has ended, printing its log meanwhile; `CallFailed` if it did not complete."""
        deadline = time.monotonic() + timeout_s
        offset = 0
        while True:
            part = call("GET", in_domain(f"jobs/{segment(self.id)}/log"), offset=offset)
            offset = part["next_offset"]
            if show_log and part["text"]:
                sys.stdout.write(part["text"])
                sys.stdout.flush()
            if part["done"] and self.refresh().state in ENDED:
                break
            if time.monotonic() > deadline:
                raise CallFailed(f"{self.name} still runs after {timeout_s:.0f} s.", "It goes on.", "TIMEOUT")
            time.sleep(PAUSE_S)
        if self.state != "Completed":
            raise CallFailed(f"{self.name} {self.state.lower()}: {self.reason}", "Its log says more.", "FAILED")
        return self

    def log(self) -> str:
        """What it has printed so far."""
        text, offset = "", 0
        while True:
            part = call("GET", in_domain(f"jobs/{segment(self.id)}/log"), offset=offset)
            text += str(part["text"])
            if part["done"] or part["next_offset"] == offset:
                return text
            offset = part["next_offset"]

    def stop(self) -> "Job":
        """Ends it."""
        call("POST", in_domain(f"jobs/{segment(self.id)}/stop"))
        return self.refresh()


def job(id: str) -> Job:
    """The job with this id."""
    return Job(call("GET", in_domain(f"jobs/{segment(id)}")))


def run_job(
    script: str | os.PathLike[str],
    params: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    environment: str | None = None,
    instance_type: str | None = None,
    wait: bool = False,
) -> Job:
    """Starts the file `script` with `--key value` for each of `params`; with `wait`, follows its log to the end."""
    path = Path(script)
    body = {
        "name": name or path.stem,
        "environment": environment or os.environ.get("STUDIO_ENVIRONMENT", ""),
        "script_name": path.name,
        "script": path.read_text(),
        "params": dict(params or {}),
    }
    if instance_type is not None:
        body["instance_type"] = instance_type
    made = Job(call("POST", in_domain("jobs"), body))
    return made.wait() if wait else made
