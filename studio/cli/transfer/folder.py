"""MLflow's file store: `mlruns/`, with its trash and its registry (mlflow/store/tracking/file_store.py, 1.x to 3.x)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from studio.cli.transfer.files import Bad, Tree
from studio.cli.transfer.records import (
    DELETED_VERSION,
    STATUSES,
    Dataset,
    Experiment,
    Model,
    ModelMetric,
    Output,
    Point,
    Registered,
    Run,
    Version,
)

MOST_META = 32 << 20  # a data set's schema and profile lie in its meta.yaml
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TRASH = ".trash"
_RUN = re.compile(r"[0-9a-zA-Z]{32}")
_VERSION = re.compile(r"version-(\d{1,9})")


class Folder:
    """A `mlruns` folder."""

    def __init__(self, path: Path) -> None:
        self.tree = Tree(path)
        self.problems: list[str] = []
        self.notes: list[str] = []
        # `mlflow server` puts files beside it.
        self.roots = [path, *(found for found in [path.parent / "mlartifacts"] if found.is_dir())]
        self._places: dict[str, str] = {}  # experiment → its folder

    def experiments(self) -> list[Experiment]:
        """All, those in the trash too."""
        found = []
        for parent in ("", _TRASH):
            for name in self.tree.folders(parent):
                place = f"{parent}/{name}" if parent else name
                if name.isdigit() and "meta.yaml" not in self.tree.names(place):
                    self.notes.append(
                        f"{place} has no meta.yaml: it is no experiment, perhaps the files of a database's."
                    )
                elif name.isdigit():
                    found += self._try(lambda place=place: [self._experiment(place)], [])
        return found

    def count(self, experiment: Experiment) -> int:
        """How many runs it has."""
        return len(self._run_folders(experiment))

    def runs(self, experiment: Experiment) -> Iterator[Run]:
        """Its runs; one with a part that cannot be read is left out whole."""
        for place in self._run_folders(experiment):
            yield from self._try(lambda place=place: [self._run(experiment, place)], [])

    def points(self, experiment: Experiment, run: Run) -> Iterator[Point]:
        """All values, metric by metric; a line that is no value is named and left out."""
        root = f"{self._places[experiment.id]}/{run.run_id}/metrics"
        for key in self._keys(root):
            for number, words in self._lines(f"{root}/{key}"):
                try:
                    step = int(words[2]) if len(words) > 2 else 0
                    yield key, int(words[0]), float(words[1]), step
                except (ValueError, IndexError):
                    self.problems.append(f"{root}/{key}: line {number} is no value of a metric")

    def models(self, experiment: Experiment) -> Iterator[Model]:
        """Its logged models."""
        root = f"{self._places[experiment.id]}/models"
        for name in self.tree.folders(root):
            place = f"{root}/{name}"
            yield from self._try(lambda place=place: self._model(place), [])

    def registered(self) -> Iterator[Registered]:
        """The registry in `models/`."""
        for name in self.tree.folders("models"):
            place = f"models/{name}"
            yield from self._try(lambda place=place: [self._registered(place)], [])

    def close(self) -> None:
        """Nothing is open between two calls."""

    def _try(self, read: Any, otherwise: Any) -> Any:
        try:
            return read()
        except Bad as error:
            self.problems.append(str(error))
            return otherwise

    def _run_folders(self, experiment: Experiment) -> list[str]:
        place = self._places[experiment.id]
        return [f"{place}/{name}" for name in self.tree.folders(place) if _RUN.fullmatch(name)]

    def _experiment(self, place: str) -> Experiment:
        meta = self._meta(place)
        found = Experiment(
            id=place.rpartition("/")[2],
            name=_text(meta, "name", place) or _fail(f"{place}/meta.yaml: has no name"),
            created_ms=_number(meta, "creation_time", place),
            updated_ms=_number(meta, "last_update_time", place),
            deleted=place.startswith(_TRASH) or meta.get("lifecycle_stage") == "deleted",
            tags=self._texts(f"{place}/tags"),
        )
        if found.id in self._places:
            raise Bad(f"{place}: another experiment has the same id")
        self._places[found.id] = place
        return found

    def _run(self, experiment: Experiment, place: str) -> Run:
        meta = self._meta(place)
        run_id = place.rpartition("/")[2]
        if _text(meta, "run_id", place) not in ("", run_id):
            raise Bad(f"{place}/meta.yaml: is of another run")
        tags = self._texts(f"{place}/tags")
        datasets, inputs = self._inputs(experiment, place)
        return Run(
            run_id=run_id,
            name=_text(meta, "run_name", place) or tags.get("mlflow.runName", ""),
            user_id=_text(meta, "user_id", place),
            status=_status(meta.get("status"), place),
            start_ms=_number(meta, "start_time", place),
            end_ms=_number(meta, "end_time", place) or None,
            deleted=meta.get("lifecycle_stage") == "deleted",
            params=self._texts(f"{place}/params"),
            tags=tags,
            datasets=datasets,
            model_inputs=inputs,
            model_outputs=[
                Output(
                    _text(output, "destination_id", place) or name,
                    _number(output, "step", place),
                )
                for name, output in self._metas(f"{place}/outputs")
            ],
            artifacts=f"{place}/artifacts",
        )

    def _inputs(self, experiment: Experiment, place: str) -> tuple[list[Dataset], list[str]]:
        datasets, models = [], []
        for _name, meta in self._metas(f"{place}/inputs"):
            source = _text(meta, "source_id", place)
            if meta.get("source_type") != "DATASET":
                models.append(source)
                continue
            if "/" in source or not source:
                raise Bad(f"{place}/inputs: names no data set")
            held = self._meta(f"{self._places[experiment.id]}/datasets/{source}")
            tags = meta.get("tags") if isinstance(meta.get("tags"), dict) else {}
            datasets.append(
                Dataset(
                    name=_text(held, "name", place),
                    digest=_text(held, "digest", place),
                    source_type=_text(held, "source_type", place),
                    source=_text(held, "source", place),
                    schema_text=_text(held, "schema", place) or None,
                    profile=_text(held, "profile", place) or None,
                    tags={str(key): _scalar(value, place) for key, value in (tags or {}).items()},
                )
            )
        return datasets, models

    def _model(self, place: str) -> list[Model]:
        meta = self._meta(place)
        if meta.get("lifecycle_stage") == "deleted":
            return []
        metrics = []
        for key in self._keys(f"{place}/metrics"):
            for number, words in self._lines(f"{place}/metrics/{key}"):
                try:
                    metrics.append(ModelMetric(key, int(words[0]), int(words[2]), float(words[1]), *words[3:6]))
                except (ValueError, IndexError):
                    self.problems.append(f"{place}/metrics/{key}: line {number} is no value of a metric")
        return [
            Model(
                model_id=place.rpartition("/")[2],
                name=_text(meta, "name", place),
                model_type=_text(meta, "model_type", place),
                source_run_id=_text(meta, "source_run_id", place),
                status=_number(meta, "status", place) or 2,
                created_ms=_number(meta, "creation_timestamp", place),
                updated_ms=_number(meta, "last_updated_timestamp", place),
                params=self._texts(f"{place}/params"),
                tags=self._texts(f"{place}/tags"),
                metrics=metrics,
                artifacts=f"{place}/artifacts",
            )
        ]

    def _registered(self, place: str) -> Registered:
        meta = self._meta(place)
        versions: list[Version] = []
        for name in self.tree.folders(place):
            if match := _VERSION.fullmatch(name):
                below = f"{place}/{name}"
                versions += self._try(lambda below=below, n=int(match[1]): [self._version(below, n)], [])
        aliases = {name: value.strip() for name, value in self._texts(f"{place}/aliases").items()}
        return Registered(
            name=_text(meta, "name", place) or place.rpartition("/")[2],
            description=_text(meta, "description", place),
            created_ms=_number(meta, "creation_timestamp", place),
            updated_ms=_number(meta, "last_updated_timestamp", place),
            tags=self._texts(f"{place}/tags"),
            aliases={name: int(value) for name, value in aliases.items() if value.isdigit()},
            versions=[version for version in versions if version.stage != DELETED_VERSION],
        )

    def _version(self, place: str, number: int) -> Version:
        meta = self._meta(place)
        return Version(
            version=number,
            source=_text(meta, "source", place),
            run_id=_text(meta, "run_id", place),
            files=_text(meta, "storage_location", place),
            description=_text(meta, "description", place),
            stage=_text(meta, "current_stage", place) or "None",
            created_ms=_number(meta, "creation_timestamp", place),
            updated_ms=_number(meta, "last_updated_timestamp", place),
            tags=self._texts(f"{place}/tags"),
        )

    def _meta(self, place: str) -> dict[str, Any]:
        text = self.tree.text(f"{place}/meta.yaml", MOST_META)
        try:
            # Safe: a tag such as !!python/object is an error, and so is what nests without end.
            found = yaml.load(text, Loader=_LOADER)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise Bad(f"{place}/meta.yaml: is not plain YAML") from error
        if not isinstance(found, dict):
            raise Bad(f"{place}/meta.yaml: is not a mapping")
        return found

    def _metas(self, place: str) -> list[tuple[str, dict[str, Any]]]:
        return [(name, self._meta(f"{place}/{name}")) for name in self.tree.folders(place)]

    def _keys(self, root: str) -> list[str]:
        # A key with slashes lies in folders.
        return [path for path, _size in self.tree.walk(root, self.problems)] if self.tree.has_folder(root) else []

    def _texts(self, root: str) -> dict[str, str]:
        return {key: self.tree.text(f"{root}/{key}") for key in self._keys(root)}

    def _lines(self, path: str) -> Iterator[tuple[int, list[str]]]:
        try:
            with self.tree.open(path) as file:
                for number, line in enumerate(file, 1):
                    if line.strip():
                        yield number, line[:4096].decode(errors="replace").split()
        except Bad as error:
            self.problems.append(str(error))


def _text(meta: dict[str, Any], key: str, place: str) -> str:
    value = meta.get(key)
    return "" if value is None else _scalar(value, f"{place}: {key}")


def _scalar(value: Any, where: str) -> str:
    # Not str() of just anything: a few lines of YAML can mean gigabytes of nested lists.
    if not isinstance(value, (str, int, float)):
        raise Bad(f"{where}: is not text")
    return str(value)


def _number(meta: dict[str, Any], key: str, place: str) -> int:
    value = meta.get(key)
    if value is None:
        return 0
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < 2**63:
        raise Bad(f"{place}: {key} is not a number")
    return int(value)


def _status(value: Any, place: str) -> str:
    if value is None:
        return STATUSES[0]
    if isinstance(value, int) and 1 <= value <= len(STATUSES):
        return STATUSES[value - 1]
    if value in STATUSES:
        return str(value)
    raise Bad(f"{place}: status is none of MLflow's")


def _fail(problem: str) -> str:
    raise Bad(problem)
