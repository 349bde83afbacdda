"""The text form of a policy: what is shown can be set again, and what cannot be read says why."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.access import conditions
from studio.access.conditions import CONDITIONS
from studio.cli.policy import from_text, to_toml
from studio.errors import Invalid

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
RULES = st.fixed_dictionaries(
    {
        "id": TEXT,
        "text": TEXT,
        "effect": st.sampled_from(["allow", "deny"]),
        "who": st.lists(TEXT, min_size=1, max_size=3),
        "action": TEXT.filter(bool),
        "resource": TEXT.filter(bool),
        "when": st.dictionaries(
            st.sampled_from(sorted(CONDITIONS)),
            st.dictionaries(
                st.sampled_from(["in", "below", "outside"]), TEXT | st.booleans() | st.lists(TEXT), min_size=1
            ),
        ),
        "why": TEXT,
        "created_by": TEXT,
        "created_ms": st.integers(0, 10),
    }
)


@given(st.lists(RULES, max_size=3))
def test_what_is_shown_can_be_set_again(rules: list[dict[str, object]]) -> None:
    said = [{k: v for k, v in rule.items() if k not in ("id", "text", "created_by", "created_ms")} for rule in rules]
    short = [{key: value for key, value in rule.items() if value not in ("", {})} for rule in said]
    assert from_text(to_toml(rules)) == short
    assert from_text(json.dumps({"rules": rules, "actions": []})) == said
    assert from_text(json.dumps(rules)) == said


def test_examples_of_conditions_survive_too() -> None:
    when = conditions.check({name: item.example for name, item in CONDITIONS.items()})
    rule = {"text": "", "effect": "deny", "who": ["*"], "action": "*", "resource": "*", "when": when, "why": ""}
    [found] = from_text(to_toml([rule]))
    assert conditions.check(found["when"]) == when


@pytest.mark.parametrize("text", ["[[rule]", "{", "[1]", "rule = 1", "other = 1", '{"rules": {}}'])
def test_what_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        from_text(text)
    assert refused.value.hint


def test_nothing_is_no_rules() -> None:
    assert from_text("") == [] == from_text("{}")
