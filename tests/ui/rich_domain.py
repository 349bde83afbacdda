"""A domain with people, keys, rules and files in it, for tests and pictures of its page."""

import contextlib
from typing import Any

from studio.client import Rest
from studio.errors import AlreadyExists
from tests.live import Live

PEOPLE = {"bo": "editor", "cleo": "editor", "dana": "editor", "emil": "viewer", "farah": "admin"}
RULES: list[dict[str, Any]] = [
    {
        "effect": "deny",
        "who": ["role:editor"],
        "action": "serving.write",
        "resource": "endpoint/prod-*",
        "why": "production is changed by admins",
    },
    {
        "effect": "deny",
        "who": ["role:editor"],
        "action": "jobs.write",
        "when": {"gpu": {"more_than": 0}, "spend": {"from": 200}},
        "why": "the month's budget for GPUs",
    },
    {
        "effect": "allow",
        "who": ["user:bo", "user:cleo"],
        "action": "registry.approve",
        "resource": "model/rain-*",
        "why": "they own the rain models",
    },
    {
        "effect": "deny",
        "who": ["*"],
        "action": "serving.write",
        "when": {"time": {"days": ["fri"], "from": "16:00", "to": "24:00", "timezone": "Europe/Berlin"}},
        "why": "no deploys on Friday evening",
    },
]


def add_people(live: Live, domain: str = "demo") -> None:
    """Users of `PEOPLE`, new or not, as members of the domain."""
    with live.operator() as api:
        for name, role in PEOPLE.items():
            with contextlib.suppress(AlreadyExists):
                api.post("users", {"name": name})
            api.post(f"domains/{domain}/members", {"user": name, "role": role})


def fill(live: Live, domain: str = "demo") -> None:
    """Six members, keys of several kinds, rules, snapshots, spaces, a volume in use."""
    add_people(live, domain)
    with live.operator() as api:
        _keys(api, domain)
        for rule in RULES:
            api.post(f"domains/{domain}/policy/rules", rule)


def _keys(api: Rest, domain: str) -> None:
    for user, name, days, actions, resources in (
        ("bo", "nightly-report", 90, ["*.read"], []),
        ("cleo", "forecast service", 5, ["serving.invoke"], ["endpoint/rain-tomorrow"]),
        ("dana", "training on the cluster", 30, ["tracking.*"], []),
        ("farah", "", None, [], []),
    ):
        body = {"user": user, "name": name, "expires_days": days, "actions": actions, "resources": resources}
        api.post(f"domains/{domain}/keys", body)
