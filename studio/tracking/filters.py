"""The filter language of MLflow's searches: comparisons joined by AND, parsed once into a tree, before any SQL.

metrics.rmse < 0.3 AND params."model type" LIKE 'tree%' AND tags.`a b` IS NOT NULL AND run_id IN ('…', '…')
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from studio.errors import Invalid

MAX_LENGTH = 10_000  # characters; longer ones are not written by people
MAX_COMPARISONS = 100

NUMERIC_OPS = ("=", "!=", "<", "<=", ">", ">=")
STRING_OPS = ("=", "!=", "LIKE", "ILIKE")
LIST_OPS = ("IN", "NOT IN")
NULL_OPS = ("IS NULL", "IS NOT NULL")

Value = str | int | float | tuple[str, ...] | None


class FilterError(Invalid):
    """A filter that cannot be understood; `position` is the character, from 0, at which it goes wrong."""

    def __init__(self, message: str, position: int, hint: str = "") -> None:
        super().__init__(message, hint or f"Look at character {position + 1} of the filter.")
        self.position = position


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
    lists: frozenset[str] = frozenset()  # text attributes that take IN
    entities: Mapping[str, str] = field(default_factory=dict)  # as written → attribute, metric, param, tag, dataset
    aliases: Mapping[str, str] = field(default_factory=dict)  # attribute as written → attribute
    nulls: frozenset[str] = frozenset()  # entities that take IS NULL
    listed: frozenset[str] = frozenset()  # entities besides attributes that take IN
    sorts: frozenset[str] = frozenset()  # attributes that can be sorted by
    sort_entities: frozenset[str] = frozenset({"attribute"})


_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
  | (?P<string>'(?:[^']|'')*'|"(?:[^"]|"")*")(?!\s*\.)
  | (?P<name>(?:[A-Za-z_]\w*\s*\.\s*)?(?:`[^`]*`|"[^"]*"|[A-Za-z_][\w./:@-]*|(?<=\.)[\w./:@-]+))
  | (?P<op><=|>=|!=|<>|=|<|>)
  | (?P<open>\()
  | (?P<close>\))
  | (?P<comma>,)
    """,
    re.VERBOSE,
)
_WORDS = frozenset({"AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "ILIKE"})


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is a group of the pattern, or `word` for the words of the language."""

    kind: str
    text: str
    position: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens of `text`, white space left out; linear in its length."""
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            unclosed = text[at] in "'\"`"
            raise FilterError(
                f"Invalid clause(s) in filter string: {text[at : at + 20]!r} cannot be read"
                + (": the quote is never closed." if unclosed else "."),
                at,
            )
        kind = match.lastgroup or ""
        at = match.end()
        if kind == "name" and match.group().upper() in _WORDS:
            kind = "word"
        if kind != "space":
            yield Token(kind, match.group(), match.start())


class _Reader:
    def __init__(self, text: str, grammar: Grammar) -> None:
        self.items = [*tokens(text), Token("end", "", len(text))]
        self.at = 0
        self.grammar = grammar

    def peek(self) -> Token:
        return self.items[self.at]

    def take(self) -> Token:
        token = self.items[self.at]
        self.at += 1
        return token

    def take_word(self, *words: str) -> str:
        token = self.peek()
        if token.kind == "word" and token.text.upper() in words:
            self.at += 1
            return token.text.upper()
        return ""


def parse(text: str | None, grammar: Grammar) -> And:
    """The tree of a filter; `FilterError` with a position if it is not one."""
    if not text or not text.strip():
        return And(())
    if len(text) > MAX_LENGTH:
        raise FilterError(f"The filter has {len(text)} characters; {MAX_LENGTH} are the most.", MAX_LENGTH)
    reader = _Reader(text, grammar)
    parts = [_comparison(reader)]
    while reader.peek().kind != "end":
        token = reader.peek()
        if not reader.take_word("AND"):
            raise FilterError(
                f"Invalid clause(s) in filter string: '{token.text}'.", token.position, "Join comparisons with AND."
            )
        parts.append(_comparison(reader))
        if len(parts) > MAX_COMPARISONS:
            raise FilterError(f"A filter has at most {MAX_COMPARISONS} comparisons.", token.position)
    return And(tuple(parts))


def parse_order(text: str, grammar: Grammar) -> tuple[str, str, bool]:
    """(entity, key, descending) of one `order_by` entry such as "metrics.rmse DESC"."""
    match = re.fullmatch(r"\s*(.*?)(?:\s+(asc|desc))?\s*", text, re.IGNORECASE | re.DOTALL)
    name = match.group(1) if match else ""
    token = _TOKEN.fullmatch(name)
    if match is None or token is None or token.lastgroup != "name":
        raise Invalid(f"Invalid order_by clause '{text}'. Could not be parsed.", "Write <column> ASC or <column> DESC.")
    entity, key = _identifier(Token("name", name, 0), grammar)
    if entity not in grammar.sort_entities:
        raise Invalid(f"Invalid identifier type '{entity}'", f"Sort by one of {sorted(grammar.sort_entities)}.")
    if entity == "attribute" and key not in grammar.sorts:
        raise Invalid(f"Invalid attribute key '{key}' specified. Valid keys are {sorted(grammar.sorts)}")
    return entity, key, (match.group(2) or "").lower() == "desc"


def render(tree: And) -> str:
    """`tree` written out; parsing it gives the same tree."""
    return " AND ".join(_render(part) for part in tree.parts)


def quote(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


def _render(part: Comparison) -> str:
    name = part.key if part.entity == "attribute" else f"{part.entity}.`{part.key}`"
    if part.value is None:
        return f"{name} {part.op}"
    if isinstance(part.value, tuple):
        return f"{name} {part.op} ({', '.join(quote(item) for item in part.value)})"
    return f"{name} {part.op} {quote(part.value) if isinstance(part.value, str) else repr(part.value)}"


def _identifier(token: Token, grammar: Grammar) -> tuple[str, str]:
    text = token.text
    entity, dot, key = text.partition(".")
    if not dot or text[0] in "`\"'":
        entity, key = "attribute", text
    else:
        written, key = entity.strip(), key.strip()
        if written not in grammar.entities:
            kinds = sorted(set(grammar.entities.values()))
            raise FilterError(f"Invalid entity type '{written}'. Valid values are {kinds}", token.position)
        entity = grammar.entities[written]
    if len(key) > 1 and key[0] in "`\"'" and key[-1] == key[0]:
        key = key[1:-1]
    if entity == "attribute":
        key = grammar.aliases.get(key, key)
        known = grammar.strings | grammar.numbers | grammar.sorts
        if key not in known:
            raise FilterError(
                f"Invalid attribute key '{key}' specified. Valid keys are {sorted(known)}",
                token.position,
                "Write metrics.…, params.… or tags.… for what runs log." if "metric" in grammar.nulls else "",
            )
    elif entity == "dataset" and key not in ("name", "digest", "context"):
        raise FilterError(
            f"Invalid dataset key '{key}' specified. Valid keys are name, digest, context", token.position
        )
    return entity, key


def _comparison(reader: _Reader) -> Comparison:
    token = reader.take()
    # A quoted name before an operator is read as a string; `Run Name` = 'x' is meant as an attribute.
    if token.kind == "string" and token.text[0] == '"':
        token = Token("name", token.text, token.position)
    if token.kind != "name":
        found = f"'{token.text}'" if token.text else "the end"
        raise FilterError(f"Invalid clause(s) in filter string: expected a name, found {found}.", token.position)
    entity, key = _identifier(token, reader.grammar)
    op, at = _operator(reader)
    is_number = entity == "metric" or (entity == "attribute" and key in reader.grammar.numbers)
    allowed = _allowed(reader.grammar, entity, key, is_number)
    if op not in allowed:
        if op in NULL_OPS:
            kinds = " and ".join(f"{kind}s" for kind in sorted(reader.grammar.nulls)) or "nothing here"
            raise FilterError(f"IS NULL / IS NOT NULL is only supported for {kinds}, not for {entity} '{key}'", at)
        raise FilterError(f"Invalid comparator '{op}' not one of {list(allowed)}", at)
    if op in NULL_OPS:
        return Comparison(entity, key, op, None, token.position)
    value = _list(reader) if op in LIST_OPS else _value(reader, entity, key, is_number)
    return Comparison(entity, key, op, value, token.position)


def _allowed(grammar: Grammar, entity: str, key: str, is_number: bool) -> tuple[str, ...]:
    if is_number:
        return NUMERIC_OPS
    takes_list = key in grammar.lists if entity == "attribute" else entity in grammar.listed
    return STRING_OPS + (LIST_OPS if takes_list else ()) + (NULL_OPS if entity in grammar.nulls else ())


def _operator(reader: _Reader) -> tuple[str, int]:
    token = reader.take()
    if token.kind == "op":
        return ("!=" if token.text == "<>" else token.text), token.position
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
    found = f"'{token.text}'" if token.text else "the end"
    raise FilterError(f"Invalid clause(s) in filter string: expected a comparison, found {found}.", token.position)


def _value(reader: _Reader, entity: str, key: str, is_number: bool) -> Value:
    token = reader.take()
    if is_number:
        if token.kind != "number":
            what = "metric" if entity == "metric" else f"numeric attribute: {key}"
            raise FilterError(f"Expected numeric value type for {what}. Found {token.text}", token.position)
        if re.fullmatch(r"[+-]?\d{1,18}", token.text):
            return int(token.text)
        return float(token.text)
    return _string(token, f"Expected a quoted string value for {entity} (e.g. 'my-value').")


def _string(token: Token, message: str) -> str:
    if token.kind != "string":
        raise FilterError(f"{message} Got value {token.text}", token.position)
    mark = token.text[0]
    return token.text[1:-1].replace(mark * 2, mark)


def _list(reader: _Reader) -> tuple[str, ...]:
    token = reader.take()
    if token.kind != "open":
        raise FilterError("Expected a list of quoted string values in parentheses.", token.position)
    values: list[str] = []
    while True:
        values.append(_string(reader.take(), "Expected a quoted string value in the list."))
        token = reader.take()
        if token.kind == "close":
            return tuple(values)
        if token.kind != "comma":
            raise FilterError("Expected ',' or ')' in the list.", token.position)
