"""One endpoint at run time: its variants by weight, the links to its replicas, who waits for one."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from studio import clock
from studio.errors import NotFound, StudioError, Timeout, Unavailable
from studio.gateway.links import AnswerHead, Link
from studio.gateway.stats import Stats

if TYPE_CHECKING:
    from studio.gateway.calls import Call

_MAX_INFLIGHT = 512
_MAX_WAITING = 1000


class Variant:
    """A model version with a weight; `credit` is the state of the smooth weighted round robin: an exact split."""

    __slots__ = ("credit", "links", "name", "sockets", "version", "weight")

    def __init__(self, name: str, version: str, weight: float) -> None:
        self.name = name
        self.version = version
        self.weight = weight
        self.credit = 0.0
        self.sockets: list[str] = []
        self.links: dict[str, Link] = {}

    def pick(self) -> Link | None:
        """The usable link with the fewest requests under way."""
        best: Link | None = None
        for link in self.links.values():
            if (
                link.usable
                and len(link.pending) < _MAX_INFLIGHT
                and (best is None or len(link.pending) < len(best.pending))
            ):
                best = link
        return best


class Endpoint:
    """`tend` is told to make links (and to wake replicas) whenever one is missing; see `tending`."""

    def __init__(self, domain: str, name: str, hold_s: float, tend: "Callable[[Endpoint], None]") -> None:
        self.domain = domain
        self.name = name
        self.stats = Stats()
        self.variants: list[Variant] = []
        self.waiting: deque[Call] = deque()
        self.entry: dict[str, Any] = {}
        self.timeout_s = 60.0
        self.max_body = 16 * 1024 * 1024
        self.capture: Callable[[Call, int, AnswerHead | None, bytes], None] | None = None
        self.removed = False
        self._hold_s = hold_s
        self._tend = tend
        self._deadlines: deque[tuple[float, Call]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def sleeps(self) -> bool:
        """Whether having no replica is its normal state."""
        return str(self.entry.get("mode")) == "serverless"

    @property
    def is_ready(self) -> bool:
        """Whether it answers now, or wakes when it is asked."""
        return self.sleeps or any(link.usable for variant in self.variants for link in variant.links.values())

    def configure(self, entry: dict[str, Any], name_of: Callable[[str], str | None]) -> None:
        """Takes a new table entry; links to replicas that stay are kept, the others finish what they have."""
        self.entry = entry
        self.timeout_s = float(entry.get("timeout_s") or 60.0)
        self.max_body = int(entry.get("max_body") or 16 * 1024 * 1024)
        links = {link.socket: link for variant in self.variants for link in variant.links.values()}
        credits = {(variant.name, variant.weight): variant.credit for variant in self.variants}
        self.variants = []
        for row in entry.get("variants") or []:
            variant = Variant(str(row["name"]), str(row.get("version", "")), float(row.get("weight", 0)))
            variant.credit = credits.get((variant.name, variant.weight), 0.0)
            variant.sockets = [name for path in row.get("replicas") or [] if (name := name_of(str(path)))]
            for socket in variant.sockets:
                if link := links.pop(socket, None):
                    link.variant = variant
                    variant.links[socket] = link
            self.variants.append(variant)
        for link in links.values():
            link.retire()
        self._tend(self)
        self.serve_waiting()

    def remove(self) -> None:
        """The endpoint is deleted: nobody waits any longer, what is under way is finished."""
        self.removed = True
        for call in list(self.waiting):
            call.fail(NotFound(f"The endpoint {self.name} was deleted.", "Deploy it again."))
        self.waiting.clear()
        for variant in self.variants:
            for link in variant.links.values():
                link.retire()
        self.variants = []

    # calls
    def submit(self, call: "Call") -> None:
        """Sends `call` to a replica, or lets it wait for one."""
        self.stats.begin()
        call.endpoint = self
        call.at_ms = clock.now_ms()
        call.deadline = call.begun + self.timeout_s
        call.variant = self._pinned(call.pinned) if call.pinned else self._by_weight()
        if call.variant is None and call.pinned:
            call.fail(NotFound(f"The endpoint {self.name} has no such variant.", "Leave the variant's name out."))
            return
        if call.variant is None:
            call.fail(Unavailable(f"The endpoint {self.name} has nothing that answers.", "Its page says why."))
            return
        if not call.patience_s:
            self._deadlines.append((call.deadline, call))
            if self._timer is None:
                self._arm()
        self._place(call)

    def _place(self, call: "Call") -> None:
        link = call.variant.pick() if call.variant is not None else None
        if link is None and not call.pinned:
            for variant in self.variants:
                if variant.weight > 0 and (link := variant.pick()):
                    call.variant = variant
                    break
        if link is not None:
            link.send(call)
            return
        if len(self.waiting) >= _MAX_WAITING:
            call.fail(Unavailable(f"Too many requests wait for the endpoint {self.name}.", "Try again in a second."))
            return
        call.hold = time.monotonic() + self._hold_s
        self.waiting.append(call)
        self._tend(self)

    def _by_weight(self) -> Variant | None:
        variants = self.variants
        if len(variants) == 1:
            return variants[0]
        best: Variant | None = None
        total = 0.0
        for variant in variants:
            if variant.weight > 0:
                variant.credit += variant.weight
                total += variant.weight
                if best is None or variant.credit > best.credit:
                    best = variant
        if best is not None:
            best.credit -= total
        return best

    def with_version(self, version: str) -> str:
        """The name of the variant that serves that version of the model; `NotFound` if none does."""
        for variant in self.variants:
            if variant.version == version:
                return variant.name
        known = ", ".join(sorted({variant.version for variant in self.variants})) or "none"
        raise NotFound(f"The endpoint {self.name} does not serve version {version[:40]!r}.", f"It serves {known}.")

    def _pinned(self, name: str) -> Variant | None:
        return next((variant for variant in self.variants if variant.name == name), None)

    def serve_waiting(self) -> None:
        """Sends what waits, as far as there are replicas, in order."""
        for _ in range(len(self.waiting)):
            call = self.waiting.popleft()
            if call.finished:
                continue
            if call.variant not in self.variants:
                call.variant = self._pinned(call.pinned) if call.pinned else self._by_weight()
            link = call.variant.pick() if call.variant else None
            if link is None and not call.pinned:
                link = next((found for one in self.variants if one.weight > 0 and (found := one.pick())), None)
            if link is None:
                self.waiting.appendleft(call)
                return
            call.variant = link.variant
            link.send(call)

    def give_up(self, now: float) -> None:
        """Fails whoever has waited too long for a replica."""
        while self.waiting and (self.waiting[0].finished or self.waiting[0].hold <= now):
            self.waiting.popleft().fail(
                Unavailable(f"No replica of the endpoint {self.name} is ready.", "Try again soon; its page says why.")
            )

    def answered(self, call: "Call", head: AnswerHead, body: bytes) -> None:
        """Counts and captures an answer, and lets the next one through."""
        now = time.monotonic()
        self.stats.end(head.status, now - call.begun, now)
        if self.capture is not None and call.is_prediction:
            self.capture(call, head.status, head, body)
        if self.waiting:
            self.serve_waiting()

    def unanswered(self, call: "Call", status: int) -> None:
        """Counts a request that got no answer from a replica."""
        now = time.monotonic()
        self.stats.end(status, now - call.begun, now)
        if self.capture is not None and status != 499 and call.is_prediction:
            self.capture(call, status, None, b"")

    # time
    def _arm(self) -> None:
        while self._deadlines and self._deadlines[0][1].finished:
            self._deadlines.popleft()
        self._timer = None
        if self._deadlines:
            # At most one timer an endpoint; most requests never see it.
            wait = max(0.05, self._deadlines[0][0] - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait, self._expire)

    def _expire(self) -> None:
        now = time.monotonic()
        while self._deadlines and (self._deadlines[0][1].finished or self._deadlines[0][0] <= now):
            call = self._deadlines.popleft()[1]
            if call.finished:
                continue
            link = call.link
            if link is not None:
                if link.heard < call.sent:
                    link.suspect()
                link.cancel(call)
            error: StudioError = Timeout(
                f"The endpoint {self.name} did not answer within {self.timeout_s:g} s.",
                "Send fewer rows, or raise its timeout.",
            )
            call.fail(error)
        self._arm()

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
                self._place(call)
        self._tend(self)
