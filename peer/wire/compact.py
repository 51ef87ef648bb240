"""Compact peer addresses: 6 bytes for IPv4 (BEP 23), 18 for IPv6 (BEP 7).

offset   0 1 2 3   4 5               0 .. 15   16 17
         address   port, big-endian  address   port
"""

import re
import struct
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final, NamedTuple

from peer.wire.errors import WireError

IPV4_STRIDE: Final = 6
IPV6_STRIDE: Final = 18

_IPV4: Final = struct.Struct(">4BH")
_IPV6: Final = struct.Struct(">16sH")
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


def pack(addresses: Iterable[Address]) -> bytes:
    """Write IPv4 addresses, 6 bytes each."""
    return b"".join([pack_host(host) + port.to_bytes(2, "big") for host, port in addresses])


def unpack(data: bytes) -> list[Address]:
    """Read IPv4 addresses, 6 bytes each."""
    _check_stride(data, IPV4_STRIDE)
    return [Address(f"{a}.{b}.{c}.{d}", port) for a, b, c, d, port in _IPV4.iter_unpack(data)]


def pack6(addresses: Iterable[Address]) -> bytes:
    """Write IPv6 addresses, 18 bytes each."""
    return b"".join([pack_host6(host) + port.to_bytes(2, "big") for host, port in addresses])


def unpack6(data: bytes) -> list[Address]:
    """Read IPv6 addresses, 18 bytes each."""
    _check_stride(data, IPV6_STRIDE)
    return [Address(str(IPv6Address(raw)), port) for raw, port in _IPV6.iter_unpack(data)]


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


def _check_stride(data: bytes, stride: int) -> None:
    if len(data) % stride:
        raise WireError(f"compact addresses: expected a multiple of {stride} bytes, found {len(data)}")
