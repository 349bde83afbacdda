"""One message on its way, in the form of MLflow 3.17's `mlflow.webhooks.delivery`."""

import time

from msgspec import Struct

from studio import signing
from studio.errors import StudioError
from studio.runtime import outbound
from studio.webhooks import events


class Attempt(Struct, frozen=True):
    """`status` of the answer and its text; 0 and why there is none."""

    status: int
    text: str = ""
    error: str = ""

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has it."""
        return 200 <= self.status < 300


async def send(url: str, delivery: str, body: str, secret: str, allowed: str) -> Attempt:
    """One message, signed if there is a secret, to where `outbound.find` lets it go."""
    at_s = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "X-MLflow-Delivery-Id": delivery,
        "X-MLflow-Timestamp": str(at_s),
    }
    if secret:
        headers["X-MLflow-Signature"] = events.signature(secret, delivery, at_s, body)
    try:
        answer = await outbound.post(url, body.encode(), headers, allowed)
    except StudioError as error:
        return Attempt(0, error=str(error))
    return Attempt(answer.status, answer.body.decode("utf-8", "replace"))


def sealed(master: str, secret: str | None) -> bytes | None:
    """A webhook's secret as it is kept; None stays None."""
    return signing.seal(master, secret.encode()) if secret is not None else None


def opened(master: str, kept: bytes | None) -> str:
    """The secret that was sealed, "" if there is none."""
    return signing.unseal(master, kept).decode() if kept else ""
