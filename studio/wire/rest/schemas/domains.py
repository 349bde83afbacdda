"""Domains, instance types, labs, overview, status."""

from typing import Any, Literal

from pydantic import Field

from studio.wire.rest.schemas.access import MemberAnswer, MemberBody
from studio.wire.rest.schemas.base import Answer, Body


class DomainBody(Body):
    """A new domain; who asks becomes its admin, `members` come with it."""

    name: str
    title: str | None = None
    network_mode: Literal["studio", "open", "none"] = "studio"
    members: list[MemberBody] = Field([], max_length=200)
    required_isolation: Literal["none", "sandbox", "limits", "full"] | None = None


class DomainSummary(Answer):
    """A domain in a list."""

    name: str
    title: str
    created_ms: int
    role: str | None
    network_mode: str
    isolation: str
    address: str


class InstanceTypeBody(Body):
    """Size and price per hour."""

    cpu: float
    memory_mb: int
    gpu: int = 0
    price_per_hour: float


class InstanceTypeAnswer(Answer):
    """What may be chosen, at what price per hour."""

    name: str
    cpu: float
    memory_mb: int
    gpu: int
    price_per_hour: float


class DomainAnswer(DomainSummary):
    """A domain with its members."""

    members: list[MemberAnswer]
    shared_path: str
    instance_types: list[InstanceTypeAnswer]


class DomainAddressBody(Body):
    """How the domain's lab is reached: by name, or at a port of its own where names don't resolve."""

    by: Literal["name", "port"]


class LimitsAnswer(Answer):
    """What one sandbox is held to; 0: not."""

    memory_mb: int
    cpu: float
    pids: int


class DomainSettingsBody(Body):
    """What shall change; the rest stays. Numbers: null = what fits this host, 0 = no limit (idle: never). `restart`:
    running sandboxes end and start anew now, for what cannot change while they run."""

    title: str | None = None
    network_mode: Literal["open", "studio", "none"] | None = None
    memory_mb: int | None = None
    cpu: float | None = None
    processes: int | None = None
    required_isolation: Literal["none", "sandbox", "limits", "full"] | None = None
    idle_minutes: int | None = None
    restart: bool = False


class SandboxTermsAnswer(Answer):
    """A running sandbox: what holds in it now, and which settings hold from its next start only."""

    id: str
    owner: str
    network: str
    filtered: bool
    held: LimitsAnswer
    at_next_start: list[str]


class DomainSettingsAnswer(Answer):
    """A domain's settings; `limits`: what they mean on this host; `sandboxes`: where they hold already."""

    network_mode: str
    memory_mb: int | None
    cpu: float | None
    processes: int | None
    required_isolation: str
    idle_minutes: int
    limits: LimitsAnswer
    sandboxes: list[SandboxTermsAnswer]


class MechanismAnswer(Answer):
    """One wall around the code of a domain: whether it stands, why not, and what to do."""

    name: str
    enforced: bool
    detail: str
    why: str
    cure: str


class IsolationAnswer(Answer):
    """What keeps a domain's code in, as tried on this host. `levels`: weakest first, with what each means."""

    level: str
    required: str
    runs: bool
    refusal: str
    network_mode: str
    levels: dict[str, str]
    mechanisms: list[MechanismAnswer]
    sandboxes: list[SandboxTermsAnswer]


class RemovalAnswer(Answer):
    """A domain that is no more. `kept`: where its files lie now, for who runs the installation."""

    domain: str
    kept: str


class LabAnswer(Answer):
    """The caller's lab in a domain."""

    state: Literal["Stopped", "Starting", "Running", "Failed"]
    address: str
    reason: str


class ExampleAnswer(Answer):
    """Where the example lies, as the lab's path and as the path inside the sandbox."""

    path: str
    inside: str


class ForkServerAnswer(Answer):
    """A fork server in the caller's sandbox."""

    sandbox: str
    environment: str
    state: Literal["Starting", "Running", "Failed"]
    reason: str


class StatusAnswer(Answer):
    """The installation: what runs, as which process."""

    address: str
    home: str
    version: str
    isolation: str
    supervisor: dict[str, Any]
    gateway: dict[str, Any]
    server: dict[str, Any]
    sandboxes: list[dict[str, Any]]
    domains: list[str]
