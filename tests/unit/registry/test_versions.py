"""Registering: numbers, aliases, and that a version's files are always the domain's own (attacks 10, 11, 30)."""

from dataclasses import dataclass

import pytest
from sqlalchemy import Connection

from studio.errors import AlreadyExists, Invalid, NotFound, StudioError
from studio.registry import models, searching, versions
from studio.tracking import logged_models, runs
from studio.tracking.records import Pair


@dataclass
class Made:
    """A run with a logged model in `demo`, and a run in `other`."""

    run: str
    uri: str
    model: str
    foreign: str


@pytest.fixture
def made(db: Connection) -> Made:
    run = runs.create(db, "demo", "0", owner="ann").info
    model = logged_models.create(db, "demo", run.experiment_id, name="m", source_run_id=run.run_id)
    foreign = runs.create(db, "other", "0", owner="bob").info
    models.create(db, "demo", "rain", owner="ann")
    return Made(run.run_id, run.artifact_uri, model.model_id, foreign.run_id)


def test_versions_count_on_after_a_delete(db: Connection, made: Made) -> None:
    source = f"models:/{made.model}"
    assert [versions.create(db, "demo", "rain", source, owner="ann").version for _ in range(3)] == [1, 2, 3]
    versions.remove(db, "demo", "rain", 3)
    assert versions.create(db, "demo", "rain", source, owner="ann").version == 4
    assert [version.version for version in versions.of_model(db, "demo", "rain")] == [4, 2, 1]


def test_a_uri_means_a_version(db: Connection, made: Made) -> None:
    for _ in range(2):
        versions.create(db, "demo", "rain", f"models:/{made.model}", owner="ann", model_id=made.model)
    models.set_alias(db, "demo", "rain", "champion", 1)
    assert versions.resolve(db, "demo", "models:/rain@champion").version == 1
    assert versions.resolve(db, "demo", "models:/rain/2").version == 2
    assert versions.resolve(db, "demo", "models:/rain/latest").version == 2
    assert versions.resolve(db, "demo", "models:/rain@champion").run_id == made.run
    models.set_alias(db, "demo", "rain", "champion", 2)
    assert models.get(db, "demo", "rain").aliases == {"champion": 2}
    versions.remove(db, "demo", "rain", 2)
    assert models.get(db, "demo", "rain").aliases == {}
    for uri in ("models:/rain", "models:/rain@nope", "models:/rain/9", "models:/rain/x", "models:/../x/1", "rain/1"):
        with pytest.raises(StudioError):
            versions.resolve(db, "demo", uri)
    with pytest.raises(NotFound):
        versions.resolve(db, "other", "models:/rain/1")


def test_sources_of_this_domain_are_taken(db: Connection, made: Made) -> None:
    for source, run_id, model_id in (
        (f"models:/{made.model}", "", ""),
        (f"models:/{made.model}", "", made.model),
        (f"runs:/{made.run}/x", made.run, ""),
        (f"runs:/{made.run}/m", "", ""),
        (f"{made.uri}/x", made.run, ""),
        ("models:/rain/1", "", ""),
    ):
        version = versions.create(db, "demo", "rain", source, owner="ann", run_id=run_id, model_id=model_id)
        assert version.location.startswith("mlflow-artifacts:/")
    assert versions.get(db, "demo", "rain", 4).location.endswith(f"models/{made.model}/artifacts")


@pytest.mark.parametrize(
    "source",
    [
        *("file:///etc", "/etc", "http://169.254.169.254/x", "s3://b/k", "dbfs:/x", "", "models:/"),
        *("mlflow-artifacts:/1/../2", "mlflow-artifacts://host/1", "mlflow-artifacts:/999", "mlflow-artifacts:/"),
        *("models:/m-nope", "models://host/m-1", "runs:/nope/x", "models:/rain/77"),
        *("runs:/{run}/../x", "runs:/{run}/%2e%2e/x", "{uri}2/x", "{uri}/../../x", "runs:/{foreign}/x"),
    ],
)
@pytest.mark.parametrize("with_run", [True, False])
def test_any_other_source_is_refused(db: Connection, made: Made, source: str, with_run: bool) -> None:
    text = source.format(run=made.run, uri=made.uri, foreign=made.foreign)
    with pytest.raises((Invalid, NotFound)):
        versions.create(db, "demo", "rain", text, owner="ann", run_id=made.run if with_run else "")
    assert versions.of_model(db, "demo", "rain") == []


def test_a_place_needs_its_run(db: Connection, made: Made) -> None:
    with pytest.raises(Invalid):
        versions.create(db, "demo", "rain", f"{made.uri}/x", owner="ann")


def test_another_domain_sees_nothing(db: Connection, made: Made) -> None:
    versions.create(db, "demo", "rain", f"models:/{made.model}", owner="ann")
    models.create(db, "other", "rain", owner="bob")
    for source in (f"models:/{made.model}", f"runs:/{made.run}/m", "models:/rain/1"):
        with pytest.raises((Invalid, NotFound)):
            versions.create(db, "other", "rain", source, owner="bob")
    assert versions.of_model(db, "other", "rain") == []
    assert searching.search_versions(db, "other")[0] == []
    with pytest.raises(NotFound):
        logged_models.get(db, "other", made.model)


def test_names_are_unique_and_models_renamed(db: Connection, made: Made) -> None:
    versions.create(db, "demo", "rain", f"models:/{made.model}", owner="ann", tags=[Pair("a", "b")])
    models.create(db, "demo", "sun", owner="ann")
    with pytest.raises(AlreadyExists):
        models.create(db, "demo", "rain", owner="ann")
    with pytest.raises(AlreadyExists):
        models.rename(db, "demo", "rain", "sun")
    models.rename(db, "demo", "rain", "snow")
    assert versions.get(db, "demo", "snow", 1).tags == [Pair("a", "b")]
    for name in ("", " ", "a/b", "a:b", "..", "x" * 257):
        with pytest.raises(Invalid):
            models.create(db, "demo", name, owner="ann")
    for alias in ("latest", "v1", "a b", "", "x" * 256):
        with pytest.raises(Invalid):
            models.set_alias(db, "demo", "snow", alias, 1)


def test_search_pages_and_filters(db: Connection, made: Made) -> None:
    for n in range(5):
        models.create(db, "demo", f"m{n}", owner="ann", tags=[Pair("odd", str(n % 2))])
    seen: list[str] = []
    token = None
    while True:
        found, token = searching.search_models(
            db, "demo", filter_text="name LIKE 'm%' AND tags.odd = '0'", max_results=2, page_token=token
        )
        seen += [model.name for model in found]
        if token is None:
            break
    assert seen == ["m0", "m2", "m4"]
    assert [m.name for m in searching.search_models(db, "demo", filter_text="name IN ('m1', 'rain')")[0]] == [
        "m1",
        "rain",
    ]
