"""Filters as people and programs write them, right and wrong, drawn at random piece by piece."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
TEXT_COMPARISONS = ("=", "!=", "LIKE", "ILIKE", "like", "iLike", "IS NULL", "is not null")
WORDS = (*COMPARISONS, *TEXT_COMPARISONS, "IN", "NOT IN", "in")
ODD_WORDS = ("==", "<>", "=>", "NOT LIKE", "RLIKE", "IS", "!", "~", "")
VALUES = (
    "'x'", "'X'", "'xy'", "''", "'a_c'", "'x%'", "'%'", "'_'", "'it''s'", "'it\\'s'", '"it\'s"', "'ä'",
    "'\"q\"'", '"x"', "'1'", "'b\\c'",
)  # fmt: skip
NUMBERS = ("0", "1", "-1", "0.5", "-0.5", "1e3", "5.", ".5", "1E-3", "2", "1790000000005")
ODD_VALUES = ("x", "`x`", "NULL", "TRUE", "NaN", "'x", '"x', "+ 5", "('x')", "()", "(1)", "('x', 1)", "('x' AND")
LISTS = ("('x')", "('x', 'y')", "( 'it\\'s' ,\"xy\")", "('ä','',)", '("x")')


@dataclass(frozen=True)
class Language:
    """What the names of a search are."""

    attributes: Sequence[str]
    entities: Sequence[str]
    keys: Sequence[str] = ("a", "b", "`x y`", '"x y"', "p.q", "`p.q`", '"`a`"', "`'a'`", "ä", "nothing")
    texts: Sequence[str] = VALUES
    values: Sequence[str] = ()  # besides
    numbers: Sequence[str] = ()
    numeric: Sequence[str] = ()  # attributes
    lower: bool = True  # whether MLflow takes LIKE and IN in lower case

    def names(self) -> st.SearchStrategy[str]:
        """The left side of a comparison."""
        dotted = st.builds(
            lambda entity, key: f"{entity}.{key}", st.sampled_from(self.entities), st.sampled_from(self.keys)
        )
        return st.one_of(st.sampled_from(self.attributes), dotted)

    def comparisons(self) -> st.SearchStrategy[str]:
        """One comparison; some are of the wrong kinds."""
        numbers = st.sampled_from((*NUMBERS, *self.numbers))
        texts = st.sampled_from((*self.texts, *self.values))

        def whole(name: str, is_odd: bool) -> st.SearchStrategy[str]:
            is_number = name.startswith("metric") or name.rpartition(".")[2] in self.numeric
            words = COMPARISONS if is_number and not is_odd else TEXT_COMPARISONS if not is_odd else WORDS
            words = tuple(word for word in words if self.lower or word.isupper() or not word.isalpha())
            return st.sampled_from(words).flatmap(lambda word: _written(name, word, numbers if is_number else texts))

        return st.tuples(self.names(), st.integers(0, 9).map(lambda n: n == 0)).flatmap(lambda pair: whole(*pair))

    def filters(self) -> st.SearchStrategy[str]:
        """Comparisons joined by AND."""
        joins = st.sampled_from((" AND ", " and ", "\nAnd "))
        several = st.lists(self.comparisons(), min_size=1, max_size=3)
        return st.builds(lambda parts, join: join.join(parts), several, joins)

    def broken(self) -> st.SearchStrategy[str]:
        """Pieces in no order that means anything, mostly."""
        pieces = st.one_of(
            self.names(), st.sampled_from(ODD_WORDS), st.sampled_from(ODD_VALUES), st.sampled_from(WORDS),
            st.sampled_from(VALUES), st.sampled_from(NUMBERS),
            st.sampled_from(("AND", "OR", "NOT", "(", ")", ",", ";", "-- x")),
        )  # fmt: skip
        random = st.lists(pieces, min_size=1, max_size=5).map(" ".join)
        one = self.comparisons()
        return st.one_of(
            random,
            st.builds(lambda a, b: f"{a} {b}", one, pieces),
            st.builds(lambda a, b: f"{a} {b}", pieces, one),
            st.builds(lambda a, b, c: f"{a} OR {b} AND {c}", one, one, one),
            st.builds(
                lambda name, word, value: f"{name} {word} {value}", self.names(), st.sampled_from(ODD_WORDS), pieces
            ),
            st.builds(lambda name, value: f"{name} = {value}", self.names(), st.sampled_from(ODD_VALUES)),
        )


def _written(name: str, word: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    if word.upper().endswith("NULL"):
        return st.just(f"{name} {word}")
    right = st.sampled_from(LISTS) if word.upper().endswith("IN") else values
    spaces = st.sampled_from((" ", "  ", "\n") if word[0].isalpha() else ("", " ", "\n"))
    return st.builds(lambda space, value: f"{name}{space}{word}{space}{value}", spaces, right)
