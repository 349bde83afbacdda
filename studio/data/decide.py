"""Pure: what the loop does next about one data set that is being profiled."""

from dataclasses import dataclass

from studio.data.reports import Report

ATTEMPTS = 3
LONGEST_S = 900.0


@dataclass(frozen=True, slots=True)
class Observed:
    """`output`: what lies in the sandbox's folder, if anything; `ended`: the message of the process's exit record."""

    output: Report | None
    is_running: bool
    is_place_up: bool
    attempts: int
    ended: str | None = None
    running_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Start:
    """Start the process in the sandbox."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Take the report."""

    report: Report


@dataclass(frozen=True, slots=True)
class Fail:
    """Give up."""

    error: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do yet."""


def decide(seen: Observed) -> Start | Finish | Fail | Wait:
    """A report always counts, however its process ended; without one it is tried `ATTEMPTS` times."""
    if seen.output is not None:
        return Finish(seen.output)
    if seen.is_running:
        if seen.running_s > LONGEST_S:
            return Fail(f"Profiling took over {LONGEST_S:.0f} s. Register a smaller file, or a Parquet one.")
        return Wait()
    if seen.attempts >= ATTEMPTS:
        return Fail(
            f"Profiling was tried {seen.attempts} times. {seen.ended or 'It ended without a result each time.'}"
        )
    return Start() if seen.is_place_up else Wait()
