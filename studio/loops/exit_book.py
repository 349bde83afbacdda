"""Exit records by name: read from the supervisor once each, kept in memory; all are read again after a restart."""

from weakref import WeakKeyDictionary

from studio.runtime.specs import ExitRecord
from studio.runtime.supervising import Supervisor

KEEP = 5000  # more than the supervisor keeps


class ExitBook:
    """Knows how things ended. A name's newest record counts. `seq`: number of the last record that was read."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], ExitRecord] = {}
        self.seq = 0

    async def read(self, supervisor: Supervisor) -> list[ExitRecord]:
        """Reads on; the records that are new, oldest first."""
        fresh = await supervisor.exits(self.seq)
        for record in fresh:
            self._records.pop((record.sandbox, record.name), None)
            self._records[record.sandbox, record.name] = record
            self.seq = max(self.seq, record.seq)
        while len(self._records) > KEEP:
            del self._records[next(iter(self._records))]
        return fresh

    def find(self, sandbox: str, name: str) -> ExitRecord | None:
        """How `name` in `sandbox` ended last, if it ever did."""
        return self._records.get((sandbox, name))


_BOOKS: WeakKeyDictionary[Supervisor, dict[str, ExitBook]] = WeakKeyDictionary()


def book(supervisor: Supervisor, reader: str) -> ExitBook:
    """The book of one `reader` (a loop reads at its own pace) of this supervisor's records."""
    return _BOOKS.setdefault(supervisor, {}).setdefault(reader, ExitBook())
