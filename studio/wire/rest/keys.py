"""Access keys for programs: one's own; anybody's in the domain for its admins."""

from typing import Any

from fastapi import APIRouter, Depends, Response

from studio.access import keys, scopes
from studio.access.keys import Key
from studio.access.permissions import require
from studio.access.principals import Kind, Principal
from studio.errors import Denied
from studio.wire import trail
from studio.wire.context import Studio, studio
from studio.wire.owner import is_admin
from studio.wire.permission import Allow
from studio.wire.rest.schemas.access import KeyAnswer, KeyBody, NewKeyAnswer

router = APIRouter(prefix="/domains/{domain}/keys", tags=["keys"])


@router.get("")
async def list_keys(
    domain: str, studio: Studio = Depends(studio), principal: Principal = Depends(Allow("keys.own"))
) -> list[KeyAnswer]:
    """The keys, without their secrets: all of the domain's for its admins, else one's own."""
    found = await studio.store.read(lambda db: keys.list_all(db, domain))
    sees_all = is_admin(principal, domain)
    return [KeyAnswer(**_fields(key)) for key in found if sees_all or key.user == principal.user]


@router.post("", status_code=201)
async def create_key(
    domain: str,
    body: KeyBody,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("keys.own")),
) -> NewKeyAnswer:
    """A new key; its secret is shown this once. It works at the gateway when this returns, and never does more than its
    user may at the time."""
    if principal.kind is Kind.key:
        # It would outlive its own end, or do more than it was narrowed to.
        raise Denied("An access key cannot make another one.", "Make it in the browser, or with `studio` on the host.")
    user = body.user or principal.user
    if user != principal.user:
        require(principal, "keys.write", domain)
    actions = scopes.check_actions(body.actions)
    resources = scopes.check_resources(body.resources)
    narrowed = " ".join((*actions, *resources))
    trail.about(detail=f"new, of {user}{', for ' + narrowed if narrowed else ''}")
    key, secret = await studio.store.write(
        lambda db: keys.create_key(
            db,
            domain,
            user,
            body.name or "",
            body.expires_days,
            actions=actions,
            resources=resources,
            master=studio.secret,
        )
    )
    await studio.gateway.confirmed()
    token = keys.token(key.id, secret)
    return NewKeyAnswer(
        **_fields(key),
        secret=secret,
        token=token,
        env=environment(studio.address, domain, token),
        curl=curl(studio.address, domain, token),
    )


@router.delete("/{key}", status_code=204)
async def revoke_key(
    domain: str, key: str, studio: Studio = Depends(studio), principal: Principal = Depends(Allow("keys.own"))
) -> Response:
    """Ends a key of one's own, for admins any; it works nowhere any more when this returns."""
    whose = None if is_admin(principal, domain) else principal.user
    await studio.store.write(lambda db: keys.revoke(db, domain, key, whose))
    await studio.gateway.confirmed()
    return Response(status_code=204)


def environment(address: str, domain: str, token: str) -> dict[str, str]:
    """Variables with which `mlflow` and `studio` work from anywhere on this host."""
    return {
        "MLFLOW_TRACKING_URI": address,
        "MLFLOW_REGISTRY_URI": address,
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "STUDIO_URL": address,
        "STUDIO_TOKEN": token,
        "STUDIO_DOMAIN": domain,
    }


def curl(address: str, domain: str, token: str) -> str:
    """A line that shows the key working."""
    return f"curl -H 'Authorization: Bearer {token}' {address}/api/v1/domains/{domain}"


def _fields(key: Key) -> dict[str, Any]:
    fields = {name: getattr(key, name) for name in ("id", "user", "created_ms", "expires_ms", "used_ms")}
    return fields | {"name": key.title, "actions": list(key.actions), "resources": list(key.resources)}
