"""The gateway put together: listeners, the decisions, and what they lead to."""

import asyncio
import logging
import signal
import socket
import time
from collections import Counter
from contextlib import suppress
from functools import partial

from studio import clock
from studio.errors import StudioError, Unavailable
from studio.gateway import cors, decisions, metrics, open_inference, routing
from studio.gateway import headers as passing
from studio.gateway.config import Config
from studio.gateway.connection import Client
from studio.gateway.control import Control
from studio.gateway.exchange import Exchange
from studio.gateway.filed import Filed
from studio.gateway.forward import Forward
from studio.gateway.identity import Identities, Identity
from studio.gateway.inference import Inference
from studio.gateway.invoke import Invocation
from studio.gateway.ports import Ports
from studio.gateway.proving import Proving
from studio.gateway.requests import Request
from studio.gateway.tables import Tables
from studio.gateway.tending import below
from studio.gateway.upgrade import Splice
from studio.gateway.upstream import Pool

_PAGE_HOLD_S = 2.0  # a browser's page is better told to reload than kept waiting
_DRAIN_S = 5.0
_LAST_ANSWER_S = 2.0  # what a server call may still say after its session has ended
log = logging.getLogger(__name__)


class Gateway:
    """One process's gateway."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._secret = config.secret.read_text().strip()
        self.tables = Tables(config.table, self._secret)
        self.tables.restore()
        self.identities = Identities(self.tables)
        self.router = routing.Router(config, self.tables, self.identities)
        self.inference = Inference(config, self.tables)
        self.ports = Ports(self.tables, self._client)
        place, refusals = config.sockets / "gateway.sock", self.router.refusals
        filed = Filed(config.home / "invocations", self.inference)
        self.control = Control(place, self.tables, self.identities, self.inference, self.ports, refusals, filed)
        self.pool = Pool(config.sockets)
        self.clients: set[Client] = set()
        self._servers: list[asyncio.Server] = []
        self._open: dict[Splice | Forward, Identity] = {}
        self._ended = asyncio.Event()
        self.tables.listen(self._revoke)
        self.control.pages = self._pages

    async def run(self) -> None:
        """Serves until SIGTERM; then answers what has begun, and leaves the listening sockets to the supervisor."""
        loop = asyncio.get_running_loop()
        await self.ports.follow()
        await self.control.start()
        for descriptor in self.config.fds:
            listener = socket.socket(fileno=descriptor)
            listener.setblocking(False)
            self._servers.append(await loop.create_server(self._client, sock=listener, backlog=2048))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ended.set)
        sweeper = loop.create_task(self._sweep())
        log.info("listening on port %d with %d entries", self.config.port, len(self.tables.entries))
        await self._ended.wait()
        sweeper.cancel()
        await self._drain()

    async def _drain(self) -> None:
        for server in self._servers:
            server.close()
        self.ports.close()
        self.control.close()
        until = time.monotonic() + _DRAIN_S
        while time.monotonic() < until and any(client.is_busy for client in self.clients):  # noqa: ASYNC110 - seconds
            await asyncio.sleep(0.02)
        for client in list(self.clients):
            client.abort()
        self.inference.capture.close()
        with suppress(OSError):
            await self.tables.save()

    def _client(self) -> Client:
        return Client(self._begin, self.clients, self.config.max_header_bytes, self.config.idle_s)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            now = time.monotonic()
            for client in [one for one in self.clients if one.is_overdue(now)]:
                client.abort()
            self.pool.sweep()
            self.inference.capture.sweep()
            today = clock.now_ms()
            for one, identity in list(self._open.items()):
                if identity.expires_ms and identity.expires_ms <= today:
                    self._end(one)

    def _pages(self) -> dict[str, int]:
        """Open websockets by "domain/user"."""
        whose = [f"{who.domain}/{who.user}" for one, who in self._open.items() if isinstance(one, Splice)]
        return dict(Counter(whose))

    def _revoke(self, changed: set[str]) -> None:
        """Ends what is open under a session, key or membership that changed, and the websockets of a lab that moved."""
        for one, identity in list(self._open.items()):
            if changed.isdisjoint(identity.watch):
                continue
            if isinstance(one, Forward) and not one.from_lab:
                # The answer to what ended the session itself (signing out) must still get through.
                asyncio.get_running_loop().call_later(_LAST_ANSWER_S, self._end_late, one)
            else:
                self._end(one)

    def _end_late(self, one: Forward) -> None:
        if one in self._open:
            self._end(one)

    def _end(self, one: Splice | Forward) -> None:
        self._open.pop(one, None)
        if isinstance(one, Splice):
            one.revoke()
        else:
            one.gone()
            one.abort_client()

    def _begin(self, exchange: Exchange) -> None:
        """Called when a request's turn has come."""
        if exchange.error is not None:
            exchange.refuse(exchange.error)
            return
        decision = self.router.decide(exchange.request)
        match decision:
            case decisions.Invoke():
                self._invoke(exchange, decision)
            case decisions.Preflight():
                if self.inference.names_origin(decision.name, exchange.request.header(b"origin")):
                    exchange.respond(200, cors.preflight(exchange.request))
                else:
                    exchange.refuse(routing.no_key())
            case decisions.Prove():
                exchange.attach(Proving(exchange, decision.signed, self.identities, self._begin))
            case decisions.Refuse():
                exchange.refuse(decision.error)
            case decisions.Redirect():
                exchange.respond(303, [(b"location", decision.location.encode()), (b"cache-control", b"no-store")])
            case decisions.Ready():
                one = self.inference.get(decision.domain, decision.name)
                ready = one is not None and one.is_ready
                exchange.added = cors.answer(one.entry.cors, exchange.request) if one is not None else []
                body = open_inference.readiness(decision.name, ready)
                exchange.respond(200 if ready else 503, [(b"content-type", b"application/json")], body)
            case decisions.Tell():
                exchange.respond(200, [(b"content-type", b"application/json")], decision.body)
            case decisions.Metrics():
                body = metrics.render(self.inference, decision.domain)
                exchange.respond(200, [(b"content-type", metrics.CONTENT_TYPE)], body)
            case decisions.ToServer():
                self._to_server(exchange, decision)
            case decisions.ToLab():
                self._to_lab(exchange, decision)

    def _invoke(self, exchange: Exchange, decision: decisions.Invoke) -> None:
        endpoint = self.inference.get(decision.domain, decision.name)
        if endpoint is None:
            exchange.refuse(Unavailable("The endpoint is being made.", "Try again in a second."))
            return
        if endpoint.entry.cors:
            exchange.added = cors.answer(endpoint.entry.cors, exchange.request)
        if endpoint.entry.limit is not None and (refused := endpoint.limited(time.monotonic())):
            exchange.refuse(refused)
            return
        handler = Invocation(exchange, endpoint, decision.terms, decision.question)
        if not exchange.answered:
            exchange.attach(handler)

    def _to_server(self, exchange: Exchange, decision: decisions.ToServer) -> None:
        added = passing.for_server(decision, self._secret, exchange.request.client)
        self._pass(exchange, decision.identity, "server.sock", decision.target, added, lab=False)

    def _to_lab(self, exchange: Exchange, decision: decisions.ToLab) -> None:
        name = below(self.config.sockets, decision.socket)
        if name is None:
            exchange.refuse(Unavailable("The lab's address is wrong.", "Restart the lab."))
            return
        forward = self._pass(
            exchange, decision.identity, name, exchange.request.target, passing.for_lab(decision), lab=True
        )
        if forward is not None and is_page(exchange.request):

            def lost(error: StudioError) -> bool:
                self._to_server(exchange, routing.starting(exchange.request, decision.identity, decision.domain))
                return True

            forward.lost = lost

    def _pass(
        self,
        exchange: Exchange,
        identity: Identity,
        socket_name: str,
        target: bytes,
        added: bytes,
        *,
        lab: bool,
    ) -> Forward | None:
        request = exchange.request
        upgrade = bool(request.upgrade)
        head = passing.request_head(request, target, added, upgrade=upgrade)
        hold = _PAGE_HOLD_S if is_page(request) else self.config.hold_s
        one: Splice | Forward
        if upgrade:
            one = Splice(exchange, self.pool, socket_name, head, hold, lab)
        else:
            one = Forward(exchange, self.pool, socket_name, head, hold, lab)
        if identity.watch:
            self._open[one] = identity
            one.finished = partial(self._forget, one)
        exchange.attach(one)
        one.start()
        return one if isinstance(one, Forward) else None

    def _forget(self, one: Splice | Forward) -> None:
        self._open.pop(one, None)


def is_page(request: Request) -> bool:
    """Whether a browser asks for a page, not a part of one."""
    return request.method == "GET" and b"text/html" in request.accept and not request.upgrade
