"""Where the files of a registered version lie in the artifact store, and those of its training data's sample."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from studio.errors import NotFound
from studio.settings import Paths
from studio.store.tables.registry import model_versions, registered_models
from studio.store.tables.tracking import runs
from studio.store.tenancy import scope_query
from studio.tracking import places

# Written by `sdk.log_baseline`: up to 20,000 rows of the model's input columns.
BASELINES = ("studio/baseline.parquet", "studio/baseline.csv", "studio/baseline.json")


@dataclass(frozen=True, slots=True)
class Files:
    """`model`: the version's folder; `baselines`: where a sample of its training data may lie, best first."""

    model: Path
    baselines: tuple[Path, ...]


def folder(paths: Paths, domain: str, uri: str) -> Path:
    """The host path of an artifact URI of `domain`; its components are checked, no link is followed by who reads it."""
    return paths.artifacts.joinpath(domain, *places.parse(uri).parts)


def files_of(db: Connection, paths: Paths, domain: str, model: str, version: int) -> Files:
    """The files of `model` version `version`, or `NotFound`."""
    query = (
        scope_query(select(model_versions.c.location, model_versions.c.run_id), registered_models, domain)
        .join_from(model_versions, registered_models)
        .where(registered_models.c.name == model)
        .where(model_versions.c.version == version)
    )
    row = db.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"{model} has no version {version}.", "It may have been deleted from the registry.")
    uri = db.scalar(scope_query(select(runs.c.artifact_uri), runs, domain).where(runs.c.run_id == row.run_id))
    root = folder(paths, domain, uri) if uri else None
    return Files(folder(paths, domain, row.location), tuple(root / name for name in BASELINES) if root else ())
