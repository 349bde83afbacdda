"""Requests and answers to the endpoint's spool: bounded, never waited for, dropped and counted when too much.

A segment is a file of frames (`studio.guest.frames`, kind CAPTURE): header a `Record`, body = request body + answer
body. It is written as `<ms>-<n>.open` and renamed to `<ms>-<n>.frames` when closed; the
last frame of a segment may be cut short if the gateway was killed.
"""

import asyncio
import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import msgspec

from studio import clock
from studio.errors import StudioError
from studio.gateway.calls import Call
from studio.gateway.links import AnswerHead
from studio.gateway.stats import Stats
from studio.guest import frames
from studio.runtime import beneath

_FLUSH_S = 0.01
_FLUSH_BYTES = 256 * 1024
_QUEUE_BYTES = 8 * 1024 * 1024
_BODY_BYTES = 1024 * 1024
_SEGMENT_BYTES = 1024 * 1024
_SEGMENT_S = 1.0
log = logging.getLogger(__name__)


class Record(msgspec.Struct):
    """What is said of a request beside its body and the answer's; `omitted`: both were too large to be kept."""

    id: str
    at_ms: int
    endpoint: str
    variant: str
    version: str
    status: int
    latency_us: int
    predict_us: int
    rows: int
    content_type: str
    answer_type: str
    request_bytes: int
    omitted: bool


class Spool:
    """One endpoint's spool folder, written by one thread. The folder may be changed from inside a sandbox: no link is
    followed and no existing file is opened."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._folder = folder
        self._directory = -1
        self._file = -1
        self._name = ""
        self._bytes = 0
        self._opened = 0.0
        self._count = 0

    def write(self, data: bytes) -> None:
        """Appends frames to the open segment, opening one if there is none."""
        if self._directory >= 0 and os.fstat(self._directory).st_nlink == 0:
            self.close()  # the endpoint was deleted, and another one has its name now
        if self._file < 0:
            self._open()
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        self._bytes += len(data)
        if self._bytes >= _SEGMENT_BYTES:
            self.rotate()

    def rotate_if_old(self) -> None:
        if self._file >= 0 and time.monotonic() - self._opened > _SEGMENT_S:
            self.rotate()

    def rotate(self) -> None:
        """Closes the segment and gives it its final name."""
        if self._file < 0:
            return
        os.close(self._file)
        self._file = -1
        with suppress(FileNotFoundError):
            self._rename(self._name)

    def close(self) -> None:
        self.rotate()
        if self._directory >= 0:
            os.close(self._directory)
            self._directory = -1

    def _rename(self, name: str) -> None:
        final = name.removesuffix(".open") + ".frames"
        os.rename(name, final, src_dir_fd=self._directory, dst_dir_fd=self._directory)

    def _open(self) -> None:
        if self._directory < 0:
            self._directory = _directory(self._root, self._folder)
            for left in os.listdir(self._directory):  # noqa: PTH208 - a descriptor, so that no link is followed
                if left.endswith(".open"):  # of a gateway that was killed
                    self._rename(left)
        self._count += 1
        self._name = f"{clock.now_ms()}-{self._count}.open"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        self._file = os.open(self._name, flags, 0o600, dir_fd=self._directory)
        self._bytes, self._opened = 0, time.monotonic()


def _directory(root: Path, folder: Path) -> int:
    """A descriptor of `folder`, made if need be, following no link below `root`."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with beneath.folder(root, folder.relative_to(root).parts, make=True) as descriptor:
        return os.dup(descriptor)


class Capture:
    """Takes records from the event loop, writes them in a thread of its own."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._thread = ThreadPoolExecutor(1, "capture")
        self._spools: dict[Path, Spool] = {}
        self._queued: dict[Path, list[bytes]] = {}
        self._bytes = 0
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._count = 0

    def add(
        self, folder: Path, stats: Stats, endpoint: str, call: Call, status: int, head: AnswerHead | None, body: bytes
    ) -> None:
        """Queues one record; counts it as dropped if too much is queued already."""
        size = len(call.body) + len(body)
        if self._bytes + size > _QUEUE_BYTES:
            stats.dropped += 1
            return
        omitted = size > _BODY_BYTES
        variant = call.variant
        header = _encode(
            Record(
                call.inference_id,
                call.at_ms,
                endpoint,
                variant.name if variant else "",
                variant.version if variant else "",
                status,
                int((time.monotonic() - call.begun) * 1e6),
                head.us if head else 0,
                head.rows if head else 0,
                call.content_type[:200] or "application/json",
                head.type[:200] if head else "",
                0 if omitted else len(call.body),
                omitted,
            )
        )
        self._count += 1
        data = frames.encode(frames.CAPTURE, self._count, header, b"" if omitted else call.body + body)
        self._queued.setdefault(folder, []).append(data)
        self._bytes += len(data)
        stats.captured += 1
        if self._bytes > _FLUSH_BYTES:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_S, self.flush)

    def flush(self) -> None:
        """Hands what is queued to the thread, unless it is still writing: then it goes with the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._busy or not self._queued:
            return
        queued, self._queued = self._queued, {}
        written = sum(len(data) for parts in queued.values() for data in parts)
        self._busy = True
        loop = asyncio.get_running_loop()
        loop.run_in_executor(self._thread, self._write, queued).add_done_callback(lambda _: self._written(written))

    def _written(self, size: int) -> None:
        self._busy = False
        self._bytes -= size
        if self._queued and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_S, self.flush)

    def _write(self, queued: dict[Path, list[bytes]]) -> None:
        for folder, parts in queued.items():
            spool = self._spools.get(folder)
            if spool is None:
                spool = self._spools[folder] = Spool(self._root, folder)
            try:
                spool.write(b"".join(parts))
            except (OSError, ValueError, StudioError) as error:
                # A full disk or a folder that was deleted must not stop predictions.
                log.warning("capture of %s: %s", folder.parent.name, error)
                with suppress(OSError):
                    spool.close()
                self._spools.pop(folder, None)

    def sweep(self) -> None:
        """Closes segments that are old enough; called every second."""
        self._thread.submit(self._rotate, False)

    def _rotate(self, everything: bool) -> None:
        for spool in self._spools.values():
            with suppress(OSError):
                spool.close() if everything else spool.rotate_if_old()

    def close(self) -> None:
        """Writes and closes everything."""
        queued, self._queued = self._queued, {}
        self._thread.submit(self._write, queued)
        self._thread.submit(self._rotate, True)
        self._thread.shutdown(wait=True)


_encode = msgspec.json.Encoder().encode
