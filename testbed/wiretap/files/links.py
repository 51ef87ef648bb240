"""Where the IP packet begins in a frame of each link type."""

from collections.abc import Callable
from typing import Final, NamedTuple

_IP_TYPES: Final = frozenset({b"\x08\x00", b"\x86\xdd"})
_VLAN_TYPES: Final = frozenset({b"\x81\x00", b"\x88\xa8", b"\x91\x00"})
_IP_FAMILIES: Final = frozenset({2, 10, 24, 28, 30})
"""AF_INET and AF_INET6; the number of the second differs between systems."""
NO_IP: Final = -1


class Link(NamedTuple):
    """A link type. `packet(data, start, end)` returns where the IP packet of a frame begins; NO_IP if there is none."""

    name: str
    packet: Callable[[bytes, int, int], int]


def ethernet(data: bytes, start: int, end: int) -> int:
    """Skip the addresses, and the tags of virtual LANs."""
    at = start + 12
    while data[at : at + 2] in _VLAN_TYPES and at < end:
        at += 4
    return at + 2 if data[at : at + 2] in _IP_TYPES else NO_IP


def raw(_data: bytes, start: int, _end: int) -> int:
    """There is no other header."""
    return start


def cooked(data: bytes, start: int, _end: int) -> int:
    """Skip the header that Linux makes for captures of all interfaces: SLL."""
    return start + 16 if data[start + 14 : start + 16] in _IP_TYPES else NO_IP


def cooked_2(data: bytes, start: int, _end: int) -> int:
    """Skip the newer one: SLL2."""
    return start + 20 if data[start : start + 2] in _IP_TYPES else NO_IP


def loopback(data: bytes, start: int, _end: int) -> int:
    """Skip the address family, in either byte order."""
    family = data[start : start + 4]
    is_ip = int.from_bytes(family, "little") in _IP_FAMILIES or int.from_bytes(family, "big") in _IP_FAMILIES
    return start + 4 if is_ip else NO_IP


LINKS: Final = {
    0: Link("loopback (NULL)", loopback),
    1: Link("Ethernet", ethernet),
    12: Link("raw IP", raw),
    14: Link("raw IP", raw),
    101: Link("raw IP", raw),
    108: Link("loopback (LOOP)", loopback),
    113: Link("Linux SLL", cooked),
    228: Link("raw IP", raw),
    229: Link("raw IP", raw),
    276: Link("Linux SLL2", cooked_2),
}
