"""Who decided what about a version, and that no client can write it (attack 27d in the registry)."""

import pytest
from sqlalchemy import Connection

from studio.errors import Conflict, Invalid, NotFound
from studio.registry import approvals, models, searching, versions
from studio.registry.approvals import State
from studio.tracking import logged_models, runs
from studio.tracking.records import Pair


@pytest.fixture
def version(db: Connection) -> int:
    run = runs.create(db, "demo", "0", owner="ann").info
    model = logged_models.create(db, "demo", run.experiment_id, name="m", source_run_id=run.run_id)
    models.create(db, "demo", "rain", owner="ann")
    return versions.create(db, "demo", "rain", f"models:/{model.model_id}", owner="ann").version


def test_decisions_are_kept_newest_first(db: Connection, version: int) -> None:
    assert approvals.newest(db, "demo", "rain") == {}
    approvals.record(db, "demo", "rain", version, State.pending, "eve", "please look")
    approvals.record(db, "demo", "rain", version, State.rejected, "ann", "recall fell")
    approvals.record(db, "demo", "rain", version, State.approved, "ann", "")
    found = approvals.history(db, "demo", "rain", version)
    assert [(item.state, item.by, item.reason) for item in found] == [
        (State.approved, "ann", ""),
        (State.rejected, "ann", "recall fell"),
        (State.pending, "eve", "please look"),
    ]
    assert approvals.newest(db, "demo", "rain") == {version: found[0]}


def test_the_mlflow_client_reads_the_newest_as_tags(db: Connection, version: int) -> None:
    approvals.record(db, "demo", "rain", version, State.rejected, "ann", "recall fell")
    approvals.record(db, "demo", "rain", version, State.approved, "zoe", "seen")
    tags = {tag.key: tag.value for tag in versions.get(db, "demo", "rain", version).tags}
    assert tags.pop("studio.approval.at").endswith("+00:00")
    assert tags == {"studio.approval": "approved", "studio.approval.by": "zoe", "studio.approval.reason": "seen"}
    found, _ = searching.search_versions(db, "demo", filter_text="tags.`studio.approval` = 'approved'")
    assert [item.version for item in found] == [version]


def test_no_client_writes_or_deletes_a_decision(db: Connection, version: int) -> None:
    approvals.record(db, "demo", "rain", version, State.pending, "eve", "")
    for key in ("studio.approval", "studio.approval.by"):
        with pytest.raises(Invalid):
            versions.set_tag(db, "demo", "rain", version, Pair(key, "approved"))
        with pytest.raises(Invalid):
            versions.delete_tag(db, "demo", "rain", version, key)
    versions.set_tag(db, "demo", "rain", version, Pair("studio.approvals", "is no decision"))
    assert approvals.newest(db, "demo", "rain")[version].state is State.pending


def test_a_copy_starts_without_the_decision(db: Connection, version: int) -> None:
    approvals.record(db, "demo", "rain", version, State.approved, "ann", "")
    models.create(db, "demo", "copy", owner="ann")
    original = versions.get(db, "demo", "rain", version)
    copied = versions.create(db, "demo", "copy", "models:/rain/1", owner="ann", tags=[*original.tags, Pair("a", "b")])
    assert copied.tags == [Pair("a", "b")]
    assert approvals.newest(db, "demo", "copy") == {}


def test_a_decision_needs_sense(db: Connection, version: int) -> None:
    approvals.record(db, "demo", "rain", version, State.approved, "ann", "")
    with pytest.raises(Conflict):
        approvals.record(db, "demo", "rain", version, State.approved, "bob", "")
    with pytest.raises(Invalid):
        approvals.record(db, "demo", "rain", version, State.rejected, "ann", "  ")
    with pytest.raises(Invalid):
        approvals.record(db, "demo", "rain", version, State.rejected, "ann", "x" * 2001)
    for domain, number in (("other", version), ("demo", 9)):
        with pytest.raises(NotFound):
            approvals.record(db, domain, "rain", number, State.pending, "ann", "")


def test_decisions_go_with_their_version(db: Connection, version: int) -> None:
    approvals.record(db, "demo", "rain", version, State.approved, "ann", "")
    versions.remove(db, "demo", "rain", version)
    assert approvals.history(db, "demo", "rain", version) == []
    models.remove(db, "demo", "rain")
    models.create(db, "demo", "rain", owner="ann")
    assert approvals.newest(db, "demo", "rain") == {}
