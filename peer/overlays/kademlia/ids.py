"""Identifiers of nodes and keys: numbers of 160 bits, whose distance is their XOR.

BEP 42 derives the first 21 bits of a node's id from its IPv4 address and from three bits of the id's last byte, so that
nobody can choose where in the space of ids a host is.
"""

from ipaddress import AddressValueError, IPv4Address, IPv4Network
from random import Random
from typing import Final

BITS: Final = 160
LENGTH: Final = 20
"""In bytes."""

_MASK: Final = 0x030F3FFF
_BOUND: Final = 21
"""Bits of an id that its host decides (BEP 42)."""
_LOCAL: Final = tuple(
    map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"))
)
"""Hosts that BEP 42 lets have any id."""
_CASTAGNOLI: Final = 0x82F63B78


def shared_bits(one: int, other: int) -> int:
    """Return how many bits two ids have in common from the first on."""
    return BITS - (one ^ other).bit_length()


def to_bytes(node_id: int) -> bytes:
    """Write an id."""
    return node_id.to_bytes(LENGTH, "big")


def to_hex(node_id: int) -> str:
    """Write an id for people."""
    return f"{node_id:040x}"


def sharing(own: int, bits: int, rng: Random) -> int:
    """Draw an id that has its first `bits` bits in common with `own`, and not the next one."""
    rest = BITS - bits - 1
    return ((own >> rest) ^ 1) << rest | rng.getrandbits(rest) if rest else own ^ 1


def beginning_with(own: int, bits: int, rng: Random) -> int:
    """Draw an id that has at least its first `bits` bits in common with `own`."""
    rest = BITS - bits
    return own >> rest << rest | rng.getrandbits(rest)


def secure_id(host: str, rng: Random) -> int:
    """Draw an id that a node at an IPv4 host may have by BEP 42."""
    last = rng.getrandbits(8)
    rest = rng.getrandbits(BITS - _BOUND - 8)
    return (_prefix(host, last) << (BITS - _BOUND)) | (rest << 8) | last


def closest_secure_id(key: int, host: str) -> int:
    """Return the id closest to a key among those that a node at an IPv4 host may have by BEP 42."""
    free = BITS - _BOUND
    others = key & (1 << free) - 8
    ids = (_prefix(host, last) << free | others | last for last in range(8))
    return min(ids, key=key.__xor__)


def is_secure(node_id: int, host: str) -> bool:
    """Whether a node at this host may have this id by BEP 42; local hosts may have any."""
    try:
        return node_id >> (BITS - _BOUND) == _prefix(host, node_id & 0xFF) or is_local(host)
    except AddressValueError:
        return False


def is_local(host: str) -> bool:
    """Whether BEP 42 lets nodes at this host have any id."""
    address = IPv4Address(host)
    return any(address in network for network in _LOCAL)


def _prefix(host: str, last: int) -> int:
    seed = (int(IPv4Address(host)) & _MASK) | (last & 7) << 29
    return crc32c(seed.to_bytes(4, "big")) >> (32 - _BOUND)


def crc32c(data: bytes) -> int:
    """Return the checksum with Castagnoli's polynomial, which `zlib` does not have."""
    rest = 0xFFFFFFFF
    for byte in data:
        rest = rest >> 8 ^ _REMAINDERS[(rest ^ byte) & 0xFF]
    return rest ^ 0xFFFFFFFF


def _remainder(byte: int) -> int:
    """Divide one byte by the polynomial, whose bits are in reverse order."""
    for _ in range(8):
        byte = byte >> 1 ^ (_CASTAGNOLI if byte & 1 else 0)
    return byte


_REMAINDERS: Final = tuple(map(_remainder, range(256)))
