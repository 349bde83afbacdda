"""What runs now and what it costs."""

from studio.wire.rest.schemas.base import Answer


class RunningAnswer(Answer):
    """Something that runs. `cpu_percent`: 100 = one core; `idle_s` is known of endpoints only; figures are some
    seconds old at most; `stoppable`: by who asks."""

    id: str
    kind: str
    name: str
    owner: str
    since_ms: int
    memory_bytes: int
    cpu_percent: float
    idle_s: float | None
    price_per_hour: float
    cost: float
    stoppable: bool


class StoppingAnswer(Answer):
    """What has been asked to end; it does within seconds. `kept`: what belongs to others and was left alone."""

    stopping: list[str]
    kept: list[str]


class ShareAnswer(Answer):
    """Part of a sum: of a kind, a user, or a thing."""

    name: str
    cost: float
    hours: float


class DayAnswer(Answer):
    """One day, YYYY-MM-DD in the host's time zone."""

    date: str
    cost: float


class BillAnswer(Answer):
    """What a domain costs; the parts and days are those of the days asked for."""

    currency: str
    today: float
    month: float
    by_kind: list[ShareAnswer]
    by_user: list[ShareAnswer]
    by_resource: list[ShareAnswer]
    daily: list[DayAnswer]
