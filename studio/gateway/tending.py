"""Keeps an endpoint's links: connects to replicas as they appear, wakes them when somebody waits and none is there."""

import asyncio
import logging
import time
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from studio.errors import StudioError
from studio.gateway.endpoints import Endpoint
from studio.gateway.links import Link
from studio.gateway.variants import Variant
from studio.runtime.sockets import connect_beneath

_EAGER_S = 0.003  # between attempts while somebody waits: a fork answers in some 15 ms
_CALM_S = 0.5
_ASK_AGAIN_S = 0.4  # after a refusal: a replica of that name may still be draining
_NOBODY_S = 0.1  # where no fork server answers: it is being started
_LOADING_S = 5.0  # after a fork: it may be loading a large model
_FORK_S = 5.0
log = logging.getLogger(__name__)


class _Answer(Enum):
    """What came of asking a fork server; its value is how long it is not asked again, in seconds."""

    forked = _LOADING_S
    refused = _ASK_AGAIN_S
    nobody = _NOBODY_S


class _Waking:
    """Where the waking of one variant has got to."""

    def __init__(self) -> None:
        self.asking: asyncio.Task[_Answer] | None = None
        self.not_before = 0.0

    @property
    def is_asking(self) -> bool:
        return self.asking is not None and not self.asking.done()


class Tender:
    """One task per endpoint, while it has something to do."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._tasks: dict[Endpoint, asyncio.Task[None]] = {}
        self._bells: dict[Endpoint, asyncio.Event] = {}  # rung when somebody begins to wait
        self.wakes = 0

    def tend(self, endpoint: Endpoint) -> None:
        """Makes sure that `endpoint` is looked after."""
        if endpoint in self._tasks:
            if endpoint.has_waiting:
                self._bells[endpoint].set()
        elif self._has_work(endpoint):
            self._bells[endpoint] = asyncio.Event()
            task = asyncio.get_running_loop().create_task(self._run(endpoint))
            self._tasks[endpoint] = task
            task.add_done_callback(lambda _: self._ended(endpoint))

    def _ended(self, endpoint: Endpoint) -> None:
        del self._tasks[endpoint], self._bells[endpoint]
        self.tend(endpoint)

    def _has_work(self, endpoint: Endpoint) -> bool:
        if endpoint.removed:
            return False
        return endpoint.has_waiting or (not endpoint.entry.sleeps and any(missing(v) for v in endpoint.variants))

    async def _run(self, endpoint: Endpoint) -> None:
        wakings: dict[str, _Waking] = {}
        while self._has_work(endpoint) or any(one.is_asking for one in wakings.values()):
            now = time.monotonic()
            endpoint.give_up(now)
            for variant in list(endpoint.variants):
                for socket in missing(variant):
                    await self._link(endpoint, variant, socket)
            endpoint.serve_waiting()
            for variant in endpoint.variants:
                self._attend(endpoint, variant, wakings.setdefault(variant.name, _Waking()), now)
            await self._rest(endpoint)

    async def _rest(self, endpoint: Endpoint) -> None:
        if endpoint.has_waiting:
            await asyncio.sleep(_EAGER_S)
            return
        bell = self._bells[endpoint]
        bell.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CALM_S):
                await bell.wait()

    def _attend(self, endpoint: Endpoint, variant: Variant, waking: "_Waking", now: float) -> None:
        """Wakes `variant` if somebody waits for it and that may help."""
        if waking.asking is not None and waking.asking.done():
            answer, waking.asking = waking.asking.result(), None
            waking.not_before = now + answer.value
            if answer is _Answer.nobody and variant.waiting:
                variant.waiting[0].wakes = "cold"
            if answer is not _Answer.forked:
                endpoint.spill(variant)
        if not variant.is_asleep:
            waking.not_before = 0.0
        elif variant.wake is not None and variant.waiting and waking.asking is None and now >= waking.not_before:
            self.wakes += 1
            variant.waiting[0].wakes = variant.waiting[0].wakes or "warm"
            waking.asking = asyncio.get_running_loop().create_task(self._wake(endpoint, variant.wake))

    async def _link(self, endpoint: Endpoint, variant: Variant, socket: str) -> None:
        try:
            sock = connect_beneath(self._root, socket, timeout_s=0.0)
            loop = asyncio.get_running_loop()
            _, link = await loop.create_unix_connection(lambda: Link(endpoint, variant, socket), sock=sock)
        except (StudioError, OSError):
            return
        if endpoint.removed or socket not in link.variant.sockets or variant not in endpoint.variants:
            link.retire()
        else:
            variant.links[socket] = link

    async def _wake(self, endpoint: Endpoint, wake: dict[str, Any]) -> "_Answer":
        try:
            async with asyncio.timeout(_FORK_S):
                return _Answer.forked if await self._fork(wake) else _Answer.refused
        except (StudioError, OSError, TimeoutError) as error:
            # Asked again ten times a second while it starts: not a line each.
            log.debug("cannot wake %s/%s yet: %s", endpoint.domain, endpoint.name, error)
        except ValueError as error:
            log.warning("cannot wake %s/%s: %s", endpoint.domain, endpoint.name, error)
        return _Answer.nobody

    async def _fork(self, wake: dict[str, Any]) -> bool:
        """Asks the fork server for each replica; a name that is taken is refused: it is there, or still draining."""
        forked = False
        name = below(self._root, str(wake["socket"]))
        if name is None:
            raise ValueError("the fork server's socket lies outside the sockets' folder")
        sock = connect_beneath(self._root, name, timeout_s=0.0)
        reader, writer = await asyncio.open_unix_connection(sock=sock, limit=1 << 20)
        try:
            for request in wake.get("requests") or []:
                writer.write(msgspec.json.encode(request) + b"\n")
                await writer.drain()
                answer = msgspec.json.decode(await reader.readline() or b"{}")
                if isinstance(answer, dict) and answer.get("ok"):
                    forked = True
                else:
                    log.info("fork server: %s", str(answer)[:300])
            return forked
        finally:
            writer.close()


def missing(variant: Variant) -> list[str]:
    """The sockets of replicas to which there is no link."""
    return [socket for socket in variant.sockets if socket not in variant.links]


def below(root: Path, path: str) -> str | None:
    """`path` relative to `root`, or None if it lies elsewhere."""
    base = f"{root}/"
    name = path.removeprefix(base)
    return None if not name or name.startswith("/") or ".." in name.split("/") else name
