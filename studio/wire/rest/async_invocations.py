"""Predictions that are made later: asked for with a body of any size, answered in a file."""

import asyncio
from pathlib import Path

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from studio.access.principals import Principal
from studio.errors import Conflict
from studio.serving import async_files, async_invocations, async_notices
from studio.serving.async_invocations import TOPIC, AsyncInvocation
from studio.serving.async_states import State
from studio.wire import async_requests
from studio.wire.context import Studio, studio
from studio.wire.files import ArtifactResponse
from studio.wire.owner import require_owner
from studio.wire.permission import Allow, check
from studio.wire.rest.schemas.async_invocations import AsyncInvocationAnswer
from studio.wire.waiting import until

router = APIRouter(prefix="/domains/{domain}/endpoints/{name}/async-invocations", tags=["async invocations"])
INVOKE = Allow("serving.invoke")
_SUFFIXES = {"application/json": "json", "text/csv": "csv"}
_SAME = ("id", "owner", "inference_id", "state", "attempts", "size", "content_type")
_TIMES = ("created_ms", "started_ms", "ended_ms", "expires_ms")
_ANSWERED = ("variant", "version", "predict_ms", "latency_ms")


@router.post("", status_code=202)
async def invoke_async(
    domain: str,
    name: str,
    request: Request,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(INVOKE),
) -> AsyncInvocationAnswer:
    """Queues a prediction; the body as for /invocations, or a file named by X-Amzn-SageMaker-InputLocation. Further
    headers: X-Amzn-SageMaker-Inference-Id, -RequestTTLSeconds, -InvocationTimeoutSeconds, Studio-Notify-Url,
    Studio-Notify-Secret."""
    return answer(await async_requests.take(request, studio, principal, domain, name))


@router.get("")
async def list_async_invocations(
    domain: str,
    name: str,
    limit: int = Query(100, ge=1, le=1000),
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("serving.read")),
) -> list[AsyncInvocationAnswer]:
    """Those of an endpoint, newest first."""
    found = await studio.store.read(lambda db: async_invocations.list_all(db, domain, name, limit))
    return [answer(item) for item in found]


@router.get("/{invocation}")
async def get_async_invocation(
    domain: str,
    name: str,
    invocation: str,
    wait_s: float = Query(0, ge=0, le=30, description="Waits so long for its end."),
    studio: Studio = Depends(studio),
    _: Principal = Depends(INVOKE),
) -> AsyncInvocationAnswer:
    """What became of one."""

    def read(db: Connection) -> AsyncInvocation:
        return async_invocations.get(db, domain, name, invocation)

    async def has_ended() -> bool:
        return (await studio.store.read(read)).state.is_end

    await until(studio, TOPIC, wait_s, has_ended)
    return answer(await studio.store.read(read))


@router.get("/{invocation}/result", response_class=Response)
async def get_async_result(
    domain: str,
    name: str,
    invocation: str,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(INVOKE),
) -> Response:
    """The answer, as a file; one's own, or, as an admin, anybody's."""
    found = await studio.store.read(lambda db: async_invocations.get(db, domain, name, invocation))
    require_owner(principal, domain, "answer", found.owner)
    if found.state is not State.done:
        hint = "Its reason says why; ask again." if found.state.is_end else "Ask with ?wait_s=30 what becomes of it."
        raise Conflict(f"{invocation} is {found.state}: there is no answer.", hint)
    opened = await asyncio.to_thread(async_files.open_answer, _folder(studio, found))
    kind = found.answer.type.partition(";")[0].strip()
    return ArtifactResponse(opened, f"{invocation}.{_SUFFIXES.get(kind, 'bin')}")


@router.delete("/{invocation}", status_code=204)
async def delete_async_invocation(
    domain: str,
    name: str,
    invocation: str,
    request: Request,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(INVOKE),
) -> None:
    """Forgets one's own, whatever its state, with its body and answer; another's takes an admin."""
    found = await studio.store.read(lambda db: async_invocations.get(db, domain, name, invocation))
    require_owner(principal, domain, "prediction", found.owner)
    if found.owner != principal.user:
        await check(studio, request.scope, principal, "serving.write", domain, f"endpoint/{name}")
    await studio.store.write(lambda db: async_invocations.remove(db, domain, name, invocation))
    await asyncio.to_thread(async_files.remove, _folder(studio, found))


def _folder(studio: Studio, found: AsyncInvocation) -> Path:
    return async_files.place(studio.settings.paths, found.domain, found.endpoint, found.id)


def answer(found: AsyncInvocation) -> AsyncInvocationAnswer:
    """One, as this wire tells of it."""
    return AsyncInvocationAnswer(
        **{name: getattr(found, name) for name in (*_SAME, *_TIMES)},
        **{name: getattr(found.answer, name) for name in _ANSWERED},
        endpoint=found.name,
        reason=found.waits_for,
        notifies=bool(found.notify_url),
        answer_type=found.answer.type,
        answer_size=found.answer.size,
        result=async_notices.result_path(found),
    )
