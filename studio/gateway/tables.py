"""The gateway's flat table: who may, what is where. Pushed by the server, kept sealed on disk, so it starts alone."""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from cryptography.fernet import InvalidToken

from studio import signing
from studio.errors import Conflict

log = logging.getLogger(__name__)


class Tables:
    """Entries by key: sessions/<digest>, keys/<id>, members/<domain>/<user>, domains/<domain>, labs/<domain>/<user>,
    endpoints/<domain>/<name>; refusals/<domain>[/<endpoint>] and closed/<domain>: what rules deny there now.
    Listeners hear the keys that changed."""

    def __init__(self, path: Path, secret: str) -> None:
        self.entries: dict[str, Any] = {}
        self.seq = 0
        self._path = path
        self._secret = secret
        self._listeners: list[Callable[[set[str]], None]] = []
        self._saving: asyncio.Lock | None = None
        self._version = 0  # counts changes; `seq` begins anew with each server
        self._saved = -1

    def get(self, key: str) -> dict[str, Any] | None:
        """The entry under `key`; only objects count as entries."""
        entry = self.entries.get(key)
        return entry if isinstance(entry, dict) else None

    def listen(self, listener: Callable[[set[str]], None]) -> None:
        """`listener` is called after each change with the keys that changed."""
        self._listeners.append(listener)

    def replace(self, seq: int, full: Mapping[str, Any]) -> None:
        """A numbered snapshot: what is not in it is gone."""
        changed = {key for key in self.entries.keys() | full.keys() if self.entries.get(key) != full.get(key)}
        self.entries = {key: value for key, value in full.items() if value is not None}
        self.seq = seq
        self._tell(changed)

    def change(self, seq: int, delta: Mapping[str, Any]) -> None:
        """The change after `self.seq`; null removes. `Conflict` if changes before it are missing."""
        if seq != self.seq + 1:
            raise Conflict(f"The table is at {self.seq}, the change is {seq}.", "Send the full table.")
        changed = {key for key, value in delta.items() if self.entries.get(key) != value}
        for key, value in delta.items():
            if value is None:
                self.entries.pop(key, None)
            else:
                self.entries[key] = value
        self.seq = seq
        self._tell(changed)

    def _tell(self, changed: Iterable[str]) -> None:
        self._version += 1
        keys = set(changed)
        if keys:
            for listener in self._listeners:
                listener(keys)

    def restore(self) -> bool:
        """Takes the table kept on disk; False (and an empty table: nobody may) if there is none that opens."""
        try:
            raw = signing.unseal(self._secret, self._path.read_bytes())
            kept = msgspec.json.decode(raw)
            self.replace(int(kept["seq"]), dict(kept["entries"]))
        except FileNotFoundError:
            return False
        except (InvalidToken, OSError, msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
            log.warning("the kept table does not open (%s): starting with an empty one", type(error).__name__)
            return False
        self._saved = self._version
        return True

    async def save(self) -> None:
        """Keeps the table on disk; returns when at least the state at the time of the call is there."""
        self._saving = self._saving or asyncio.Lock()
        async with self._saving:
            version = self._version
            if self._saved == version:
                return
            raw = msgspec.json.encode({"seq": self.seq, "entries": self.entries})
            await asyncio.get_running_loop().run_in_executor(None, self._write, raw)
            self._saved = version

    def _write(self, raw: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(signing.seal(self._secret, raw))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
