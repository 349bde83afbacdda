"""Copies of the traffic for shadow variants: they answer nobody, and never hold up, repeat or fail anything."""

from typing import TYPE_CHECKING

from studio.gateway.calls import Call
from studio.gateway.links import AnswerHead

if TYPE_CHECKING:
    from studio.errors import StudioError
    from studio.gateway.endpoints import Endpoint


def copy(endpoint: "Endpoint", call: Call) -> None:
    """Sends the shadows that percentage of the requests that is theirs, or drops a copy where one is too slow."""
    for variant in endpoint.shadows:
        variant.credit += variant.weight
        if variant.credit < 100.0:
            continue
        variant.credit -= 100.0
        if call.finished:
            continue
        link = variant.pick()
        if link is None and not variant.is_asleep:
            variant.dropped += 1  # none is kept for a replica that may come back: it would be in everybody's way
            continue
        if not variant.takes_copy(len(call.body)):
            continue
        made = Call(call.body, call.content_type, _heard, _lost, variant.name, call.inference_id, call.question)
        made.accept = call.accept
        made.is_copy = True
        made.sampled = call.sampled  # both sides are captured, or none: they are compared
        made.tries = 1
        made.endpoint, made.at_ms, made.begun, made.deadline = endpoint, call.at_ms, call.begun, call.deadline
        endpoint.schedule(made)
        endpoint.enter(made, variant, made.begun)
        if link is not None:
            link.send(made)
        else:
            endpoint.wait(made, variant)


def _heard(call: Call, head: AnswerHead, body: bytes) -> None:
    return


def _lost(call: Call, error: "StudioError") -> None:
    return
