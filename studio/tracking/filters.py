"""The filter language of MLflow's searches: comparisons joined by AND, parsed once into a tree, before any SQL.

metrics.rmse < 0.3 AND params."model type" LIKE 'tree%' AND tags.`a b` IS NOT NULL AND run_id IN ('…', '…')

As in MLflow, what stands between quotes is the value: double quotes for one with a single quote in it. Beyond MLflow,
keys may have / : - @ without quotes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from studio.errors import Invalid
from studio.tracking.tokens import FilterError, Token, listed, split, string, tokens

__all__ = ["And", "Comparison", "FilterError", "Grammar", "parse", "parse_order"]

MAX_LENGTH = 10_000  # characters; longer ones are not written by people
MAX_COMPARISONS = 100

NUMERIC_OPS = ("=", "!=", "<", "<=", ">", ">=")
STRING_OPS = ("=", "!=", "LIKE", "ILIKE")
LIST_OPS = ("IN", "NOT IN")
NULL_OPS = ("IS NULL", "IS NOT NULL")

Value = str | int | float | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`entity` is attribute, metric, param, tag or dataset; `value` is None for IS NULL, a tuple for IN."""

    entity: str
    key: str
    op: str
    value: Value
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """All of `parts`; none of them: everything."""

    parts: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class Grammar:
    """What one kind of search may speak of."""

    strings: frozenset[str]  # attributes that are text
    numbers: frozenset[str] = frozenset()  # attributes that are numbers
    whole: frozenset[str] = frozenset()  # of those, the ones that are compared with whole numbers only
    quoted: frozenset[str] = frozenset()  # and the ones whose number may be quoted
    lists: frozenset[str] = frozenset()  # text attributes that take IN
    entities: Mapping[str, str] = field(default_factory=dict)  # as written → attribute, metric, param, tag, dataset
    aliases: Mapping[str, str] = field(default_factory=dict)  # attribute as written → attribute
    nulls: frozenset[str] = frozenset()  # entities that take IS NULL
    listed: frozenset[str] = frozenset()  # entities besides attributes that take IN
    sorts: frozenset[str] = frozenset()  # attributes that can be sorted by
    sort_entities: frozenset[str] = frozenset({"attribute"})


class _Reader:
    def __init__(self, text: str, grammar: Grammar) -> None:
        self.items = list(tokens(text))
        self.at = 0
        self.grammar = grammar

    def peek(self) -> Token:
        return self.items[self.at]

    def take(self) -> Token:
        token = self.items[self.at]
        if token.kind != "end":
            self.at += 1
        return token

    def take_word(self, *words: str) -> str:
        token = self.peek()
        if token.kind == "word" and token.text.upper() in words:
            self.at += 1
            return token.text.upper()
        return ""


def parse(text: str | None, grammar: Grammar) -> And:
    """The tree of a filter; `FilterError` with a position if it is not one. An AND too many does no harm."""
    if not text or not text.strip():
        return And(())
    if len(text) > MAX_LENGTH:
        raise FilterError(f"The filter has {len(text)} characters; {MAX_LENGTH} are the most.", MAX_LENGTH)
    reader = _Reader(text, grammar)
    parts: list[Comparison] = []
    while True:
        joined = not parts
        while reader.take_word("AND"):
            joined = True
        token = reader.peek()
        if token.kind == "end":
            return And(tuple(parts))
        if not joined:
            raise FilterError(
                f"Invalid clause(s) in filter string: {token.found()}.", token.position, "Join comparisons with AND."
            )
        if len(parts) == MAX_COMPARISONS:
            raise FilterError(f"A filter has at most {MAX_COMPARISONS} comparisons.", token.position)
        parts.append(_comparison(reader))


def parse_order(text: str, grammar: Grammar) -> tuple[str, str, bool]:
    """(entity, key, descending) of one `order_by` entry such as "metrics.rmse DESC"."""
    match = re.fullmatch(r"\s*(.*?)(?:\s+(asc|desc))?\s*", text[:MAX_LENGTH], re.IGNORECASE | re.DOTALL)
    try:
        name, end = tokens(match[1] if match else "")
    except (FilterError, ValueError):
        name = end = Token("end", "", 0)
    if match is None or end.kind != "end" or not (name.kind == "name" or name.text[:1] == '"'):
        raise Invalid(f"Invalid order_by clause '{text}'. Could not be parsed.", "Write <column> ASC or <column> DESC.")
    entity, key = _identifier(name, grammar, grammar.sorts)
    if entity not in grammar.sort_entities:
        raise Invalid(f"Invalid identifier type '{entity}'", f"Sort by one of {sorted(grammar.sort_entities)}.")
    return entity, key, (match[2] or "").lower() == "desc"


def _identifier(token: Token, grammar: Grammar, attributes: frozenset[str]) -> tuple[str, str]:
    written, key = split(token.text)
    if written and written not in grammar.entities:
        kinds = sorted(set(grammar.entities.values()))
        raise FilterError(f"Invalid entity type '{written}'. Valid values are {kinds}", token.position)
    entity = grammar.entities[written] if written else "attribute"
    if entity == "attribute":
        key = grammar.aliases.get(key, key)
        if key not in attributes:
            raise FilterError(
                f"Invalid attribute key '{key}' specified. Valid keys are {sorted(attributes)}",
                token.position,
                "Write metrics.…, params.… or tags.… for what runs log." if "dataset" in grammar.entities else "",
            )
    elif entity == "dataset" and key not in ("name", "digest", "context"):
        raise FilterError(
            f"Invalid dataset key '{key}' specified. Valid keys are name, digest, context", token.position
        )
    return entity, key


def _comparison(reader: _Reader) -> Comparison:
    token, grammar = reader.take(), reader.grammar
    # A double-quoted name before an operator is read as a string; "Run Name" = 'x' is meant as an attribute.
    if token.kind != "name" and token.text[:1] != '"':
        raise FilterError(
            f"Invalid clause(s) in filter string: expected a name, found {token.found()}.", token.position
        )
    entity, key = _identifier(token, grammar, grammar.strings | grammar.numbers)
    op, at = _operator(reader)
    is_number = entity == "metric" or (entity == "attribute" and key in grammar.numbers)
    allowed = _allowed(grammar, entity, key, is_number)
    if op not in allowed:
        if op in NULL_OPS:
            kinds = " and ".join(f"{kind}s" for kind in sorted(grammar.nulls)) or "nothing here"
            raise FilterError(f"IS NULL / IS NOT NULL is only supported for {kinds}, not for {entity} '{key}'", at)
        raise FilterError(f"Invalid comparator '{op}' not one of {list(allowed)}", at)
    value: Value = None
    if op in LIST_OPS:
        value = _list(reader)
    elif op not in NULL_OPS:
        value = _number(reader.take(), entity, key, grammar) if is_number else _text(reader.take(), entity)
    return Comparison(entity, key, op, value, token.position)


def _allowed(grammar: Grammar, entity: str, key: str, is_number: bool) -> tuple[str, ...]:
    if is_number:
        return NUMERIC_OPS
    takes_list = key in grammar.lists if entity == "attribute" else entity in grammar.listed
    return STRING_OPS + (LIST_OPS if takes_list else ()) + (NULL_OPS if entity in grammar.nulls else ())


def _operator(reader: _Reader) -> tuple[str, int]:
    token = reader.take()
    if token.kind == "op":
        return token.text, token.position
    if token.kind == "word":
        word = token.text.upper()
        if word in ("LIKE", "ILIKE", "IN"):
            return word, token.position
        if word == "NOT" and reader.take_word("IN"):
            return "NOT IN", token.position
        if word == "IS":
            negated = reader.take_word("NOT")
            if reader.take_word("NULL"):
                return ("IS NOT NULL" if negated else "IS NULL"), token.position
    raise FilterError(
        f"Invalid clause(s) in filter string: expected a comparison, found {token.found()}.", token.position
    )


def _text(token: Token, entity: str) -> str:
    return string(token, f"Expected a quoted string value for {entity} (e.g. 'my-value').")


def _number(token: Token, entity: str, key: str, grammar: Grammar) -> int | float:
    text = token.text[1:-1].strip() if token.kind == "string" and key in grammar.quoted else token.text
    what = "metric" if entity == "metric" else f"numeric attribute: {key}"
    if re.fullmatch(r"-?\d{1,18}", text) and text.isascii():
        return int(text)
    if token.kind != "number":
        raise FilterError(f"Expected numeric value type for {what}. Found {token.text}", token.position)
    if entity == "attribute" and key in grammar.whole:
        raise FilterError(f"Invalid value for {what}. Found {token.text}", token.position, "Write a whole number.")
    return float(text)


def _list(reader: _Reader) -> tuple[str, ...]:
    token = reader.take()
    if token.kind != "open":
        raise FilterError("Expected a list of quoted string values in parentheses.", token.position)
    values: list[str] = []
    while True:
        if values and reader.peek().kind == "close":
            reader.take()
            return tuple(values)
        values.append(listed(reader.take()))
        token = reader.take()
        if token.kind == "close":
            return tuple(values)
        if token.kind != "comma":
            raise FilterError("Expected ',' or ')' in the list.", token.position)
