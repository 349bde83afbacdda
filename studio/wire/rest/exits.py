"""How things ended: the supervisor's records, of the caller's own processes and of the domain's."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from studio.access.principals import Principal
from studio.domains.sandboxes import SERVICE
from studio.runtime import exits
from studio.runtime.specs import ExitRecord
from studio.wire.context import Studio, studio
from studio.wire.owner import is_admin
from studio.wire.permission import Allow
from studio.wire.rest.schemas.exits import ExitAnswer, ExitsAnswer

router = APIRouter(prefix="/domains/{domain}", tags=["running"])


@router.get("/exits")
async def list_exits(
    domain: str,
    since: Annotated[int, Query(ge=0)] = 0,
    name: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("domain.read")),
) -> ExitsAnswer:
    """The newest `limit` ends numbered above `since`, of one `name` if given; an admin sees everybody's."""
    records = await studio.supervisor.exits(since)
    seq = records[-1].seq if records else since
    mine = [record for record in records if _may_see(principal, domain, record) and name in ("", record.name)]
    return ExitsAnswer(seq=seq, exits=[_answer(record) for record in mine[-limit:]])


def _may_see(principal: Principal, domain: str, record: ExitRecord) -> bool:
    its_domain, _, owner = record.sandbox.partition(".")
    return its_domain == domain and (owner in (SERVICE, principal.user) or is_admin(principal, domain))


def _answer(record: ExitRecord) -> ExitAnswer:
    fields = (field for field in ExitAnswer.model_fields if field not in ("owner", "unexpected"))
    return ExitAnswer(
        **{field: getattr(record, field) for field in fields},
        owner=record.sandbox.partition(".")[2],
        unexpected=record.reason not in exits.EXPECTED,
    )
