"""What of an endpoint is exported: the variants that answer callers, with their shares of the traffic."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from studio.domains import instance_types
from studio.domains.instance_types import InstanceType
from studio.environments import environments
from studio.errors import Conflict
from studio.serving import endpoints
from studio.serving.endpoints import Endpoint
from studio.serving.states import VariantState


@dataclass(frozen=True, slots=True)
class Part:
    """A variant to export. `percent`: its share of the traffic; `kind`: the size of its replicas; `digest`: of its
    materialised version; `fingerprint`: of its environment's definition."""

    name: str
    version: int
    percent: int
    kind: InstanceType
    min_replicas: int
    max_replicas: int
    digest: str
    environment: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is exported of an endpoint, oldest variant first; `shadows`: the names of those that are not."""

    endpoint: str
    model: str
    serverless: bool
    capture: bool
    timeout_s: float
    max_body: int
    fast_path: bool
    target_load: float
    parts: tuple[Part, ...]
    shadows: tuple[str, ...]


def plan(db: Connection, domain: str, name: str) -> Plan:
    """What of the endpoint serves; `Conflict` if nothing does."""
    found = endpoints.get(db, domain, name)
    serving = [v for v in found.variants if v.state is VariantState.serving]
    chosen = [v for v in serving if v.weight > 0 and not v.shadow and v.digest]
    if not chosen:
        raise Conflict(f"Nothing of {name} serves: it is {found.state}.", "Export it when it is InService or Idle.")
    percents = shares([variant.weight for variant in chosen])
    parts = []
    for variant, percent in zip(chosen, percents, strict=True):
        environment = environments.get(db, domain, variant.environment)
        least = 0 if found.mode == "serverless" else max(1, variant.min_replicas)
        part = Part(
            name=variant.name,
            version=variant.version,
            percent=percent,
            kind=instance_types.get(db, variant.instance_type or found.instance_type),
            min_replicas=least,
            max_replicas=max(1, least, variant.max_replicas),
            digest=variant.digest,
            environment=environment.name,
            fingerprint=environment.used.fingerprint,
        )
        parts.append(part)
    shadows = tuple(variant.name for variant in serving if variant.shadow)
    return _plan(found, tuple(parts), shadows)


def _plan(found: Endpoint, parts: tuple[Part, ...], shadows: tuple[str, ...]) -> Plan:
    return Plan(
        endpoint=found.name,
        model=found.model,
        serverless=found.mode == "serverless",
        capture=found.capture,
        timeout_s=found.timeout_s,
        max_body=found.max_body,
        fast_path=found.fast_path,
        target_load=found.target_load,
        parts=parts,
        shadows=shadows,
    )


def shares(weights: Sequence[float]) -> list[int]:
    """Whole per cents that add up to 100, as near to the weights as they can be (largest remainders)."""
    total = sum(weights)
    exact = [100 * weight / total for weight in weights]
    found = [int(share) for share in exact]
    largest = sorted(range(len(exact)), key=lambda at: found[at] - exact[at])
    for at in largest[: 100 - sum(found)]:
        found[at] += 1
    return found
