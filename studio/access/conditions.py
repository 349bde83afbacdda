"""Conditions of rules: small pure functions under a name, checked when a rule is written, explained in words.

A condition about something that a request does not have (no instance type is chosen by it) does not hold.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from studio.access.rules import Facts, When
from studio.errors import Invalid
from studio.patterns import matches_any

Params = Mapping[str, Any]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NETWORKS = ("open", "studio", "none")
MOST_NAMES = 50


class Moment(Struct, frozen=True):
    """What is known when a rule is asked: of the domain, of the request, and the time."""

    facts: Facts
    attributes: Mapping[str, Any]
    now_ms: int


@dataclass(frozen=True, slots=True)
class Condition:
    """`check` gives the parameters in their one form or `Invalid`; `words` completes "… if"; `about` and `example` are
    for people."""

    name: str
    about: str
    example: Params
    check: Callable[[Params], Params]
    holds: Callable[[Params, Moment], bool]
    words: Callable[[Params], str]


def check(when: When) -> When:
    """Every condition of a rule in its one form; `Invalid` says what exists."""
    if not isinstance(when, Mapping):
        raise Invalid("The conditions of a rule are a table.", f"Known conditions: {', '.join(CONDITIONS)}.")
    found: dict[str, Params] = {}
    for name, params in when.items():
        known = CONDITIONS.get(name)
        if known is None:
            raise Invalid(f"There is no condition {str(name)[:80]!r}.", f"Known conditions: {', '.join(CONDITIONS)}.")
        if not isinstance(params, Mapping):
            raise Invalid(f"The condition {name} takes a table.", f"For example {name} = {dict(known.example)}.")
        found[name] = known.check(params)
    return found


def hold(when: When, moment: Moment) -> bool:
    """Whether all of them hold; a rule without conditions always applies."""
    for name, params in when.items():  # noqa: SIM110 - a generator would cost as much as a condition
        if not CONDITIONS[name].holds(params, moment):
            return False
    return True


def words(when: When) -> str:
    """ "if the instance type is gpu.* and this month's cost is below 100", or ""."""
    return "if " + " and ".join(CONDITIONS[name].words(params) for name, params in when.items()) if when else ""


def _known(name: str, params: Params, fields: tuple[str, ...]) -> None:
    if odd := sorted(str(key) for key in params if key not in fields):
        raise Invalid(f"The condition {name} has no parameter {odd[0][:80]!r}.", f"It has {', '.join(fields)}.")


def _one_of(name: str, params: Params) -> tuple[str, list[str]]:
    """The one of `in` and `not_in` that is given, with its names."""
    _known(name, params, ("in", "not_in"))
    given = [(key, value) for key, value in params.items() if value is not None]
    if len(given) != 1:
        raise Invalid(f"The condition {name} takes either `in` or `not_in`.", 'For example in = ["gpu.*"].')
    key, names = given[0]
    names = [names] if isinstance(names, str) else names
    is_list = isinstance(names, (list, tuple)) and 0 < len(names) <= MOST_NAMES
    if not is_list or not all(isinstance(item, str) and 0 < len(item) <= 80 for item in names):
        raise Invalid(f"`{key}` of {name} is a list of 1 to {MOST_NAMES} names.", 'For example in = ["gpu.*"].')
    return key, list(names)


def _number(name: str, params: Params, fields: tuple[str, ...]) -> Params:
    """The one of `fields` that is given, a number from 0 on."""
    _known(name, params, fields)
    given = {key: value for key, value in params.items() if value is not None}
    value = next(iter(given.values()), None)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1e12
    if len(given) != 1 or not is_number:
        raise Invalid(f"The condition {name} takes one of {', '.join(fields)}: a number.", f"As {fields[0]} = 0.")
    return given


def _check_names(name: str) -> Callable[[Params], Params]:
    def checked(params: Params) -> Params:
        key, names = _one_of(name, params)
        return {key: names}

    return checked


def _check_network(params: Params) -> Params:
    key, names = _one_of("network_mode", params)
    if odd := [item for item in names if item not in NETWORKS]:
        raise Invalid(f"{odd[0]!r} is no network mode.", f"There are {', '.join(NETWORKS)}.")
    return {key: names}


def _is_among(params: Params, name: str) -> bool:
    return matches_any(params["in"], name) if "in" in params else not matches_any(params["not_in"], name)


def _among_words(params: Params) -> str:
    names = params.get("in") or params["not_in"]
    return f"{'is' if 'in' in params else 'is not'} {' or '.join(names)}"


def _instance_type(params: Params, moment: Moment) -> bool:
    chosen = moment.attributes.get("instance_type")
    return bool(chosen) and _is_among(params, str(chosen))


def _gpu(params: Params, moment: Moment) -> bool:
    asked = moment.attributes
    gpus = asked["gpu"] if "gpu" in asked else moment.facts.gpus.get(asked.get("instance_type", ""), 0)
    return bool(gpus > params["more_than"])


def _spend(params: Params, moment: Moment) -> bool:
    if "below" in params:
        return bool(moment.facts.spend < params["below"])
    return bool(moment.facts.spend >= params["from"])


def _spend_words(params: Params) -> str:
    limit = f"below {params['below']:g}" if "below" in params else f"{params['from']:g} or more"
    return f"this month's cost of the domain is {limit}"


def _check_time(params: Params) -> Params:
    _known("time", params, ("days", "from", "to", "timezone", "outside"))
    days = params.get("days") or list(DAYS)
    if not isinstance(days, (list, tuple)) or not set(map(str, days)) <= set(DAYS):
        raise Invalid("`days` of time is a list of days.", f"They are written {', '.join(DAYS)}.")
    begin, end = (_minutes(key, params.get(key, fallback)) for key, fallback in (("from", "00:00"), ("to", "24:00")))
    if begin == end:
        raise Invalid("`from` and `to` of time are the same.", "Leave both out for whole days.")
    zone, outside = params.get("timezone", "UTC"), params.get("outside", False)
    try:
        _zone(zone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise Invalid(f"{str(zone)[:80]!r} is no time zone.", "Write it as in Europe/Berlin, or UTC.") from error
    if not isinstance(outside, bool):
        raise Invalid("`outside` of time is true or false.", "Leave it out for the time between from and to.")
    ordered = [day for day in DAYS if day in days]
    return {"days": ordered, "from": _clock(begin), "to": _clock(end), "timezone": zone, "outside": outside}


def _minutes(name: str, text: Any) -> int:
    hours, _, minutes = str(text).partition(":")
    if not (isinstance(text, str) and len(text) == 5 and hours.isascii() and (hours + minutes).isdigit()):
        raise Invalid(f"`{name}` of time is a time of day.", 'Write it as in "08:30".')
    found = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or found > 24 * 60:
        raise Invalid(f"`{name}` of time is a time of day.", 'Write it as in "08:30"; the day ends at "24:00".')
    return found


def _zone(name: Any) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)  # a small system may have no other


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _time(params: Params, moment: Moment) -> bool:
    now = datetime.fromtimestamp(moment.now_ms / 1000, UTC).astimezone(_zone(params["timezone"]))
    at, today = now.hour * 60 + now.minute, DAYS[now.weekday()]
    begin, end = _minutes("from", params["from"]), _minutes("to", params["to"])
    if begin < end:
        inside = today in params["days"] and begin <= at < end
    else:  # over midnight: the hours after it are of the day before
        yesterday = DAYS[now.weekday() - 1]
        inside = (today in params["days"] and at >= begin) or (yesterday in params["days"] and at < end)
    return inside is not params["outside"]


def _time_words(params: Params) -> str:
    days = "every day" if len(params["days"]) == 7 else "on " + ", ".join(params["days"])
    hours = f"from {params['from']} to {params['to']} {params['timezone']}"
    return f"it is {'not ' if params['outside'] else ''}{days} {hours}"


_ALL = (
    Condition(
        "instance_type",
        "the instance type that a job or endpoint asks for",
        {"in": ["gpu.*"]},
        _check_names("instance_type"),
        _instance_type,
        lambda params: f"the instance type {_among_words(params)}",
    ),
    Condition(
        "gpu",
        "how many GPUs the chosen instance type has",
        {"more_than": 0},
        lambda params: _number("gpu", params, ("more_than",)),
        _gpu,
        lambda params: f"the instance type has more than {params['more_than']:g} GPUs",
    ),
    Condition(
        "time",
        "days and hours of the week",
        {"days": ["mon", "tue"], "from": "08:00", "to": "18:00", "timezone": "UTC", "outside": False},
        _check_time,
        _time,
        _time_words,
    ),
    Condition(
        "spend",
        "what the domain has cost since the month began, from the ledger",
        {"below": 100},
        lambda params: _number("spend", params, ("below", "from")),
        _spend,
        _spend_words,
    ),
    Condition(
        "network_mode",
        "the domain's network mode",
        {"in": ["open"]},
        _check_network,
        lambda params, moment: _is_among(params, moment.facts.network_mode),
        lambda params: f"the network mode {_among_words(params)}",
    ),
)
CONDITIONS: Mapping[str, Condition] = {item.name: item for item in _ALL}
