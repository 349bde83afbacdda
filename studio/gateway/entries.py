"""An endpoint's entry in the table, read with care: an older server may have written it."""

import time
from typing import Any

import msgspec

from studio.gateway.limits import RateLimit

_BODY = 16 * 1024 * 1024


class Row(msgspec.Struct, frozen=True):
    """One variant; `replicas`: socket paths. A `shadow` gets copies of `weight` per cent of the requests."""

    name: str
    version: str = ""
    weight: float = 0.0
    shadow: bool = False
    replicas: tuple[str, ...] = ()


class Entry(msgspec.Struct):
    """What an endpoint is to be. `wakes`: by variant at zero, the fork server's socket and what to ask it; `percent` of
    the predictions are captured below `spool`, if there is one; `cors`: the origins whose pages may call it."""

    variants: tuple[Row, ...] = ()
    sleeps: bool = False
    timeout_s: float = 60.0
    max_body: int = _BODY
    spool: str = ""
    percent: float = 100.0
    wakes: dict[str, dict[str, Any]] = {}
    limit: RateLimit | None = None
    cors: frozenset[bytes] = frozenset()


def read(raw: dict[str, Any], before: Entry) -> Entry:
    """The entry; what was counted `before` against an unchanged rate limit still counts."""
    capture = raw.get("capture") or {}
    percent = capture.get("percent")
    return Entry(
        tuple(_row(row) for row in raw.get("variants") or []),
        str(raw.get("mode")) == "serverless",
        float(raw.get("timeout_s") or 60.0),
        int(raw.get("max_body") or _BODY),
        str(capture.get("spool") or ""),
        100.0 if percent is None else min(100.0, max(0.0, float(percent))),
        {str(one["variant"]): one for one in raw.get("wake") or () if isinstance(one, dict)},
        _limit(raw.get("rate_limit"), before.limit),
        frozenset(origin.encode() for origin in raw.get("cors") or () if _is_origin(origin)),
    )


def _row(row: dict[str, Any]) -> Row:
    replicas = tuple(str(path) for path in row.get("replicas") or ())
    weight, shadow = float(row.get("weight") or 0), bool(row.get("shadow"))
    return Row(str(row["name"]), str(row.get("version") or ""), weight, shadow, replicas)


def _limit(per_s: Any, before: RateLimit | None) -> RateLimit | None:
    if not per_s or float(per_s) <= 0:
        return None
    if before is not None and before.per_s == float(per_s):
        return before
    return RateLimit(float(per_s), time.monotonic())


def _is_origin(origin: Any) -> bool:
    # "*" would open it to every page, and "null" to any sandboxed frame.
    return isinstance(origin, str) and origin.startswith(("http://", "https://")) and "*" not in origin
