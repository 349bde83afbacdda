"""A domain at a glance."""

from studio.wire.rest.schemas.base import Answer


class RunningItem(Answer):
    """Something that runs now."""

    id: str
    kind: str
    name: str
    owner: str
    since_ms: int


class RecentItem(Answer):
    """Something that happened; `link` is a place in the lab."""

    kind: str
    title: str
    detail: str
    at_ms: int
    link: str


class OverviewAnswer(Answer):
    """Counts, what runs, what happened last, what it cost today."""

    datasets: int = 0
    kernels: int = 0
    runs: int = 0
    models: int = 0
    endpoints: int = 0
    alerts: int = 0
    running: list[RunningItem] = []
    recent: list[RecentItem] = []
    cost_today: float = 0.0
    currency: str
    cores: int
    memory_gb: float
