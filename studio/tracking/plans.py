"""Which query answers a search soonest.

Without a filter the order's index is walked as far as the page needs. With one, a walk finds a page soon if much
matches, and the runs that a selective comparison lets through are sorted soon if little does. Nothing is known
beforehand: a short walk shows how much matches, and then the way that will be the shorter one is taken.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection

from studio.errors import Invalid
from studio.tracking import orders, queries
from studio.tracking.queries import Leg, Search

MOST_STREAMS = 64  # places of an index that are walked side by side
FEW = 500  # runs that are sorted at once, whatever a walk would cost
DISTANCES = (1000, 15_000)  # rows of an index that are walked before it is asked whether another way is shorter
SORTING = 0.5  # as many runs of a comparison are sorted in the time of one step of a walk
MOST_POSTED = 100_000
Row = tuple[Any, ...]


def first(db: Connection, search: Search, after: Sequence[Any] | None, most: int) -> list[Row]:
    """The first `most` rows (internal number, sort values …) after the one that had the sort values `after`."""
    if not search.experiments:
        return []
    driver = _driver(db, search, FEW if _is_walkable(search) else MOST_POSTED // 5)
    if driver is not None or not _is_walkable(search):
        return queries.sorted_all(db, search, after, most, driver)
    found: list[Row] = []
    for leg in _legs(search, after):
        # What comes before a leg has been given already; the place in it counts for the leg in which the page begins.
        begin = after if after is not None and leg.rank in (None, after[0]) else None
        rows, driver = _walk(db, search, leg, begin, most - len(found))
        if driver is not None:
            return queries.sorted_all(db, search, after, most, driver)
        found += rows
        if len(found) >= most:
            break
    return found


def _is_walkable(search: Search) -> bool:
    """Whether an index has the order; side by side only where rows of several walks can be compared here."""
    entity, key, _ = search.terms[0]
    if entity != "metric" and (entity, key) != orders.NEWEST[0][:2]:
        return False
    rest = list(search.terms[1:])
    is_plain = rest == orders.NEWEST or (entity == "attribute" and rest == orders.NEWEST[1:])
    streams = len(search.experiments) * len(search.stages)
    return streams == 1 or (is_plain and streams <= MOST_STREAMS)


def _legs(search: Search, after: Sequence[Any] | None) -> list[Leg]:
    if search.terms[0][0] != "metric":
        return [Leg(None)]
    begin = 0 if after is None else after[0]
    if begin not in (0, 1, 2):
        raise Invalid("Invalid page token: nobody was given it.", "Begin again without a page token.")
    return [Leg(rank) for rank in range(int(begin), 3)]


def _walk(
    db: Connection, search: Search, leg: Leg, after: Sequence[Any] | None, most: int
) -> tuple[list[Row], int | None]:
    """The first rows of a leg; or the comparison by which sorting is the shorter way to them."""
    found: list[Row] = []
    for distance in DISTANCES if search.tree.parts and leg.is_long(search) else ():
        rows, is_all = _streams(db, search, leg, after, most - len(found), distance)
        found += rows
        if is_all or len(found) >= most:
            return found, None
        # If nothing was found, the rest is thought to have something ten times as far on.
        further = distance * ((most - len(found)) / len(rows) if rows else 10)
        driver = _driver(db, search, int(min(MOST_POSTED, further * SORTING)))
        if driver is not None:
            return [], driver
        if rows:
            after = rows[-1][1:]
            break
    return found + _streams(db, search, leg, after, most - len(found), 0)[0], None


def _driver(db: Connection, search: Search, most: int) -> int | None:
    """The comparison that lets the fewest runs through, if they are fewer than `most`."""
    best: int | None = None
    numbers = [n for n in range(len(search.tree.parts)) if queries.has_posting(search, n)]
    # Metrics come last: of their runs the most are looked at before it is clear that they are too many.
    for n in sorted(numbers, key=lambda n: search.tree.parts[n].entity == "metric"):
        count = queries.posted(db, search, n, most)
        if count < most:
            best, most = n, count
    return best


def _streams(
    db: Connection, search: Search, leg: Leg, after: Sequence[Any] | None, most: int, distance: int
) -> tuple[list[Row], bool]:
    """The first rows of a leg, walked for each experiment (and stage) by itself, together in order; and whether these
    are all that there are. With `distance` the walks end after so many rows of the index in all."""
    streams = leg.streams(search)
    if len(streams) == 1 and not distance:
        return queries.walked(db, streams[0], leg, after, most), True
    descending = search.terms[0][2] or leg.rank == 2
    rows: list[Row] = []
    ends: list[Any] = []
    for stream in streams:
        end = queries.horizon(db, stream, leg, after, max(1, distance // len(streams))) if distance else None
        some = queries.walked(db, stream, leg, after, most, end)
        rows += some
        if end is not None and len(some) < most:
            ends.append(end)
    place = 1 + leg.skipped
    if len(streams) > 1:
        rows.sort(key=_comparing(search, place))
        if ends:
            # Beyond where the first walk ended, it may have runs that come before those of the others.
            end = max(ends) if descending else min(ends)
            rows = [row for row in rows if (row[place] >= end if descending else row[place] <= end)]
    return rows[:most], not ends


def _comparing(search: Search, place: int) -> Callable[[Row], tuple[Any, ...]]:
    """Compares rows of one leg as the database does: all but the run id, the last, are numbers."""
    signs = [-1 if descending else 1 for _, _, descending in search.terms]
    # A metric has two sort values, the other terms one.
    signs = [signs[0], *signs] if search.terms[0][0] == "metric" else signs

    def key(row: Row) -> tuple[Any, ...]:
        numbers = (sign * value for sign, value in zip(signs[place - 1 :], row[place:-1], strict=False))
        return (*numbers, row[-1])

    return key
