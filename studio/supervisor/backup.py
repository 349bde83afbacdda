"""`studio backup`: the whole home, while Studio runs or not.

The database comes first, as of one moment; files after it. So whatever a row speaks of is there: artifacts are never
changed once they are committed, everything else is replaced by a rename. A folder that people write to in that moment
is taken file by file.
"""

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from studio import __version__, clock
from studio.errors import AlreadyExists, Conflict, Invalid, NotFound, StudioError
from studio.runtime import beneath, space
from studio.settings import Settings
from studio.supervisor import archives
from studio.supervisor.archives import FolderSink, Hashing, Item, Manifest, TarSink

FORMAT = 1
TAR_ENDS = (".tar", ".tar.gz", ".tgz")
DATABASE = "studio.db"
# What only means something to the processes that run now, or is in the copy of the database.
NOT_TAKEN = frozenset(
    {"run", space.KEPT, f".{space.KEPT}", DATABASE, *(f"{DATABASE}-{end}" for end in ("wal", "shm", "journal"))}
)


class Done(Struct):
    """A backup that is whole and was read back. `notes`: what is not in it, and what to take care of, for people."""

    path: str
    files: int
    bytes: int
    database: str
    changed: list[str]
    skipped: list[str]
    notes: list[str]


def backup(
    settings: Settings, target: Path, *, environments: bool = True, progress: Callable[[int], None] = lambda _: None
) -> Done:
    """Writes a backup to `target`, a folder or a tar file by its name; it appears there only when it has been read back
    whole. `environments` False leaves built environments out: Studio builds them again."""
    home, target = settings.paths.home, target.absolute()
    if not home.is_dir():
        raise NotFound(f"There is no Studio in {home}.", "Name its folder with --home.")
    if target.exists() or target.is_symlink():
        raise AlreadyExists(f"{target} exists.", "Choose a new name; a backup never overwrites anything.")
    if target.resolve().is_relative_to(home):
        raise Invalid(f"{target} lies in the home itself.", "Choose a place outside, best on another disk.")
    target.parent.mkdir(parents=True, exist_ok=True)
    making = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    database = making.with_name(making.name + ".db")
    is_tar = target.name.endswith(TAR_ENDS)
    sink = TarSink(making, compress=target.name.endswith((".gz", ".tgz"))) if is_tar else FolderSink(making)
    try:
        with space.explained():
            manifest = _begin(settings, database)
            _write(settings, manifest, sink, database, environments, progress)
            sink.finish(msgspec.json.encode(manifest))
        verify(making)
        making.rename(target)
        _sync(target.parent)
    except OSError as error:
        sink.abort()
        said = f"The backup came to nothing: {error.strerror or error} ({error.filename or target})."
        raise StudioError(said, "Mend that, then try again; nothing of it was kept.") from error
    except BaseException:
        sink.abort()
        raise
    finally:
        database.unlink(missing_ok=True)
    return _done(settings, target, manifest)


def _begin(settings: Settings, copy: Path) -> Manifest:
    """The copy of the database as of now, and the manifest that says so."""
    is_sqlite = settings.database.startswith("sqlite")
    schema = _copy_database(Path(settings.database.removeprefix("sqlite:///")), copy) if is_sqlite else ""
    kind = "sqlite" if is_sqlite else "postgresql"
    return Manifest(FORMAT, __version__, clock.now_ms(), str(settings.paths.home), kind, schema)  # type: ignore[arg-type]


def _copy_database(source: Path, copy: Path) -> str:
    """One read transaction: what was acknowledged before is in it, and no writer waits. Returns its schema."""
    if not source.is_file():
        raise NotFound(f"There is no database in {source.parent}.", "Name the folder of a Studio with --home.")
    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(copy)) as made:
            live.backup(made, pages=-1)
            made.execute("PRAGMA journal_mode=DELETE")
            return check_database(made)
    except sqlite3.Error as error:
        raise Conflict(f"The database cannot be copied: {error}.", "Look at the disk, then try again.") from error


def check_database(db: sqlite3.Connection) -> str:
    """The schema's number of a database that is sound; else `Conflict`."""
    said = [row[0] for row in db.execute("PRAGMA integrity_check")]
    if said != ["ok"]:
        raise Conflict(f"The database is damaged: {said[0]}.", "Restore a backup, or ask for help before going on.")
    try:
        return str(db.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    except (sqlite3.Error, TypeError) as error:
        raise Conflict("The database is not Studio's.", "Name the folder of a Studio with --home.") from error


def _write(
    settings: Settings,
    manifest: Manifest,
    sink: FolderSink | TarSink,
    database: Path,
    environments: bool,
    progress: Callable[[int], None],
) -> None:
    if manifest.database == "sqlite":
        with database.open("rb") as file:
            _add_file(manifest, sink, DATABASE, file, progress)
    top = settings.paths.home
    store = settings.paths.environments
    leave = "" if environments or not store.is_relative_to(top) else store.relative_to(top).as_posix()
    for entry in beneath.walk(top, whole=True):
        if _is_left_out(entry.path, leave):
            if entry.path == leave:
                manifest.left_out.append(leave)
            continue
        mode, mtime = entry.status.st_mode & 0o777, entry.status.st_mtime_ns
        if entry.is_folder:
            manifest.items.append(item := Item(entry.path, "folder", mode, mtime))
            sink.folder(item)
        elif not _take(manifest, sink, entry, progress):
            manifest.skipped.append(entry.path)


def _is_left_out(path: str, environments: str) -> bool:
    parts = path.split("/")
    if parts[0] in NOT_TAKEN or parts[:2] in (["artifacts", ".uploads"], ["invocations", ".incoming"]):
        return True
    # What a program is just making beside the snapshots.
    if len(parts) > 3 and (parts[0], parts[2]) == ("domains", "snapshots") and parts[3].startswith("."):
        return True
    return bool(environments) and (path == environments or path.startswith(f"{environments}/"))


def _take(
    manifest: Manifest, sink: FolderSink | TarSink, entry: beneath.Entry, progress: Callable[[int], None]
) -> bool:
    """A file or a link; False for what is neither, is gone, or was swapped for something else."""
    try:
        if entry.is_link:
            target = os.readlink(entry.name, dir_fd=entry.folder)
            manifest.items.append(item := Item(entry.path, "link", mtime_ns=entry.status.st_mtime_ns, target=target))
            sink.link(item)
            return True
        if not entry.is_file:
            return False
        descriptor = beneath.regular(entry.folder, [entry.name])
    except (OSError, Invalid) as error:
        if isinstance(error, OSError) and error.errno not in beneath.SWAPPED:
            raise
        return False
    with os.fdopen(descriptor, "rb") as file:
        _add_file(manifest, sink, entry.path, file, progress)
    return True


def _add_file(
    manifest: Manifest,
    sink: FolderSink | TarSink,
    path: str,
    file: BinaryIO,
    progress: Callable[[int], None],
) -> None:
    before = os.fstat(file.fileno())
    source = Hashing(file, before.st_size)
    item = Item(path, "file", before.st_mode & 0o777, before.st_mtime_ns, before.st_size)
    sink.file(item, source)
    after = os.fstat(file.fileno())
    if source.is_short or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        manifest.changed.append(path)
    manifest.items.append(msgspec.structs.replace(item, sha256=source.sha256))
    progress(before.st_size)


def verify(path: Path) -> Manifest:
    """Reads all of a backup and compares it with its manifest; `Conflict` names what differs."""
    found: dict[str, str] = {}
    raw = b""
    with archives.files(path) as members:
        for name, file in members:
            if name == archives.MANIFEST:
                raw = file.read(archives.MOST_MANIFEST)
            else:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # it has readinto
    manifest = parse(raw)
    compare(manifest, found)
    return manifest


def parse(raw: bytes) -> Manifest:
    """The manifest, or `Invalid` if the backup is not whole or of a form that this Studio does not know."""
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except msgspec.DecodeError as error:
        raise Invalid("This is no whole backup: it has no manifest.", "Choose another one.") from error
    if manifest.format != FORMAT:
        raise Invalid(
            f"The backup's form {manifest.format} is not known.", f"It was made by Studio {manifest.version}."
        )
    return manifest


def compare(manifest: Manifest, found: dict[str, str]) -> None:
    """`found`: path in the backup → SHA-256."""
    wanted = {f"{archives.HOME}/{item.path}": item.sha256 for item in manifest.items if item.kind == "file"}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise Conflict(f"{name} in the backup is damaged or missing.", "Choose another backup.")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _done(settings: Settings, target: Path, manifest: Manifest) -> Done:
    notes = ["It holds the keys of this installation (mode 0600): keep it as safe as the home itself."]
    if manifest.database == "postgresql":
        notes.append("The database is PostgreSQL's and NOT in it: dump that too (pg_dump), just before this.")
    if not settings.paths.environments.is_relative_to(settings.paths.home):
        notes.append(f"Environments lie outside of the home, in {settings.paths.environments}, and are not in it.")
    elif manifest.left_out:
        notes.append("Built environments are not in it: they are built again.")
    if manifest.changed:
        notes.append(f"{len(manifest.changed)} files were being written to while they were read.")
    files = [item for item in manifest.items if item.kind == "file"]
    size = sum(item.size for item in files)
    return Done(str(target), len(files), size, manifest.database, manifest.changed, manifest.skipped, notes)
