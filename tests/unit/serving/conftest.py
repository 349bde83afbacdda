"""A database of two domains with a registered model, and the environment ready."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, insert, select

from studio.domains import instance_types
from studio.environments import environments, versions
from studio.environments.definitions import Definition
from studio.registry import models
from studio.store.tables.domains import instance_types as types
from studio.store.tables.registry import model_versions, registered_models
from tests.unit.tracking.conftest import make_engine


def fill(db: Connection) -> None:
    """The model `rain` with versions 1 and 2; the environment `sklearn`; instance types."""
    for item in instance_types.FIRST:
        values = {"name": item.name, "cpu": item.cpu, "memory_mb": item.memory_mb, "gpu": 0}
        db.execute(insert(types).values(**values, price_per_hour=item.price_per_hour).prefix_with("OR IGNORE"))
    versions.define(db, [Definition("sklearn", "scikit-learn", "", ("scikit-learn",), ())])
    versions.finish(db, environments.get(db, environments.CATALOGUE, "sklearn").newest, "e" * 32)
    models.create(db, "demo", "rain", owner="ada")
    model = db.scalar(select(registered_models.c.id))
    for number in (1, 2):
        place = f"mlflow-artifacts:/0/models/m-{number}/artifacts"
        given = {"model": model, "version": number, "owner": "ada", "stage": "None", "source": place, "location": place}
        db.execute(insert(model_versions).values(**given, status="READY", created_ms=1, updated_ms=1))


@pytest.fixture
def db() -> Iterator[Connection]:
    """One transaction of it."""
    engine = make_engine()
    with engine.begin() as connection:
        fill(connection)
        yield connection
    engine.dispose()
