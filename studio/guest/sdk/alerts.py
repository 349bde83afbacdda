"""Monitors: what endpoints were asked, whether it still looks like the training data, and exactly which rows do not."""

import time
from collections.abc import Sequence
from typing import Any

from studio.guest.sdk.call import CallFailed, call, in_domain, segment, table

MOST_S = 300.0


def monitors() -> Any:
    """One row per endpoint: state, drifted columns, last window."""
    return table(call("GET", in_domain("monitors")))


def check(endpoint: str) -> Any:
    """Looks at the newest captured rows of `endpoint` now; returns its monitor with the checks, newest first."""
    deadline = time.monotonic() + MOST_S
    while True:
        try:
            return call("POST", in_domain(f"monitors/{segment(endpoint)}/check"))
        except CallFailed as error:
            # A busy machine looks for longer than one call may take.
            if error.code != "TIMEOUT" or time.monotonic() > deadline:
                raise


def alerts(state: str | None = "Open") -> Any:
    """The alerts in `state` (Open, Resolved; None: all), newest first, one row each."""
    return table(call("GET", in_domain("alerts"), state=state))


def rows(alert_id: str, limit: int = 10_000) -> Any:
    """Exactly the captured rows that alert is about, indexed by their ids; `truth` once the label of any is known."""
    found = call("GET", in_domain(f"alerts/{segment(alert_id)}/rows"), limit=limit)
    lines, columns, truth = found["rows"], found["columns"], found.get("truth") or []
    if any(label is not None for label in truth):
        lines, columns = [[*row, label] for row, label in zip(lines, truth, strict=True)], [*columns, "truth"]
    return table(lines, columns, found["row_ids"])


def captures(
    endpoint: str,
    limit: int = 500,
    from_ms: int | None = None,
    ids: Sequence[str] | None = None,
    *,
    to_ms: int | None = None,
    variant: str | None = None,
    version: int | None = None,
    status: int | None = None,
    truth: bool | None = None,
) -> Any:
    """Captured requests and answers of `endpoint`, newest first: one row each with its inputs, version and answer.
    `ids`: of rows or requests; `truth=True`: those whose label is known, which then stands in the column `truth`."""
    wanted: dict[str, Any] = {"limit": limit, "from_ms": from_ms, "to_ms": to_ms, "variant": variant}
    wanted |= {"version": version, "status": status, "ids": ",".join(ids) if ids is not None else None}
    path = in_domain(f"endpoints/{segment(endpoint)}/captures")
    found = call("GET", path, **wanted, truth="true" if truth else None)
    flat = [_flat(row) for row in found["rows"]]
    return table(flat)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    inputs = row.get("inputs")
    own = {key: value for key, value in row.items() if key != "inputs"}
    return {**own, **inputs} if isinstance(inputs, dict) else {**own, "inputs": inputs}
