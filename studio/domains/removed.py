"""Where the files of a removed domain lie: moved aside, whole, for who runs the installation. Run in a thread."""

import re
import shutil
from contextlib import suppress
from pathlib import Path

from studio.ids import check_name
from studio.runtime.sandbox import sandbox_id
from studio.settings import Paths


def folder(paths: Paths, domain: str, removing_ms: int) -> Path:
    """The folder for what a domain had that is being removed since then."""
    return paths.home / "removed" / f"{check_name(domain, 'domain')}-{removing_ms}"


def set_aside(paths: Paths, domain: str, removing_ms: int) -> Path:
    """Moves the domain's volume, artifacts, models and traffic there; may be called again after a crash."""
    target = folder(paths, domain, removing_ms)
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    named = {"volume": paths.domain(domain)}
    named |= {name: getattr(paths, name) / domain for name in ("artifacts", "models", "capture", "invocations")}
    for name, source in named.items():
        # Missing: it never had one, or it was moved before a crash.
        with suppress(FileNotFoundError):
            source.rename(target / name)
    for box in _boxes(paths, domain):
        shutil.rmtree(box, ignore_errors=True)
    return target


def _boxes(paths: Paths, domain: str) -> list[Path]:
    """Socket folders of its sandboxes, none of which runs any more."""
    root = paths.box(sandbox_id(domain, "x")).parent
    if not root.is_dir():
        return []
    return [found for found in root.iterdir() if re.fullmatch(rf"{re.escape(domain)}\.[^.]+", found.name)]
