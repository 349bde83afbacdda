"""Files in parts, and addresses that carry their own right: MLflow's client with MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD.

The client sends parts to, and reads ranges from, addresses that an object store would have signed; here they are this
server's own. An upload goes on after either side was killed: `create` with its `upload_id` gives the missing parts.
"""

import asyncio
import re
from functools import partial
from typing import Any, ClassVar

from msgspec import Struct
from starlette.responses import Response

from studio.access import tickets
from studio.access.principals import Kind
from studio.access.tickets import Ticket
from studio.domains import quotas
from studio.errors import Invalid, NotFound
from studio.tracking import artifacts, places, uploads
from studio.tracking.places import Place
from studio.wire.files import ArtifactResponse
from studio.wire.mlflow.artifacts import announced, receive
from studio.wire.mlflow.endpoint import READ, WRITE, Call, Routes
from studio.wire.permission import PUBLIC

routes = Routes()
_SIGNED = "/mlflow-artifacts/signed/"
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:\d{1,5})?|\[[0-9a-f:]+\](:\d{1,5})?")


class CreateUpload(Struct):
    """`upload_id` is ours: with it an upload that was begun goes on."""

    required: ClassVar = ("path",)
    path: str = ""
    num_parts: int = 1
    upload_id: str = ""


class UploadedPart(Struct):
    part_number: int = 0
    etag: str | None = None
    url: str | None = None


class CompleteUpload(Struct):
    required: ClassVar = ("path", "upload_id")
    path: str = ""
    upload_id: str = ""
    parts: list[UploadedPart] = []


class AbortUpload(Struct):
    required: ClassVar = ("path", "upload_id")
    path: str = ""
    upload_id: str = ""


@routes.add("POST", "/mlflow-artifacts/mpu/create/{path:path}", WRITE, CreateUpload)
async def create(call: Call, body: CreateUpload) -> Any:
    """Begins an upload, or goes on with the one that is named; the addresses of the parts that are still to come."""
    place = _place(call, body.path)
    paths, here = call.studio.settings.paths, dict[int, str]()
    upload = body.upload_id
    if upload:
        known = await asyncio.to_thread(uploads.about, paths, call.domain, upload)
        if known.path != place.path:
            raise NotFound("There is no such upload.", "Begin a new one.")
        here = await asyncio.to_thread(uploads.present, paths, call.domain, upload)
        parts = known.parts
    else:
        quotas.require(call.studio.full, call.domain)
        parts = body.num_parts
        upload = await asyncio.to_thread(uploads.create, paths, call.domain, place, parts)
    signed = partial(_signed, call, WRITE, place.path, upload)
    missing = [number for number in range(1, parts + 1) if number not in here]
    return {
        "upload_id": upload,
        "credentials": [{"part_number": number, **signed(number)} for number in missing],
        "parts": [{"part_number": number, "etag": f'"{tag}"'} for number, tag in sorted(here.items())],
    }


@routes.add("POST", "/mlflow-artifacts/mpu/complete/{path:path}", WRITE, CompleteUpload)
async def complete(call: Call, body: CompleteUpload) -> None:
    """The file is there, whole."""
    tags = [(part.part_number, part.etag or "") for part in body.parts]
    paths, place = call.studio.settings.paths, _place(call, body.path)
    await asyncio.to_thread(uploads.complete, paths, call.domain, body.upload_id, place, tags)


@routes.add("POST", "/mlflow-artifacts/mpu/abort/{path:path}", WRITE, AbortUpload)
async def abort(call: Call, body: AbortUpload) -> None:
    """Nothing of it stays."""
    _place(call, body.path)
    await asyncio.to_thread(uploads.abort, call.studio.settings.paths, call.domain, body.upload_id)


@routes.add("GET", "/mlflow-artifacts/presigned/{path:path}", READ)
async def presigned(call: Call) -> Any:
    """An address from which a file can be read in ranges, several at once."""
    place = Place(places.split(call.path["path"]))
    folder = artifacts.root(call.studio.settings.paths, call.domain)
    opened = await asyncio.to_thread(artifacts.open_file, folder, place)
    artifacts.close(opened)
    return {**_signed(call, READ, place.path), "file_size": opened.size}


@routes.add("GET", f"{_SIGNED}{{ticket}}", PUBLIC)
async def signed_download(call: Call) -> Response:
    """The file of a ticket."""
    ticket = await _ticket(call, READ)
    place = Place(places.split(ticket.path))
    folder = artifacts.root(call.studio.settings.paths, ticket.domain)
    opened = await asyncio.to_thread(artifacts.open_file, folder, place)
    return ArtifactResponse(opened, place.parts[-1])


@routes.add("PUT", f"{_SIGNED}{{ticket}}", PUBLIC)
async def signed_part(call: Call) -> Response:
    """Receives the part of a ticket; its tag is told in ETag, as object stores do."""
    ticket = await _ticket(call, WRITE)
    paths = call.studio.settings.paths
    part = await asyncio.to_thread(uploads.Part, paths, ticket.domain, ticket.upload, ticket.part, announced(call))
    try:
        await receive(call, part)
        tag = await asyncio.to_thread(part.finish)
    finally:
        await asyncio.to_thread(part.abort)
    return Response(status_code=200, headers={"etag": f'"{tag}"'})


async def _ticket(call: Call, action: str) -> Ticket:
    people = await call.studio.people.fresh()
    ticket = tickets.open_(call.studio.secret, call.path["ticket"], people)
    if ticket.action != action:
        raise Invalid("This address is for something else.", "Files are read with GET, parts sent with PUT.")
    return ticket


def _signed(call: Call, action: str, path: str, upload: str = "", part: int = 0) -> dict[str, Any]:
    """{url, headers} of what is asked for, at the address that this caller used."""
    host = call.header("host")
    if not _HOST.fullmatch(host):
        raise Invalid("The Host header is not a host.", "Send the request to Studio's own address.")
    given = tickets.ticket(call.principal, action, call.domain, path, upload, part)
    scheme = call.studio.address.partition("://")[0]
    # Inside a sandbox nothing is answered without its token, which this very request has shown.
    token = call.header("authorization") if call.principal.kind is Kind.sandbox else ""
    headers = {"Authorization": token} if token else {}
    signature = tickets.sign(call.studio.secret, given)
    return {"url": f"{scheme}://{host}/api/2.0{_SIGNED}{signature}", "headers": headers}


def _place(call: Call, local: str) -> Place:
    """Where a file called `local` at the client goes: below the folder in the path, under its own last name."""
    name = places.split(re.split(r"[/\\]", local)[-1])
    if not name:
        raise Invalid("Invalid path.", "Name the file.")
    return Place(places.split(call.path["path"]) + name)
