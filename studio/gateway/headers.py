"""Which headers pass the gateway, in both directions."""

from studio.gateway.decisions import ToLab, ToServer
from studio.gateway.identity import Identity, without_own_cookies
from studio.gateway.requests import Request

Headers = list[tuple[bytes, bytes]]
_HOP = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer"
    b" transfer-encoding upgrade expect content-length".split()
)
# What programs behind proxies believe about the sender; only the gateway may say it.
_TRUSTED_PREFIXES = (
    b"x-studio-",
    b"x-forwarded",
    b"x-real-ip",
    b"x-remote-",
    b"remote-",
    b"x-original-",
    b"x-rewrite-",
)
_TRUSTED = frozenset((b"forwarded", b"via", b"x-client-ip", b"x-host", b"x-http-method-override", b"proxy"))
_SHOWN = frozenset((b"x-studio-csrf",))


def request_head(request: Request, target: bytes, added: bytes, *, upgrade: bool = False) -> bytes:
    """The head that goes upstream: end-to-end headers of the client, then what the gateway says about it (`added`)."""
    named = _named_by_connection(request)
    lines = [b"%b %b HTTP/1.1" % (request.method.encode(), target)]
    for name, value in request.headers:
        if name in _HOP or name in named or _claims(name):
            continue
        if name == b"cookie":
            if rest := without_own_cookies(value):
                lines.append(b"cookie: " + rest)
            continue
        if name == b"authorization" and (b"studio_" in value or value[:6].lower() == b"basic "):
            continue
        lines.append(b"%b: %b" % (name, value))
    lines.append(added)
    if upgrade:
        lines.append(b"connection: Upgrade\r\nupgrade: websocket\r\n\r\n")
    elif request.chunked:
        lines.append(b"transfer-encoding: chunked\r\n\r\n")
    elif request.length is not None:
        lines.append(b"content-length: %d\r\n\r\n" % request.length)
    else:
        lines.append(b"\r\n")
    return b"\r\n".join(lines)


def _claims(name: bytes) -> bool:
    # A WSGI program behind us could not tell `x_studio_user` from `x-studio-user`.
    plain = name.replace(b"_", b"-")
    return plain.startswith(_TRUSTED_PREFIXES) or plain in _TRUSTED


def _named_by_connection(request: Request) -> frozenset[bytes]:
    value = b",".join([value for name, value in request.headers if name == b"connection"]).lower()
    if value in (b"", b"keep-alive", b"close", b"upgrade"):
        return frozenset()
    # Host, credentials and the like stay, whatever Connection says.
    names = {part.strip() for part in value.split(b",")} - {
        b"host",
        b"cookie",
        b"authorization",
        b"origin",
        b"content-type",
    }
    return frozenset(names)


def for_server(decision: ToServer, secret: str, client: str) -> bytes:
    """What the server is told; it believes it because of the secret."""
    who: Identity = decision.identity
    return (
        f"x-studio-gateway: {secret}\r\n"
        f"x-studio-user: {who.user}\r\n"
        f"x-studio-via: {who.via}\r\n"
        f"x-studio-credential: {who.credential}\r\n"
        f"x-studio-domain: {who.domain or decision.domain}\r\n"
        f"x-studio-host: {decision.host}\r\n"
        f"x-studio-client: {client}"
    ).encode()


def for_lab(decision: ToLab) -> bytes:
    """What a lab is told; it believes it because of the secret."""
    said = f"x-studio-lab: {decision.secret}\r\nx-studio-user: {decision.identity.user}\r\n"
    return f"{said}x-studio-role: {decision.role}".encode()


def response(headers: Headers, *, from_lab: bool) -> Headers:
    """What the client gets of an upstream's headers. A lab runs its user's code: it may set no cookie with Studio's
    names, nor one for other hosts."""
    kept: Headers = []
    for name, value in headers:
        if name in _HOP and name != b"content-length":
            continue
        if name.startswith(b"x-studio-") and name not in _SHOWN and from_lab:
            continue
        if name == b"set-cookie" and from_lab and _is_foreign(value):
            continue
        kept.append((name, value))
    return kept


def _is_foreign(cookie: bytes) -> bool:
    parts = [part.strip().lower() for part in cookie.split(b";")]
    return parts[0].startswith(b"studio_") or any(part.partition(b"=")[0].strip() == b"domain" for part in parts[1:])
