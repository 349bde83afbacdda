"""All tables of all slices: one file a slice, one metadata."""

import importlib
import pkgutil

from studio.store.tables.base import metadata

# Every file here is a slice's tables: importing the package knows the whole schema, as migrations need.
for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["metadata"]
