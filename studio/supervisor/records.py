"""What the supervisor knows, on disk, so that the next one can go on with what lives."""

import logging
import os
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct, field

from studio.runtime.limits import Group
from studio.runtime.process import Handle
from studio.runtime.specs import SandboxSpec, ServiceSpec

T = TypeVar("T")
_log = logging.getLogger("supervisor")


class ServiceRecord(Struct):
    """A service that was started; `handle` is its host process."""

    spec: ServiceSpec
    handle: Handle
    started_ms: int


class ChildRecord(Struct):
    """A child that was admitted. `inside_pid` is what its parent calls it, `revision` its fork server's."""

    name: str
    kind: str
    environment: str
    handle: Handle
    inside_pid: int
    started_ms: int
    group: Group
    log: str = ""
    revision: str = ""


class BoxRecord(Struct):
    """A sandbox that was started; `handle` is pid 1 of its namespace as the host sees it."""

    spec: SandboxSpec
    handle: Handle
    started_ms: int
    group: Group
    services: list[ServiceRecord] = field(default_factory=list)
    children: list[ChildRecord] = field(default_factory=list)


class KeptRecord(Struct):
    """Gateway or server."""

    handle: Handle
    started_ms: int


class SupervisorRecord(Struct):
    """supervisor.json: who runs this home, and where."""

    pid: int
    start_time: int
    address: str
    host: str
    port: int
    version: str


class ToolRecord(Struct):
    """A run-once host program; its exit code appears in a file beside this record."""

    name: str
    handle: Handle
    started_ms: int


def write(path: Path, record: Struct) -> None:
    """Replaces the file as a whole, for this user alone: a spec holds its sandbox's token."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(record))
    fresh.replace(path)


def keep(path: Path, record: Struct) -> bool:
    """Writes a record if the disk takes it, since nothing may stop running for want of it; False is tried again."""
    try:
        write(path, record)
    except OSError as error:
        _log.error("%s could not be written (%s); free space on the disk", path.name, error.strerror)
        return False
    return True


def read(path: Path, kind: type[T]) -> T | None:
    """The record, None if there is none or it cannot be read (then what it meant is swept)."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
