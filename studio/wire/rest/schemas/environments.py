"""Environments."""

from studio.wire.rest.schemas.base import Answer


class ProgressAnswer(Answer):
    """`done` of `total`; `text` says what is being done."""

    done: int
    total: int
    text: str


class EnvironmentAnswer(Answer):
    """An environment and whether it can be used. `python` is the path of its interpreter once it is ready."""

    name: str
    title: str
    state: str
    hash: str
    python: str
    packages: list[str]
    preload: list[str]
    progress: ProgressAnswer
    error: str


class EnvironmentDetail(EnvironmentAnswer):
    """With the end of its build's log."""

    log: str
