"""What the supervisor says it runs, as the ledger names it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from studio.cost.replicas import Served
from studio.domains.instance_types import DEFAULT
from studio.jobs.jobs import Job
from studio.ledger.decide import Seen
from studio.runtime import process
from studio.runtime.specs import ChildState, ExitRecord, SandboxState, ServiceState

FORK = "fork-"


@dataclass(frozen=True, slots=True)
class Names:
    """What the database knows about the processes: jobs by id, endpoints by replica."""

    jobs: Mapping[str, Job]
    served: Mapping[str, Served]


def resource(kind: str, sandbox: str, name: str, started_ms: int) -> str:
    """Names one run of one process; a job runs once, so that its id is enough."""
    return name if kind == "job" else f"{kind}:{sandbox}:{name}:{started_ms}"


def child(box: SandboxState, item: ChildState, names: Names) -> Seen:
    """A kernel, job or replica."""
    seen = _seen(item.kind, box.id, item.name, item.environment, item.started_ms, names)
    return replace(seen, memory_bytes=item.memory_bytes, cpu_ms=item.cpu_ms)


def ended(record: ExitRecord, names: Names) -> Seen | None:
    """What an exit record is about; None if the ledger does not count it."""
    kind = record.kind
    if kind == "service":
        if record.name != "lab" and not record.name.startswith(FORK):
            return None
        seen = _service(record.sandbox, record.name, record.started_ms)
    else:
        seen = _seen(kind, record.sandbox, record.name, "", record.started_ms, names)
    return replace(seen, ended_ms=record.ended_ms)


def _seen(kind: str, sandbox: str, name: str, environment: str, started_ms: int, names: Names) -> Seen:
    domain, _, owner = sandbox.partition(".")
    shown, user, instance_type = environment or name, owner, DEFAULT
    if kind == "job" and name in names.jobs:
        shown, instance_type = names.jobs[name].name, names.jobs[name].instance_type
    elif kind == "replica":
        kind = "endpoint"
        if name in names.served:
            served = names.served[name]
            shown, user, instance_type = served.name, served.owner, served.instance_type
    return Seen(resource(kind, sandbox, name, started_ms), domain, user, kind, shown, instance_type, started_ms)


def _service(sandbox: str, name: str, started_ms: int) -> Seen:
    domain, _, owner = sandbox.partition(".")
    if name == "lab":
        return Seen(resource("lab", sandbox, name, started_ms), domain, owner, "lab", "JupyterLab", DEFAULT, started_ms)
    # Part of its sandbox and free of charge: shown for the memory it holds.
    kind, environment = "fork server", name.removeprefix(FORK)
    return Seen(
        resource("fork-server", sandbox, environment, started_ms), domain, owner, kind, environment, "", started_ms
    )


def service(box: SandboxState, item: ServiceState) -> list[Seen]:
    """A lab (with its dashboards, if they run) or a fork server; nothing for other services. Reads /proc."""
    if not item.pid or (item.name != "lab" and not item.name.startswith(FORK)):
        return []
    seen = _service(box.id, item.name, item.started_ms)
    if item.name != "lab":
        # Its children are counted by themselves, as kernels, jobs and replicas.
        return [replace(seen, memory_bytes=process.memory_bytes(item.pid))]
    family = process.descendants(item.pid)
    boards = dashboards_pid(family)
    board_family = [boards, *process.descendants(boards)] if boards else []
    own = [pid for pid in (item.pid, *family) if pid not in board_family]
    found = [_with_use(seen, own)]
    if boards and (handle := process.handle(boards)):
        name = f"{handle.pid}-{handle.start_time}"
        # Counted from when they are first seen; the name says which process, not when.
        shown = Seen(f"dashboards:{box.id}:{name}", seen.domain, seen.user, "dashboards", "Dashboards", DEFAULT, 0)
        found.append(_with_use(shown, board_family))
    return found


def _with_use(seen: Seen, pids: list[int]) -> Seen:
    memory, cpu = sum(map(process.memory_bytes, pids)), sum(map(process.cpu_ms, pids))
    return replace(seen, memory_bytes=memory, cpu_ms=cpu)


def dashboards_pid(family: list[int]) -> int:
    """The process of a lab's family that is its dashboards; 0 if none is."""
    for pid in family:
        with suppress(OSError):
            if b"\0studio.dashboards\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
    return 0
