"""log-batch: metrics, params and tags of one run, all or nothing."""

from collections.abc import Sequence

from sqlalchemy import Connection

from studio.tracking import handles, limits, metrics, params, tags
from studio.tracking.records import Metric, Pair


def log(
    db: Connection,
    domain: str,
    run_id: str,
    new_metrics: Sequence[Metric],
    new_params: Sequence[Pair],
    new_tags: Sequence[Pair],
) -> None:
    """Logs a batch of at most 1000 entries; the first that is wrong refuses it whole."""
    limits.check_batch(new_metrics, new_params, new_tags)
    handles.active(db, domain, run_id)
    if new_params:
        params.log_all(db, domain, run_id, new_params)
    if new_metrics:
        metrics.log(db, domain, run_id, new_metrics)
    if new_tags:
        tags.set_all(db, domain, run_id, new_tags)
