"""Jobs."""

from pydantic import Field

from studio.wire.rest.schemas.base import Answer, Body


class JobBody(Body):
    """A script to run to its end. `params` become `--name value`."""

    name: str = Field("", description="Default: the script's name.")
    environment: str = Field("", description="Default: the domain's.")
    script_name: str = Field("script.py", description="A file name that ends in .py")
    script: str = Field(description="The text of the script, at most 1 MiB.")
    params: dict[str, str | int | float | bool] = {}
    instance_type: str = Field("", description="Default: std.small")
    experiment: str = Field("", description="The experiment its runs go to; default: the domain's.")


class JobAnswer(Answer):
    """A job; `state`: Queued, Starting, Running, Completed, Failed or Stopped; `reason`: what it waits for or why
    it ended."""

    id: str
    name: str
    kind: str = Field(description="script or batch")
    state: str
    reason: str
    owner: str
    environment: str
    environment_hash: str
    instance_type: str
    experiment: str
    script_name: str
    params: dict[str, str]
    created_ms: int
    started_ms: int | None
    ended_ms: int | None
    exit_code: int | None
    run_ids: list[str]
    cost: float


class LogAnswer(Answer):
    """A piece of a log: go on at `next_offset` until `done`."""

    text: str
    next_offset: int
    done: bool
