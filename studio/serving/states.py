"""The states of endpoints, variants and replicas, and which may follow which."""

from enum import StrEnum


class EndpointState(StrEnum):
    """What callers of an endpoint can expect."""

    creating = "Creating"  # nothing answers yet
    in_service = "InService"  # a replica has passed a real prediction and is routed
    idle = "Idle"  # serverless, at zero: the next request wakes it
    updating = "Updating"  # another version, or a replica for one that ended, is on its way
    failed = "Failed"  # nothing answers and nothing will until somebody acts
    deleting = "Deleting"


class VariantState(StrEnum):
    """Where a version is on its way through an endpoint."""

    waiting = "Waiting"  # its replica has not passed yet
    serving = "Serving"  # has the endpoint's traffic
    retiring = "Retiring"  # has lost it and finishes what it has begun
    failed = "Failed"  # cannot start


class ReplicaState(StrEnum):
    """Where one process is in its life."""

    parked = "Parked"  # only a name: who wakes the endpoint starts a process under it
    starting = "Starting"
    ready = "Ready"  # has answered the logged input example
    failed = "Failed"  # has said why it cannot serve
    stopping = "Stopping"


VARIANT_TRANSITIONS: dict[VariantState, frozenset[VariantState]] = {
    VariantState.waiting: frozenset({VariantState.serving, VariantState.failed, VariantState.retiring}),
    VariantState.serving: frozenset({VariantState.retiring, VariantState.failed}),
    VariantState.retiring: frozenset(),
    VariantState.failed: frozenset({VariantState.waiting, VariantState.retiring}),
}

REPLICA_TRANSITIONS: dict[ReplicaState, frozenset[ReplicaState]] = {
    ReplicaState.parked: frozenset({ReplicaState.starting, ReplicaState.stopping}),
    ReplicaState.starting: frozenset({ReplicaState.ready, ReplicaState.failed, ReplicaState.stopping}),
    ReplicaState.ready: frozenset({ReplicaState.stopping}),
    ReplicaState.failed: frozenset({ReplicaState.stopping}),
    ReplicaState.stopping: frozenset(),
}
