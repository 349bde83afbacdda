"""What holds for all tests: in CI a skip is a failure unless it is listed here with its reason."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import database, database_url, migrated, postgres, shared_engine, shared_url

# The machine may be busy: how long an example takes says nothing about what it shows.
settings.register_profile("studio", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("studio")

# Test (file::name, or a file's prefix) → why it may be skipped in CI. Short and literal on purpose.
LISTED_SKIPS: dict[str, str] = {}

__all__ = ["database", "database_url", "migrated", "postgres", "shared_engine", "shared_url"]

_skipped: list[tuple[str, str]] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collects skips; under xdist this runs in the controller for every worker's test."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _skipped.append((report.nodeid, reason))


def _unlisted() -> list[tuple[str, str]]:
    if not os.environ.get("CI"):
        return []
    return [skip for skip in _skipped if not any(skip[0].startswith(prefix) for prefix in LISTED_SKIPS)]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fails the run for skips that nobody wrote down."""
    if _unlisted() and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says which."""
    for test, reason in _unlisted():
        terminalreporter.write_line(f"UNLISTED SKIP {test}: {reason}", red=True)
