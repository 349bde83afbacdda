"""The database of the tracking tests: the registry stands on it."""

from tests.unit.tracking.conftest import db, engine

__all__ = ["db", "engine"]
