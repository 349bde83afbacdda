"""The one kind of pattern in rules and scopes: text in which `*` stands for any characters, none too."""

import functools
import re
from collections.abc import Sequence

ANY = "*"


def matches(pattern: str, text: str) -> bool:
    """Whether `pattern` covers the whole of `text`; only `*` is special."""
    if pattern in (ANY, text):
        return True
    return ANY in pattern and _compiled(pattern).fullmatch(text) is not None


def matches_any(patterns: Sequence[str], text: str) -> bool:
    """Whether one of `patterns` covers `text`."""
    return any(matches(pattern, text) for pattern in patterns)


def is_one_of(who: Sequence[str], user: str, role: str) -> bool:
    """Whether `who` (patterns such as `*`, `role:editor`, `user:b*`) names this person."""
    return any(matches(item, f"user:{user}") or matches(item, f"role:{role}") for item in who)


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split(ANY)), re.DOTALL)
