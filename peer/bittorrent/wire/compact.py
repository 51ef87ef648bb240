"""Compact peer addresses: 6 bytes for IPv4 (BEP 23), 18 for IPv6 (BEP 7).

offset   0 1 2 3   4 5               0 .. 15   16 17
         address   port, big-endian  address   port
"""

import struct
from collections.abc import Iterable
from ipaddress import IPv6Address
from typing import Final

from peer.errors import WireError
from peer.net.address import Address, pack_host, pack_host6

IPV4_STRIDE: Final = 6
IPV6_STRIDE: Final = 18

_IPV4: Final = struct.Struct(">4BH")
_IPV6: Final = struct.Struct(">16sH")


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


def _check_stride(data: bytes, stride: int) -> None:
    if len(data) % stride:
        raise WireError(f"compact addresses: expected a multiple of {stride} bytes, found {len(data)}")
