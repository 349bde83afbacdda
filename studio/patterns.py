"""The one kind of pattern in rules and scopes: text in which `*` stands for any characters, none too."""

from collections.abc import Sequence

ANY = "*"


def matches(pattern: str, text: str) -> bool:
    """Whether `pattern` covers the whole of `text`; only `*` is special."""
    if pattern in (ANY, text):
        return True
    if ANY not in pattern:
        return False
    if pattern[-1] == ANY and ANY not in (start := pattern[:-1]):  # nearly all are such
        return text.startswith(start)
    first, *middle = pattern.split(ANY)
    if not text.startswith(first):
        return False
    # Found from left to right, not by a regular expression: one with many stars would hold up everybody.
    last, at = middle.pop(), len(first)
    for part in middle:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - at >= len(last) and text.endswith(last)


def matches_any(patterns: Sequence[str], text: str) -> bool:
    """Whether one of `patterns` covers `text`."""
    return any(matches(pattern, text) for pattern in patterns)


def is_one_of(who: Sequence[str], user: str, role: str) -> bool:
    """Whether `who` (patterns such as `*`, `role:editor`, `user:b*`) names this person."""
    return any(matches(item, f"user:{user}") or matches(item, f"role:{role}") for item in who)
