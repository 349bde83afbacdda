"""How things ended: durable records, with a reason that a person understands and what to do next."""

import logging
import os
import re
import signal as signals
from contextlib import suppress
from pathlib import Path

import msgspec

from studio.runtime.specs import ExitRecord

KEEP = 2000
_log = logging.getLogger("supervisor")
_MEBIBYTE = 1024 * 1024
# Bytes of a log's end that are looked at for last words: Python's list of compiled modules after a crash is long.
LAST_WORDS = 32 * 1024
# Reasons of ends that somebody asked for, or that are a good end.
EXPECTED = ("completed", "stopped", "sandbox ended")
_AGAIN = {"kernel": "run its cells again", "job": "run it again", "replica": "deploy again"}
_MORE_MEMORY = {
    "kernel": "Use less data at once, or run it as a job on a larger instance type.",
    "job": "Choose a larger instance type, or use less data at once.",
    "replica": "Deploy on a larger instance type, or send less data at once.",
}
_CRASHES = {
    "SIGSEGV": "segmentation fault",
    "SIGBUS": "bus error",
    "SIGILL": "illegal instruction",
    "SIGFPE": "arithmetic fault",
    "SIGABRT": "deliberate abort",
}
# What Python's traceback ends in, and what its faulthandler says first about the thread that crashed.
_ERROR_LINE = re.compile(r"^((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception|Interrupt|Exit)): ?(.*)$", re.MULTILINE)
_MODULE = re.compile(r"No module named '([\w.]{1,100})'")
_CRASH_SITE = re.compile(
    r'^Current thread [^\n]*\n\s+File "([^"\n]{1,200})", line (\d{1,9}) in ([\w<>.]{1,80})', re.MULTILINE
)


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
    last_words: str = "",
) -> tuple[str, str]:
    """(reason, message): a short phrase, and a sentence that contains it and ends with what to do next.

    `stopped`: somebody asked for it; `sandbox_ended`: it went with its sandbox; `last_words`: the end of its log, which
    is untrusted text and only makes an end that is known already clearer."""
    if oom:
        return "out of memory", _out_of_memory(kind, limit_bytes, peak_bytes)
    if stopped:
        return "stopped", f"The {kind} was stopped. Start it again when you need it."
    if sandbox_ended:
        return "sandbox ended", f"The {kind} ended with its sandbox. Start it again; its files are still there."
    if signal is not None:
        return _by_signal(kind, signal, last_words)
    if code == 0:
        return "completed", f"The {kind} ran to its end."
    if code is None:
        return "lost", f"The {kind} ended while nobody could see how. Its log has the last lines; start it again."
    if code == 75:
        return "not admitted", f"The {kind} got no answer from the supervisor. Is `studio up` running? Start it again."
    if code == 1 and (missing := _failed_import(last_words)):
        return "import error", _import_error(kind, missing)
    return f"exit code {code}", f"The {kind} ended with exit code {code}. Its log says why; then start it again."


def _out_of_memory(kind: str, limit_bytes: int, peak_bytes: int) -> str:
    peak = f" (highest use: {peak_bytes // _MEBIBYTE} MiB)" if peak_bytes else ""
    # Far below its own limit it was not the one that used up what there was.
    if not limit_bytes or 0 < peak_bytes < 0.9 * limit_bytes:
        cure = "Stop what else runs there, or have an admin allow it more: studio domain set NAME --memory."
        return f"The {kind} ran out of memory: its sandbox has no more{peak}. {cure}"
    cure = _MORE_MEMORY.get(kind, "Give it more memory, or use less data at once.")
    return f"The {kind} ran out of memory: it reached the limit of {limit_bytes // _MEBIBYTE} MiB{peak}. {cure}"


def _by_signal(kind: str, number: int, last_words: str) -> tuple[str, str]:
    try:
        name = signals.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    again = _AGAIN.get(kind, "start it again")
    if number == signals.SIGKILL:
        return "killed", f"The {kind} was killed (SIGKILL) from outside Studio: {again}."
    if name == "SIGSYS":
        return "refused system call (SIGSYS)", (
            f"The {kind} ended with a refused system call (SIGSYS): sandboxes run 64-bit code of this machine only. "
            f"Use such a build of the program, then {again}."
        )
    if crash := _CRASHES.get(name):
        found = _CRASH_SITE.search(last_words)
        where = f" in {found[3]} ({found[1]}, line {found[2]})" if found else ""
        cure = f"Compiled code is to blame: update the package that is called there, then {again}."
        return f"{crash} ({name})", f"The {kind} ended by a {crash} ({name}){where}. {cure}"
    return f"ended by {name}", f"The {kind} was ended by {name}. Start it again."


def _failed_import(last_words: str) -> str:
    """What the import error says that ended the process; "" if something else did."""
    errors = list(_ERROR_LINE.finditer(last_words))
    if not errors or errors[-1][1] not in ("ImportError", "ModuleNotFoundError"):
        return ""
    return errors[-1][2].strip()[:300] or "an import failed"


def _import_error(kind: str, said: str) -> str:
    again = _AGAIN.get(kind, "start it again")
    if module := _MODULE.search(said):
        package = module[1].partition(".")[0]
        cure = f"Add the package that provides {package!r} to the environment (panel Environments)"
        said = f"its environment has no module {module[1]!r}"
        return f"The {kind} ended by an import error: {said}. {cure}, then {again}."
    cure = "A package has another version than this code expects: change it in the environment (panel Environments)"
    return f"The {kind} ended by an import error: {said.rstrip('.')}. {cure}, then {again}."


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
