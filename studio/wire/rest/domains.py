"""Domains."""

import asyncio
import socket

from fastapi import APIRouter, Depends
from sqlalchemy import Connection

from studio.access import memberships
from studio.access.principals import Kind, Principal, Role
from studio.domains import addresses, domains, instance_types, volumes
from studio.domains.domains import Domain
from studio.errors import AlreadyExists, Denied, Unavailable
from studio.ids import check_name
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.access import MemberAnswer
from studio.wire.rest.schemas.domains import (
    DomainAddressBody,
    DomainAnswer,
    DomainBody,
    DomainSummary,
    InstanceTypeAnswer,
)

router = APIRouter(prefix="/domains", tags=["domains"])


@router.get("")
async def list_domains(
    studio: Studio = Depends(studio), principal: Principal = Depends(Allow("domains.list"))
) -> list[DomainSummary]:
    """The domains of who asks; the operator sees all."""
    found = await studio.store.read(domains.list_all)
    seen = [item for item in found if principal.kind is Kind.operator or principal.role_in(item.name)]
    return [DomainSummary(**summary(studio, principal, item)) for item in seen]


@router.post("", status_code=201)
async def create_domain(
    body: DomainBody, studio: Studio = Depends(studio), principal: Principal = Depends(Allow("domains.create"))
) -> DomainSummary:
    """A new domain with a volume; who asks becomes its admin."""
    check_name(body.name, "domain")
    if body.name in studio.people.now.domains:
        raise AlreadyExists(f"There is already a domain {body.name!r}.", "Open it, or choose another name.")
    # Nothing asks a first domain for isolation, which is one's own; any other does unless who makes it says otherwise.
    required = body.required_isolation or ("sandbox" if studio.people.now.domains else "none")
    require_isolation(studio, required)
    await asyncio.to_thread(volumes.create, studio.settings.paths, body.name)
    await asyncio.to_thread(volumes.create_home, studio.settings.paths, body.name, principal.user)

    def write(db: Connection) -> Domain:
        made = domains.create_domain(db, body.name, body.title or "", body.network_mode, required)
        memberships.put(db, made.name, principal.user, Role.admin)
        for member in body.members:
            memberships.put(db, made.name, member.user, member.role)
        return made

    made = await studio.store.write(write)
    for member in body.members:
        await asyncio.to_thread(volumes.create_home, studio.settings.paths, made.name, member.user)
    people = await studio.people.fresh()
    await studio.gateway.confirmed()
    role = people.roles_of(principal.user).get(made.name)
    return DomainSummary(**summary(studio, principal, made) | {"role": role})


@router.get("/{domain}")
async def get_domain(
    domain: str, studio: Studio = Depends(studio), principal: Principal = Depends(Allow("domain.read"))
) -> DomainAnswer:
    """One domain: members, isolation, volume, what may be chosen in it."""

    def read(db: Connection) -> tuple[Domain, list[MemberAnswer], list[InstanceTypeAnswer]]:
        members = [MemberAnswer.model_validate(item) for item in memberships.list_all(db, domain)]
        types = [InstanceTypeAnswer.model_validate(item) for item in instance_types.list_all(db)]
        return domains.get(db, domain), members, types

    found, members, types = await studio.store.read(read)
    shared = studio.settings.paths.shared(domain)
    # Host paths are only for who runs the host; inside a sandbox the volume has one name.
    path = str(shared) if principal.kind is Kind.operator else "/volume/shared"
    return DomainAnswer(**summary(studio, principal, found), members=members, shared_path=path, instance_types=types)


@router.put("/{domain}/address")
async def put_address(
    domain: str,
    body: DomainAddressBody,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("lab.open")),
) -> DomainSummary:
    """How the domain's lab is reached: by name, or, where a browser does not resolve that, at a port of its own."""
    found = await studio.store.read(lambda db: domains.get(db, domain))
    if (body.by == "port") != bool(found.port):
        found = await give_port(studio, domain) if body.by == "port" else await _set_port(studio, domain, None)
    return DomainSummary(**summary(studio, principal, found))


async def give_port(studio: Studio, domain: str) -> Domain:
    """Gives the domain's lab a free port; `Unavailable` if the gateway then cannot listen on it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    found = await _set_port(studio, domain, port)
    if port not in await studio.gateway.ports():
        await _set_port(studio, domain, None)
        raise Unavailable(f"The port {port} was taken by another program meanwhile.", "Try again.")
    return found


async def _set_port(studio: Studio, domain: str, port: int | None) -> Domain:
    found = await studio.store.write(lambda db: domains.set_port(db, domain, port))
    await studio.gateway.confirmed()
    return found


def require_isolation(studio: Studio, required: str) -> None:
    """Nothing is made that could not run: without isolation nothing would keep two domains apart."""
    if studio.isolation != "bubblewrap" and required != "none":
        raise Denied(
            "This host cannot keep domains apart.",
            "`studio doctor` says what is missing and how to get it; with required_isolation none it is made anyway.",
        )


def summary(studio: Studio, principal: Principal, item: Domain) -> dict[str, object]:
    """What a list shows of a domain."""
    return {
        "name": item.name,
        "title": item.title,
        "created_ms": item.created_ms,
        "role": principal.role_in(item.name),
        "network_mode": item.network_mode if studio.isolation == "bubblewrap" else "open",
        "isolation": studio.isolation,
        "address": addresses.origin(studio.address, item) + "/",
    }
