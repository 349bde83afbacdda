"""From a source to the API: bounded batches, what is there already skipped, what cannot be taken named."""

import hashlib
import math
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct, field

from studio.cli.transfer import files
from studio.cli.transfer.files import Bad, Tree
from studio.cli.transfer.records import Experiment, Model, Point, Registered, Run, Source, Version
from studio.client import Rest
from studio.errors import Conflict, Invalid, NotFound, TooLarge

TOGETHER = 50  # runs in one request
POINTS = 5000  # values in one request
REFUSED = (Invalid, Conflict, NotFound, TooLarge)  # of one thing; anything else ends the transfer
Told = Callable[[str, int, int], None]  # the experiment, all runs there are, those that are done


class Outcome(Struct):
    """What came, what was here, what could not be taken."""

    experiments: int = 0
    merged: list[str] = field(default_factory=list)
    runs: int = 0
    changed: int = 0
    same: int = 0
    points: int = 0
    logged_models: int = 0
    registered_models: int = 0
    versions: int = 0
    files: int = 0
    bytes: int = 0
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


class _Ready(Struct):
    """A run read whole: its first values, and whether there are more."""

    run: Run
    digest: str
    first: list[Point]
    has_more: bool
    files: list[tuple[str, int]]
    place: tuple[Tree, str] | None


class Sender:
    """Brings one source to one domain; `is_dry`: only says what would come."""

    def __init__(self, api: Rest, domain: str, source: Source, roots: list[Tree], told: Told, *, is_dry: bool) -> None:
        self.outcome = Outcome()
        self._api, self._base, self._source = api, f"domains/{domain}/transfer", source
        self._roots, self._told, self._is_dry = roots, told, is_dry
        self._runs: dict[str, str] = {}  # run → what its source says of its files
        self._models: dict[str, str] = {}
        self._partial: set[str] = set()  # of which a file was refused: tried, and named, again next time
        self._lost: list[str] = []
        self._total = self._done = 0

    def send(self) -> Outcome:
        """All of it. A second call brings what has changed since."""
        here = {item["name"]: item for item in self._api.get(f"{self._base}/experiments")}
        experiments = self._source.experiments()
        self._total = sum(self._source.count(experiment) for experiment in experiments)
        for experiment in experiments:
            try:
                self._experiment(experiment, here)
            except REFUSED as error:
                self._skip(f"experiment {experiment.name!r}", error)
        for registered in self._source.registered():
            try:
                self._registered(_checked(registered, Registered))
            except (*REFUSED, Bad) as error:
                self._skip(f"registered model {registered.name!r}", error)
        if self._lost:
            few = ", ".join(self._lost[:3]) + (" …" if len(self._lost) > 3 else "")
            self.outcome.notes.append(
                f"The files of {len(self._lost)} runs and models are not beside the source ({few}):"
                " name the folder that has them with --artifacts."
            )
        self.outcome.notes += self._source.notes
        self.outcome.skipped += self._source.problems
        return self.outcome

    def _experiment(self, experiment: Experiment, here: dict[str, Any]) -> None:
        is_default = experiment.id == "0"
        found = next((item for item in here.values() if item["is_default"]), None) if is_default else None
        found = found or here.get(experiment.name)
        before = self.outcome.runs
        self.outcome.experiments += found is None
        where = ""
        if not self._is_dry:
            given = msgspec.to_builtins(experiment) | {"is_default": is_default}
            given = {
                ("experiment_id" if key == "id" else key): value for key, value in given.items() if key != "deleted"
            }
            answer = self._api.post(f"{self._base}/experiments", given)
            where = str(answer["experiment_id"])
            if answer["deleted"] and not experiment.deleted:
                raise Conflict("It was deleted here.", "Restore it, then import again.")
        for model in self._source.models(experiment):
            self._one(f"logged model {model.model_id}", lambda model=model: self._model(model, where))  # type: ignore[misc]
        batch: list[_Ready] = []
        for run in self._source.runs(experiment):
            try:
                batch.append(self._read(experiment, run))
            except (*REFUSED, Bad) as error:
                self._skip(f"run {run.run_id}", error)
            if len(batch) >= TOGETHER or sum(len(item.first) for item in batch) >= POINTS:
                self._flush(experiment, where, batch)
                batch = []
        self._flush(experiment, where, batch)
        if found is not None and not is_default and self.outcome.runs > before:
            self.outcome.merged.append(experiment.name)
        if experiment.deleted and not self._is_dry:
            self._api.post(f"{self._base}/finish", {"experiments": [where]})

    def _read(self, experiment: Experiment, run: Run) -> _Ready:
        """The run with its first values and what its files are, and the digest of all of that."""
        run = _checked(run, Run)
        digest = hashlib.sha256(msgspec.json.encode([msgspec.structs.replace(run, artifacts=""), experiment.name]))
        first: list[Point] = []
        count = 0
        for point in self._source.points(experiment, run):
            digest.update(repr(point).encode())
            count += 1
            if count <= POINTS:
                first.append(point)
        place = self._place(run.run_id, run.artifacts)
        listed = self._listed(place)
        digest.update(msgspec.json.encode(listed))
        self._runs[run.run_id] = run.artifacts
        return _Ready(run, digest.hexdigest(), first, count > POINTS, listed, place)

    def _flush(self, experiment: Experiment, where: str, batch: list[_Ready]) -> None:
        if not batch:
            return
        known = self._api.post(f"{self._base}/finished", {"ids": [item.run.run_id for item in batch]})
        changed = [item for item in batch if known.get(item.run.run_id) != item.digest]
        self.outcome.same += len(batch) - len(changed)
        done: list[_Ready] = []
        if self._is_dry:
            self.outcome.runs += sum(item.run.run_id not in known for item in changed)
            self.outcome.changed += sum(item.run.run_id in known for item in changed)
            for item in changed:
                self._count_files(item.files)
        elif changed:
            done = self._send_runs(experiment, where, changed)
            digests = {item.run.run_id: item.digest for item in done}
            gone = [item.run.run_id for item in done if item.run.deleted]
            self._api.post(f"{self._base}/finish", {"digests": digests, "deleted": gone})
        self._done += len(batch)
        self._told(experiment.name, self._total, self._done)

    def _send_runs(self, experiment: Experiment, where: str, batch: list[_Ready]) -> list[_Ready]:
        answers = self._put_runs(where, batch)
        done: list[_Ready] = []
        for item, answer in zip(batch, answers, strict=True):
            run_id = item.run.run_id
            if answer["problem"]:
                self.outcome.skipped.append(f"run {run_id}: {answer['problem']}")
                continue
            self.outcome.runs += answer["new"]
            self.outcome.changed += not answer["new"]
            self.outcome.points += len(item.first)
            if self._one(f"run {run_id}", lambda item=item: self._send_rest(experiment, item)):  # type: ignore[misc]
                done += [] if run_id in self._partial else [item]
        return done

    def _put_runs(self, where: str, batch: list[_Ready]) -> list[Any]:
        bodies = [
            {
                **{
                    key: value
                    for key, value in msgspec.to_builtins(item.run).items()
                    if key not in ("artifacts", "deleted")
                },
                "experiment_id": where,
                "metrics": _series(item.first),
            }
            for item in batch
        ]
        try:
            return list(self._api.post(f"{self._base}/runs", {"runs": bodies}))
        except REFUSED as error:
            # One that is wrong in its form refuses all: each by itself tells which.
            if len(batch) == 1:
                return [{"new": False, "problem": str(error)}]
            return [answer for item in batch for answer in self._put_runs(where, [item])]

    def _send_rest(self, experiment: Experiment, item: _Ready) -> None:
        if item.has_more:
            part: list[Point] = []
            for number, point in enumerate(self._source.points(experiment, item.run)):
                if number >= POINTS:
                    part.append(point)
                if len(part) == POINTS:
                    self._send_points(item.run.run_id, part)
                    part = []
            self._send_points(item.run.run_id, part)
        self._send_files("run", item.run.run_id, item.place, item.files)

    def _send_points(self, run_id: str, part: list[Point]) -> None:
        if part:
            self._api.post(f"{self._base}/runs/{run_id}/metrics", {"metrics": _series(part)})
            self.outcome.points += len(part)

    def _send_files(self, kind: str, key: str, place: tuple[Tree, str] | None, listed: list[tuple[str, int]]) -> None:
        if place is None or not listed:
            return
        tree, root = place
        here = {item["path"]: item["size"] for item in self._api.get(f"{self._base}/files", kind=kind, id=key)}
        for path, size in listed:
            if here.get(path) == size:
                continue
            try:
                with tree.open(f"{root}/{path}") as file:
                    self._api.upload(f"{self._base}/files", file, kind=kind, id=key, path=path)
            except (*REFUSED, Bad) as error:
                self._skip(f"{kind} {key}: file {path}", error)
                self._partial.add(key)
                continue
            self.outcome.files += 1
            self.outcome.bytes += size

    def _model(self, model: Model, where: str) -> None:
        model = _checked(model, Model)
        self._models[model.model_id] = model.artifacts
        place = self._place(model.model_id, model.artifacts)
        listed = self._listed(place)
        body = {key: value for key, value in msgspec.to_builtins(model).items() if key != "artifacts"}
        for metric in body["metrics"]:
            metric["value"] = _number(metric["value"])
        digest = hashlib.sha256(msgspec.json.encode([body, listed])).hexdigest()
        known = self._api.post(f"{self._base}/finished", {"ids": [model.model_id]})
        if known.get(model.model_id) == digest:
            return
        self.outcome.logged_models += model.model_id not in known
        if self._is_dry:
            self._count_files(listed)
            return
        self._api.post(f"{self._base}/logged-models", body | {"experiment_id": where})
        self._send_files("model", model.model_id, place, listed)
        if model.model_id not in self._partial:
            self._api.post(f"{self._base}/finish", {"digests": {model.model_id: digest}})

    def _registered(self, registered: Registered) -> None:
        body = msgspec.to_builtins(registered)
        body["versions"] = []
        for version in registered.versions:
            source = self._source_of(version)
            if source:
                kept = {key: value for key, value in msgspec.to_builtins(version).items() if key != "files"}
                body["versions"].append(kept | {"source": source})
            else:
                what = f"registered model {registered.name!r} version {version.version}"
                self.outcome.skipped.append(f"{what}: its files ({version.source}) are of no run or logged model here")
        if self._is_dry:
            self.outcome.registered_models += 1
            self.outcome.versions += len(body["versions"])
            return
        answer = self._api.post(f"{self._base}/models", body)
        self.outcome.registered_models += answer["new"]
        self.outcome.versions += answer["new_versions"]
        name = registered.name
        self.outcome.skipped += [f"registered model {name!r} {problem}" for problem in answer["problems"]]
        moved = [f"{there} → {here}" for there, here in answer["versions"].items() if there != str(here)]
        if moved:
            self.outcome.notes.append(f"Versions of {name!r} have other numbers here: {', '.join(moved)}.")
        self.outcome.notes += [
            f"The alias {name}@{alias} means another version here, and stays so." for alias in answer["kept"]
        ]

    def _source_of(self, version: Version) -> str:
        """`version`'s source in words of the API: the logged model or run of which its files are; "" if of none."""
        for uri in (version.source, version.files):
            if uri.startswith("models:/m-"):
                return uri
            parts = files.parts_of(uri)
            for key, root in self._models.items():
                if parts and parts[: len(files.parts_of(root))] == files.parts_of(root):
                    return f"models:/{key}"
            if uri.startswith("runs:/"):
                return uri
            if version.run_id in self._runs and version.run_id in parts:
                below = parts[parts.index(version.run_id) + 1 :]
                return f"runs:/{version.run_id}/{'/'.join(below[1:] if below[:1] == ('artifacts',) else below)}"
        return ""

    def _place(self, key: str, uri: str) -> tuple[Tree, str] | None:
        found = files.find(self._roots, uri, key)
        if found is None and ":" in uri and not uri.startswith("file:"):
            self._lost.append(uri)  # a local folder that is not there may just be empty
        return found

    def _listed(self, place: tuple[Tree, str] | None) -> list[tuple[str, int]]:
        return list(place[0].walk(place[1], self._source.problems)) if place else []

    def _count_files(self, listed: list[tuple[str, int]]) -> None:
        self.outcome.files += len(listed)
        self.outcome.bytes += sum(size for _, size in listed)

    def _one(self, what: str, act: Callable[[], object]) -> bool:
        try:
            act()
        except (*REFUSED, Bad) as error:
            self._skip(what, error)
            return False
        return True

    def _skip(self, what: str, error: Exception) -> None:
        self.outcome.skipped.append(f"{what}: {error}")


def _series(points: list[Point]) -> list[dict[str, Any]]:
    found: dict[str, list[Any]] = {}
    for key, ts, value, step in points:
        found.setdefault(key, []).append([ts, _number(value), step])
    return [{"key": key, "points": values} for key, values in found.items()]


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _checked(record: Any, kind: Any) -> Any:
    """The record itself, if all its fields are of their types: a database may hold anything anywhere."""
    try:
        return msgspec.convert(msgspec.to_builtins(record), kind)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        raise Bad(str(error)) from error
