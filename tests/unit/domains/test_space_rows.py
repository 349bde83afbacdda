"""Rows of spaces, snapshots and restores, on both databases: what is seen, what is limited, what waits for what."""

import pytest
from sqlalchemy import Connection

from studio.domains import snapshots, spaces
from studio.errors import AlreadyExists, Conflict, NotFound


def test_a_name_is_ones_own_before_the_domains(db: Connection) -> None:
    shared = spaces.create(db, "demo", "lab", "ann")
    own = spaces.create(db, "demo", "lab", "bob", owner="bob")
    assert spaces.get(db, "demo", "lab", "bob") == own
    assert spaces.get(db, "demo", "lab", "ann") == spaces.get(db, "demo", shared.id, "bob") == shared
    for domain, user in (("other", "bob"), ("demo", "ann")):
        with pytest.raises(NotFound):
            spaces.get(db, domain, own.id, user)
    with pytest.raises(AlreadyExists):
        spaces.change(db, spaces.create(db, "demo", "two", "bob", owner="bob"), name="lab")


def test_the_trash_frees_the_name_and_is_emptied_last(db: Connection) -> None:
    found = spaces.create(db, "demo", "lab", "ann")
    for wrong in (spaces.empty, spaces.untrash):
        with pytest.raises(Conflict):
            wrong(db, found)
    gone = spaces.trash(db, found)
    assert [item.id for item in spaces.list_all(db, "demo", "ann", trash=True)] == [found.id]
    other = spaces.create(db, "demo", "lab", "ann")
    with pytest.raises(AlreadyExists):
        spaces.untrash(db, gone)
    spaces.trash(db, other)
    assert spaces.untrash(db, gone).trashed_ms is None
    spaces.empty(db, spaces.get(db, "demo", other.id, "ann"))
    assert [item.id for item in spaces.to_empty(db)] == [other.id]
    assert spaces.list_all(db, "demo", "ann", trash=True) == []


def test_what_is_unfinished_comes_in_order_and_limits_hold(db: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    first = snapshots.create(db, "demo", "ann", title="first")
    snapshots.change(db, first, state=snapshots.READY)
    back = snapshots.restore(db, snapshots.get(db, "demo", first.id), "ann")
    assert [item.id for item in snapshots.unfinished(db)] == [back.kept, back.id]
    with pytest.raises(Conflict, match="going on"):
        snapshots.restore(db, snapshots.get(db, "demo", first.id), "ann", folder="x")
    with pytest.raises(Conflict, match="being restored"):
        snapshots.delete_snapshot(db, "demo", first.id)
    for item in snapshots.unfinished(db):
        snapshots.change(db, item, state=snapshots.FAILED, error="full")
    assert snapshots.unfinished(db) == []
    # Those that came to nothing do not count, and can be deleted as well.
    monkeypatch.setattr(snapshots, "MOST", 2)
    snapshots.create(db, "demo", "ann")
    with pytest.raises(Conflict, match="has 2 snapshots"):
        snapshots.create(db, "demo", "ann")
    snapshots.create(db, "other", "ann")
    snapshots.delete_snapshot(db, "demo", back.kept)
    assert snapshots.get(db, "demo", back.kept).state == snapshots.DELETING
    with pytest.raises(NotFound):
        snapshots.get(db, "other", first.id)
