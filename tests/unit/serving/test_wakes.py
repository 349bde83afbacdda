"""How long endpoints took to wake, as rows."""

from sqlalchemy import Connection, func, select

from studio.loops import waking
from studio.serving import events, wakes
from studio.serving.wakes import KEPT, WakeTimes
from studio.store.tables.wakes import wakes as table
from tests.unit.serving.test_endpoints import create, serve


def test_medians_of_each_kind_by_environment(db: Connection) -> None:
    assert wakes.times(db, "demo") == []
    for at, (ms, cold) in enumerate([(60.0, False), (80.0, False), (70.0, False), (2500.0, True)]):
        assert wakes.keep(db, "demo", "rain", "sklearn", at, ms, cold=cold)
    assert wakes.keep(db, "demo", "rain", "torch", 9, 9000.0, cold=True)
    assert wakes.times(db, "demo") == [
        WakeTimes("sklearn", 70.0, 2500.0, 4),
        WakeTimes("torch", None, 9000.0, 1),
    ]


def test_one_is_kept_once_and_only_the_newest_stay(db: Connection) -> None:
    for at in range(KEPT + 20):
        assert wakes.keep(db, "demo", "rain", "sklearn", at, float(at), cold=False)
        assert not wakes.keep(db, "demo", "rain", "sklearn", at, float(at), cold=False)
    assert wakes.keep(db, "demo", "rain", "sklearn", 1000, 1.0, cold=True)
    assert db.scalar(select(func.count()).select_from(table)) == KEPT + 1
    assert db.scalar(select(func.min(table.c.at_ms))) == 20


def test_what_the_gateway_says_is_kept_and_told(db: Connection) -> None:
    endpoint = serve(db, create(db, mode="serverless"))
    [variant] = endpoint.variants
    woke = {"at_ms": 5, "ms": 61.2, "cold": False, "variant": variant.name}
    for _ in range(2):
        waking.keep(db, "demo/rain", woke)
    waking.keep(db, "demo/rain", woke | {"at_ms": 6, "ms": 2512.0, "cold": True})
    waking.keep(db, "demo/rain", woke | {"at_ms": 7, "variant": "gone"})
    waking.keep(db, "demo/gone", woke)
    assert wakes.times(db, "demo") == [WakeTimes(variant.environment, 61.2, 2512.0, 2)]
    told = [event.text for event in events.list_events(db, endpoint.id) if event.text.startswith("Woken")]
    assert told == [
        "Woken by a request, which was answered after 61 ms.",
        "Woken by a request, which was answered after 2.5 s, once its environment had been started.",
    ]
