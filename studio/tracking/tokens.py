"""The words of a search filter, as MLflow reads them (its parser's lexer, sqlparse's keywords.SQL_REGEX)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from studio.errors import Invalid

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<name>(?:`[A-Za-z]+`|[A-Za-z_]\w*)\.(?:`[^`]*`|"[^"]*"|'[^']*'|[\w./:@-]+)|`[^`]*`)
  | (?P<number>-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
  | (?P<string>'(?:''|\\'|[^'])*'|"(?:""|\\"|[^"])*")
  | (?P<word>[A-Za-z_]\w*)
  | (?P<op>[<>=!~]+)
  | (?P<open>\()
  | (?P<close>\))
  | (?P<comma>,)
    """,
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", '"': '"'}
_ESCAPE = re.compile(r"\\([nrt\\'\"])")
_WORDS = frozenset({"AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "ILIKE"})


class FilterError(Invalid):
    """A filter that cannot be understood; `position` is the character, from 0, at which it goes wrong."""

    def __init__(self, message: str, position: int, hint: str = "") -> None:
        super().__init__(message, hint or f"Look at character {position + 1} of the filter.")
        self.position = position


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is a group of the pattern, `word` only for the words of the language; `name` else, and `end`."""

    kind: str
    text: str
    position: int

    def found(self) -> str:
        """How an error names it."""
        return f"'{self.text}'" if self.text else "the end"


def tokens(text: str) -> Iterator[Token]:
    """The tokens of `text`, white space left out, and an `end`; linear in its length."""
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
        if kind == "word" and match.group().upper() not in _WORDS:
            kind = "name"
        if kind != "space":
            yield Token(kind, match.group(), at)
        at = match.end()
    yield Token("end", "", len(text))


def split(name: str) -> tuple[str, str]:
    """(entity or "", key) of a name; quotes and backticks are taken off."""
    entity, dot, key = name.partition(".")
    if not dot or (name[0] in "`\"'" and not (len(entity) > 1 and entity[-1] == name[0])):
        entity, key = "", name
    return unquote(entity, "`"), unquote(unquote(key, "'\""), "`")


def unquote(text: str, marks: str) -> str:
    """`text` without one of `marks` on both its ends."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in marks else text


def string(token: Token, message: str) -> str:
    """The value of a quoted string: what stands between the quotes as it is, doubled quotes and backslashes too."""
    if token.kind != "string":
        raise FilterError(f"{message} Got value {token.text}", token.position)
    return token.text[1:-1]


def listed(token: Token) -> str:
    """The value of a string in a list. MLflow reads these as Python's literals: backslashes escape, and a doubled quote
    ends one string and begins the next."""
    value = string(token, "Expected a quoted string value in the list.").replace(token.text[0] * 2, "")
    return _ESCAPE.sub(lambda match: _ESCAPES[match[1]], value)
