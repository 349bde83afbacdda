"""A domain at a glance."""

from studio.wire.rest.schemas.base import Answer
from studio.wire.rest.schemas.cost import RunningAnswer


class RecentItem(Answer):
    """Something that happened; `link` names the thing: `runs/<id>`, `endpoints/<name>`, …"""

    kind: str
    title: str
    detail: str
    at_ms: int
    link: str


class OverviewAnswer(Answer):
    """Counts, what runs, what happened last, what it cost today."""

    datasets: int
    kernels: int
    runs: int
    models: int
    endpoints: int
    alerts: int
    running: list[RunningAnswer]
    recent: list[RecentItem]
    cost_today: float
    currency: str
    cores: int
    memory_gb: float
