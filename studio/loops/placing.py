"""Questions about what the supervisor says it runs."""

from studio.runtime.specs import ChildState, SandboxState, ServiceState, State

RUNNING = "Running"


def sandbox(state: State, sandbox_id: str) -> SandboxState | None:
    """The sandbox `sandbox_id`, whatever its state."""
    return next((item for item in state.sandboxes if item.id == sandbox_id), None)


def service(state: State, sandbox_id: str, name: str) -> ServiceState | None:
    """The service `name` of a sandbox."""
    found = sandbox(state, sandbox_id)
    return next((item for item in found.services if item.name == name), None) if found else None


def child(state: State, sandbox_id: str, name: str) -> ChildState | None:
    """The kernel, job or replica `name` of a sandbox."""
    found = sandbox(state, sandbox_id)
    return next((item for item in found.children if item.name == name), None) if found else None


def is_running(state: State, sandbox_id: str) -> bool:
    """Whether the sandbox is up (its fork servers may still be importing)."""
    found = sandbox(state, sandbox_id)
    return found is not None and found.state == RUNNING


def ready(state: State, sandbox_id: str, environment: str) -> bool:
    """Whether a child can be forked in the sandbox: it is up and the environment's fork server runs."""
    found = service(state, sandbox_id, f"fork-{environment}")
    return is_running(state, sandbox_id) and found is not None and found.state == RUNNING
