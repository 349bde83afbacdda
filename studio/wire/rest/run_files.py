"""Files of logged models and versions, and the card of what lies in them; files of runs are beside the runs."""

import asyncio

from fastapi import APIRouter, Depends
from starlette.responses import Response

from studio.access.principals import Principal
from studio.registry import versions
from studio.settings import Paths
from studio.tracking import artifacts, logged_models, places
from studio.tracking import runs as run_rows
from studio.tracking.places import Place
from studio.wire import model_cards
from studio.wire.context import Studio, studio
from studio.wire.files import ArtifactResponse
from studio.wire.permission import Allow
from studio.wire.rest.schemas.registry import FileAnswer, ModelCardAnswer
from studio.wire.rest.schemas.tracking import ArtifactAnswer

router = APIRouter(prefix="/domains/{domain}", tags=["files"])
TRACKING = Allow("tracking.read")
REGISTRY = Allow("registry.read")


@router.get("/logged-models/{model_id}/artifacts")
async def list_model_artifacts(
    domain: str, model_id: str, path: str = "", studio: Studio = Depends(studio), _: Principal = Depends(TRACKING)
) -> list[ArtifactAnswer]:
    """What lies directly in a folder of a logged model."""
    place = await _of_model(studio, domain, model_id)
    below = "/".join(places.split(path))
    files = await asyncio.to_thread(
        artifacts.list_files, artifacts.root(studio.settings.paths, domain), place.join(below)
    )
    prefix = f"{below}/" if below else ""
    return [ArtifactAnswer(path=prefix + item.path, is_dir=item.is_dir, file_size=item.file_size) for item in files]


@router.get("/logged-models/{model_id}/artifacts/file", response_class=Response)
async def get_model_artifact(
    domain: str, model_id: str, path: str, studio: Studio = Depends(studio), _: Principal = Depends(TRACKING)
) -> Response:
    """A file of a logged model, as a download: nothing in it runs in the panel's origin."""
    place = (await _of_model(studio, domain, model_id)).join(path)
    opened = await asyncio.to_thread(artifacts.open_file, artifacts.root(studio.settings.paths, domain), place)
    return ArtifactResponse(opened, place.parts[-1])


@router.get("/logged-models/{model_id}/card")
async def get_model_card(
    domain: str, model_id: str, path: str = "", studio: Studio = Depends(studio), _: Principal = Depends(TRACKING)
) -> ModelCardAnswer:
    """What a logged model (or a folder of it) says about itself."""
    place = await _of_model(studio, domain, model_id)
    return await _card(studio.settings.paths, domain, place.join(path))


@router.get("/runs/{run_id}/card")
async def get_run_card(
    domain: str, run_id: str, path: str = "", studio: Studio = Depends(studio), _: Principal = Depends(TRACKING)
) -> ModelCardAnswer:
    """What a model in a run's own files says about itself, where clients before MLflow 3 put it."""
    info = await studio.store.read(lambda db: run_rows.info(db, domain, run_id))
    return await _card(studio.settings.paths, domain, places.parse(info.artifact_uri).join(path))


@router.get("/models/{model}/versions/{version}/card")
async def get_version_card(
    domain: str, model: str, version: int, studio: Studio = Depends(studio), _: Principal = Depends(REGISTRY)
) -> ModelCardAnswer:
    """What a version's files say about it."""
    found = await studio.store.read(lambda db: versions.get(db, domain, model, version))
    return await _card(studio.settings.paths, domain, places.parse(found.location))


@router.get("/models/{model}/versions/{version}/files")
async def list_version_files(
    domain: str, model: str, version: int, studio: Studio = Depends(studio), _: Principal = Depends(REGISTRY)
) -> list[FileAnswer]:
    """All files of a version, in all folders."""
    found = await studio.store.read(lambda db: versions.get(db, domain, model, version))
    files = await asyncio.to_thread(model_cards.files, *versions.artifact_folder(studio.settings.paths, domain, found))
    return [FileAnswer(path=item.path, file_size=item.file_size or 0) for item in files]


async def _of_model(studio: Studio, domain: str, model_id: str) -> Place:
    row = await studio.store.read(lambda db: logged_models.find(db, domain, model_id))
    return places.parse(row.artifact_uri)


async def _card(paths: Paths, domain: str, place: Place) -> ModelCardAnswer:
    card = await asyncio.to_thread(model_cards.read, artifacts.root(paths, domain), place)
    return ModelCardAnswer.model_validate(card)
