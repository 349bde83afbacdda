"""Registered models brought from another registry: numbers kept where they are free, aliases here stay."""

import pytest
from sqlalchemy import Connection

from studio.registry import models, transfer, versions
from studio.registry.transfer import GivenRegistered, GivenVersion
from studio.tracking import runs

MODEL = GivenRegistered("iris", "from there", 5, 6, {"team": "a"})


@pytest.fixture
def run(db: Connection) -> str:
    return runs.create(db, "demo", "0", owner="ann").info.run_id


def given(run: str, number: int, created_ms: int = 7) -> GivenVersion:
    return GivenVersion(number, f"runs:/{run}/model", run, f"number {number}", "Staging", created_ms, 8, {"t": "1"})


def test_numbers_gaps_and_times_are_kept(db: Connection, run: str) -> None:
    done = transfer.put_all(db, "demo", "ann", MODEL, [given(run, 4, 9), given(run, 2)], {"best": 4})
    assert (done.new, done.versions, done.new_versions, done.kept) == (True, {"2": 2, "4": 4}, 2, [])
    found = models.get(db, "demo", "iris")
    assert (found.created_ms, found.updated_ms, found.description) == (5, 6, "from there")
    assert found.aliases == {"best": 4}
    second = versions.get(db, "demo", "iris", 2)
    assert (second.created_ms, second.updated_ms, second.stage, second.source) == (
        7,
        8,
        "Staging",
        f"runs:/{run}/model",
    )
    again = transfer.put_all(db, "demo", "bob", MODEL, [given(run, 4, 9), given(run, 2)], {"best": 4})
    assert (again.new, again.versions, again.new_versions) == (False, {"2": 2, "4": 4}, 0)
    assert models.get(db, "demo", "iris") == found


def test_a_taken_number_becomes_the_next_and_aliases_here_stay(db: Connection, run: str) -> None:
    models.create(db, "demo", "iris", owner="ann")
    versions.create(db, "demo", "iris", f"runs:/{run}/own", owner="ann")
    models.set_alias(db, "demo", "iris", "best", 1)
    done = transfer.put_all(db, "demo", "ann", MODEL, [given(run, 1)], {"best": 1, "new": 1})
    assert (done.versions, done.kept) == ({"1": 2}, ["best"])
    assert models.get(db, "demo", "iris").aliases == {"best": 1, "new": 2}
    assert transfer.put_all(db, "demo", "ann", MODEL, [given(run, 1)], {}).versions == {"1": 2}


@pytest.mark.parametrize("source", ["file:///etc", "runs:/" + "f" * 32 + "/m", "s3://b/k", "models:/m-none"])
def test_a_version_from_elsewhere_is_named_and_leaves_the_others(db: Connection, run: str, source: str) -> None:
    wrong = GivenVersion(1, source, "", "", "None", 1, 1)
    done = transfer.put_all(db, "demo", "ann", MODEL, [wrong, given(run, 2)], {"best": 1})
    assert done.versions == {"2": 2}
    assert len(done.problems) == 1
    assert models.get(db, "demo", "iris").aliases == {}
