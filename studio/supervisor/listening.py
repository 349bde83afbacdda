"""The gateway's TCP listener: opened here and handed down, so that a restarted gateway keeps its port."""

import ipaddress
import socket

from studio.errors import Denied, Unavailable

_TRIES = 100


def check_loopback(host: str) -> None:
    """`Denied` unless `host` is this machine's loopback: without TLS, cookies would cross the network bare."""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise Denied(
            f"Studio does not listen on {host}: that is not this machine's loopback, and there is no TLS.",
            "Use 127.0.0.1 and reach it through an SSH tunnel (ssh -L) or a proxy that ends TLS.",
        )


def open_listener(host: str, port: int) -> socket.socket:
    """Listens on `port` or the next free one (0: any). The backlog holds callers while the gateway is restarted."""
    check_loopback(host)
    for tried in range(port, min(port + _TRIES, 65536)) if port else (0,):
        if found := try_listen(host, tried):
            return found
    raise Unavailable(
        f"No port from {port} to {port + _TRIES - 1} is free on {host}.",
        "Choose another with --port, or stop what uses them.",
    )


def try_listen(host: str, port: int) -> socket.socket | None:
    """A listener on exactly this port, None if it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    # Only over connections of the dead: never beside a living listener, which SO_REUSEPORT would allow.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        return None
    listener.setblocking(False)
    return listener


def address(host: str, port: int) -> str:
    """What people and programs use."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
