"""A model version's files, brought into the sandbox over the API with what the job may do."""

import fcntl
import io
import json
import shutil
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from studio.errors import Invalid
from studio.guest.sdk.call import save

_FILES = "api/2.0/mlflow-artifacts/artifacts"
_MODEL, _LOCK = "model", "model.lock"


@contextmanager
def fetched(model: str, version: str, folder: Path) -> Iterator[Path]:
    """The version's files in a folder below the job's `folder`, for as long as they are used. What killed jobs have
    left beside it is removed: who still uses one holds its lock."""
    for left in folder.parent.glob(f"*/{_LOCK}"):
        with suppress(OSError), left.open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(left.parent)
    with (folder / _LOCK).open("xb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            fetch(model, version, folder / _MODEL)
            yield folder / _MODEL
        finally:
            _remove(folder)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder / _MODEL, ignore_errors=True)
    (folder / _LOCK).unlink(missing_ok=True)


def fetch(model: str, version: str, folder: Path) -> None:
    """Writes every file of `model` version `version` below `folder`, and holds each to its announced size."""
    query = urllib.parse.urlencode({"name": model, "version": version})
    uri = _json(f"api/2.0/mlflow/model-versions/get-download-uri?{query}")["artifact_uri"]
    root = PurePosixPath(urllib.parse.urlsplit(uri).path.strip("/"))
    found = 0
    for path, size in _files(root):
        target = folder / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as sink:
            save(f"{_FILES}/{urllib.parse.quote(str(path))}", sink)
            came = sink.tell()
        if came != size:
            raise Invalid(f"{path} came with {came} of {size} bytes.", "Start the job again.")
        found += 1
    if not found:
        raise Invalid(f"{model} version {version} has no files.", "Log the model again: its artifacts are missing.")


def _files(folder: PurePosixPath) -> Iterator[tuple[PurePosixPath, int]]:
    """(path, bytes) of all files below `folder`."""
    for item in _json(f"{_FILES}?{urllib.parse.urlencode({'path': str(folder)})}").get("files", []):
        name = PurePosixPath(item["path"]).name
        if name in ("", ".."):
            raise Invalid(f"{item['path']!r} is no file's name.", "Log the model again.")
        if item.get("is_dir"):
            yield from _files(folder / name)
        else:
            yield folder / name, int(item["file_size"])


def _json(path: str) -> Any:
    text = io.BytesIO()
    save(path, text)
    return json.loads(text.getvalue())
