"""The database of the tracking tests, with the domains `demo` and `other`."""

from tests.unit.tracking.conftest import db, engine

__all__ = ["db", "engine"]
