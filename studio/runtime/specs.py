"""What the supervisor is asked to run, as it crosses the wire and lies on disk."""

from typing import Any, Literal

from msgspec import Struct, field

Isolation = Literal["bubblewrap", "none"]
Network = Literal["open", "studio", "none"]
ChildKind = Literal["kernel", "job", "replica"]


class Mount(Struct, frozen=True):
    """A host path that is seen inside at `target`."""

    source: str
    target: str
    writable: bool = False
    optional: bool = False


class Limits(Struct, frozen=True):
    """0 means no limit. `cpu` in cores, `memory_mb` in MiB, `pids` in processes and threads."""

    cpu: float = 0.0
    memory_mb: int = 0
    pids: int = 0


class SandboxSpec(Struct, frozen=True):
    """One (domain, owner). `env` is the base environment of every service and child; `child_limits` hold for a child
    that nobody named limits for (a kernel that the lab forks, a replica that the gateway wakes)."""

    id: str
    domain: str
    owner: str
    isolation: Isolation
    network: Network
    mounts: list[Mount] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    child_limits: Limits = Limits()


class ChildSpec(Struct, frozen=True):
    """What the fork server is told. `log` is a file below the home's `logs/` (empty: `<sandbox>/<name>.log` there),
    opened by the supervisor, so that nothing inside can choose or replace it; `cwd` and `args` hold inside paths."""

    name: str
    kind: ChildKind
    log: str = ""
    cwd: str = ""
    env: dict[str, str] = field(default_factory=dict)
    args: dict[str, Any] = field(default_factory=dict)


class ServiceSpec(Struct, frozen=True):
    """A process that pid 1 of a sandbox starts. `kept`: started again with back-off when it ends by itself;
    `revision`: of what it is made, such as the hash of a fork server's environment; `nice`: how far it gives way to
    others, 0 to 19; `starts_nice`: the same until it is warm, where that can be undone."""

    name: str
    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)
    cwd: str = ""
    kept: bool = True
    revision: str = ""
    nice: int = 0
    starts_nice: int = 0


class ExitRecord(Struct, frozen=True):
    """How something ended. `reason` is a short phrase for people, `message` ends with what to do next."""

    seq: int
    sandbox: str
    name: str
    kind: str
    pid: int
    code: int | None
    signal: int | None
    reason: str
    message: str
    started_ms: int
    ended_ms: int
    peak_bytes: int = 0


class ServiceState(Struct):
    """A service as `state` shows it; `pid` is the host's."""

    name: str
    pid: int
    state: str
    started_ms: int
    restarts: int = 0
    reason: str = ""
    revision: str = ""


class ChildState(Struct):
    """A kernel, job or replica as `state` shows it; `pid` is the host's, `revision` that of its fork server."""

    name: str
    kind: str
    pid: int
    state: str
    started_ms: int
    environment: str
    memory_bytes: int = 0
    cpu_ms: int = 0
    revision: str = ""


class SandboxState(Struct):
    """A sandbox with everything that lives in it. `limits`: those that were asked for; `held`: what the kernel holds it
    to now; `filtered`: whether its system calls are filtered."""

    id: str
    domain: str
    owner: str
    pid: int
    state: str
    isolation: str
    network: str
    started_ms: int
    reason: str = ""
    services: list[ServiceState] = field(default_factory=list)
    children: list[ChildState] = field(default_factory=list)
    limits: Limits = Limits()
    held: Limits = Limits()
    filtered: bool = False


class KeptState(Struct):
    """Gateway or server."""

    pid: int
    state: str
    restarts: int
    reason: str = ""


class ToolState(Struct):
    """A process that runs once on the host, such as a build. `state`: Running, Exited or Unknown."""

    name: str
    state: str
    pid: int = 0
    code: int | None = None


class SupervisorPid(Struct):
    """The supervisor itself. `limits`: how it limits, for people; `held`: a trial group's limits, as the kernel took
    them (0: not)."""

    pid: int
    limits: str = ""
    held: Limits = Limits()


class State(Struct):
    """Everything that the supervisor runs."""

    supervisor: SupervisorPid
    gateway: KeptState
    server: KeptState
    sandboxes: list[SandboxState] = field(default_factory=list)


class Hello(Struct):
    """Who answers on the supervisor's socket."""

    pid: int
    home: str
    address: str
    version: str


class Event(Struct):
    """`type`: started, exited, service or sandbox."""

    type: str
    sandbox: str
    name: str
    state: str = ""
    pid: int = 0
    kind: str = ""
