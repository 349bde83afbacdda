"""Taking a prediction that is made later, for every wire: what its headers say, and its body, sent or named.

The headers are those of SageMaker's InvokeEndpointAsync, and `Studio-Notify-Url`, `Studio-Notify-Secret` beside them.
"""

import asyncio
import os

from starlette.requests import Request

from studio.access.principals import Principal
from studio.access.tickets import resource_of
from studio.data import paths as volume_paths
from studio.domains import quotas
from studio.errors import Invalid
from studio.runtime import beneath, outbound
from studio.serving import async_files, async_invocations
from studio.serving.async_files import Body
from studio.serving.async_invocations import TIMEOUT_S, TTL_S, AsyncInvocation, Wanted
from studio.tracking import artifacts, places
from studio.webhooks import sending
from studio.wire.context import Studio
from studio.wire.owner import owner_of
from studio.wire.permission import check

CHUNK = 1 << 20
_SAGEMAKER = "x-amzn-sagemaker-"
_MOST_SECRET = 1000
_SAFE = frozenset("-_.")


async def take(request: Request, studio: Studio, principal: Principal, domain: str, name: str) -> AsyncInvocation:
    """Queues what `request` asks of the endpoint `name`: the body is on the disk, whole, before there is a row."""
    quotas.require(studio.full, domain)
    user = owner_of(principal, domain)  # in whose name it is made later, if they are a member still
    wanted = await _wanted(request, studio)
    endpoint = await studio.store.read(lambda db: async_invocations.admit(db, domain, name))
    location = request.headers.get(f"{_SAGEMAKER}inputlocation", "").strip()
    settings, id = studio.settings, async_invocations.new_invocation_id()
    folder = async_files.place(settings.paths, domain, endpoint, id)
    body = await asyncio.to_thread(Body, settings.paths, settings.async_body_mb << 20, _announced(request))
    try:
        if location:
            await _copy(request, studio, principal, domain, location, body)
        await _receive(request, body)
        if not body.size:
            raise Invalid("There is nothing to predict.", f"Send rows in the body, or name a file: {_FORMS}")
        await asyncio.to_thread(body.finish, folder)
        size = body.size
        return await studio.store.write(lambda db: async_invocations.create(db, domain, name, user, id, size, wanted))
    except BaseException:
        await asyncio.to_thread(async_files.remove, folder)
        raise
    finally:
        await asyncio.to_thread(body.abort)


async def _wanted(request: Request, studio: Studio) -> Wanted:
    headers = request.headers
    if headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
        raise Invalid("The body is compressed, which is not known here.", "Send it without Content-Encoding.")
    url, secret = headers.get("studio-notify-url", "").strip(), headers.get("studio-notify-secret", "")
    if url:
        await outbound.find(url, studio.settings.webhook_hosts)  # the same again when it is told: names change
    if len(secret) > _MOST_SECRET or (secret and not url):
        raise Invalid("The secret of the notice cannot be used.", "Send Studio-Notify-Url too, and a shorter secret.")
    inference = headers.get(f"{_SAGEMAKER}inference-id", "")[:64]
    kind = headers.get(f"{_SAGEMAKER}content-type") or headers.get("content-type") or "application/json"
    accept = headers.get(f"{_SAGEMAKER}accept") or headers.get("accept", "")
    return async_invocations.check(
        Wanted(
            content_type=kind.strip().lower()[:200],
            accept=accept.strip().lower()[:200],
            inference_id="".join(sign for sign in inference if sign in _SAFE or (sign.isascii() and sign.isalnum())),
            target=headers.get(f"{_SAGEMAKER}target-variant", "")[:80],
            ttl_s=_seconds(request, "requestttlseconds", TTL_S),
            timeout_s=_seconds(request, "invocationtimeoutseconds", TIMEOUT_S),
            notify_url=url,
            notify_secret=sending.sealed(studio.secret, secret or None),
        )
    )


def _seconds(request: Request, name: str, default: float) -> float:
    given = request.headers.get(_SAGEMAKER + name, "").strip()
    if given and not (given.isascii() and given.isdigit() and len(given) < 9):
        raise Invalid(f"{given[:40]!r} is no number of seconds.", f"Send digits in {_SAGEMAKER}{name}.")
    return float(given) if given else default


def _announced(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdigit() and len(length) <= 18 else 0


async def _receive(request: Request, body: Body) -> None:
    """Writes the request's body in large pieces, each in a thread: the loop never waits for the disk."""
    begun, received = body.size, 0
    pending: list[bytes] = []
    size = 0
    is_last = False
    while not is_last:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The connection ended before the body did.", "Send it again.")
        part = message.get("body", b"")
        received += len(part)
        if begun and received:
            raise Invalid("The rows are in the body and in a file.", "Send one of the two.")
        pending.append(part)
        size += len(part)
        is_last = not message.get("more_body")
        if size >= CHUNK or is_last:
            await asyncio.to_thread(body.write, b"".join(pending))
            pending, size = [], 0


_FORMS = "shared/rows.json or /volume/shared/rows.json in the domain's volume, or mlflow-artifacts:/<path>."


async def _copy(request: Request, studio: Studio, principal: Principal, domain: str, location: str, body: Body) -> None:
    """The file that is named, as it is now. Who may ask for predictions may not, by that alone, read files."""
    if location.startswith(f"{places.SCHEME}:"):
        place = places.parse(location)
        await check(studio, request.scope, principal, "tracking.read", domain, resource_of(place.path))
        root = artifacts.root(studio.settings.paths, domain)
        descriptor = (await asyncio.to_thread(artifacts.open_file, root, place)).descriptor
    else:
        if ":" in location.partition("/")[0]:
            raise Invalid(f"Studio reads nothing at {location[:200]!r}.", f"Name a file of the domain: {_FORMS}")
        await check(studio, request.scope, principal, "volumes.read", domain)
        where = volume_paths.parse(location, principal.user)
        folders = studio.settings.paths
        root = folders.shared(domain) if where.is_shared else folders.user(domain, principal.user)
        descriptor = await asyncio.to_thread(beneath.open_file, root, where.parts)
    try:
        await asyncio.to_thread(body.copy, descriptor)
    finally:
        os.close(descriptor)
