"""One endpoint at run time: its variants by weight, the links to its replicas, who waits for one."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from studio import clock
from studio.errors import NotFound, StudioError, Timeout, TooMany, Unavailable
from studio.gateway import shadows
from studio.gateway.entries import Entry
from studio.gateway.links import AnswerHead, Link
from studio.gateway.stats import Latencies, Stats, bucket_of, quantiles
from studio.gateway.variants import Variant, by_weight, rescale

if TYPE_CHECKING:
    from studio.gateway.calls import Call

_MAX_WAITING = 1000
Keep = Callable[["Call", int, AnswerHead | None, bytes], None]


class Endpoint:
    """`tend` is told to make links (and to wake replicas) whenever one is missing; see `tending`."""

    def __init__(self, domain: str, name: str, hold_s: float, tend: "Callable[[Endpoint], None]") -> None:
        self.domain = domain
        self.name = name
        self.stats = Stats()
        self.entry = Entry()
        self.variants: list[Variant] = []
        self.shadows: list[Variant] = []
        self.capture: Keep | None = None
        self.removed = False
        self._weighted: list[Variant] = []  # who gets requests that name no variant
        self._sampled = 0.0
        self._hold_s = hold_s
        self._tend = tend
        self._deadlines: dict[Call, None] = {}  # what is under way, in the order in which its time ends
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_ready(self) -> bool:
        """Whether it answers now, or wakes when it is asked."""
        return self.entry.sleeps or any(link.usable for v in self.variants if not v.shadow for link in v.links.values())

    @property
    def has_waiting(self) -> bool:
        """Whether anybody waits for a replica."""
        return any(variant.waiting for variant in self.variants)

    def configure(self, entry: Entry, name_of: Callable[[str], str | None]) -> None:
        """Takes a new table entry; links to replicas that stay are kept, the others finish what they have."""
        if entry.timeout_s != self.entry.timeout_s:
            self._split_deadlines()
        self.entry = entry
        before = {variant.name: variant for variant in self.variants}
        links = {link.socket: link for variant in self.variants for link in variant.links.values()}
        shares = [(variant, variant.weight) for variant in self._weighted]
        self.variants = []
        for row in entry.variants:
            variant = before.pop(row.name, None)
            if variant is None or (variant.version, variant.shadow) != (row.version, row.shadow):
                if variant is not None:
                    before[f"{row.name}/{variant.version}"] = variant  # another one of the same name
                variant = Variant(row.name, row.version, row.shadow)
            variant.weight = max(0.0, row.weight)
            variant.credit = variant.credit if variant.weight else 0.0
            variant.wake = entry.wakes.get(row.name)
            variant.sockets = [name for path in row.replicas if (name := name_of(path))]
            variant.links = {}
            self.variants.append(variant)
        for variant in self.variants:
            for socket in variant.sockets:
                if link := links.pop(socket, None):
                    link.variant = variant
                    variant.links[socket] = link
        self.shadows = [variant for variant in self.variants if variant.shadow and variant.weight]
        self._weighted = [variant for variant in self.variants if variant.weight and not variant.shadow]
        if shares != [(variant, variant.weight) for variant in self._weighted]:
            rescale(self._weighted, sum(weight for _, weight in shares))
        for link in links.values():
            link.retire()
        for left in before.values():
            self._leave(left)
        self._tend(self)
        self.serve_waiting()

    def remove(self) -> None:
        """The endpoint is deleted: nobody waits any longer, what is under way is finished."""
        self.removed = True
        variants, self.variants, self.shadows, self._weighted = self.variants, [], [], []
        for variant in variants:
            self._leave(variant)
            for link in variant.links.values():
                link.retire()

    def _leave(self, variant: Variant) -> None:
        """Who waited for a variant that is gone goes to another."""
        calls, variant.waiting = variant.waiting, deque()
        for call in calls:
            if not call.finished:
                self._again(call)

    # calls
    def submit(self, call: "Call") -> None:
        """Sends `call` to a replica, or lets it wait for one."""
        self.stats.begin()
        call.endpoint = self
        call.at_ms = clock.now_ms()
        call.deadline = call.begun + self.entry.timeout_s
        call.sampled = self.capture is not None and self._sample(call)
        variant = self._pinned(call.pinned) if call.pinned else by_weight(self._weighted)
        if variant is None:
            call.fail(self._nobody(call))
            return
        if not call.patience_s:
            self.schedule(call)
        self._place(call, variant, call.begun)
        if self.shadows and call.is_prediction:
            shadows.copy(self, call)

    def schedule(self, call: "Call") -> None:
        """Ends `call` at its deadline."""
        self._deadlines[call] = None
        if self._timer is None:
            self._arm()

    def _nobody(self, call: "Call") -> StudioError:
        if self.removed:
            return NotFound(f"The endpoint {self.name} was deleted.", "Deploy it again.")
        if call.pinned:
            known = ", ".join(variant.name for variant in self.variants if not variant.shadow) or "none"
            text = f"The endpoint {self.name} has no variant {call.pinned[:60]!r}; it has {known}."
            return NotFound(text, "Leave the variant's name out.")
        return Unavailable(f"The endpoint {self.name} has nothing that answers.", "Its page says why.")

    def _sample(self, call: "Call") -> bool:
        """Whether this one is kept: evenly, exactly the percentage that was asked for."""
        if not call.is_prediction:
            return False
        self._sampled += self.entry.percent
        if self._sampled < 100.0:
            self.stats.unsampled += 1
            return False
        self._sampled -= 100.0
        return True

    def enter(self, call: "Call", variant: Variant, now: float) -> None:
        """From now on `call` is one of that variant's."""
        if call.variant is not None:
            call.variant.load.change(-1, now)
        call.variant = variant
        variant.load.change(1, now)

    def _place(self, call: "Call", variant: Variant, now: float) -> None:
        link = variant.pick()
        if link is None and not call.pinned and not variant.is_asleep:
            link = self._any_link()
        if link is not None:
            self.enter(call, link.variant, now)
            link.send(call)
            return
        self.enter(call, variant, now)
        if sum(len(one.waiting) for one in self.variants if not one.shadow) >= _MAX_WAITING:
            call.fail(Unavailable(f"Too many requests wait for the endpoint {self.name}.", "Try again in a second."))
            return
        self.wait(call, variant)

    def wait(self, call: "Call", variant: Variant) -> None:
        """`call` waits for a replica of `variant`, which is connected to or woken."""
        call.hold = time.monotonic() + self._hold_s
        variant.waiting.append(call)
        self._tend(self)

    def _again(self, call: "Call") -> None:
        """Another variant for `call`, unless it is for one alone: what became of that is then its answer."""
        call.link = None
        variant = call.variant
        if variant is None or variant not in self.variants:
            if call.is_copy:
                call.fail(Unavailable("The shadow is gone.", ""))
                return
            variant = self._pinned(call.pinned) if call.pinned else by_weight(self._weighted)
        if variant is None:
            call.fail(self._nobody(call))
        else:
            self._place(call, variant, time.monotonic())

    def _any_link(self) -> Link | None:
        return next((link for variant in self._weighted if (link := variant.pick())), None)

    def with_version(self, version: str) -> str:
        """The name of the variant that serves that version of the model; `NotFound` if none does."""
        own = [variant for variant in self.variants if not variant.shadow]
        for variant in sorted(own, key=lambda one: -one.weight):
            if variant.version == version:
                return variant.name
        known = ", ".join(sorted({variant.version for variant in own})) or "none"
        raise NotFound(f"The endpoint {self.name} does not serve version {version[:40]!r}.", f"It serves {known}.")

    def _pinned(self, name: str) -> Variant | None:
        return next((variant for variant in self.variants if variant.name == name and not variant.shadow), None)

    def serve_waiting(self) -> None:
        """Sends what waits, as far as there are replicas, in the order of each variant."""
        for variant in list(self.variants):
            _serve(variant)
            if variant.waiting and not variant.is_asleep:
                self.spill(variant)

    def spill(self, variant: Variant) -> None:
        """Lets other variants answer what waits for one that has no replica."""
        if variant.shadow or self._any_link() is None:
            return
        calls, variant.waiting = variant.waiting, deque()
        for call in calls:
            link = None if call.pinned or call.finished else self._any_link()
            if link is not None:
                self.enter(call, link.variant, time.monotonic())
                link.send(call)
            elif not call.finished:
                variant.waiting.append(call)

    def give_up(self, now: float) -> None:
        """Fails whoever has waited too long for a replica."""
        for variant in self.variants:
            if variant.waiting and variant.waiting[0].hold <= now:
                self.spill(variant)  # late is better than not at all
            while variant.waiting and (variant.waiting[0].finished or variant.waiting[0].hold <= now):
                variant.waiting.popleft().fail(
                    Unavailable(
                        f"No replica of the endpoint {self.name} is ready.", "Try again soon; its page says why."
                    )
                )

    def limited(self, now: float) -> TooMany | None:
        """Counts a request against the rate limit, if there is one."""
        limit = self.entry.limit
        error = limit.take(now, self.name) if limit is not None else None
        if error is not None:
            self.stats.limited += 1
        return error

    def over(self, call: "Call", status: int, head: AnswerHead | None, body: bytes) -> None:
        """Counts and captures the end of a call: an answer with its head, or none; lets the next one through."""
        now = time.monotonic()
        seconds = now - call.begun
        bucket = bucket_of(seconds)
        self._deadlines.pop(call, None)
        if not call.is_copy:
            self.stats.end(status, seconds, now)
        variant = call.variant
        if variant is not None:
            variant.end(call, status, bucket, now)
        if call.wakes and head is not None and variant is not None:
            waited = {"at_ms": call.at_ms, "ms": round(seconds * 1000, 1), "cold": call.wakes == "cold"}
            self.stats.woke = waited | {"variant": variant.name}
        if call.sampled and status != 499 and self.capture is not None:
            self.capture(call, status, head, body)
        if variant is not None and call.link is None and call in variant.waiting:
            variant.waiting.remove(call)  # whoever left or ran out of time makes room for the next one
        if head is not None:
            for one in self.variants:
                if one.waiting:
                    _serve(one)

    # time
    def _arm(self) -> None:
        self._timer = None
        if (first := next(iter(self._deadlines), None)) is not None:
            # At most one timer an endpoint; most requests never see it.
            wait = max(0.05, first.deadline - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait, self._expire)

    def _expire(self) -> None:
        now = time.monotonic()
        for call in [one for one in self._deadlines if one.deadline <= now]:
            self._time_out(call)
        self._arm()

    def _time_out(self, call: "Call") -> None:
        if call.finished:
            return
        link = call.link
        if link is not None:
            if link.heard < call.sent:
                link.suspect()
            link.cancel(call)
        seconds = call.deadline - call.begun
        text = f"The endpoint {self.name} did not answer within {seconds:g} s."
        call.fail(Timeout(text, "Send fewer rows, or raise its timeout."))

    def _split_deadlines(self) -> None:
        """The time limit changes: what is under way keeps its own, so that the others still end in their order."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for call in self._deadlines:
            wait = call.deadline - time.monotonic()
            asyncio.get_running_loop().call_later(max(0.0, wait), self._time_out, call)
        self._deadlines.clear()

    # links
    def link_ready(self, link: Link) -> None:
        self.serve_waiting()

    def link_left(self, link: Link) -> None:
        """A replica drains: its place is free for a successor under the same name."""
        if link.variant.links.get(link.socket) is link:
            del link.variant.links[link.socket]
        self._tend(self)

    def link_lost(self, link: Link, pending: "list[Call]") -> None:
        """A replica ended: what it had not answered is sent once more, to another one or to its successor."""
        if link.variant.links.get(link.socket) is link:
            del link.variant.links[link.socket]
        for call in pending:
            if call.finished:
                continue
            call.link = None
            if call.tries or self.removed:
                call.fail(
                    Unavailable("The replica ended while it worked on this request, twice.", "See the endpoint's log.")
                )
            else:
                call.tries = 1
                self._again(call)
        self._tend(self)

    def latencies(self) -> list[Latencies]:
        """Of the answers to callers, by variant."""
        return [variant.latencies for variant in self.variants if not variant.shadow]

    def report(self) -> dict[str, Any]:
        """For the server."""
        links = [link for variant in self.variants for link in variant.links.values()]
        return self.stats.report() | {
            **quantiles(self.latencies()),
            "waiting": sum(len(variant.waiting) for variant in self.variants),
            "woke": self.stats.woke,
            "replicas": [link.describe() for link in links],
            "variants": {variant.name: variant.report() for variant in self.variants},
        }


def _serve(variant: Variant) -> None:
    """Sends what waits for `variant` itself."""
    while variant.waiting and (link := variant.pick()):
        call = variant.waiting.popleft()
        if not call.finished:
            link.send(call)
