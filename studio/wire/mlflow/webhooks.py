"""Webhooks: who is told of what happens in the registry. For admins: an address may hold a credential, and what is
told leaves the domain."""

import uuid
from typing import Any, ClassVar

from msgspec import Struct

from studio.runtime import outbound
from studio.tracking import limits, pages
from studio.webhooks import events, sending, webhooks
from studio.webhooks.webhooks import Change, Webhook
from studio.wire.mlflow import answers
from studio.wire.mlflow.endpoint import Call, Routes

routes = Routes()
ADMIN = "webhooks.admin"
_PATH = "/mlflow/webhooks"
_ONE = f"{_PATH}/{{webhook_id}}"


class Event(Struct):
    entity: str = ""
    action: str = ""


class CreateWebhook(Struct):
    required: ClassVar = ("name", "url", "events")
    name: str = ""
    url: str = ""
    events: list[Event] | None = None
    description: str | None = None
    secret: str | None = None
    status: str | None = None


class UpdateWebhook(Struct):
    name: str | None = None
    url: str | None = None
    events: list[Event] | None = None
    description: str | None = None
    secret: str | None = None
    status: str | None = None


class ListWebhooks(Struct):
    max_results: int = 100
    page_token: str = ""


class ChosenEvent(Struct):
    event: Event | None = None


@routes.add("POST", _PATH, ADMIN, CreateWebhook)
async def create(call: Call, body: CreateWebhook) -> Any:
    """A new one."""
    wanted = await _wanted(call, body)
    made = await call.studio.store.write(lambda db: webhooks.create(db, call.domain, wanted))
    return {"webhook": _told(made)}


@routes.add("GET", _PATH, ADMIN, ListWebhooks)
async def list_all(call: Call, body: ListWebhooks) -> Any:
    """A page of them, newest first."""
    limits.check_page_size(body.max_results, 1000)
    found = await call.studio.store.read(lambda db: webhooks.list_all(db, call.domain))
    search = ["webhooks", call.domain]
    after = pages.decode(body.page_token or None, search)
    start = next((at + 1 for at, item in enumerate(found) if after and item.id == after[0]), 0)
    page = found[start : start + body.max_results]
    more = len(found) > start + len(page)
    token = pages.encode(search, [page[-1].id]) if more else None
    return answers.page("webhooks", [_told(item) for item in page], token)


@routes.add("GET", _ONE, ADMIN)
async def get(call: Call) -> Any:
    """One of them."""
    return {"webhook": _told(await _found(call))}


@routes.add("PATCH", _ONE, ADMIN, UpdateWebhook)
async def update(call: Call, body: UpdateWebhook) -> Any:
    """Another name, address, events, secret, status or description."""
    wanted, webhook = await _wanted(call, body), call.path["webhook_id"]
    made = await call.studio.store.write(lambda db: webhooks.change(db, call.domain, webhook, wanted))
    return {"webhook": _told(made)}


@routes.add("DELETE", _ONE, ADMIN)
async def delete(call: Call) -> None:
    """Nobody is told any more."""
    await call.studio.store.write(lambda db: webhooks.remove(db, call.domain, call.path["webhook_id"]))


@routes.add("POST", f"{_ONE}/test", ADMIN, ChosenEvent)
async def test(call: Call, body: ChosenEvent) -> Any:
    """Sends the example of an event (the first one it is told of) and shows the answer."""
    found = await _found(call)
    event = _event(body.event) if body.event else found.events[0]
    message, secret = events.body(event, events.EXAMPLES[event]), sending.opened(call.studio.secret, found.sealed)
    allowed = call.studio.settings.webhook_hosts
    attempt = await sending.send(found.url, str(uuid.uuid4()), message, secret, allowed)
    if attempt.error:
        return {"result": {"success": False, "error_message": f"Failed to test webhook: {attempt.error}"}}
    shown = {"response_status": attempt.status, "response_body": attempt.text}
    return {"result": {"success": attempt.is_taken, **shown}}


async def _found(call: Call) -> Webhook:
    return await call.studio.store.read(lambda db: webhooks.get(db, call.domain, call.path["webhook_id"]))


async def _wanted(call: Call, body: CreateWebhook | UpdateWebhook) -> Change:
    """What a body asks for; its address is looked at here, since nothing waits inside a write."""
    if body.url:
        await outbound.find(body.url, call.studio.settings.webhook_hosts)
    return Change(
        name=body.name or None,
        url=body.url or None,
        events=tuple(_event(event) for event in body.events) if body.events is not None else None,
        description=body.description,
        status=body.status,
        sealed=sending.sealed(call.studio.secret, body.secret),
    )


def _event(event: Event) -> str:
    return events.check(event.entity, event.action)


def _told(found: Webhook) -> dict[str, Any]:
    """A webhook in MLflow's JSON; its secret is never told."""
    pairs = [event.upper().split(".") for event in found.events]
    return {
        "webhook_id": found.id,
        "name": found.name,
        "url": found.url,
        "events": [{"entity": entity, "action": action} for entity, action in pairs],
        "status": found.status,
        "creation_timestamp": found.created_ms,
        "last_updated_timestamp": found.updated_ms,
        **({"description": found.description} if found.description else {}),
    }
