"""A metric as few enough points to draw: the database picks the lowest and the highest value of each stretch.

Ten thousand values cost it 4 ms, outside of the interpreter's lock; as rows they would hold Python for 30.
"""

import math
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from studio.tracking import handles, metrics

Point = tuple[int, int, float]  # step, epoch ms, value (NaN and ±Inf are themselves)
_NAN = float("nan")
_ROW = "step, ts, value, is_nan"
_BACKWARDS = "step DESC, ts DESC, value DESC, is_nan DESC"


class Curve(Struct, frozen=True):
    """`points` by (step, time); `is_thinned`: there are more, and a narrower range of steps shows them."""

    run_id: str
    key: str
    points: list[Point]
    is_thinned: bool


class Window(Struct, frozen=True):
    """What is asked for: how many points at most, the steps (both ends included), whether x is logarithmic."""

    max_points: int
    least: int | None = None
    most: int | None = None
    is_log: bool = False


class _Words(Struct, frozen=True):
    """How a database writes down the point of `rows` with the lowest and highest value, and the first that is odd."""

    lowest: str
    highest: str
    odd: str
    infinity: str


# SQLite: bare columns beside one min() or max() are those of its row, so nothing is sorted; 17 digits of its own
# printing do not always give the number back, 19 do. PostgreSQL prints what reads back.
_SQLITE = _Words(
    lowest="SELECT step || ',' || ts || ',' || printf('%!.19g', v) FROM (SELECT step, ts, min(value) AS v {rows})",
    highest="SELECT step || ',' || ts || ',' || printf('%!.19g', v) FROM (SELECT step, ts, max(value) AS v {rows})",
    odd="SELECT step || ',' || ts || ',' || CASE WHEN is_nan THEN 'nan' ELSE v END "
    "FROM (SELECT min(step) AS step, ts, value AS v, is_nan {rows})",
    infinity="9e999",
)
_POSTGRES = _Words(
    lowest="SELECT concat_ws(',', step, ts, value) {rows} ORDER BY value, step, ts LIMIT 1",
    highest="SELECT concat_ws(',', step, ts, value) {rows} ORDER BY value DESC, step, ts LIMIT 1",
    odd="SELECT concat_ws(',', step, ts, CASE WHEN is_nan THEN 'NaN' ELSE value END) {rows} ORDER BY step, ts LIMIT 1",
    infinity="'Infinity'::float8",
)


def of_run(db: Connection, domain: str, run_id: str, keys: list[str], window: Window) -> list[Curve]:
    """The curves of a run's metrics; what was never logged is left out. `NotFound` if the run is not this domain's."""
    run = int(handles.find(db, domain, run_id).id)
    found = []
    for key in keys:
        number = metrics.key_id(db, key)
        points, is_thinned = ([], False) if number is None else _points(db, run, number, window)
        if points:
            found.append(Curve(run_id, key, points, is_thinned))
    return found


def edges(first: int, last: int, count: int, is_log: bool = False) -> list[tuple[int, int]]:
    """`first`…`last` cut into at most `count` stretches, both ends included; as wide as each other on the axis."""
    if is_log and last > 1:
        start = max(1, first)
        ratio = last / start
        cuts = {round(start * ratio ** (n / count)) for n in range(count)} | {first}
        starts = sorted(cut for cut in cuts if first <= cut <= last)
    else:
        span = last - first + 1
        starts = sorted({first + span * n // count for n in range(count)})
    return list(zip(starts, [start - 1 for start in starts[1:]] + [last], strict=True))


def _points(db: Connection, run: int, key: int, window: Window) -> tuple[list[Point], bool]:
    where = f"run = {run} AND key = {key}"
    if window.least is not None:
        where += f" AND step >= {window.least}"
    if window.most is not None:
        where += f" AND step <= {window.most}"
    among = f"FROM metrics WHERE {where}"
    if db.exec_driver_sql(f"SELECT 1 {among} LIMIT 1 OFFSET {window.max_points}").first() is None:
        return [_point(row) for row in db.exec_driver_sql(f"SELECT {_ROW} {among} ORDER BY {_ROW}")], False
    first = _point(db.exec_driver_sql(f"SELECT {_ROW} {among} ORDER BY {_ROW} LIMIT 1").one())
    last = _point(db.exec_driver_sql(f"SELECT {_ROW} {among} ORDER BY {_BACKWARDS} LIMIT 1").one())
    if first[0] == last[0]:
        # Logged without steps: time is what they run over.
        where, axis, ends = f"{where} AND step = {first[0]}", "ts", (first[1], last[1])
    else:
        axis, ends = "step", (first[0], last[0])
    return _thin(db, where, axis, ends, window, {first, last}), True


def _thin(
    db: Connection, where: str, axis: str, ends: tuple[int, int], window: Window, kept: set[Point]
) -> list[Point]:
    words = _POSTGRES if db.dialect.name == "postgresql" else _SQLITE
    finite = f"NOT is_nan AND value < {words.infinity} AND value > -{words.infinity}"
    is_odd = f"(is_nan OR value = {words.infinity} OR value = -{words.infinity})"
    has_odd = db.exec_driver_sql(f"SELECT 1 FROM metrics WHERE {where} AND {is_odd} LIMIT 1").first() is not None
    picks = [(words.lowest, finite), (words.highest, finite), *([(words.odd, is_odd)] if has_odd else [])]
    stretches = edges(*ends, max(1, (window.max_points - 2) // len(picks)), window.is_log and axis == "step")
    values = ", ".join(f"({least}, {most})" for least, most in stretches)
    columns = ", ".join(
        f"({pick.format(rows=f'FROM metrics WHERE {where} AND {axis} BETWEEN least AND most AND {rule}')})"
        for pick, rule in picks
    )
    # Only whole numbers of Studio's own are written into the text; a list of stretches as parameters is slower tenfold.
    for row in db.exec_driver_sql(f"WITH stretch (least, most) AS (VALUES {values}) SELECT {columns} FROM stretch"):
        kept.update(_read(text) for text in row if text is not None)
    return sorted(kept, key=lambda point: (point[0], point[1], not math.isnan(point[2]), point[2]))


def _point(row: Any) -> Point:
    step, ts, value, is_nan = row
    return step, ts, _NAN if is_nan else value


def _read(text: str) -> Point:
    step, ts, value = text.split(",")
    return int(step), int(ts), _NAN if value in ("nan", "NaN") else float(value)
