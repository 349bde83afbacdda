"""What a run cost."""

from studio.wire.rest.schemas.base import Answer


class RunCostAnswer(Answer):
    """`basis`: job (what its job has cost, with all its `runs`), kernel (an estimate: the price of the kernel that ran
    then, for as long as the run took) or unknown (it ran outside of Studio: no cost)."""

    basis: str
    cost: float | None
    instance_type: str
    price_per_hour: float
    hours: float
    runs: int
