"""The ring: identifiers, and which of them lies between two others."""

from functools import lru_cache
from hashlib import sha1
from typing import Final, NamedTuple

from peer.net.address import Address
from peer.overlays.parts.packing import pack_address

KEY_BITS: Final = 160
KEY_SIZE: Final = KEY_BITS // 8


class Contact(NamedTuple):
    """A node, as others know it."""

    id: int
    address: Address


@lru_cache(maxsize=1 << 17)
def contact_at(address: Address, bits: int = KEY_BITS) -> Contact:
    """Return the node at an address. Its identifier is the SHA-1 of the six bytes, so nobody chooses his place."""
    return Contact(position_of(sha1(pack_address(address), usedforsecurity=False).digest(), bits), address)


def position_of(key: bytes, bits: int = KEY_BITS) -> int:
    """Return where a key of 20 bytes lies on a ring of 2^bits places: its first bits."""
    return int.from_bytes(key, "big") >> (KEY_BITS - bits)


def distance(start: int, end: int, bits: int) -> int:
    """Return how far it is clockwise."""
    return (end - start) % (1 << bits)


def is_after_until(place: int, after: int, until: int) -> bool:
    """Whether a place lies in (after, until], clockwise; if both are the same, that is the whole ring."""
    if after < until:
        return after < place <= until
    return place > after or place <= until


def is_between(place: int, after: int, before: int) -> bool:
    """Whether a place lies in (after, before), clockwise; if both are the same, that is all but this place."""
    return place != before and is_after_until(place, after, before)
