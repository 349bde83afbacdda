"""Pure: which of the predictions that wait are asked for now, and what an answer means."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from studio.serving.async_states import State
from studio.serving.states import EndpointState

TRIES = 3
PAUSES_S = (2, 15)  # after the first try, the second; then it has failed
# An endpoint in another state is not asked: what waits for it waits.
ANSWERS = (EndpointState.in_service, EndpointState.idle, EndpointState.updating)
_WORDS = 2000


@dataclass(frozen=True, slots=True)
class Waiting:
    """One that has not ended; `size`: bytes of its body; `attempts`: how often it was begun."""

    id: str
    endpoint: str
    state: State
    size: int
    due_ms: int
    expires_ms: int
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """`per_endpoint` at once; of all together at most `total` and `bytes` of bodies, but always one."""

    per_endpoint: int
    total: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Have the prediction made."""

    id: str


@dataclass(frozen=True, slots=True)
class Expire:
    """It has waited longer than its asker wanted."""

    id: str


def decide(
    waiting: Sequence[Waiting],
    endpoints: Mapping[str, EndpointState],
    asked: Collection[str],
    limits: Limits,
    now_ms: int,
) -> list[Ask | Expire]:
    """What to do now about `waiting`, in the order in which they came. `asked`: those that this process has asked for;
    one that runs and is not among them was asked for by a process that has ended, and is asked for again.

    What failed before is tried alone: if it is what ends the replica, it takes no other one with it a second time."""
    running = [one for one in waiting if one.state is State.running]
    queued = [one for one in waiting if one.state is State.queued]
    actions: list[Ask | Expire] = [Ask(one.id) for one in running if one.id not in asked]
    actions += [Expire(one.id) for one in queued if one.expires_ms <= now_ms]
    count = {name: sum(one.endpoint == name for one in running) for name in endpoints}
    total, size = len(running), sum(one.size for one in running)
    closed = {one.endpoint for one in running if one.attempts > 1}
    for one in queued:
        if one.expires_ms <= now_ms or one.due_ms > now_ms or endpoints.get(one.endpoint) not in ANSWERS:
            continue
        if one.attempts and one.endpoint not in closed:
            closed.add(one.endpoint)
            room = 1
        else:
            room = 0 if one.endpoint in closed else limits.per_endpoint
        if count[one.endpoint] >= room or total >= limits.total:
            continue
        if total and size + one.size > limits.bytes:
            break  # a large one is not passed for ever by small ones
        count[one.endpoint] += 1
        total, size = total + 1, size + one.size
        actions.append(Ask(one.id))
    return actions


@dataclass(frozen=True, slots=True)
class Next:
    """What becomes of one after an answer; `pause_s` until it is tried again."""

    state: State
    reason: str
    pause_s: float = 0.0


def after(status: int, said: str, attempts: int) -> Next:
    """`status` of the answer (0: there was none) and, if it is an error, its words. What may pass is tried again; what
    is wrong with the request itself (4xx) is not."""
    if 200 <= status < 300:
        return Next(State.done, "")
    reason = said.strip()[:_WORDS] or f"The endpoint answered {status}."
    if status != 429 and 400 <= status < 500:
        return Next(State.failed, reason)
    if attempts >= TRIES:
        return Next(State.failed, f"{reason} It was tried {attempts} times.")
    pause_s = PAUSES_S[min(attempts, len(PAUSES_S)) - 1] if attempts else 0
    return Next(State.queued, f"{reason} It is tried again in {pause_s} s.", pause_s)
