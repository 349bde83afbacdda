"""Labels that become known later: what captured rows turned out to be, and how right the predictions were."""

import time
from collections.abc import Iterator
from typing import Any

from studio.guest.sdk.call import CallFailed, call, in_domain, segment

MOST = 10_000  # in one call
PATIENCE_S = 120.0


def ground_truth(endpoint: str, rows: Any) -> int:
    """Says what rows of `endpoint` turned out to be; how many labels were taken. `rows`: a DataFrame or a list of
    dictionaries with `label` and either `id` (of a captured row, as `sdk.captures` gives it) or `inference_id` and
    `row` (its line in the request; default 0). The last word on a row counts; a label of None takes it back."""
    given = list(_rows(rows))
    path = in_domain(f"endpoints/{segment(endpoint)}/ground-truth")
    for start in range(0, len(given), MOST):
        _send(path, given[start : start + MOST])
    return len(given)


def quality(endpoint: str, from_ms: int | None = None, to_ms: int | None = None) -> dict[str, Any]:
    """What labels say about the predictions of each variant: accuracy, classes and confusion matrix, or errors."""
    found: dict[str, Any] = call(
        "GET", in_domain(f"endpoints/{segment(endpoint)}/quality"), from_ms=from_ms, to_ms=to_ms
    )
    return found


def _send(path: str, rows: list[dict[str, Any]]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            call("POST", path, {"rows": rows})
            return
        except CallFailed as error:
            # They are taken in every few seconds, and not without bound in between.
            if error.code != "TOO_MANY" or time.monotonic() > deadline:
                raise
            time.sleep(1.0)


def _rows(rows: Any) -> Iterator[dict[str, Any]]:
    records = rows.to_dict("records") if hasattr(rows, "to_dict") else rows
    for number, record in enumerate(records):
        if "label" not in record:
            raise CallFailed(f"Row {number} has no label.", "Give each row `label`, and `id` or `inference_id`.")
        inference_id, row = record.get("inference_id"), record.get("row", 0)
        if inference_id is None:
            inference_id, _, row = str(record.get("id", "")).rpartition(".")
        if not inference_id:
            raise CallFailed(f"Row {number} has neither id nor inference_id.", "`sdk.captures` gives the ids of rows.")
        yield {"inference_id": str(inference_id), "row": int(_plain(row) or 0), "label": _plain(record["label"])}


def _plain(value: Any) -> Any:
    """numpy's values as Python's, not-a-number and missing as None."""
    value = value.item() if hasattr(value, "item") else value
    if value is None or value != value or str(value) in ("<NA>", "NaT"):
        return None
    return value if isinstance(value, bool | int | float | str) else str(value)
