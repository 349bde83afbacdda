"""All endpoints of the table, at run time."""

from functools import partial
from pathlib import Path
from typing import Any

from studio.gateway import entries
from studio.gateway.capture import Capture
from studio.gateway.config import Config
from studio.gateway.endpoints import Endpoint, Keep
from studio.gateway.tables import Tables
from studio.gateway.tending import Tender, below


class Inference:
    """Follows the table: one `Endpoint` for each entry under endpoints/."""

    def __init__(self, config: Config, tables: Tables) -> None:
        self._config = config
        self._tables = tables
        self.endpoints: dict[tuple[str, str], Endpoint] = {}
        self.capture = Capture(config.capture)
        self.tender = Tender(config.sockets)
        tables.listen(self._changed)
        self._changed(set(tables.entries))

    def get(self, domain: str, name: str) -> Endpoint | None:
        """The endpoint, or None."""
        return self.endpoints.get((domain, name))

    def names_origin(self, name: str, origin: bytes) -> bool:
        """Whether an endpoint of that name, whatever its domain, may be called by pages of `origin`."""
        return any(own == name and origin in one.entry.cors for (_, own), one in self.endpoints.items())

    def _changed(self, keys: set[str]) -> None:
        for key in keys:
            kind, _, rest = key.partition("/")
            domain, _, name = rest.partition("/")
            if kind != "endpoints" or not name:
                continue
            entry = self._tables.get(key)
            if entry is None:
                if removed := self.endpoints.pop((domain, name), None):
                    removed.remove()
                continue
            endpoint = self.endpoints.get((domain, name))
            if endpoint is None:
                endpoint = Endpoint(domain, name, self._config.hold_s, self.tender.tend)
                self.endpoints[domain, name] = endpoint
            read = entries.read(entry, endpoint.entry)
            endpoint.capture = self._capture_for(endpoint, Path(read.spool)) if read.spool else None
            endpoint.configure(read, lambda path: below(self._config.sockets, path))

    def _capture_for(self, endpoint: Endpoint, folder: Path) -> Keep | None:
        if not folder.is_relative_to(self._config.capture):
            return None
        return partial(self.capture.add, folder, endpoint.stats, endpoint.name)

    def report(self) -> dict[str, Any]:
        """Figures per "domain/endpoint"."""
        return {f"{domain}/{name}": endpoint.report() for (domain, name), endpoint in self.endpoints.items()}
