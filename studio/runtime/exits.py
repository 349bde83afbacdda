"""How things ended: durable records, with a reason that a person understands and what to do next."""

import logging
import os
import signal as signals
from contextlib import suppress
from pathlib import Path

import msgspec

from studio.runtime.specs import ExitRecord

KEEP = 2000
_log = logging.getLogger("supervisor")
_MEBIBYTE = 1024 * 1024


def explain(
    kind: str,
    code: int | None,
    signal: int | None,
    *,
    oom: bool = False,
    limit_bytes: int = 0,
    peak_bytes: int = 0,
    stopped: bool = False,
    sandbox_ended: bool = False,
) -> tuple[str, str]:
    """(reason, message). `stopped`: somebody asked for it; `sandbox_ended`: it went with its sandbox."""
    if oom:
        peak = f", its highest use was {peak_bytes // _MEBIBYTE} MiB" if peak_bytes else ""
        limit = f"the limit of {limit_bytes // _MEBIBYTE} MiB" if limit_bytes else "the memory of its sandbox"
        cure = "Choose a larger instance type, or use less data at once."
        return "out of memory", f"The {kind} reached {limit}{peak}. {cure}"
    if stopped:
        return "stopped", f"The {kind} was stopped. Start it again when you need it."
    if sandbox_ended:
        return "sandbox ended", f"The {kind} ended with its sandbox. Start it again; its files are still there."
    if signal is not None:
        return _by_signal(kind, signal)
    if code == 0:
        return "completed", f"The {kind} ran to its end."
    if code is None:
        return "lost", f"The {kind} ended while nobody could see how. Its log has the last lines; start it again."
    if code == 75:
        return "not admitted", f"The {kind} got no answer from the supervisor. Is `studio up` running? Start it again."
    return f"exit code {code}", f"The {kind} ended with exit code {code}. Its log says why; then start it again."


def _by_signal(kind: str, number: int) -> tuple[str, str]:
    try:
        name = signals.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    if number == signals.SIGKILL:
        return "killed", f"The {kind} was killed (SIGKILL) from outside Studio. Start it again."
    if number in (signals.SIGSEGV, signals.SIGBUS, signals.SIGILL, signals.SIGFPE, signals.SIGABRT):
        return f"crashed ({name})", f"Compiled code in the {kind} crashed. Update the package its log names last."
    return f"ended by {name}", f"The {kind} was ended by {name}. Start it again."


class Exits:
    """An append-only file of records with a rising number; a half-written last line (a crash) is dropped."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / "exits.jsonl"
        self._records = self._load()
        self._seq = self._records[-1].seq if self._records else 0
        self._is_behind = False
        self._rewrite()

    def _load(self) -> list[ExitRecord]:
        found: list[ExitRecord] = []
        with suppress(FileNotFoundError):
            for line in self._path.read_bytes().splitlines():
                with suppress(msgspec.DecodeError):
                    found.append(msgspec.json.decode(line, type=ExitRecord))
        return found

    def _rewrite(self) -> None:
        self._records = self._records[-KEEP:]
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.writelines(msgspec.json.encode(record) + b"\n" for record in self._records)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        self._is_behind = False

    def add(self, record: ExitRecord) -> ExitRecord:
        """Numbers the record and keeps it; on disk before this returns, or when there is room on the disk again."""
        self._seq += 1
        kept = msgspec.structs.replace(record, seq=self._seq)
        self._records.append(kept)
        try:
            if self._is_behind or len(self._records) > 2 * KEEP:
                self._rewrite()
            else:
                self._append(kept)
        except OSError as error:
            # Whoever keeps processes running must not end with the disk.
            _log.error("an exit could not be recorded (%s); free space on the disk", error.strerror)
            self._is_behind = True
        return kept

    def _append(self, kept: ExitRecord) -> None:
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(kept) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def catch_up(self) -> None:
        """Writes what could not be written."""
        if self._is_behind:
            with suppress(OSError):
                self._rewrite()

    def since(self, seq: int) -> list[ExitRecord]:
        """All records numbered above `seq`, oldest first."""
        return [record for record in self._records if record.seq > seq]
