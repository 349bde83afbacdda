"""What to do next for one endpoint: a pure function of what is wanted and what was seen. `loops.serving` applies it.

Every decision may be taken again after a crash in the middle of applying it: each action is idempotent, and none is
decided unless what it relies on has been seen (a replica passed, the gateway acknowledged).
"""

from studio.serving.actions import (
    Action,
    Adopt,
    Decision,
    Fail,
    Forget,
    Materialise,
    Park,
    Probe,
    Remove,
    Retire,
    Route,
    StartReplica,
    StopReplica,
)
from studio.serving.observed import Observed, Replica, Variant
from studio.serving.states import EndpointState, ReplicaState, VariantState

RETRY_BASE_MS = 1000
RETRY_CAP_MS = 30_000
# A replica that served for so long has not "failed to start": its variant's failures are counted from zero again.
STEADY_MS = 60_000
START_LIMIT = 3  # processes of a version that never passed
CRASH_LIMIT = 6  # processes that ended although the version has once passed


def retry_delay_ms(failures: int) -> int:
    """0 after the first failure (one crash must not cost a second of service), then 1, 2, 4 … 30 s."""
    return 0 if failures <= 1 else min(RETRY_CAP_MS, int(RETRY_BASE_MS * 2 ** (failures - 2)))


def decide(seen: Observed, now_ms: int) -> Decision:
    """State and actions; the same input always gives the same answer."""
    if seen.deleting:
        return _delete(seen)
    actions: list[Action] = []
    serving = [v for v in seen.variants if v.state is VariantState.serving]
    waiting = [v for v in seen.variants if v.state is VariantState.waiting]
    for variant in serving:
        actions += _keep(variant, seen, now_ms, updating=bool(waiting))
    for variant in waiting:
        actions += _try(variant, now_ms)
    for variant in seen.variants:
        if variant.state is VariantState.retiring:
            actions += _retire(variant)
        elif variant.state is VariantState.failed:
            # A failed variant stays as the evidence until something serves or is tried in its place.
            actions += _wind_down(variant, retire=bool(serving or waiting))
    state, reason = _state(seen, serving, waiting, now_ms)
    return Decision(state, reason, tuple(actions))


def _keep(variant: Variant, seen: Observed, now_ms: int, *, updating: bool) -> list[Action]:
    """The serving variant has one replica, or is parked if nobody uses it."""
    rest = seen.serverless and seen.idle and not updating
    parked = [r for r in variant.replicas if r.state is ReplicaState.parked]
    up = [r for r in variant.replicas if r.state in (ReplicaState.starting, ReplicaState.ready) and r.alive]
    # The name to be woken under must be with the gateway first, so that no request falls between the two.
    sleeps = rest and variant.unrouted and any(not r.alive for r in parked)
    actions = [action for r in variant.replicas if (action := _care(r, sleeps=sleeps))]
    said = [r.reason for r in variant.replicas if r.state is ReplicaState.failed]
    if said and not any(r.state is ReplicaState.ready for r in up):
        return [Fail(variant.id, said[0]), *actions]
    if any(isinstance(action, Forget) for action in actions):
        return actions  # what it counted decides about the next start
    running = up or any(r.alive for r in parked)
    if variant.failures >= CRASH_LIMIT and not running:
        return [*actions, Fail(variant.id, _gave_up(variant))]
    if rest:
        still = any(r.state is ReplicaState.starting for r in up)
        return actions if parked or still else [*actions, Park(variant.id)]
    return actions if running else [*actions, *_start(variant, now_ms, parked[0].id if parked else "")]


def _care(replica: Replica, *, sleeps: bool = False) -> Action | None:
    """The next step of one replica, seen by itself."""
    if not replica.alive and replica.state is not ReplicaState.parked:
        # One that has said why it failed, or was asked to go, is not counted: it did what was expected.
        return Forget(replica.id, failed=replica.state in (ReplicaState.starting, ReplicaState.ready))
    match replica.state:
        case ReplicaState.starting:
            return Probe(replica.id)
        case ReplicaState.failed | ReplicaState.stopping:
            return StopReplica(replica.id)
        case ReplicaState.parked:
            return Adopt(replica.id) if replica.alive else None
        case ReplicaState.ready:
            return StopReplica(replica.id) if sleeps else None


def _try(variant: Variant, now_ms: int) -> list[Action]:
    """A waiting variant: files, process, prediction, traffic."""
    if not variant.materialised:
        return [Materialise(variant.id)]
    if any(r.state is ReplicaState.ready and r.alive for r in variant.replicas):
        return [Route(variant.id)]
    actions = [action for r in variant.replicas if (action := _care(r))]
    said = [r.reason for r in variant.replicas if r.state is ReplicaState.failed]
    if said:
        return [Fail(variant.id, said[0]), *actions]
    if variant.replicas:
        return actions
    if variant.failures >= START_LIMIT:
        return [Fail(variant.id, _gave_up(variant))]
    return _start(variant, now_ms, "")


def _start(variant: Variant, now_ms: int, replica: str) -> list[Action]:
    return [StartReplica(variant.id, replica)] if variant.place and now_ms >= variant.retry_ms else []


def _gave_up(variant: Variant) -> str:
    said = variant.reason or "its process ended"
    return f"Gave up after {variant.failures} starts; the last time: {said}"


def _retire(variant: Variant) -> list[Action]:
    """Lets a variant that lost the traffic finish, then ends it."""
    return _wind_down(variant, retire=True) if variant.unrouted or not _answers(variant) else []


def _wind_down(variant: Variant, *, retire: bool) -> list[Action]:
    actions: list[Action] = []
    for replica in variant.replicas:
        # A parked replica that somebody woke in the last moment is a process like any other.
        actions.append(StopReplica(replica.id) if replica.alive else Forget(replica.id))
    return actions or ([Retire(variant.id)] if retire else [])


def _delete(seen: Observed) -> Decision:
    actions: list[Action] = []
    if seen.unrouted:
        for variant in seen.variants:
            actions += _wind_down(variant, retire=True)
        actions = actions or [Remove()]
    return Decision(EndpointState.deleting, "Ending its replicas.", tuple(actions))


def _answers(variant: Variant) -> bool:
    return any(r.alive and r.state is ReplicaState.ready for r in variant.replicas)


def _state(seen: Observed, serving: list[Variant], waiting: list[Variant], now_ms: int) -> tuple[EndpointState, str]:
    pending = _pending(waiting[0], now_ms) if waiting else ""
    if serving:
        variant = serving[0]
        parked = any(r.state is ReplicaState.parked for r in variant.replicas)
        if waiting:
            return EndpointState.updating, pending
        if _answers(variant):
            return EndpointState.in_service, seen.notice
        rests = seen.idle and parked  # whatever ended before: nothing is started until it is asked for
        if seen.serverless and (rests or ((seen.idle or parked) and not variant.failures)):
            return EndpointState.idle, "At zero; the next request wakes it."
        return EndpointState.updating, _pending(variant, now_ms)
    if waiting:
        return EndpointState.creating, pending
    failed = next((v for v in seen.variants if v.state is VariantState.failed), None)
    if failed:
        return EndpointState.failed, failed.reason
    return EndpointState.creating, "Waiting to begin."


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
