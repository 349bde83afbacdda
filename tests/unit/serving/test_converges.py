"""Serving as a state machine against a simulated host: whatever happens in whatever order, it converges."""

from dataclasses import dataclass, field, replace

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from studio.serving.actions import (
    Action,
    Adopt,
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
from studio.serving.decide import decide, retry_delay_ms
from studio.serving.observed import Observed, Replica, Variant
from studio.serving.rollout import Figures, Finish, RollBack, Rollout, Shift, Strategy
from studio.serving.states import EndpointState, ReplicaState, VariantState

CANARY = Strategy("canary", percent=10, step_s=5, bake_s=5, max_error_percent=1)


@dataclass
class World:
    """One endpoint on a host whose gateway may lag behind. `good`: versions that pass their example."""

    good: set[int]
    serverless: bool = False
    variants: list[Variant] = field(default_factory=list)
    deleting: bool = False
    removed: bool = False
    idle: bool = False
    gateway: bool = True  # the gateway has seen the latest table
    place: bool = True
    notice: str = ""
    now: int = 0
    count: int = 0
    passed: set[str] = field(default_factory=set)
    joining: set[str] = field(default_factory=set)
    rollout: Rollout | None = None

    def observed(self) -> Observed:
        variants = tuple(replace(v, place=self.place, unrouted=self.unrouted(v)) for v in self.variants)
        return Observed(
            serverless=self.serverless, deleting=self.deleting, unrouted=self.gateway, idle=self.idle,
            notice=self.notice, variants=variants, rollout=self.rollout,
        )  # fmt: skip

    def unrouted(self, variant: Variant) -> bool:
        parked = any(r.state is ReplicaState.parked for r in variant.replicas)
        return self.gateway and (variant.state is not VariantState.serving or parked)

    def promote(self, version: int, strategy: Strategy | None = None) -> None:
        self.take_back()
        kept: list[Variant] = []
        for v in self.variants:
            called_off = v.state is VariantState.waiting and v.id not in self.joining
            kept.append(replace(v, state=VariantState.retiring) if called_off else v)
        new = Variant(self.name("v"), version, VariantState.waiting)
        if strategy is not None and self.serving():
            self.rollout = Rollout(new.id, strategy)
        self.variants = [*kept, new]
        self.gateway = False

    def join(self, version: int, *, shadow: bool = False) -> None:
        new = Variant(self.name("v"), version, VariantState.waiting, shadow=shadow)
        self.joining.add(new.id)
        self.variants = [*self.variants, new]
        self.gateway = False

    def serving(self) -> list[Variant]:
        return [v for v in self.variants if v.state is VariantState.serving and not v.shadow]

    def take_back(self) -> None:
        for v in self.variants:
            taken = self.rollout is not None and v.id == self.rollout.variant
            if taken and v.state in (VariantState.waiting, VariantState.serving):
                self.change(v.id, state=VariantState.retiring)
        self.rollout, self.gateway = None, False

    def want(self, more: int) -> None:
        """Somebody sets how many replicas each variant has."""
        for v in self.variants:
            n = max(1, min(3, v.wanted + more))
            self.change(v.id, wanted=n, least=n, most=n)

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def change(self, variant: str, **changes: object) -> None:
        self.variants = [replace(v, **changes) if v.id == variant else v for v in self.variants]  # type: ignore[arg-type]

    def replica(self, id: str, **changes: object) -> None:
        for v in self.variants:
            replicas = tuple(replace(r, **changes) if r.id == id else r for r in v.replicas)  # type: ignore[arg-type]
            self.change(v.id, replicas=replicas)

    def kill(self) -> None:
        for v in self.variants:
            for r in v.replicas:
                self.replica(r.id, alive=False)

    def answering(self) -> bool:
        return any(
            r.alive and r.state is ReplicaState.ready for v in self.variants if v.id in self.passed for r in v.replicas
        )

    def apply(self, action: Action) -> None:
        match action:
            case Materialise(id):
                self.change(id, materialised=True)
            case StartReplica(id, parked):
                if parked:
                    self.replica(parked, alive=True, state=ReplicaState.starting)
                else:
                    self._add(id, Replica(self.name("r"), ReplicaState.starting, alive=True))
            case Adopt(id):
                self.replica(id, state=ReplicaState.starting)
            case Probe(id):
                version = next(v.version for v in self.variants if any(r.id == id for r in v.replicas))
                if version in self.good:
                    self.replica(id, state=ReplicaState.ready)
                else:  # it says so and ends; it may be gone before anybody looks
                    self.count += 1
                    self.replica(id, state=ReplicaState.failed, alive=bool(self.count % 2))
            case StopReplica(id):
                self.replica(id, state=ReplicaState.stopping, alive=False)
            case Forget(id, failed):
                self._forget(id, failed=failed)
            case Route(id):
                self._route(id)
            case Roll(step):
                self._roll(step)
            case Scale(id, wanted, calm_ms):
                self.change(id, wanted=wanted, calm_ms=calm_ms)
            case Park(id):
                self._add(id, Replica(self.name("r"), ReplicaState.parked))
                self.gateway = False
            case Fail(id, reason):
                self.change(id, state=VariantState.failed, reason=reason)
                self.notice = reason
                if self.rollout is not None and self.rollout.variant == id:
                    self.rollout = None
            case Retire(id):
                self.variants = [v for v in self.variants if v.id != id]
            case Remove():
                self.removed = True

    def _route(self, id: str) -> None:
        others = self.serving()
        self.change(id, state=VariantState.serving, failures=0)
        self.passed.add(id)
        self.notice, self.gateway = "", False
        if id in self.joining:
            return
        if self.rollout is not None and self.rollout.variant == id and others:
            before = {v.id: v.weight for v in others}
            begun = msgspec.structs.replace(self.rollout, before=before)
            self.rollout = msgspec.structs.replace(begun, share=begun.strategy.first, moved_ms=self.now)
            return
        self.rollout = None
        for v in others:
            self.change(v.id, state=VariantState.retiring)

    def _roll(self, step: Shift | Finish | RollBack) -> None:
        assert self.rollout is not None
        self.gateway = False
        match step:
            case Shift(share):
                self.rollout = msgspec.structs.replace(self.rollout, share=share, moved_ms=self.now)
            case RollBack():
                self.take_back()
            case Finish():
                for v in self.serving():
                    if v.id != self.rollout.variant:
                        self.change(v.id, state=VariantState.retiring)
                self.rollout = None

    def _add(self, variant: str, replica: Replica) -> None:
        found = next(v for v in self.variants if v.id == variant)
        self.change(variant, replicas=(*found.replicas, replica))

    def _forget(self, id: str, *, failed: bool) -> None:
        for v in self.variants:
            if any(r.id == id for r in v.replicas):
                n = v.failures + failed
                self.change(
                    v.id, replicas=tuple(r for r in v.replicas if r.id != id), failures=n,
                    retry_ms=self.now + retry_delay_ms(n) if failed else v.retry_ms,
                )  # fmt: skip

    def settle(self) -> None:
        """No more surprises: steps until nothing is left to do; must end."""
        self.place = True
        for _ in range(60):
            self.gateway = True
            self.now += 40_000
            decision = decide(self.observed(), self.now)
            work = [action for action in decision.actions if not isinstance(action, Probe)]
            for action in decision.actions:
                self.apply(action)
            if self.removed or (not work and not decision.actions):
                return
        raise AssertionError(f"did not settle: {decision}")


EVENTS = st.lists(
    st.sampled_from(
        [
            "step",
            "step",
            "step",
            "half",
            "good",
            "bad",
            "kill",
            "gateway",
            "idle",
            "busy",
            "place",
            "wake",
            "canary",
            "join",
            "join bad",
            "shadow",
            "more",
            "less",
            "errors",
            "undo",
        ]
    ),
    max_size=40,
)


def _event(world: World, event: str) -> None:
    match event:
        case "good" | "bad" if not world.deleting:
            world.promote(1 if event == "good" else 2)
        case "canary" if not world.deleting:
            world.promote(1, CANARY)
        case "join" | "join bad" | "shadow" if not world.deleting and world.serving() and len(world.variants) < 5:
            world.join(2 if event == "join bad" else 1, shadow=event == "shadow")
        case "more" | "less":
            world.want(1 if event == "more" else -1)
        case "errors" if world.rollout is not None:
            world.change(world.rollout.variant, figures=Figures(requests=100, errors=50))
        case "undo":
            world.take_back()
        case "kill":
            world.kill()
        case "gateway":
            world.gateway = True
        case "idle" | "busy":
            world.idle = event == "idle" and world.serverless
        case "place":
            world.place = not world.place
        case "wake":  # the gateway starts the parked replica by itself
            for v in world.variants:
                for r in v.replicas:
                    if r.state is ReplicaState.parked and v.state is VariantState.serving:
                        world.replica(r.id, alive=True)
        case "step" | "half":
            world.now += 1000
            answered = world.answering()
            actions = decide(world.observed(), world.now).actions
            # "half": the server was killed in the middle of applying.
            for action in actions[: len(actions) // 2] if event == "half" else actions:
                world.apply(action)
            if answered and not world.deleting and not world.idle:
                assert world.answering(), f"{actions} stopped the last replica that answered"


@settings(max_examples=500, deadline=None)
@given(EVENTS, st.booleans(), st.booleans())
@example(["step", "step", "step", "step", "kill", "idle"], True, False)
def test_always_converges(events: list[str], serverless: bool, delete: bool) -> None:
    world = World(good={1}, serverless=serverless)
    world.promote(1)
    for event in events:
        _event(world, event)
    if delete:
        world.deleting, world.gateway = True, False
    world.settle()
    if delete:
        assert world.removed
        assert world.variants == []
        return
    state = decide(world.observed(), world.now).state
    alive = {v.id: sum(r.alive for r in v.replicas) for v in world.variants}
    assert world.rollout is None
    assert state in (EndpointState.in_service, EndpointState.idle, EndpointState.failed)
    if state is EndpointState.in_service:
        assert {v.state for v in world.variants} == {VariantState.serving}
        assert alive == {v.id: v.wanted for v in world.variants}
    else:
        assert not any(alive.values())
    if state is EndpointState.failed:
        assert not world.serving()


HARMLESS = ("step", "half", "bad", "gateway", "place", "canary", "join", "join bad", "shadow", "errors", "undo")


@settings(max_examples=200, deadline=None)
@given(EVENTS)
def test_a_bad_version_never_ends_a_good_one(events: list[str]) -> None:
    world = World(good={1})
    world.promote(1)
    world.settle()
    for event in events:
        if event in (
            "step",
            "half",
            "bad",
            "gateway",
            "place",
            "canary",
            "join",
            "join bad",
            "shadow",
            "errors",
            "undo",
        ):
            _event(world, event)
            assert world.answering()
    world.settle()
    assert decide(world.observed(), world.now).state is EndpointState.in_service
