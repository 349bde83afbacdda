"""What a model version may be made from: files in this domain's own artifacts, of the run or model that is named."""

from dataclasses import dataclass

from sqlalchemy import Connection

from studio.errors import Invalid, NotFound
from studio.registry.records import ModelVersion
from studio.tracking import logged_models, places, runs
from studio.tracking.places import Place


@dataclass(frozen=True, slots=True)
class Source:
    """`source` as kept, `place` of the files, and what they came from ("" = unknown)."""

    source: str
    place: Place
    run_id: str
    model_id: str


def resolve(db: Connection, domain: str, source: str, run_id: str = "", model_id: str = "") -> Source:
    """The place that `source` means in `domain`; `Invalid` for any other server, scheme, run, model or folder.

    Takes models:/m-<id> (a logged model), runs:/<run>/<path> and mlflow-artifacts:/…; for another version see `copied`.
    """
    scheme = source.partition(":")[0].lower()
    if scheme == "models":
        return _of_model(db, domain, source, run_id, model_id)
    if scheme == "runs":
        return _of_run(db, domain, source, run_id, model_id)
    if scheme == places.SCHEME:
        return _of_place(db, domain, source, run_id, model_id)
    raise Invalid(
        f"Invalid model version source: '{source}'.",
        "Log the model to a run first; its source is then models:/m-…, runs:/… or mlflow-artifacts:/….",
    )


def copied(source: str, version: ModelVersion, run_id: str = "", model_id: str = "") -> Source:
    """The place of another version, which `source` named; `Invalid` if run or model are not its own."""
    if (run_id and run_id != version.run_id) or (model_id and model_id != version.model_id):
        raise _invalid(source, "run_id and model_id must match the referenced model version.")
    kept = f"models:/{version.name}/{version.version}"
    return Source(kept, places.parse(version.location), version.run_id or "", version.model_id or "")


def _of_model(db: Connection, domain: str, source: str, run_id: str, model_id: str) -> Source:
    rest = source.partition(":")[2]
    if rest.startswith("//"):
        raise _invalid(source, "Registered model sources must use this registry.")
    name = rest.strip("/")
    if model_id and model_id != name:
        raise _invalid(source, "model_id must identify the resource that contains the source.")
    try:
        model = logged_models.find(db, domain, name)
    except NotFound as error:
        raise _invalid(source, "There is no such logged model.") from error
    return Source(source, places.parse(model.artifact_uri), run_id or model.source_run_id, name)


def _of_run(db: Connection, domain: str, source: str, run_id: str, model_id: str) -> Source:
    found, _, path = source.partition(":")[2].removeprefix("/").partition("/")
    if not found or (run_id and run_id != found):
        raise _invalid(source, "run_id must identify the resource that contains the source.")
    try:
        run = runs.info(db, domain, found)
    except NotFound as error:
        raise _invalid(source, "There is no such run.") from error
    models = logged_models.of_run(db, domain, found)
    # mlflow 3 writes the files of `log_model` to the logged model, and says runs:/ for what lies there.
    named = next((model for model in models if model.name == path or model.model_id == model_id), None)
    if named is not None:
        return Source(source, places.parse(named.artifact_uri), found, named.model_id)
    return Source(source, places.parse(run.artifact_uri).join(path.strip("/")), found, "")


def _of_place(db: Connection, domain: str, source: str, run_id: str, model_id: str) -> Source:
    try:
        place = places.parse(source)
    except Invalid as error:
        raise _invalid(source, str(error)) from error
    try:
        roots = [places.parse(runs.info(db, domain, run_id).artifact_uri)] if run_id else []
        if model_id:
            roots = [places.parse(logged_models.find(db, domain, model_id).artifact_uri)]
        elif run_id:
            roots += [places.parse(model.artifact_uri) for model in logged_models.of_run(db, domain, run_id)]
    except NotFound as error:
        raise _invalid(source, "There is no such run or logged model.") from error
    if not any(place.is_within(root) for root in roots):
        raise _invalid(source, "The run_id or model_id must identify the resource that contains the source.")
    return Source(source, place, run_id, model_id)


def _invalid(source: str, hint: str) -> Invalid:
    return Invalid(f"Invalid model version source: '{source}'.", hint)
