"""What the gateway itself refuses to a program: by the key's scope, by a rule of the domain's policy."""

from typing import Any

from studio.errors import Denied
from studio.gateway.identity import Identity
from studio.gateway.tables import Tables
from studio.patterns import is_one_of

MOST = 100


class Refusals:
    """Checks, and keeps the last refusals until the server has taken them into its log."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._kept: list[dict[str, str]] = []
        self._dropped = 0

    def require(self, identity: Identity, role: str, action: str, resource: str, key: str, client: str) -> None:
        """`Denied` if the key is narrowed to something else, or a rule in the table under `key` denies this person."""
        try:
            identity.require(action, resource)
            entry = self._tables.get(key)
            for rule in entry["rules"] if entry is not None else ():
                if is_one_of(rule["who"], identity.user, role):
                    raise Denied(rule["message"], rule["hint"])
        except Denied as error:
            self._keep(identity, action, resource, error.message, client)
            raise

    def take(self) -> dict[str, Any]:
        """What was kept since the last time, and how many were not for there being too many."""
        taken = {"refusals": self._kept, "dropped": self._dropped}
        self._kept, self._dropped = [], 0
        return taken

    def _keep(self, identity: Identity, action: str, resource: str, message: str, client: str) -> None:
        if len(self._kept) >= MOST:
            self._dropped += 1
            return
        told = {"user": identity.user, "credential": identity.credential, "domain": identity.domain}
        self._kept.append(told | {"action": action, "resource": resource, "detail": message, "address": client})
