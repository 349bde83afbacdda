"""Approval of versions: anyone who may register asks for it, an admin of the domain decides.

Deciding needs an admin, so code in a sandbox, which acts as an editor at most, can ask but never approve itself.
"""

from fastapi import APIRouter, Depends

from studio.access.principals import Principal
from studio.registry import approvals
from studio.registry.approvals import State
from studio.wire import trail
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.registry import DecisionAnswer, DecisionBody, RequestBody

router = APIRouter(prefix="/domains/{domain}/models/{model}/versions/{version}/approval", tags=["registry"])


@router.get("")
async def list_decisions(
    domain: str,
    model: str,
    version: int,
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("registry.read")),
) -> list[DecisionAnswer]:
    """All that was decided about a version, newest first."""
    found = await studio.store.read(lambda db: approvals.history(db, domain, model, version))
    return [DecisionAnswer.model_validate(item) for item in found]


@router.post("", status_code=201)
async def request_approval(
    domain: str,
    model: str,
    version: int,
    body: RequestBody,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("registry.write")),
) -> DecisionAnswer:
    """Asks for a decision."""
    made = await studio.store.write(
        lambda db: approvals.record(db, domain, model, version, State.pending, principal.user, body.reason)
    )
    return DecisionAnswer.model_validate(made)


@router.put("")
async def decide(
    domain: str,
    model: str,
    version: int,
    body: DecisionBody,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("registry.approve")),
) -> DecisionAnswer:
    """Approves or rejects."""
    trail.about(detail=f"version {version}: {body.state}")
    made = await studio.store.write(
        lambda db: approvals.record(db, domain, model, version, State(body.state), principal.user, body.reason)
    )
    return DecisionAnswer.model_validate(made)
