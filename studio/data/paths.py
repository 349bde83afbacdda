"""Pure: the path of a file as its owner sees it below the volume, such as `shared/weather.csv`."""

from dataclasses import dataclass

from studio.errors import Denied, Invalid

SHARED = "shared"
MAX_PATH = 1024


@dataclass(frozen=True, slots=True)
class VolumePath:
    """`parts` below the shared folder, or below the owner's own one."""

    is_shared: bool
    parts: tuple[str, ...]


def parse(path: str, owner: str) -> VolumePath:
    """The place that `path` names for `owner`; `Invalid` if it climbs, is absolute or names no file, `Denied` if it is
    another person's folder. Nothing is resolved here: who opens it follows no link (`studio.runtime.beneath`)."""
    path = path.removeprefix("/volume/")
    if not path or len(path) > MAX_PATH or any(ord(sign) < 32 for sign in path) or "\\" in path:
        raise Invalid(
            f"{path[:80]!r} is not the path of a file.", "Give it relative to the volume: 'shared/weather.csv'."
        )
    if path.startswith("/"):
        raise Invalid(
            f"{path!r} is an absolute path.",
            f"Give it relative to the volume: 'shared/…' or '{owner}/…'. Files elsewhere are not the domain's.",
        )
    first, *rest = path.split("/")
    parts = tuple(part for part in rest if part not in ("", "."))
    if first == ".." or ".." in parts:
        raise Invalid(f"{path!r} climbs out of the folder.", "Write the path without '..'.")
    if first not in (SHARED, owner):
        raise Denied(
            f"{first!r} is neither the shared folder nor yours.",
            f"Put the file below 'shared/' or '{owner}/'; other people's folders are theirs.",
        )
    if not parts:
        raise Invalid(f"{path!r} is a folder.", "Name one CSV, Parquet or JSON-lines file in it.")
    return VolumePath(first == SHARED, parts)
