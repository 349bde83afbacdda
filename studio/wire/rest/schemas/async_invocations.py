"""Predictions that are made later."""

from pydantic import Field

from studio.wire.rest.schemas.base import Answer


class AsyncInvocationAnswer(Answer):
    """One; `state`: Queued, Running, Done, Failed or Expired; `reason`: what it waits for or why it ended."""

    id: str
    endpoint: str
    owner: str
    inference_id: str
    state: str
    reason: str
    attempts: int
    size: int = Field(description="Bytes of the body.")
    content_type: str
    created_ms: int
    started_ms: int | None
    ended_ms: int | None
    expires_ms: int = Field(description="It is not begun after this time.")
    notifies: bool = Field(description="Whether somebody is told of its end.")
    variant: str
    version: str
    predict_ms: float
    latency_ms: float
    answer_type: str
    answer_size: int
    result: str = Field(description="The path of the answer, once it is Done.")
