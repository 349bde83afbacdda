"""A gateway with a fork server and the models of `tests.e2e.served_models`, for tests of the wires."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import served_models
from tests.e2e.gateways.forker import Forker
from tests.e2e.gateways.gateway import Gateway


@contextlib.contextmanager
def with_models(folders: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Path]]:
    """The gateway, with one member, and the folder of the models."""
    models = served_models.make(folders.mktemp("models"))
    forker = Forker(folders.mktemp("forker"))
    gateway = Gateway(folders.mktemp("gateway"), forker)
    gateway.start()
    gateway.member()
    yield gateway, models
    gateway.close()
    forker.close()
