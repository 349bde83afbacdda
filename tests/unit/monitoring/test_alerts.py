"""When the job runs, and the one alert per endpoint: opened, updated, resolved, leading to its window."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from studio.errors import Conflict, Invalid, NotFound
from studio.monitoring import alerts, monitors
from studio.monitoring.decide import SEGMENT_MS, TIDY_MS, Seen, runs_now
from studio.monitoring.results import ColumnResult, Result, Window
from studio.serving import endpoints
from studio.serving.endpoints import Endpoint, Wanted
from tests.unit.serving.conftest import fill
from tests.unit.tracking.conftest import make_engine


@pytest.fixture
def db() -> Iterator[Connection]:
    engine = make_engine()
    with engine.begin() as connection:
        fill(connection)
        yield connection
    engine.dispose()


@pytest.fixture
def endpoint(db: Connection) -> Endpoint:
    return endpoints.create(db, "demo", "ada", Wanted("rain", "models:/rain/1"))


def column(name: str, psi: float) -> ColumnResult:
    return ColumnResult(name, "numeric", psi, psi >= 0.2, 0.2, 0.0, 0.0, [0.5, 0.5], [0.9, 0.1], [0, 1, 2])


def report(db: Connection, endpoint: Endpoint, run: str, start: int, *columns: ColumnResult, size: int = 250) -> None:
    monitors.ensure(db, endpoint)
    monitors.change(db, endpoint, run=run, run_ms=1)
    window = Window(f"{run}-0", 1, start, start + size - 1, start, start + size, size, list(columns))
    monitors.take(db, endpoint, Result(run, size, start + size - 1, start + size - 1, 0, 900, [window]))


def test_one_alert_opened_updated_resolved(db: Connection, endpoint: Endpoint) -> None:
    report(db, endpoint, "run-a", 1, column("wind", 0.01))
    assert alerts.list_alerts(db, "demo") == []
    report(db, endpoint, "run-b", 251, column("wind", 0.5), column("rain", 0.1))
    [opened] = alerts.list_alerts(db, "demo", "Open")
    assert (opened.columns, opened.check_id, opened.endpoint) == (["wind"], "run-b-0", "rain")
    assert opened.message.startswith("wind (PSI 0.50) has drifted from the training data in 250 rows")
    report(db, endpoint, "run-c", 501, column("wind", 0.9), column("rain", 0.4))
    [updated] = alerts.list_alerts(db, "demo")
    assert (updated.id, updated.columns, updated.check_id) == (opened.id, ["wind", "rain"], "run-c-0")
    report(db, endpoint, "run-d", 751, column("wind", 0.05))
    [resolved] = alerts.list_alerts(db, "demo", "Resolved")
    assert (resolved.id, resolved.check_id) == (opened.id, "run-c-0")
    assert resolved.resolved_ms is not None
    report(db, endpoint, "run-e", 1001, column("wind", 0.6))
    assert len(alerts.list_alerts(db, "demo")) == 2
    assert monitors.list_checks(db, endpoint.id, 1)[0].id == "run-e-0"


def test_a_result_counts_once_and_only_for_its_run(db: Connection, endpoint: Endpoint) -> None:
    report(db, endpoint, "run-a", 1, column("wind", 0.5))
    before = monitors.find(db, endpoint.id)
    again = Window("run-a-0", 1, 1, 250, 1, 2, 250, [column("wind", 0.5)])
    monitors.take(db, endpoint, Result("run-a", 250, 250, 250, 0, 900, [again]))
    assert monitors.find(db, endpoint.id) == before
    # Windows that overlap what was taken, or carry another run's name, are not believed.
    monitors.change(db, endpoint, run="run-b")
    forged = [Window("run-a-9", 1, 900, 999, 1, 2, 99, []), Window("run-b-0", 1, 100, 300, 1, 2, 200, [])]
    monitors.take(db, endpoint, Result("run-b", 0, 0, 0, 0, 0, forged))
    assert len(monitors.list_checks(db, endpoint.id)) == 1
    assert monitors.find(db, endpoint.id).cursor == 250  # type: ignore[union-attr]


def test_asking_needs_capture(db: Connection) -> None:
    endpoints.create(db, "demo", "ada", Wanted("deaf", "models:/rain/1", capture=False))
    with pytest.raises(Conflict, match="capture"):
        monitors.ask(db, "demo", "deaf")
    with pytest.raises(NotFound):
        monitors.ask(db, "demo", "nobody")


def test_alerts_of_other_domains_are_not_found(db: Connection, endpoint: Endpoint) -> None:
    report(db, endpoint, "run-a", 1, column("wind", 0.5))
    [opened] = alerts.list_alerts(db, "demo")
    with pytest.raises(NotFound):
        alerts.get(db, "other", opened.id)
    assert alerts.list_alerts(db, "other") == []
    with pytest.raises(Invalid):
        alerts.list_alerts(db, "demo", "open")


def test_deleting_the_endpoint_takes_its_alerts(db: Connection, endpoint: Endpoint) -> None:
    report(db, endpoint, "run-a", 1, column("wind", 0.5))
    endpoints.erase(db, endpoint)
    assert alerts.list_alerts(db, "demo") == []
    assert monitors.find(db, endpoint.id) is None


def seen(**changes: object) -> Seen:
    values: dict[str, object] = {"segments": False, "open_ms": 0, "run_ms": 0, "is_running": False}
    return Seen(**(values | {"looked_ms": 0, "wanted_ms": 0, "place": True} | changes))  # type: ignore[arg-type]


def test_the_job_runs_for_new_rows_or_who_waits_and_never_twice() -> None:
    assert not runs_now(seen(), 5000, 10_000)
    assert runs_now(seen(segments=True), 5000, 10_000)
    assert not runs_now(seen(segments=True, looked_ms=8000), 5000, 10_000)
    assert not runs_now(seen(segments=True, place=False), 5000, 10_000)
    assert not runs_now(seen(segments=True, is_running=True), 5000, 10_000)
    assert not runs_now(seen(segments=True, run_ms=9000), 5000, 10_000)
    assert runs_now(seen(segments=True, run_ms=9000), 5000, 90_000)  # never heard of again


def test_what_is_kept_is_looked_at_for_its_age_also_without_traffic() -> None:
    assert not runs_now(seen(looked_ms=9000), 5000, 9000 + TIDY_MS - 1)
    assert runs_now(seen(looked_ms=9000), 5000, 9000 + TIDY_MS)
    assert not runs_now(seen(), 5000, 9000 + TIDY_MS)  # nothing was ever kept
    assert not runs_now(seen(looked_ms=9000, place=False), 5000, 9000 + TIDY_MS)


def test_who_asks_gets_what_was_answered_before() -> None:
    asked = {"wanted_ms": 10_000, "looked_ms": 9000}
    assert not runs_now(seen(**asked), 5000, 10_050)
    assert runs_now(seen(**asked), 5000, 10_100)
    assert not runs_now(seen(**asked, open_ms=9900), 5000, 10_500)
    assert runs_now(seen(**asked, open_ms=10_200), 5000, 10_500)
    assert runs_now(seen(**asked, open_ms=9900), 5000, 10_001 + SEGMENT_MS)
