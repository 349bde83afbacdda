"""How kernels, jobs, replicas and services ended."""

from studio.wire.rest.schemas.base import Answer


class ExitAnswer(Answer):
    """One end. `name` is the process's own (a kernel's is `kernel-<its id>`, with `-2` after its first restart);
    `reason` a short phrase, `message` a sentence that ends with what to do next. `unexpected`: nobody asked for it."""

    seq: int
    owner: str
    name: str
    kind: str
    code: int | None
    signal: int | None
    reason: str
    message: str
    started_ms: int
    ended_ms: int
    peak_bytes: int
    unexpected: bool


class ExitsAnswer(Answer):
    """`seq`: what to ask with as `since` the next time; `exits`: oldest first."""

    seq: int
    exits: list[ExitAnswer]
