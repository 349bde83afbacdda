"""Metrics of many runs, to be drawn."""

from typing import Literal

from pydantic import Field

from studio.wire.rest.schemas.base import Answer, Body

# One short of 64 bits at the lower end: written as a literal, PostgreSQL takes the lowest for a number of another type.
INT64 = 2**63 - 1


class CurvesQuery(Body):
    """Which metrics of which runs. What a run never logged is left out of the answer."""

    run_ids: list[str] = Field(min_length=1, max_length=100)
    keys: list[str] = Field(min_length=1, max_length=100)
    max_points: int = Field(400, ge=8, le=5000, description="Of each curve at most")
    from_step: int | None = Field(None, ge=-INT64, le=INT64)
    to_step: int | None = Field(None, ge=-INT64, le=INT64)
    since: dict[str, int] = Field(
        default_factory=dict, max_length=100, description="By run: the step from which on its points are wanted"
    )
    is_log: bool = Field(False, description="Thin out for a logarithmic x axis")


class CurveAnswer(Answer):
    """`points`: [step, epoch ms, value] by step and time; first, last and every stretch's lowest and highest are among
    them, and of each stretch one value that is no finite number."""

    run_id: str
    key: str
    points: list[tuple[int, int, float | Literal["NaN", "Infinity", "-Infinity"]]]
    is_thinned: bool = Field(description="There are more; a narrower range of steps shows them")
    means: list[tuple[float, float, float]] = Field(
        description="[step, epoch ms, value], the average of each stretch that was thinned out: to smooth, not to read"
    )


class CurvesAnswer(Answer):
    """Run by run, in the order asked for."""

    curves: list[CurveAnswer]
