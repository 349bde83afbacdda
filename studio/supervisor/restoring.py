"""`studio restore`: a backup becomes a home, as a whole or not at all."""

import hashlib
import os
import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from msgspec import Struct

from studio.errors import Conflict, Invalid, NotFound
from studio.runtime import beneath, process, space, trees
from studio.settings import Settings
from studio.supervisor import archives, backup, records
from studio.supervisor.archives import Item, Manifest

_PIECE = 1 << 20


class Restored(Struct):
    """`aside`: where the home that was there before is now ("": there was none)."""

    home: str
    files: int
    made_ms: int
    version: str
    database: str
    aside: str
    notes: list[str]


def restore(
    settings: Settings, source: Path, *, force: bool = False, progress: Callable[[int], None] = lambda _: None
) -> Restored:
    """Makes the home of `settings` from a backup. It must be empty or absent; `force` moves what is there aside first.
    Every file is compared with the backup's manifest before anything takes the home's place."""
    home = settings.paths.home
    if not source.exists():
        raise NotFound(f"There is no {source}.", "Give the path of a backup.")
    check_target(settings, force=force)
    home.parent.mkdir(parents=True, exist_ok=True)
    making = home.with_name(f".{home.name}.{secrets.token_hex(4)}.restoring")
    try:
        with space.explained():
            making.mkdir(mode=0o700)
            manifest = _unpack(source, making, progress)
            _finish(making, manifest)
        aside = _exchange(home, making)
    except BaseException:
        beneath.remove_tree(making.parent, [making.name])
        raise
    files = sum(item.kind == "file" for item in manifest.items)
    kind = manifest.database
    return Restored(str(home), files, manifest.made_ms, manifest.version, kind, aside, _notes(manifest))


def check_target(settings: Settings, *, force: bool) -> None:
    """`Conflict` if something runs on the home, or if it holds anything and `force` is not given."""
    home = settings.paths.home
    if is_running(settings):
        raise Conflict(f"Studio runs on {home}.", "End it first: studio down.")
    if not force and home.exists() and any(home.iterdir()):
        raise Conflict(f"{home} is not empty.", "Choose another --home, or --force: it is then moved aside, not lost.")


def is_running(settings: Settings) -> bool:
    """Whether a process that a supervisor of this home started, or itself, is alive."""
    run = settings.paths.run
    found = records.read(run / "supervisor.json", records.SupervisorRecord)
    handles = [process.Handle(found.pid, found.start_time)] if found else []
    kept = [records.read(run / f"{name}.json", records.KeptRecord) for name in ("gateway", "server")]
    boxes = [records.read(path, records.BoxRecord) for path in sorted((run / "sandboxes").glob("*.json"))]
    handles += [record.handle for record in (*kept, *boxes) if record is not None]
    return any(process.is_alive(handle) for handle in handles)


def _unpack(source: Path, target: Path, progress: Callable[[int], None]) -> Manifest:
    """Every file of the backup below `target`, without a link being there yet that could lead out of it."""
    found: dict[str, str] = {}
    raw = b""
    with archives.files(source) as members:
        for name, file in members:
            if name == archives.MANIFEST:
                raw = file.read(archives.MOST_MANIFEST)
                continue
            top, *parts = name.split("/")
            if top != archives.HOME:
                raise Invalid(f"{name!r} has no place in a backup.", "Choose another one.")
            digest = hashlib.sha256()
            beneath.check(parts)
            with beneath.folder(target, parts[:-1], make=True) as folder:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                with os.fdopen(os.open(parts[-1], flags, 0o600, dir_fd=folder), "wb") as sink:
                    while piece := file.read(_PIECE):
                        digest.update(piece)
                        progress(sink.write(piece))
            found[name] = digest.hexdigest()
    manifest = backup.parse(raw)
    backup.compare(manifest, found)
    return manifest


def _finish(target: Path, manifest: Manifest) -> None:
    """Folders, links, modes and times; then the database is looked at, and all of it is on the disk."""
    for item in manifest.items:
        parts = item.path.split("/")
        if item.kind == "folder":
            with beneath.folder(target, parts, make=True):
                pass
        elif item.kind == "link":
            _link(target, item)
    for item in reversed(manifest.items):
        if item.kind != "link":
            _mode(target, item)
    database = target / backup.DATABASE
    if manifest.database == "sqlite":
        try:
            with closing(sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)) as db:
                backup.check_database(db)
        except sqlite3.Error as error:
            raise Conflict(f"The backup's database cannot be read: {error}.", "Choose another backup.") from error
    trees.sync(target)


def _link(target: Path, item: Item) -> None:
    """Made last and followed by nobody: every open above and below goes through `beneath`."""
    parts = item.path.split("/")
    beneath.check(parts)
    with beneath.folder(target, parts[:-1], make=True) as folder:
        os.symlink(item.target, parts[-1], dir_fd=folder)


def _mode(target: Path, item: Item) -> None:
    parts = item.path.split("/")
    flags = beneath.FOLDER if item.kind == "folder" else beneath.FILE
    descriptor = beneath.open_at(target, parts, flags)
    try:
        os.utime(descriptor, ns=(item.mtime_ns, item.mtime_ns))
        os.fchmod(descriptor, item.mode & 0o777)
    finally:
        os.close(descriptor)


def _exchange(home: Path, making: Path) -> str:
    """The new one takes the name; the old one, if it holds anything, gets another first and it back if that fails."""
    aside = ""
    if home.exists():
        with suppress(OSError):
            home.rmdir()
    if home.exists():
        moved = home.with_name(f"{home.name}.before-{time.strftime('%Y%m%d-%H%M%S')}")
        home.rename(moved)
        aside = str(moved)
    try:
        making.rename(home)
    except OSError:
        if aside:
            Path(aside).rename(home)
        raise
    return aside


def _notes(manifest: Manifest) -> list[str]:
    notes = ["The keys of that installation came with it: sessions, access keys and links of then hold again."]
    if manifest.database == "postgresql":
        notes.append("Its database was PostgreSQL's and is not in it: restore its dump, and set STUDIO_DATABASE_URL.")
    if manifest.left_out:
        notes.append("Environments were left out: they are built again at the next start.")
    return notes
