"""What an access key may be narrowed to: patterns of actions and of resources, checked when the key is made."""

import re
from collections.abc import Sequence

from studio.access import permissions
from studio.errors import Invalid
from studio.patterns import matches

MOST = 50
_ACTION = re.compile(r"[a-z*][a-z.*-]{0,79}")
_RESOURCE = re.compile(r"([a-z][a-z-]{0,39})/[^\x00-\x1f\x7f/][^\x00-\x1f\x7f]{0,199}|\*")


def check_actions(patterns: Sequence[str]) -> tuple[str, ...]:
    """The patterns, each once; `Invalid` for one that covers no action at all, since that is a slip of the pen."""
    known = sorted({*permissions.IN_DOMAIN, *permissions.SIGNED_IN})
    for pattern in _bounded(patterns, "actions"):
        if not _ACTION.fullmatch(pattern) or not any(matches(pattern, action) for action in known):
            groups = ", ".join(sorted({action.partition(".")[0] + ".*" for action in known}))
            raise Invalid(f"{pattern[:80]!r} is no action, nor a pattern of some.", f"There are {groups}.")
    return tuple(dict.fromkeys(patterns))


def check_resources(patterns: Sequence[str]) -> tuple[str, ...]:
    """The patterns, each once; `Invalid` for one that is not `kind/name` with a known kind."""
    kinds = sorted({*permissions.KINDS.values(), "domain"})
    for pattern in _bounded(patterns, "resources"):
        found = _RESOURCE.fullmatch(pattern)
        if found is None or (found[1] is not None and found[1] not in kinds):
            raise Invalid(
                f"{pattern[:80]!r} names no resource.", f"Write KIND/NAME, * for any; kinds are {', '.join(kinds)}."
            )
    return tuple(dict.fromkeys(patterns))


def _bounded(patterns: Sequence[str], what: str) -> Sequence[str]:
    if len(patterns) > MOST:
        raise Invalid(f"A key is narrowed to at most {MOST} {what}.", "Use patterns such as tracking.*.")
    return patterns
