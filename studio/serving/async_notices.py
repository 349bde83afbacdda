"""What is told, once a prediction that was made later has ended: a message in the form of the domain's webhooks.

Signed with the secret that came with the request, sent the one way that leads to no address of this machine or its
network (`runtime.outbound`), at least once: a receiver knows it again by its delivery id, the invocation's."""

from typing import Any

from studio.serving.async_invocations import AsyncInvocation
from studio.serving.async_states import State
from studio.webhooks import deliveries, events, sending

TOLD = 0


def result_path(found: AsyncInvocation) -> str:
    """Where the answer is read."""
    return f"{path(found)}/result"


def path(found: AsyncInvocation) -> str:
    """Where it is told what became of it."""
    return f"/api/v1/domains/{found.domain}/endpoints/{found.name}/async-invocations/{found.id}"


def message(found: AsyncInvocation, address: str) -> dict[str, Any]:
    """What is told of its end; the answer itself is not in it."""
    said = {
        "id": found.id,
        "domain": found.domain,
        "endpoint": found.name,
        "inference_id": found.inference_id,
        "state": str(found.state),
        "reason": found.reason,
        "attempts": found.attempts,
    }
    return said | ({"result": address + result_path(found)} if found.state is State.done else {})


async def tell(found: AsyncInvocation, address: str, master: str, hosts: str) -> int | None:
    """Sends it; `TOLD`, or in how many seconds it is worth another try, None if it never is."""
    body = events.body(f"async_invocation.{found.state.lower()}", message(found, address))
    secret = sending.opened(master, found.notify_secret)
    attempt = await sending.send(found.notify_url, found.id, body, secret, hosts)
    return TOLD if attempt.is_taken else deliveries.pause_s(found.notify_tries, attempt.status)
