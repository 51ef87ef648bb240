"""Where a program listens: a host and a port, as text and as bytes."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final, NamedTuple

from peer.errors import WireError

_HOST_AND_PORT: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:\s]+)):([0-9]{1,5})")


class Address(NamedTuple):
    """Where a peer listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read host:port, a.b.c.d:port or [v6]:port."""
    match = _HOST_AND_PORT.fullmatch(text)
    if match is None or not 0 < int(match[3]) < 1 << 16:
        raise WireError(f"expected host:port or [address]:port, found {text[:64]!r}")
    return Address(match[1] or match[2], int(match[3]))


def pack_host(host: str) -> bytes:
    """Write an IPv4 address without a port: 4 bytes."""
    try:
        return IPv4Address(host).packed
    except AddressValueError as error:
        raise WireError(f"expected an IPv4 address, found {host[:64]!r}") from error


def pack_host6(host: str) -> bytes:
    """Write an IPv6 address without a port: 16 bytes."""
    try:
        return IPv6Address(host).packed
    except AddressValueError as error:
        raise WireError(f"expected an IPv6 address, found {host[:64]!r}") from error


def unpack_host(data: bytes) -> str:
    """Read an address without a port: 4 bytes of IPv4 or 16 of IPv6."""
    match len(data):
        case 4:
            return str(IPv4Address(data))
        case 16:
            return str(IPv6Address(data))
        case length:
            raise WireError(f"an address: expected 4 or 16 bytes, found {length}")
