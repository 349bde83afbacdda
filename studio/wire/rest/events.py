"""The websocket that tells a page what changed."""

import asyncio
import itertools
from contextlib import suppress

from fastapi import APIRouter, Depends, WebSocket, WebSocketDisconnect

from studio.access.people import TOPICS as ACCESS_TOPICS
from studio.access.principals import Kind, Principal
from studio.store import Signal
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow

router = APIRouter(tags=["events"])
TOPICS = frozenset(
    {"alerts", "datasets", "endpoints", "environments", "experiments", "jobs", "members", "models", "running", "runs"}
    | {"monitors", "cost", "labs", "policy", "volumes", "spaces", "domains"}
)
GONE = 4401  # the page must sign in again
MOST_IDS = 100
CHECK_S = 20.0
_numbers = itertools.count(1)


@router.websocket("/domains/{domain}/events")
async def events(
    socket: WebSocket,
    domain: str,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("domain.read")),
) -> None:
    """Sends {"topic","domain","ids","seq"} for each change; many at once become one. Ends with the session."""
    waiting: dict[str, dict[str, None]] = {}
    woken = asyncio.Event()

    def heard(signal: Signal) -> None:
        if signal.topic in TOPICS and signal.domain in ("", domain):
            ids = waiting.setdefault(signal.topic, {})
            if len(ids) <= MOST_IDS:
                ids.update(dict.fromkeys(signal.ids))
        elif signal.topic not in ACCESS_TOPICS:
            return
        woken.set()

    forget = studio.store.signals.listen(heard)
    await socket.accept()
    reading = asyncio.create_task(_read(socket, woken))
    try:
        while not reading.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), CHECK_S)
            woken.clear()
            if not await still_allowed(studio, principal, domain):
                await socket.close(GONE, "The session or the membership has ended.")
                return
            for topic, ids in list(waiting.items()):
                del waiting[topic]
                # Too many to name: the page reads all of it again.
                named = list(ids) if len(ids) <= MOST_IDS else []
                await socket.send_json({"topic": topic, "domain": domain, "ids": named, "seq": next(_numbers)})
    except WebSocketDisconnect:
        return
    finally:
        forget()
        reading.cancel()


async def still_allowed(studio: Studio, principal: Principal, domain: str) -> bool:
    """Whether who opened the page may still see the domain."""
    people = await studio.people.fresh()
    if principal.kind is Kind.operator:
        return domain in people.domains
    if principal.kind is Kind.person and people.session(principal.credential) is None:
        return False
    if principal.kind is Kind.key and people.key(principal.credential) is None:
        return False
    return domain in people.roles_of(principal.user)


async def _read(socket: WebSocket, woken: asyncio.Event) -> None:
    """What a page sends is ignored; its end is noticed."""
    try:
        while (await socket.receive())["type"] != "websocket.disconnect":
            continue
    finally:
        woken.set()
