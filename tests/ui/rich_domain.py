"""A domain with people, keys, rules and files in it, for tests and pictures of its page."""

import contextlib
from typing import Any

from studio.client import Rest
from studio.errors import AlreadyExists, Denied
from tests.live import Live, until

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
        "who": ["role:editor"],
        "action": "serving.write",
        "when": {"time": {"days": ["fri"], "from": "16:00", "to": "24:00", "timezone": "Europe/Berlin"}},
        "why": "no deploys on Friday evening",
    },
]
KEYS: list[dict[str, Any]] = [
    {"user": "bo", "name": "nightly-report", "expires_days": 90, "actions": ["*.read"]},
    {
        "user": "cleo",
        "name": "forecast service",
        "expires_days": 5,
        "actions": ["serving.invoke"],
        "resources": ["endpoint/rain-tomorrow"],
    },
    {"user": "dana", "name": "training on the cluster", "expires_days": 30, "actions": ["tracking.*"]},
    {"user": "farah"},
]
MEGABYTES = {"bo": 180, "cleo": 64, "dana": 420, "farah": 12}


def add_people(live: Live, domain: str = "demo") -> None:
    """Users of `PEOPLE`, new or not, as members of the domain."""
    with live.operator() as api:
        for name, role in PEOPLE.items():
            with contextlib.suppress(AlreadyExists):
                api.post("users", {"name": name})
            api.post(f"domains/{domain}/members", {"user": name, "role": role})


def fill(live: Live, domain: str = "demo") -> None:
    """Six members, keys of several kinds, rules, snapshots, spaces, a volume in use, passwords, refusals."""
    add_people(live, domain)
    with live.operator() as api:
        if api.get(f"domains/{domain}/policy")["rules"]:
            return  # filled before
        tokens = [api.post(f"domains/{domain}/keys", key)["token"] for key in KEYS]
        for rule in RULES:
            api.post(f"domains/{domain}/policy/rules", rule)
        api.put("users/farah/password", {"password": "correct horse battery staple"})
        _files(live, domain)
        _volume(api, domain)
    refused(live, tokens[0], domain)


def refused(live: Live, token: str, domain: str) -> None:
    """A narrowed key tries more than it may, which is put on record."""
    with Rest(live.address, token) as program, contextlib.suppress(Denied):
        program.post(f"domains/{domain}/members", {"user": "bo", "role": "admin"})


def _files(live: Live, domain: str) -> None:
    paths = live.settings.paths
    for folder, size in [
        (paths.shared(domain), 900),
        *((paths.user(domain, name), n) for name, n in MEGABYTES.items()),
    ]:
        (folder / "data.bin").write_bytes(b"rain" * (size * 1024 * 1024 // 4 // 16))


def _volume(api: Rest, domain: str) -> None:
    api.put(f"domains/{domain}/volume/quota", {"quota_mb": 400})
    api.post(f"domains/{domain}/spaces", {"name": "rain", "title": "Rain tomorrow", "kind": "shared"})
    api.post(f"domains/{domain}/spaces", {"name": "sketches"})
    for title in ("first models", "before the clean-up"):
        made = api.post(f"domains/{domain}/snapshots", {"title": title})["id"]
        until(lambda made=made: api.get(f"domains/{domain}/snapshots/{made}")["state"] == "Ready", f"snapshot {title}")  # type: ignore[misc]
    api.post(f"domains/{domain}/volume/measure")
    until(lambda: api.get(f"domains/{domain}/volume")["measured_ms"], "the volume is measured")
