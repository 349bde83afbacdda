"""Files: the proxy `mlflow-artifacts:` of the client, and the listings of runs."""

import asyncio
from typing import Any

from studio.domains import quotas
from studio.errors import Invalid
from studio.tracking import artifacts, places, runs, uploads
from studio.wire.files import CHUNK, ArtifactResponse
from studio.wire.mlflow import answers, bodies
from studio.wire.mlflow.endpoint import READ, WRITE, Call, Routes
from studio.wire.mlflow.errors import BadRequest

routes = Routes()


@routes.add("GET", "/mlflow/artifacts/list", READ, bodies.ListArtifacts)
async def list_of_run(call: Call, body: bodies.ListArtifacts) -> Any:
    """The files of a run."""
    info = await call.studio.store.read(lambda db: runs.info(db, call.domain, body.run_id or body.run_uuid))
    below = "/".join(places.split(body.path))
    listed = await _listed(call, places.parse(info.artifact_uri).join(below))
    return {**answers.page("files", answers.files(listed, below), None), "root_uri": info.artifact_uri}


@routes.add("GET", "/mlflow-artifacts/artifacts", READ, bodies.ArtifactPath)
async def list_files(call: Call, body: bodies.ArtifactPath) -> Any:
    """What lies in a folder."""
    return answers.page("files", answers.files(await _listed(call, places.Place(places.split(body.path)))), None)


@routes.add("GET", "/mlflow-artifacts/artifacts/{path:path}", READ)
async def download(call: Call) -> Any:
    """A file."""
    place = places.Place(places.split(call.path["path"]))
    folder = artifacts.root(call.studio.settings.paths, call.domain)
    opened = await asyncio.to_thread(artifacts.open_file, folder, place)
    return ArtifactResponse(opened, place.parts[-1])


@routes.add("PUT", "/mlflow-artifacts/artifacts/{path:path}", WRITE)
async def upload(call: Call) -> None:
    """Receives a file; it is there whole or not at all."""
    quotas.require(call.studio.full, call.domain)
    place = places.Place(places.split(call.path["path"]))
    paths = call.studio.settings.paths
    received = await asyncio.to_thread(uploads.Upload, paths, announced(call))
    try:
        await receive(call, received)
        await asyncio.to_thread(received.finish, artifacts.root(paths, call.domain), place)
    finally:
        await asyncio.to_thread(received.abort)


@routes.add("DELETE", "/mlflow-artifacts/artifacts/{path:path}", WRITE)
async def delete(call: Call) -> None:
    """Deletes a file or folder."""
    place = places.Place(places.split(call.path["path"]))
    folder = artifacts.root(call.studio.settings.paths, call.domain)
    await asyncio.to_thread(artifacts.remove, folder, place)


@routes.add("POST", "/mlflow/artifacts/presigned-upload-url", WRITE)
async def presigned_upload(call: Call) -> None:
    """As MLflow with artifacts through the server."""
    raise Invalid("Presigned upload is not supported for proxied artifact storage.", "Upload through the server.")


@routes.add("POST", "/mlflow/artifacts/presigned-download-url", READ)
async def presigned_download(call: Call) -> None:
    """As MLflow with artifacts through the server."""
    raise Invalid("Presigned download is not supported for proxied artifact storage.", "Download from the server.")


async def _listed(call: Call, place: places.Place) -> list[artifacts.FileInfo]:
    folder = artifacts.root(call.studio.settings.paths, call.domain)
    return await asyncio.to_thread(artifacts.list_files, folder, place)


def announced(call: Call) -> int:
    """The bytes that the request says it has; 0 if it does not say."""
    length = call.header("content-length")
    return int(length) if length.isdigit() and len(length) <= 18 else 0


async def receive(call: Call, received: uploads.Received) -> None:
    """Writes the body in large pieces, each in a thread: the loop never waits for the disk."""
    pending: list[bytes] = []
    size = 0
    while True:
        message = await call.receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The connection ended before the file did.", "Send it again.")
        pending.append(message.get("body", b""))
        size += len(pending[-1])
        is_last = not message.get("more_body")
        if size >= CHUNK or is_last:
            await asyncio.to_thread(received.write, b"".join(pending))
            pending, size = [], 0
        if is_last:
            break
    if call.header("content-length") and announced(call) != received.size:
        raise BadRequest(f"{announced(call)} bytes were announced, {received.size} came.", "Send it again.")
