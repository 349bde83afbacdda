"""Policies: rules, roles, verdicts."""

from typing import Any, Literal

from pydantic import Field

from studio.wire.rest.schemas.base import Answer, Body

When = dict[str, dict[str, Any]]


class RuleBody(Body):
    """What a rule says: `who` are patterns of `role:…` and `user:…` or `*`; `when`: name of a condition → parameters,
    all of which must hold."""

    effect: Literal["allow", "deny"]
    who: list[str] = Field(max_length=50)
    action: str = Field(max_length=80)
    resource: str = Field("*", max_length=300)
    when: When = {}
    why: str = Field("", max_length=300)


class RuleAnswer(Answer):
    """A rule on record; `text` says it in one sentence."""

    id: str
    effect: str
    who: list[str]
    action: str
    resource: str
    when: When
    why: str
    created_by: str
    created_ms: int
    text: str


class ConditionAnswer(Answer):
    """A condition that rules may have; `example`: its parameters."""

    name: str
    about: str
    example: dict[str, Any]


class ActionAnswer(Answer):
    """An action in a domain: the weakest role that has it, and what its resources are (`kind/name`)."""

    name: str
    role: str
    kind: str


class PolicyAnswer(Answer):
    """Who may do what in a domain: the roles' actions, and the rules beside them. Deny wins, whatever the order."""

    rules: list[RuleAnswer]
    actions: list[ActionAnswer]
    conditions: list[ConditionAnswer]
    kinds: list[str]
    may_change: bool


class PolicyBody(Body):
    """All rules of a domain, instead of those that are there."""

    rules: list[RuleBody] = Field(max_length=200)


class ConsideredAnswer(Answer):
    """A rule about the action: whether it applies, and if not, why."""

    rule: RuleAnswer
    applies: bool
    because: str


class VerdictAnswer(Answer):
    """May they? `message` says why, `hint` what would allow it; `rule`: the one that decided, if one did."""

    allowed: bool
    user: str
    role: str | None
    action: str
    resource: str
    reason: str
    message: str
    hint: str
    rule: str | None
    considered: list[ConsideredAnswer]
