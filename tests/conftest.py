"""What holds for all tests: in CI a skip is a failure unless it is listed here with its reason."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import database, database_url, migrated, postgres, shared_engine, shared_url

# The machine may be busy: how long an example takes says nothing about what it shows.
settings.register_profile("studio", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# `make test` tries the same examples each time, so that it says something about a change; `make test-full`, and whoever
# runs a test by hand, tries new ones.
settings.register_profile("same", settings.get_profile("studio"), derandomize=True)
settings.load_profile("studio")

# Test (file::name, or a file's prefix) → why it may be skipped in CI. Short and literal on purpose.
_FLAVORS = "tests/unit/guest/test_replica_flavors.py"
_PYTORCH = "the package index gives PyTorch with CUDA's libraries only, several gigabytes; run where it is installed"
LISTED_SKIPS: dict[str, str] = {
    f"{_FLAVORS}::test_answers_are_mlflows_to_the_last_bit[pytorch]": _PYTORCH,
    f"{_FLAVORS}::test_each_is_loaded_without_mlflow_and_batched_where_rows_stand_alone[pytorch]": _PYTORCH,
    f"{_FLAVORS}::test_what_arrives_together_is_answered_as_alone[pytorch]": _PYTORCH,
}

# What takes longest begins first, so that the workers end together (`--no-loadscope-reorder`: xdist would begin with
# the files of most tests). What is not named follows in the usual order.
LONGEST = (
    "e2e/test_story.py",
    "ui/test_story.py",
    "security/test_between_domains.py",
    "ui/test_experiments.py",
    "e2e/test_import_mlflow.py",
    "e2e/test_lab_notebook.py",
    "protocol/test_mlflow_skinny.py",
    "e2e/test_exit_reasons.py",
    "security/test_tracking_attacks.py",
    "security/test_routes_product.py",
    "e2e/test_cost.py",
    "e2e/test_ordinary_user.py",
    "e2e/test_supervisor.py",
    "e2e/test_sandbox.py",
    "e2e/test_serving.py",
)

__all__ = ["database", "database_url", "migrated", "postgres", "shared_engine", "shared_url"]

_skipped: list[tuple[str, str]] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest files first."""
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get("/".join(item.path.parts[-2:]), len(LONGEST)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collects skips; under xdist this runs in the controller for every worker's test."""
    # pytest reports an expected failure as skipped too; only this attribute of its own tells them apart.
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
