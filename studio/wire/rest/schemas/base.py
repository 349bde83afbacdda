"""What all schemas share."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Read from the slices' dataclasses."""

    model_config = ConfigDict(from_attributes=True)


class Body(BaseModel):
    """A request's body; a field that is not known is an error, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid")


class ErrorDetail(BaseModel):
    """What happened, and what to do next."""

    code: str
    message: str
    hint: str


class ErrorBody(BaseModel):
    """The form of every error of this wire."""

    error: ErrorDetail
