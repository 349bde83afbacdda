"""All endpoints of the table, at run time."""

from functools import partial
from pathlib import Path
from typing import Any

from studio.gateway.capture import Capture
from studio.gateway.config import Config
from studio.gateway.endpoints import Endpoint
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
            self._set_capture(endpoint, entry)
            endpoint.configure(entry, lambda path: below(self._config.sockets, path))

    def _set_capture(self, endpoint: Endpoint, entry: dict[str, Any]) -> None:
        spool = (entry.get("capture") or {}).get("spool")
        if not spool:
            endpoint.capture = None
            return
        folder = Path(str(spool))
        if not folder.is_relative_to(self._config.capture):
            endpoint.capture = None
            return
        endpoint.capture = partial(self.capture.add, folder, endpoint.stats, endpoint.name)

    def report(self) -> dict[str, Any]:
        """Figures per "domain/endpoint"."""
        found: dict[str, Any] = {}
        for (domain, name), endpoint in self.endpoints.items():
            links = [link for variant in endpoint.variants for link in variant.links.values()]
            found[f"{domain}/{name}"] = endpoint.stats.report() | {
                "waiting": len(endpoint.waiting),
                "replicas": [link.describe() for link in links],
            }
        return found
