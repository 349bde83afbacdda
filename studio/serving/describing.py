"""What an endpoint's state is, in one word and in a sentence: pure."""

from studio.serving.observed import Observed, Variant
from studio.serving.rollout import words
from studio.serving.states import EndpointState, ReplicaState, VariantState


def describe(seen: Observed, now_ms: int) -> tuple[EndpointState, str]:
    """The endpoint's state and, in words, why. Shadows say nothing about it: they answer nobody."""
    own = [v for v in seen.variants if not v.shadow]
    serving = [v for v in own if v.state is VariantState.serving]
    waiting = [v for v in own if v.state is VariantState.waiting]
    if not serving and waiting:
        return EndpointState.creating, _pending(waiting[0], now_ms)
    if waiting:
        return EndpointState.updating, _pending(waiting[0], now_ms)
    if serving:
        return _serving(seen, serving, now_ms)
    failed = next((v for v in own if v.state is VariantState.failed), None)
    if failed:
        return EndpointState.failed, failed.reason
    return EndpointState.creating, "Waiting to begin."


def _serving(seen: Observed, serving: list[Variant], now_ms: int) -> tuple[EndpointState, str]:
    silent = next((v for v in serving if not v.answers), None)
    if silent is None:
        shifting = next((v for v in serving if seen.rollout and v.id == seen.rollout.variant), None)
        if seen.rollout and shifting:
            return EndpointState.updating, words(seen.rollout, f"Version {shifting.version}")
        return EndpointState.in_service, seen.notice
    parked = any(r.state is ReplicaState.parked for r in silent.replicas)
    rests = seen.idle and parked  # whatever ended before: nothing is started until it is asked for
    if seen.serverless and (rests or ((seen.idle or parked) and not silent.failures)):
        return EndpointState.idle, "At zero; the next request wakes it."
    return EndpointState.updating, _pending(silent, now_ms)


def _pending(variant: Variant, now_ms: int) -> str:
    """Why a variant does not answer yet, in words."""
    if not variant.materialised:
        return f"Copying the files of version {variant.version}."
    if variant.replicas and any(r.alive for r in variant.replicas):
        return f"Version {variant.version} loads and answers its example."
    if variant.retry_ms > now_ms:
        # No count-down: the text would change, and be written, every second.
        return f"{variant.reason or 'The replica ended.'} Start {variant.failures + 1} follows after a pause."
    if not variant.place:
        return "The domain's service sandbox is starting."
    return f"{variant.reason} Starting another replica.".strip() if variant.reason else "Starting a replica."
