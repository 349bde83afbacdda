"""What uses the environments of a domain: composed of jobs, endpoints, the domain's choice, and kernels that run."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection

from studio.environments import defaults
from studio.environments.environments import Environment, usable, visible
from studio.errors import Conflict, Unavailable
from studio.jobs import jobs
from studio.registry import versions as registered
from studio.runtime.specs import State
from studio.serving import endpoints
from studio.serving.states import VariantState
from studio.tracking import tags
from studio.wire.context import Studio

_LIVE = (VariantState.waiting, VariantState.serving)


@dataclass(frozen=True, slots=True)
class Use:
    """`kind`: kernel, job, endpoint or default; `hash`: of what it runs from, "" if nothing runs (any more)."""

    kind: str
    name: str
    owner: str = ""
    hash: str = ""


Uses = dict[str, list[Use]]  # by the environment's name


async def uses(studio: Studio, domain: str) -> Uses:
    """Everything of `domain`."""
    state = await _state(studio)
    return await studio.store.read(lambda db: _merged(_kernels(state, domain), _rows(db, domain, state)))


def require_unused(db: Connection, environment: Environment) -> None:
    """`Conflict` that names what would not start again without it. Kernels go on: it is its folder that they need."""
    found = _rows(db, environment.domain, None).get(environment.name, [])
    if found:
        what = ", ".join("the domain's choice" if use.kind == "default" else f"{use.kind} {use.name}" for use in found)
        raise Conflict(f"{environment.name} is needed: {what}.", "Move them to another environment first.")


def made_in(db: Connection, domain: str, model: str) -> str:
    """The environment in which the run of a model version (models:/name@alias) was, if it can be used here now; else
    "". Its packages are the ones that the model was tried with."""
    version = registered.resolve(db, domain, model)
    if not version.run_id:
        return ""
    found = tags.of_runs(db, domain, [version.run_id], [tags.ENVIRONMENT_TAG]).get(version.run_id, {})
    name = found.get(tags.ENVIRONMENT_TAG, "")
    return name if name in usable(visible(db, domain), domain) else ""


async def _state(studio: Studio) -> State | None:
    try:
        return await studio.supervisor.state()
    except Unavailable:
        return None  # nobody runs anything then


def _kernels(state: State | None, domain: str) -> Uses:
    found: Uses = defaultdict(list)
    for box in state.sandboxes if state else ():
        for child in box.children:
            if box.domain == domain and child.kind == "kernel":
                found[child.environment].append(Use("kernel", child.name, box.owner, child.revision))
    return found


def _rows(db: Connection, domain: str, state: State | None) -> Uses:
    found: Uses = defaultdict(list)
    for job in jobs.active(db):
        if job.domain == domain:
            found[job.environment].append(Use("job", job.name, job.owner, job.environment_hash))
    revisions = {child.name: child.revision for box in (state.sandboxes if state else ()) for child in box.children}
    for endpoint in endpoints.list_endpoints(db, domain):
        named = {}
        for variant in endpoint.variants:
            if variant.state in _LIVE and not endpoint.deleting:
                hashes = [revisions[item.id] for item in variant.replicas if item.id in revisions]
                named[variant.environment] = Use("endpoint", endpoint.name, endpoint.owner, next(iter(hashes), ""))
        for environment, use in named.items():
            found[environment].append(use)
    chosen = defaults.get_chosen(db, domain)
    if chosen:
        found[chosen].append(Use("default", domain))
    return found


def _merged(first: Uses, second: Uses) -> Uses:
    return {name: [*first.get(name, []), *second.get(name, [])] for name in first.keys() | second.keys()}
