"""The database: one writer that groups commits, many readers, signals after the commit."""

from studio.store.engine import Store
from studio.store.signals import Signal, signal

__all__ = ["Signal", "Store", "signal"]
