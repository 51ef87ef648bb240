"""What every program does with sockets: bind one, keep a connection alive, and put an error into words."""

import os
import socket
from typing import Final

from peer.net.address import Address

_KEEP_ALIVE: Final = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}


def family_of(host: str) -> socket.AddressFamily:
    """Return the address family of a numeric host."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def bound_socket(address: Address, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """Return a non-blocking socket bound to an address of this host, not listening yet; raises OSError."""
    bound = socket.socket(family_of(address.host), kind | socket.SOCK_NONBLOCK)
    try:
        if kind is socket.SOCK_STREAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except BaseException:
        bound.close()
        raise
    return bound


def keep_alive(connected: socket.socket) -> None:
    """Find out within half a minute that the other end vanished without closing the connection."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEP_ALIVE.items():
        connected.setsockopt(socket.IPPROTO_TCP, option, value)


def explain(error: OSError) -> str:
    """Describe in a few words what the kernel or the resolver refused, the same whichever event loop raised it."""
    if isinstance(error, socket.gaierror) or error.errno is None:
        return error.strerror or str(error)
    return os.strerror(error.errno)
