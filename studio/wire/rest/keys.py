"""Access keys for programs."""

from fastapi import APIRouter, Depends, Response

from studio.access import keys
from studio.access.keys import Key
from studio.access.principals import Principal
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.access import KeyAnswer, KeyBody, NewKeyAnswer

router = APIRouter(prefix="/domains/{domain}/keys", tags=["keys"])


@router.get("")
async def list_keys(
    domain: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("keys.write"))
) -> list[KeyAnswer]:
    """The keys, without their secrets."""
    found = await studio.store.read(lambda db: keys.list_all(db, domain))
    return [KeyAnswer(**_fields(key)) for key in found]


@router.post("", status_code=201)
async def create_key(
    domain: str,
    body: KeyBody,
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("keys.write")),
) -> NewKeyAnswer:
    """A new key; its secret is shown this once. It works at the gateway when this returns."""
    key, secret = await studio.store.write(
        lambda db: keys.create_key(db, domain, body.user, body.name or "", body.expires_days)
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
    domain: str, key: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("keys.write"))
) -> Response:
    """Ends a key; it works nowhere any more when this returns."""
    await studio.store.write(lambda db: keys.revoke(db, domain, key))
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


def _fields(key: Key) -> dict[str, object]:
    return {
        "id": key.id,
        "user": key.user,
        "name": key.title,
        "created_ms": key.created_ms,
        "expires_ms": key.expires_ms,
    }
