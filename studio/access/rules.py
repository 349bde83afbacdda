"""Rules of a domain's policy, as data: what they say, and what is known when they are asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from studio.patterns import ANY, matches

Effect = Literal["allow", "deny"]
When = Mapping[str, Mapping[str, Any]]  # name of a condition → its parameters; all of them must hold


@dataclass(frozen=True, slots=True)
class Rule:
    """`who`: patterns of `role:…` and `user:…`; `action` and `resource` (`kind/name`) are patterns too."""

    id: str
    effect: Effect
    who: tuple[str, ...]
    action: str
    resource: str = ANY
    when: When = field(default_factory=dict)
    why: str = ""
    created_by: str = ""
    created_ms: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What conditions may ask of the domain: `spend` since the month began, `gpus` by instance type."""

    network_mode: str = ""
    spend: float = 0.0
    gpus: Mapping[str, int] = field(default_factory=dict)


class Policy:
    """The rules of one domain, found by action; made once per change and shared by all requests."""

    __slots__ = ("_by_action", "facts", "rules")

    def __init__(self, rules: tuple[Rule, ...], facts: Facts) -> None:
        self.rules = rules
        self.facts = facts
        self._by_action: dict[str, tuple[tuple[Rule, ...], tuple[Rule, ...]]] = {}

    def about(self, action: str) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
        """(rules that deny, rules that allow) whose pattern covers `action`."""
        found = self._by_action.get(action)
        if found is None:
            some = [rule for rule in self.rules if matches(rule.action, action)]
            denying = tuple(rule for rule in some if rule.effect == "deny")
            found = self._by_action[action] = denying, tuple(rule for rule in some if rule.effect == "allow")
        return found


NO_RULES = Policy((), Facts())
