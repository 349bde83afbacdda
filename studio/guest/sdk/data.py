"""Data sets: files of the domain under a name, versioned by their content."""

import os
from pathlib import Path
from typing import Any

from studio.guest.sdk.call import CallFailed, call, in_domain, segment, table, wait


def datasets() -> Any:
    """All data sets of the domain, one row each."""
    return table(call("GET", in_domain("datasets")))


def register_dataset(name: str, path: str | os.PathLike[str], timeout_s: float = 60.0) -> Any:
    """Registers the file `path` under `name` (again: as its next version if the content changed) and waits for its
    profile; returns what the Data panel shows."""
    call("POST", in_domain("datasets"), {"name": name, "path": in_volume(path)})

    def ready() -> Any:
        found = call("GET", in_domain(f"datasets/{segment(name)}"))
        if found["state"] == "Failed":
            raise CallFailed(f"{name} could not be read: {found['error']}", "", "INVALID")
        return found if found["state"] == "Ready" else None

    return wait(f"The profile of {name}", ready, timeout_s)


def dataset(name: str) -> Any:
    """The data set as a pandas DataFrame; without pandas, the path of its file."""
    path = on_disk(call("GET", in_domain(f"datasets/{segment(name)}"))["path"])
    try:
        import pandas
    except ImportError:
        return path
    if path.suffix == ".parquet":
        return pandas.read_parquet(path)
    if path.suffix in (".jsonl", ".ndjson"):
        return pandas.read_json(path, lines=True)
    return pandas.read_csv(path)


def _folders() -> list[tuple[str, Path]]:
    shared = os.environ.get("STUDIO_SHARED") or "/volume/shared"
    user = os.environ.get("STUDIO_USER", "")
    home = os.environ.get("STUDIO_HOME_DIR") or os.environ.get("HOME") or f"/volume/{user}"
    return [("shared", Path(shared)), (user, Path(home))]


def in_volume(path: str | os.PathLike[str]) -> str:
    """A path of this sandbox as Studio names it: `shared/…` or `<user>/…`."""
    absolute = Path(os.path.normpath(Path(path).absolute()))
    for name, folder in _folders():
        if absolute.is_relative_to(folder):
            return f"{name}/{absolute.relative_to(folder).as_posix()}"
    text = str(path)
    if text.split("/")[0] in {name for name, _ in _folders()}:
        return text
    hint = f"Put the file below {' or '.join(str(folder) for _, folder in _folders())}."
    raise CallFailed(f"{path} is not in the domain's volume.", hint, "INVALID")


def on_disk(path: str) -> Path:
    """Where the file that Studio calls `path` lies in this sandbox."""
    first, _, rest = path.removeprefix("/volume/").partition("/")
    for name, folder in _folders():
        if name == first:
            return folder / rest
    raise CallFailed(f"{path} lies in the folder of somebody else.", "Ask them to put it into shared/.", "DENIED")
