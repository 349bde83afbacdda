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
MOST_SUMMED = "1e290"  # beyond, the sum of a stretch could leave the range of floats, which PostgreSQL refuses
_ROW = "step, ts, value, is_nan"
_BACKWARDS = "step DESC, ts DESC, value DESC, is_nan DESC"


class Curve(Struct, frozen=True):
    """`points` by (step, time); `is_thinned`: there are more, and a narrower range of steps shows them.

    `means` are the averages (step, time, value) of the stretches that were thinned out, without what is no finite
    number, between their two extremes. What is smoothed starts from these: the middle of two extremes is no average."""

    run_id: str
    key: str
    points: list[Point]
    is_thinned: bool
    means: list[tuple[float, float, float]] = []


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
        if number is not None and (curve := _curve(db, run, number, window, run_id, key)).points:
            found.append(curve)
    return found


def edges(first: int, last: int, count: int, is_log: bool = False) -> list[tuple[int, int]]:
    """`first`…`last` cut into at most `count` stretches, both ends included; as wide as each other on the axis."""
    if is_log and last > 1:
        # What is not above zero has no place on such an axis; it is one stretch at the left.
        start, parts = (first, count) if first >= 1 else (1, count - 1)
        cuts = {round(start * (last / start) ** (n / parts)) for n in range(parts)}
        starts = sorted({first, *(cut for cut in cuts if first < cut <= last)})
    else:
        span = last - first + 1
        starts = sorted({first + span * n // count for n in range(count)})
    return list(zip(starts, [start - 1 for start in starts[1:]] + [last], strict=True))


def _curve(db: Connection, run: int, number: int, window: Window, run_id: str, key: str) -> Curve:
    where = f"run = {run} AND key = {number}"
    if window.least is not None:
        where += f" AND step >= {window.least}"
    if window.most is not None:
        where += f" AND step <= {window.most}"
    among = f"FROM metrics WHERE {where}"
    if db.exec_driver_sql(f"SELECT 1 {among} LIMIT 1 OFFSET {window.max_points}").first() is None:
        rows = db.exec_driver_sql(f"SELECT {_ROW} {among} ORDER BY {_ROW}")
        return Curve(run_id, key, [_point(row) for row in rows], False)
    first = _point(db.exec_driver_sql(f"SELECT {_ROW} {among} ORDER BY {_ROW} LIMIT 1").one())
    last = _point(db.exec_driver_sql(f"SELECT {_ROW} {among} ORDER BY {_BACKWARDS} LIMIT 1").one())
    if first[0] == last[0]:
        # Logged without steps: time is what they run over.
        axis, ends = "ts", (first[1], last[1])
        where += f" AND step = {first[0]}"
    else:
        axis, ends = "step", (first[0], last[0])
    points, means = _thin(db, where, axis, ends, window)
    kept = sorted({first, last, *points}, key=lambda point: (point[0], point[1], not math.isnan(point[2]), point[2]))
    return Curve(run_id, key, kept, True, means)


def _thin(
    db: Connection, where: str, axis: str, ends: tuple[int, int], window: Window
) -> tuple[list[Point], list[tuple[float, float, float]]]:
    words = _POSTGRES if db.dialect.name == "postgresql" else _SQLITE
    finite = f"NOT is_nan AND value < {words.infinity} AND value > -{words.infinity}"
    summable = f"NOT is_nan AND value < {MOST_SUMMED} AND value > -{MOST_SUMMED}"
    is_odd = f"(is_nan OR value = {words.infinity} OR value = -{words.infinity})"
    has_odd = db.exec_driver_sql(f"SELECT 1 FROM metrics WHERE {where} AND {is_odd} LIMIT 1").first() is not None
    picks = [(words.lowest, finite), (words.highest, finite), *([(words.odd, is_odd)] if has_odd else [])]
    stretches = edges(*ends, max(1, (window.max_points - 2) // len(picks)), window.is_log and axis == "step")
    values = ", ".join(f"({least}, {most})" for least, most in stretches)
    columns = ", ".join(
        f"({pick.format(rows=f'FROM metrics WHERE {where} AND {axis} BETWEEN least AND most AND {rule}')})"
        for pick, rule in [("SELECT sum(value) || ',' || count(*) {rows}", summable), *picks]
    )
    points: list[Point] = []
    means: list[tuple[float, float, float]] = []
    # Only whole numbers of Studio's own are written into the text; a list of stretches as parameters is slower tenfold.
    query = f"WITH stretch (least, most) AS (VALUES {values}) SELECT {columns} FROM stretch"
    for summed, *texts in db.exec_driver_sql(query):
        found = [_read(text) for text in texts if text is not None]
        points += found
        if summed is not None:
            # Not avg(): PostgreSQL's keeps squares too, which leave the range of floats.
            total, count = summed.split(",")
            low, high = found[:2]
            means.append(((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, float(total) / int(count)))
    return points, means


def _point(row: Any) -> Point:
    step, ts, value, is_nan = row
    return step, ts, _NAN if is_nan else value


def _read(text: str) -> Point:
    step, ts, value = text.split(",")
    return int(step), int(ts), _NAN if value in ("nan", "NaN") else float(value)
