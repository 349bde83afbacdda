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
    Roll,
    Route,
    Scale,
    StartReplica,
    StopReplica,
)
from studio.serving.describing import describe
from studio.serving.observed import Observed, Replica, Variant
from studio.serving.rollout import next_step
from studio.serving.scaling import scale
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
    busy = bool(waiting) or seen.rollout is not None
    for variant in serving:
        actions += _keep(variant, seen, now_ms, updating=busy)
    for variant in waiting:
        actions += _try(variant, now_ms)
    for variant in seen.variants:
        if variant.state is VariantState.retiring:
            actions += _retire(variant)
        elif variant.state is VariantState.failed:
            # A failed variant stays as the evidence until something serves or is tried in its place.
            actions += _wind_down(variant, retire=bool(serving or waiting))
    actions += _roll(seen, serving, now_ms)
    state, reason = describe(seen, now_ms)
    return Decision(state, reason, tuple(actions))


def _roll(seen: Observed, serving: list[Variant], now_ms: int) -> list[Action]:
    """The next step of the shift of traffic, while its variant serves."""
    if seen.rollout is None:
        return []
    variant = next((v for v in serving if v.id == seen.rollout.variant), None)
    step = next_step(seen.rollout, variant.figures, now_ms) if variant else None
    return [Roll(step)] if step else []


def _keep(variant: Variant, seen: Observed, now_ms: int, *, updating: bool) -> list[Action]:
    """A serving variant has as many replicas as it should, or is parked if nobody uses the endpoint."""
    rest = seen.serverless and seen.idle and not updating
    parked = [r for r in variant.replicas if r.state is ReplicaState.parked]
    up = [r for r in variant.replicas if r.state in (ReplicaState.starting, ReplicaState.ready) and r.alive]
    ready = [r for r in up if r.state is ReplicaState.ready]
    # The name to be woken under must be with the gateway first, so that no request falls between the two.
    sleeps = rest and variant.unrouted and any(not r.alive for r in parked)
    spare = {r.id for r in ready[variant.wanted :]} if len(up) > variant.wanted and not rest else set()
    actions = [a for r in variant.replicas if (a := _care(r, sleeps=sleeps or r.id in spare, others=bool(ready)))]
    said = [r.reason for r in variant.replicas if r.state is ReplicaState.failed]
    if said and not ready:
        return [Fail(variant.id, said[0]), *actions]
    if any(isinstance(action, Forget) for action in actions):
        return actions  # what it counted decides about the next start
    running = len(up) + sum(r.alive for r in parked)
    if variant.failures >= CRASH_LIMIT and not running:
        return [*actions, Fail(variant.id, _gave_up(variant))]
    if rest:
        still = any(r.state is ReplicaState.starting for r in up)
        return actions if parked or still else [*actions, Park(variant.id)]
    actions += _scale(variant, seen, now_ms)
    sleeping = [r.id for r in parked if not r.alive]
    return [*actions, *_start(variant, now_ms, variant.wanted - running, sleeping)]


def _scale(variant: Variant, seen: Observed, now_ms: int) -> list[Action]:
    # A shadow answers nobody: it is not grown for its load.
    most = variant.least if variant.shadow else variant.most
    load, target = variant.figures.load, seen.target_load
    wanted, calm_ms = scale(variant.wanted, variant.least, most, load, target, variant.calm_ms, now_ms)
    return [] if (wanted, calm_ms) == (variant.wanted, variant.calm_ms) else [Scale(variant.id, wanted, calm_ms)]


def _care(replica: Replica, *, sleeps: bool = False, others: bool = False) -> Action | None:
    """The next step of one replica, seen by itself; `others`: replicas of its variant answer."""
    if not replica.alive and replica.state is not ReplicaState.parked:
        # One that has said why it failed, or was asked to go, is not counted: it did what was expected. Beside others
        # it is, or another would be started at once, for ever.
        counted = (ReplicaState.starting, ReplicaState.ready, *((ReplicaState.failed,) if others else ()))
        return Forget(replica.id, failed=replica.state in counted)
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
    """A waiting variant: files, processes, prediction, traffic."""
    if not variant.materialised:
        return [Materialise(variant.id)]
    ready = [r for r in variant.replicas if r.state is ReplicaState.ready and r.alive]
    if len(ready) >= variant.wanted:
        return [Route(variant.id)]
    actions = [action for r in variant.replicas if (action := _care(r))]
    said = [r.reason for r in variant.replicas if r.state is ReplicaState.failed]
    if said:
        return [Fail(variant.id, said[0]), *actions]
    if any(isinstance(action, Forget) for action in actions):
        return actions
    up = [r for r in variant.replicas if r.state in (ReplicaState.starting, ReplicaState.ready)]
    if variant.failures >= START_LIMIT:
        return [*actions, Fail(variant.id, _gave_up(variant))]
    return [*actions, *_start(variant, now_ms, variant.wanted - len(up), [])]


def _start(variant: Variant, now_ms: int, missing: int, sleeping: list[str]) -> list[Action]:
    """As many as are missing, those first that have a name to be woken under."""
    if missing <= 0 or not variant.place or now_ms < variant.retry_ms:
        return []
    names = [*sleeping, *[""] * missing][:missing]
    known = len(variant.replicas)
    return [StartReplica(variant.id, name, 0 if name else known + nth) for nth, name in enumerate(names)]


def _gave_up(variant: Variant) -> str:
    said = variant.reason or "its process ended"
    return f"Gave up after {variant.failures} starts; the last time: {said}"


def _retire(variant: Variant) -> list[Action]:
    """Lets a variant that lost the traffic finish, then ends it."""
    return _wind_down(variant, retire=True) if variant.unrouted or not variant.answers else []


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
