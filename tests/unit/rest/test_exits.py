"""Whose ends may be read: one's own and the domain's; an admin's page sees all, code in an admin's sandbox does not."""

import pytest

from studio.access.principals import OPERATOR, Kind, Principal, Role
from studio.runtime.specs import ExitRecord
from studio.wire.rest.exits import _answer, _may_see


def record(sandbox: str, reason: str = "killed") -> ExitRecord:
    return ExitRecord(7, sandbox, "kernel-1", "kernel", 5, None, 9, reason, "The kernel was killed.", 1, 2)


def member(role: Role, kind: Kind = Kind.person, cap: Role | None = None) -> Principal:
    return Principal(kind, "ann", cap=cap, roles={"demo": role})


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        (member(Role.viewer), {"demo.ann", "demo.service"}),
        (member(Role.editor), {"demo.ann", "demo.service"}),
        (member(Role.admin), {"demo.ann", "demo.bob", "demo.service"}),
        (member(Role.admin, Kind.sandbox, Role.editor), {"demo.ann", "demo.service"}),
        (OPERATOR, {"demo.ann", "demo.bob", "demo.service"}),
    ],
)
def test_who_sees_which_ends(who: Principal, seen: set[str]) -> None:
    sandboxes = ("demo.ann", "demo.bob", "demo.service", "other.ann", "other.service", "demo2.ann")
    assert {sandbox for sandbox in sandboxes if _may_see(who, "demo", record(sandbox))} == seen


def test_an_end_that_somebody_asked_for_is_no_surprise() -> None:
    found = {
        reason: _answer(record("demo.ann", reason)) for reason in ("killed", "out of memory", "stopped", "completed")
    }
    assert {reason for reason, answer in found.items() if answer.unexpected} == {"killed", "out of memory"}
    assert (found["killed"].seq, found["killed"].owner, found["killed"].signal) == (7, "ann", 9)
