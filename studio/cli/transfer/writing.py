"""From the API to MLflow's file store, which MLflow 2 reads and 3 migrates (mlflow/store/tracking/file_store.py)."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from msgspec import Struct, field

from studio.cli.transfer.files import Bad, parts_of
from studio.cli.transfer.records import STATUSES
from studio.client import Rest

Told = Callable[[str, int], None]  # the experiment, how many of its runs are done
_NUMBERS = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}


class Taken(Struct):
    """What was written, and what could not be."""

    experiments: int = 0
    runs: int = 0
    logged_models: int = 0
    registered_models: int = 0
    versions: int = 0
    files: int = 0
    skipped: list[str] = field(default_factory=list)


class Writer:
    """Writes a domain into the new folder `folder`, which will be `final` once it is whole."""

    def __init__(self, api: Rest, domain: str, folder: Path, final: Path, told: Told) -> None:
        self.taken = Taken()
        self._api, self._base = api, f"domains/{domain}/transfer"
        self._folder, self._final, self._told = folder, final, told
        self._places: dict[str, str] = {}  # run or logged model → the folder of its files, below the whole

    def write(self, only: str | None = None) -> Taken:
        """All of it, or the experiment `only`."""
        experiments = self._api.get(f"{self._base}/experiments")
        chosen = [item for item in experiments if only in (None, item["name"])]
        for experiment in chosen:
            self._experiment(experiment)
        if not any(item["is_default"] for item in chosen):
            self._experiment_meta(
                "0", {"name": "Default", "created_ms": 0, "updated_ms": 0, "deleted": False, "tags": {}}
            )
        (self._folder / ".trash").mkdir(exist_ok=True)
        for registered in self._api.get(f"{self._base}/models"):
            self._registered(registered)
        return self.taken

    def _experiment(self, experiment: dict[str, Any]) -> None:
        here = str(experiment["experiment_id"])
        number = "0" if experiment["is_default"] else here
        place = self._experiment_meta(number, experiment)
        self.taken.experiments += 1
        for model in self._pages(f"{self._base}/logged-models", "models", experiment_id=here):
            self._one(f"logged model {model['model_id']}", lambda model=model: self._model(place, number, model))  # type: ignore[misc]
        for done, run in enumerate(self._runs(here), 1):
            self._one(f"run {run['run_id']}", lambda run=run: self._run(place, number, run))  # type: ignore[misc]
            self._told(experiment["name"], done)

    def _experiment_meta(self, number: str, experiment: dict[str, Any]) -> Path:
        deleted = experiment["deleted"]
        place = self._folder / ".trash" / number if deleted else self._folder / number
        meta = {
            "artifact_location": self._uri(number),
            "creation_time": experiment["created_ms"],
            "experiment_id": number,
            "last_update_time": experiment["updated_ms"],
            "lifecycle_stage": "deleted" if deleted else "active",
            "name": experiment["name"],
        }
        _write_meta(place, meta)
        self._texts(place / "tags", experiment["tags"])
        return place

    def _run(self, experiment: Path, number: str, run: dict[str, Any]) -> None:
        run_id = run["run_id"]
        place = experiment / _name(run_id)
        meta = {
            "artifact_uri": self._uri(f"{number}/{run_id}/artifacts"),
            "end_time": run["end_ms"],
            "entry_point_name": "",
            "experiment_id": number,
            "lifecycle_stage": "deleted" if run["deleted"] else "active",
            "run_id": run_id,
            "run_name": run["name"],
            "source_name": "",
            "source_type": 4,
            "source_version": "",
            "start_time": run["start_ms"],
            "status": STATUSES.index(run["status"]) + 1,
            "tags": [],
            "user_id": run["user_id"],
        }
        if run["deleted"]:
            meta["deleted_time"] = run["end_ms"] or run["start_ms"]
        _write_meta(place, meta)
        for name in ("metrics", "params", "tags", "artifacts"):
            (place / name).mkdir()
        self._texts(place / "params", run["params"])
        self._texts(place / "tags", run["tags"])
        for key in run["keys"]:
            self._one(f"run {run_id}: metric {key}", lambda key=key: self._metric(place / "metrics", run_id, key))  # type: ignore[misc]
        self._inputs(experiment, place, run)
        self._files("run", run_id, place / "artifacts")
        self._places[run_id] = f"{number}/{run_id}/artifacts"
        self.taken.runs += 1

    def _metric(self, root: Path, run_id: str, key: str) -> None:
        file = _below(root, key)
        with file.open("w") as lines:
            for ts, value, step in self._pages(f"{self._base}/runs/{run_id}/metrics", "points", key=key):
                lines.write(f"{ts} {_number(value)} {step}\n")

    def _inputs(self, experiment: Path, place: Path, run: dict[str, Any]) -> None:
        for item in run["datasets"]:
            number = hashlib.md5(f"{item['name']}:{item['digest']}".encode(), usedforsecurity=False).hexdigest()
            held = experiment / "datasets" / number
            if not held.exists():
                named = {"name": "name", "digest": "digest", "source_type": "source_type", "source": "source"}
                named |= {"schema_text": "schema", "profile": "profile"}
                _write_meta(held, {theirs: item[ours] for ours, theirs in named.items()})
            _write_meta(place / "inputs" / number, _link("DATASET", number, "RUN", run["run_id"], item["tags"]))
        for model_id in run["model_inputs"]:
            _write_meta(place / "inputs" / _name(model_id), _link("MODEL", model_id, "RUN", run["run_id"], {}))
        for output in run["model_outputs"]:
            model_id = output["model_id"]
            link = _link("RUN_OUTPUT", model_id, "MODEL_OUTPUT", model_id, {})
            _write_meta(place / "outputs" / _name(model_id), link | {"step": output["step"]})

    def _model(self, experiment: Path, number: str, model: dict[str, Any]) -> None:
        model_id = model["model_id"]
        place = experiment / "models" / _name(model_id)
        meta = {
            "artifact_location": self._uri(f"{number}/models/{model_id}/artifacts"),
            "creation_timestamp": model["created_ms"],
            "experiment_id": number,
            "last_updated_timestamp": model["updated_ms"],
            "model_id": model_id,
            "model_type": model["model_type"] or None,
            "name": model["name"],
            "source_run_id": model["source_run_id"] or None,
            "status": model["status"],
            "status_message": None,
        }
        _write_meta(place, meta)
        self._texts(place / "params", model["params"])
        self._texts(place / "tags", model["tags"])
        (place / "metrics").mkdir()
        for metric in model["metrics"]:
            words = [metric["ts"], _number(metric["value"]), metric["step"], metric["run_id"]]
            if metric["dataset_name"]:
                words += [metric["dataset_name"], metric["dataset_digest"]]
            with _below(place / "metrics", metric["key"]).open("a") as lines:
                lines.write(" ".join(map(str, words)) + "\n")
        self._files("model", model_id, place / "artifacts")
        self._places[model_id] = f"{number}/models/{model_id}/artifacts"
        self.taken.logged_models += 1

    def _registered(self, registered: dict[str, Any]) -> None:
        name = registered["name"]
        place = self._folder / "models" / _name(name)
        written = [version for version in registered["versions"] if self._version(place, name, version)]
        if registered["versions"] and not written:
            return  # of an experiment that was not asked for
        numbers = {version["version"] for version in written}
        aliases = {alias: str(number) for alias, number in registered["aliases"].items() if number in numbers}
        meta = {
            "aliases": aliases,
            "creation_timestamp": registered["created_ms"],
            "description": registered["description"] or None,
            "last_updated_timestamp": registered["updated_ms"],
            "name": name,
        }
        _write_meta(place, meta)
        self._texts(place / "tags", registered["tags"])
        self._texts(place / "aliases", aliases)
        self.taken.registered_models += 1
        self.taken.versions += len(written)

    def _version(self, place: Path, name: str, version: dict[str, Any]) -> bool:
        parts = parts_of(version["files"])
        key = next((part for part in reversed(parts) if part in self._places), None)
        if key is None:
            return False
        below = "/".join(parts[parts.index(key) + 2 :])  # what follows <key>/artifacts
        files = self._uri("/".join(part for part in (self._places[key], below) if part))
        is_logged = key.startswith("m-") and not below
        meta = {
            "creation_timestamp": version["created_ms"],
            "current_stage": version["stage"],
            "description": version["description"] or None,
            "last_updated_timestamp": version["updated_ms"],
            "model_id": key if is_logged else None,
            "name": name,
            "run_id": version["run_id"] or None,
            "run_link": None,
            "source": f"models:/{key}" if is_logged else files,
            "status": "READY",
            "status_message": None,
            "storage_location": files,
            "user_id": None,
            "version": version["version"],
        }
        folder = place / f"version-{version['version']}"
        _write_meta(folder, meta)
        self._texts(folder / "tags", version["tags"])
        return True

    def _files(self, kind: str, key: str, place: Path) -> None:
        place.mkdir(exist_ok=True)
        for item in self._api.get(f"{self._base}/files", kind=kind, id=key):
            with _below(place, item["path"]).open("xb") as file:
                self._api.download(f"{self._base}/files/content", file, kind=kind, id=key, path=item["path"])
            self.taken.files += 1

    def _runs(self, experiment_id: str) -> Iterator[dict[str, Any]]:
        token = None
        while True:
            page = self._api.get(f"{self._base}/runs", experiment_id=experiment_id, page_token=token)
            for run in page["runs"]:
                yield run | {"keys": page["keys"][run["run_id"]]}
            token = page["next_page_token"]
            if token is None:
                return

    def _pages(self, path: str, name: str, **params: str) -> Iterator[Any]:
        token = None
        while True:
            page = self._api.get(path, page_token=token, **params)
            yield from page[name]
            token = page["next_page_token"]
            if token is None:
                return

    def _texts(self, root: Path, texts: dict[str, str]) -> None:
        root.mkdir(parents=True, exist_ok=True)
        for key, value in texts.items():
            self._one(f"{root.relative_to(self._folder)}: {key}", lambda key=key, value=value: _text(root, key, value))  # type: ignore[misc]

    def _one(self, what: str, act: Callable[[], object]) -> None:
        try:
            act()
        except Bad as error:
            self.taken.skipped.append(f"{what}: {error}")

    def _uri(self, below: str) -> str:
        return (self._final / below).as_uri()


def _link(source: str, source_id: str, goal: str, goal_id: str, tags: dict[str, str]) -> dict[str, Any]:
    return {
        "destination_id": goal_id,
        "destination_type": goal,
        "source_id": source_id,
        "source_type": source,
        "tags": tags,
    }


def _write_meta(place: Path, meta: dict[str, Any]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(meta, default_flow_style=False, allow_unicode=True)
    (place / "meta.yaml").write_text(text, encoding="utf-8")


def _text(root: Path, key: str, value: str) -> None:
    _below(root, key).write_text(value, encoding="utf-8", newline="")


def _below(root: Path, path: str) -> Path:
    """The file `path` below `root`, whose folder is made; `Bad` if it is no plain path, or a file is in its way."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise Bad("has a name that cannot be that of a file")
    file = root.joinpath(*parts)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise Bad("has the name of a folder in which another one lies; MLflow's files cannot hold both") from error
    if file.is_dir():
        raise Bad("has the name of a folder in which another one lies; MLflow's files cannot hold both")
    return file


def _name(name: str) -> str:
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise Bad("has a name that cannot be that of a folder")
    return name


def _number(value: float | str) -> str:
    return _NUMBERS[value] if isinstance(value, str) else repr(value)
