"""What payloads consist of: little-endian numbers, addresses in the network's order, texts that end with a zero."""

import struct
from typing import Final

from peer.errors import WireError
from peer.net.address import Address, pack_host, unpack_host

PORT_HOST: Final = struct.Struct("<H4s")


def pack_port_host(address: Address) -> bytes:
    return PORT_HOST.pack(address.port, pack_host(address.host))


def unpack_port_host(data: bytes, begin: int) -> Address:
    port, host = PORT_HOST.unpack_from(data, begin)
    return Address(unpack_host(host), port)


def pack_text(text: str) -> bytes:
    """Write a text and its end."""
    data = as_bytes(text)
    if 0 in data:
        raise WireError(f"a text with a zero cannot be sent: {text[:64]!r}")
    return data + b"\0"


def as_bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def as_text(data: bytes) -> str:
    """Read bytes of any kind; what is no UTF-8 is passed on as it came."""
    return data.decode(errors="surrogateescape")


def text_size(text: str) -> int:
    """Return how many bytes a text has, without its end."""
    return len(text) if text.isascii() else len(as_bytes(text))


def until_zero(data: bytes, begin: int, what: str) -> tuple[bytes, int]:
    """Return what stands before the next zero, and where the rest begins."""
    end = data.find(0, begin)
    if end < 0:
        raise WireError(f"{what}: expected a zero at its end")
    return data[begin:end], end + 1


def expect(data: bytes, least: int, what: str) -> None:
    if len(data) < least:
        raise WireError(f"{what}: expected at least {least} bytes, found {len(data)}")
