"""Pure: the days and months of a bill, in the time zone of the host."""

from datetime import datetime, timedelta, tzinfo


def day_edges(now_ms: int, days: int, zone: tzinfo | None = None) -> list[int]:
    """The beginnings of the last `days` days (today's last) and now, in ms: `days + 1` numbers, ascending. A day on
    which clocks change has 23 or 25 hours. `zone`: None is the host's."""
    now = _local(now_ms, zone)
    dates = [now.date() - timedelta(days=back) for back in range(days - 1, -1, -1)]
    return [_start(date.year, date.month, date.day, zone) for date in dates] + [now_ms]


def month_start(now_ms: int, zone: tzinfo | None = None) -> int:
    """The beginning of this month, in ms."""
    now = _local(now_ms, zone)
    return _start(now.year, now.month, 1, zone)


def date_of(at_ms: int, zone: tzinfo | None = None) -> str:
    """The day as YYYY-MM-DD."""
    return _local(at_ms, zone).date().isoformat()


def _local(at_ms: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, zone)  # None: the host's


def _start(year: int, month: int, day: int, zone: tzinfo | None) -> int:
    return int(datetime(year, month, day, tzinfo=zone).timestamp() * 1000)
