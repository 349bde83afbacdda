"""A database of two domains in memory."""

from tests.unit.tracking.conftest import db, engine

__all__ = ["db", "engine"]
