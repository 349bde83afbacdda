"""Rules of a domain's policy, as data: what they say, and what is known when they are asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from studio.patterns import ANY, is_one_of, matches

KNOWN = 4096  # (action, person) pairs, and resources beside them, whose rules are remembered
LONGEST = 300  # characters of a resource that is remembered: callers choose what they ask for
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


Both = tuple[tuple[Rule, ...], tuple[Rule, ...]]  # those that deny, those that allow


class Policy:
    """The rules of one domain, found by action and person; made once per change and shared by all requests."""

    __slots__ = ("_about", "_for", "_on", "asks_money", "facts", "rules")

    def __init__(self, rules: tuple[Rule, ...], facts: Facts) -> None:
        self.rules = rules
        self.facts = facts
        self.asks_money = any("spend" in rule.when for rule in rules)
        self._about: dict[str, tuple[Rule, ...]] = {}
        self._for: dict[tuple[str, str, str], Both] = {}
        self._on: dict[tuple[str, str, str, str], Both] = {}

    def about(self, action: str) -> tuple[Rule, ...]:
        """The rules whose pattern covers `action`."""
        found = self._about.get(action)
        if found is None:
            found = self._about[action] = tuple(rule for rule in self.rules if matches(rule.action, action))
        return found

    def of(self, action: str, user: str, role: str) -> Both:
        """Those of them that name this person: remembered, since everything else about a rule changes by request."""
        found = self._for.get((action, user, role))
        if found is None:
            if len(self._for) >= KNOWN:
                self._for.clear()
            named = [rule for rule in self.about(action) if is_one_of(rule.who, user, role)]
            denying = tuple(rule for rule in named if rule.effect == "deny")
            found = denying, tuple(rule for rule in named if rule.effect == "allow")
            self._for[action, user, role] = found
        return found

    def on(self, resource: str, action: str, user: str, role: str, concerns: Callable[[Rule], bool]) -> Both:
        """Those of them that concern this resource too: only their conditions are left to ask."""
        found = self._on.get((resource, action, user, role))
        if found is None:
            denying, allowing = self.of(action, user, role)
            found = tuple(filter(concerns, denying)), tuple(filter(concerns, allowing))
            if len(self._on) >= KNOWN:
                self._on.clear()
            if len(resource) <= LONGEST:
                self._on[resource, action, user, role] = found
        return found


NO_RULES = Policy((), Facts())
