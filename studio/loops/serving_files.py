"""Files of endpoints: versions made visible to the sandbox, and removed when nothing needs them."""

import asyncio
import shutil
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from studio.domains import sandboxes
from studio.environments import environments
from studio.errors import NotFound, StudioError
from studio.loops.context import LoopContext
from studio.loops.serving_acts import refuse
from studio.runtime import beneath
from studio.runtime.supervising import Supervisor
from studio.serving import endpoints, requirements
from studio.serving import variants as rows
from studio.serving.artifacts import Files, files_of
from studio.serving.endpoints import Endpoint
from studio.serving.events import tell
from studio.serving.materialise import Materialised, materialise, sweep
from studio.serving.variants import Variant

EXAMPLE_BYTES = 64 * 1024
FLUSHED_S = 0.1
_LOCKS: WeakKeyDictionary[Supervisor, dict[str, asyncio.Lock]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Made:
    """`baseline`: digest of the training data's sample or ""; `example`: JSON body or ""."""

    model: Materialised
    baseline: str
    example: str
    missing: list[str]
    notes: list[str]


def _models(context: LoopContext, domain: str) -> asyncio.Lock:
    """Making and sweeping folders of one domain exclude each other."""
    return _LOCKS.setdefault(context.supervisor, defaultdict(asyncio.Lock))[domain]


async def make(context: LoopContext, endpoint: Endpoint, variant: Variant) -> None:
    """Copies the version to where the sandbox sees it, and checks that its environment has what it needs."""

    def look(db: Connection) -> tuple[Files, environments.Environment]:
        found = files_of(db, context.settings.paths, endpoint.domain, endpoint.model, variant.version)
        return found, environments.get(db, endpoint.domain, variant.environment)

    try:
        source, environment = await context.store.read(look)
        installed = environment.folder(context.settings.paths.environments)
        async with _models(context, endpoint.domain):
            made = await asyncio.to_thread(
                _make, source, context.layout(endpoint.domain, sandboxes.SERVICE).host_models, installed
            )
            await context.store.write(lambda db: _note(db, endpoint, variant, made))
    except StudioError as error:
        why = str(error)
        await context.store.write(lambda db: refuse(db, endpoint, variant, why))


def _make(source: Files, store: Path, environment: Path) -> Made:
    model = materialise(source.model, store)
    baseline = ""
    for path in source.baselines:
        with suppress(NotFound):
            baseline = materialise(path, store).digest
            break
    folder = store / model.digest
    compared = requirements.compare(folder, environment)
    example = _text(folder, "serving_input_example.json", EXAMPLE_BYTES)
    return Made(model, baseline, example, compared.missing, compared.notes)


def _text(folder: Path, name: str, cap: int) -> str:
    try:
        return beneath.read(folder, [name], cap).decode("utf-8", "replace")
    except StudioError:
        return ""


def _note(db: Connection, endpoint: Endpoint, variant: Variant, made: Made) -> None:
    if made.missing:
        refuse(db, endpoint, variant, requirements.why_not(made.missing, variant.environment))
        return
    rows.change(db, variant.id, digest=made.model.digest, baseline=made.baseline, example=made.example)
    size = f"{made.model.files} files, {made.model.size / 1e6:.1f} MB"
    notes = f" The environment has {', '.join(made.notes)}." if made.notes else ""
    tell(db, endpoint.id, f"Version {variant.version} copied ({size}, {made.model.digest[:12]}).{notes}")
    endpoints.change(db, endpoint)


async def tidy(context: LoopContext, endpoint: Endpoint) -> None:
    """Removes folders of the domain that no variant uses."""
    async with _models(context, endpoint.domain):
        kept = await context.store.read(lambda db: rows.digests(db, endpoint.domain))
        await asyncio.to_thread(sweep, context.layout(endpoint.domain, sandboxes.SERVICE).host_models, kept)


async def remove(context: LoopContext, endpoint: Endpoint) -> None:
    """Removes an endpoint of which nothing runs: what it captured, its rows, its files."""
    captured = context.layout(endpoint.domain, sandboxes.SERVICE).host_capture / endpoint.name
    # Its monitor's job would make the folder again; what the gateway had queued reaches the disk within 10 ms.
    with suppress(NotFound):  # no sandbox, no job
        await context.supervisor.service_stop(endpoint.sandbox, f"monitor-{endpoint.name}")
    await asyncio.sleep(FLUSHED_S)
    # rmtree works on descriptors and does not follow links that code inside may have planted.
    await asyncio.to_thread(shutil.rmtree, captured, True)
    await context.store.write(lambda db: endpoints.erase(db, endpoint))
    await tidy(context, endpoint)
