"""Filters written out, and drawn at random."""

from hypothesis import strategies as st

from studio.tracking import filters
from studio.tracking.filters import And, Comparison


def render(tree: And) -> str:
    """`tree` written out; parsing it gives the same tree."""
    return " AND ".join(_render(part) for part in tree.parts)


def quote(value: str) -> str:
    """A string literal of a value that has not both kinds of quotes in it."""
    mark = '"' if "'" in value else "'"
    return f"{mark}{value}{mark}"


def _render(part: Comparison) -> str:
    name = part.key if part.entity == "attribute" else f"{part.entity}.`{part.key}`"
    if part.value is None:
        return f"{name} {part.op}"
    if isinstance(part.value, tuple):
        return f"{name} {part.op} ({', '.join(map(quote, part.value))})"
    return f"{name} {part.op} {quote(part.value) if isinstance(part.value, str) else repr(part.value)}"


KEYS = ["a", "b", "x y", "p/q.r", "50%"]
VALUES = ["", "1", "x", "X", "xy", "it's", '"q"', "%", "a_c", "ä", "b\\c"]
texts = st.sampled_from(VALUES)
numbers = st.one_of(
    st.integers(-5, 5), st.floats(allow_nan=False, allow_infinity=False, width=32), st.sampled_from([0.5, -0.5])
)


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    """A comparison of a search for runs."""
    kind = draw(st.sampled_from(["metric", "param", "tag", "name", "time", "id"]))
    if kind == "metric":
        return Comparison(
            "metric", draw(st.sampled_from(KEYS[:4])), draw(st.sampled_from(filters.NUMERIC_OPS)), draw(numbers)
        )
    if kind == "time":
        return Comparison(
            "attribute", "start_time", draw(st.sampled_from(filters.NUMERIC_OPS)), draw(st.integers(0, 5))
        )
    if kind == "id":
        return Comparison(
            "attribute", "run_id", draw(st.sampled_from(filters.LIST_OPS)), tuple(draw(st.lists(texts, min_size=1)))
        )
    op = draw(st.sampled_from(filters.STRING_OPS))
    if kind == "name":
        return Comparison("attribute", "run_name", op, draw(texts))
    if draw(st.booleans()):
        return Comparison(kind, draw(st.sampled_from(KEYS[:4])), draw(st.sampled_from(filters.NULL_OPS)), None)
    return Comparison(kind, draw(st.sampled_from(KEYS[:4])), op, draw(texts))
