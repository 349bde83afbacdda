"""Endpoints as they are exported, each started as its image would start it: its own folder, its own words."""

import contextlib
import io
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from studio.cli.endpoint_export import unpack
from studio.domains.instance_types import FIRST
from studio.environments.store import lock_of
from studio.serving import export, export_tar
from studio.serving.export_plan import Part, Plan
from tests.live import until

START_S = 180.0  # on a busy machine importing the libraries takes long


def export_model(model: Path, name: str, folder: Path) -> Path:
    """Writes the endpoint `name` of a model's folder as for Docker; the folder of its variant."""
    part = Part("v1", 1, 100, FIRST[0], 1, 1, model.name, "sklearn", "f" * 64)
    plan = Plan(name, name, False, False, 60.0, 16 << 20, True, 4.0, (part,), ())
    lock = lock_of(folder / "environments", part.fingerprint)
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text("numpy==2.4.6\n")
    items = export.items(plan, "docker", "", model.parent, folder / "environments")
    out = folder / name
    out.mkdir()
    unpack(io.BytesIO(b"".join(export_tar.stream(items))), out)
    return out / part.name


def command(folder: Path) -> list[str]:
    """What the image runs."""
    lines = dict(line.split(" ", 1) for line in (folder / "Dockerfile").read_text().splitlines() if " [" in line)
    return [*json.loads(lines["ENTRYPOINT"]), *json.loads(lines["CMD"])]


class Exported:
    """One running host; `python`: of an environment that has what the model needs."""

    def __init__(self, folder: Path, *options: str, python: str = sys.executable) -> None:
        self._said = folder / "said.log"
        words = [python, *command(folder)[1:], "--host", "127.0.0.1", "--port", "0", *options]
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                words, cwd=folder, env=kept | {"OMP_NUM_THREADS": "1"}, stdout=said, stderr=said
            )

    @property
    def said(self) -> str:
        return self._said.read_text()

    @property
    def url(self) -> str:
        """Its address, once it answers."""
        return until(self._url, f"the host's start ({self._said})", START_S)

    def ended(self) -> int:
        """Its exit code, when it has ended by itself."""
        return self.process.wait(START_S)

    def _url(self) -> str:
        assert self.process.poll() is None, self.said
        found = [line.rpartition(" ")[2] for line in self.said.splitlines() if " is served at http" in line]
        return found[0] if found else ""

    def get(self, path: str) -> tuple[int, str]:
        """(status, body)."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def close(self) -> int:
        """Ends it as a container is ended; its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(START_S)
        finally:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def hosts(models: Path, names: tuple[str, ...], folder: Path) -> Iterator[dict[str, Exported]]:
    """A host for each model, started at once."""
    with contextlib.ExitStack() as stack:
        found: dict[str, Exported] = {}
        for name in names:
            found[name] = Exported(export_model(models / name, name, folder))
            stack.callback(found[name].close)
        yield found
