"""The one decision: whatever is not listed is denied; more role never means less."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.access.permissions import (
    IN_DOMAIN,
    NEVER_IN_SANDBOX,
    OPERATOR_ONLY,
    PERSONAL,
    SERVICE,
    SIGNED_IN,
    require,
)
from studio.access.principals import ANONYMOUS, Kind, Principal, Role
from studio.errors import Denied, StudioError, Unauthenticated

ACTIONS = sorted({*IN_DOMAIN, *OPERATOR_ONLY, *PERSONAL, *SERVICE, *SIGNED_IN})
KINDS = st.sampled_from([kind for kind in Kind if kind not in (Kind.anonymous, Kind.operator)])
ROLES = st.none() | st.sampled_from(list(Role))


def may(principal: Principal, action: str, domain: str | None) -> bool:
    try:
        require(principal, action, domain)
    except StudioError:
        return False
    return True


def test_lists_do_not_overlap() -> None:
    lists = [set(IN_DOMAIN), OPERATOR_ONLY, PERSONAL, SERVICE, SIGNED_IN]
    assert sum(len(found) for found in lists) == len(ACTIONS)


@given(st.text() | st.sampled_from(ACTIONS), st.none() | st.text())
def test_nobody_may_anything(action: str, domain: str | None) -> None:
    with pytest.raises(Unauthenticated):
        require(ANONYMOUS, action, domain)


@given(KINDS, st.sampled_from(list(Role)), st.text().filter(lambda name: name not in ACTIONS))
def test_an_unknown_action_is_denied_to_every_role(kind: Kind, role: Role, action: str) -> None:
    assert not may(Principal(kind, "ada", roles={"demo": role}), action, "demo")


@given(KINDS, ROLES, ROLES, st.sampled_from(ACTIONS))
def test_a_role_in_one_domain_gives_nothing_in_another(kind: Kind, here: Role, there: Role, action: str) -> None:
    roles = {name: role for name, role in (("here", here), ("there", there)) if role}
    bound = Principal(kind, "ada", domain="there", roles=roles)
    if action in IN_DOMAIN:
        assert not may(bound, action, "here")
        if here is None:
            assert not may(Principal(kind, "ada", roles=roles), action, "here")


@given(KINDS, st.sampled_from(ACTIONS))
def test_a_stronger_role_may_at_least_as_much(kind: Kind, action: str) -> None:
    allowed = [may(Principal(kind, "ada", roles={"demo": role}), action, "demo") for role in Role]
    assert allowed == sorted(allowed)


@given(st.sampled_from(list(Role)), st.sampled_from(ACTIONS))
def test_code_in_a_sandbox_never_does_more_than_an_editor(role: Role, action: str) -> None:
    code = Principal(Kind.sandbox, "ada", "demo", cap=Role.editor, roles={"demo": role})
    editor = Principal(Kind.person, "ada", roles={"demo": min(role, Role.editor, key=lambda item: item.rank)})
    never = action in PERSONAL | NEVER_IN_SANDBOX
    assert may(code, action, "demo") == (may(editor, action, "demo") and not never)
    for action in ("members.write", "keys.write", "domain.admin", *OPERATOR_ONLY):
        assert not may(code, action, "demo")


@given(st.sampled_from(ACTIONS))
def test_the_service_reports_and_nothing_else(action: str) -> None:
    service = Principal(Kind.sandbox, "service", "demo", cap=Role.editor)
    assert may(service, action, "demo") == (action in SERVICE | SIGNED_IN)
    assert not may(service, "service.report", "other")
    assert not may(Principal(Kind.person, "service", roles={"demo": Role.admin}), "service.report", "demo")


@given(st.sampled_from(sorted(IN_DOMAIN)), st.sampled_from(list(Role)))
def test_without_a_domain_a_role_gives_nothing(action: str, role: Role) -> None:
    for domain in (None, ""):
        assert not may(Principal(Kind.person, "ada", roles={"demo": role, "": role}), action, domain)


def test_a_refusal_says_what_is_needed_and_hides_foreign_names() -> None:
    vera = Principal(Kind.person, "vera", roles={"demo": Role.viewer})
    with pytest.raises(Denied, match=r"needs the role editor in demo; yours is viewer"):
        require(vera, "jobs.write", "demo")
    with pytest.raises(Denied) as real:
        require(vera, "domain.read", "secret")
    with pytest.raises(Denied) as unreal:
        require(vera, "domain.read", "nothing")
    assert str(real.value).replace("secret", "nothing") == str(unreal.value)
