"""Payloads that came after 0.4: route tables, and the walkers' messages, which are a vendor's.

A vendor's message begins with four letters, a number for the kind and one for the version. Ours has the letters TBED.
"""

import struct
from typing import Final, TypeAlias

from peer.errors import WireError
from peer.overlays.gnutella.wire.fields import (
    as_text,
    expect,
    pack_port_host,
    pack_text,
    text_size,
    unpack_port_host,
    until_zero,
)
from peer.overlays.gnutella.wire.messages import Kind, Patch, Reset, Unknown, Walk

_RESET: Final = struct.Struct("<BIB")
_PATCH: Final = struct.Struct("<BBBBB")
_VENDOR: Final = struct.Struct("<4sHH")
_STEPS: Final = struct.Struct("<HH")
_WALK_HEAD_BYTES: Final = _VENDOR.size + 6 + _STEPS.size
_RESET_VARIANT: Final = 0
_PATCH_VARIANT: Final = 1
_WALK: Final = (b"TBED", 1, 1)
MOST_ENTRIES: Final = 1 << 21
"""Of a table, as gtk-gnutella has it."""
Head = tuple[bytes, int, int]
RouteTable: TypeAlias = Reset | Patch


def write_table(message: RouteTable) -> bytes:
    if isinstance(message, Reset):
        return _RESET.pack(_RESET_VARIANT, message.entries, message.infinity)
    numbers = (message.number, message.count, message.compressor, message.entry_bits)
    return _PATCH.pack(_PATCH_VARIANT, *numbers) + message.data


def read_table(head: Head, data: bytes) -> RouteTable:
    expect(data, 1, "a route table")
    match data[0]:
        case 0:
            return _read_reset(head, data)
        case 1:
            return _read_patch(head, data)
        case variant:
            raise WireError(f"a route table: expected variant 0 or 1, found {variant}")


def _read_reset(head: Head, data: bytes) -> Reset:
    expect(data, _RESET.size, "a reset")
    _, entries, infinity = _RESET.unpack_from(data)
    if not 8 <= entries <= MOST_ENTRIES or entries & (entries - 1):
        raise WireError(f"a reset: expected a power of two from 8 to {MOST_ENTRIES} entries, found {entries}")
    if infinity < 2:
        raise WireError(f"a reset: expected an infinity of at least 2, found {infinity}")
    return Reset(*head, entries, infinity)


def _read_patch(head: Head, data: bytes) -> Patch:
    expect(data, _PATCH.size, "a patch")
    _, number, count, compressor, entry_bits = _PATCH.unpack_from(data)
    if not 1 <= number <= count:
        raise WireError(f"a patch: number {number} of {count}")
    if compressor > 1 or entry_bits not in {4, 8}:
        raise WireError(f"a patch: compressor {compressor} and {entry_bits} bits; expected 0 or 1, and 4 or 8")
    return Patch(*head, number, count, compressor, entry_bits, data[_PATCH.size :])


def table_size(message: RouteTable) -> int:
    return _RESET.size if isinstance(message, Reset) else _PATCH.size + len(message.data)


def write_walk(walk: Walk) -> bytes:
    head = _VENDOR.pack(*_WALK) + pack_port_host(walk.querier)
    return head + _STEPS.pack(walk.steps, walk.left) + pack_text(walk.text)


def read_vendor(head: Head, data: bytes) -> Walk | Unknown:
    expect(data, _VENDOR.size, "a vendor's message")
    if _VENDOR.unpack_from(data) != _WALK:
        return Unknown(Kind.VENDOR)
    expect(data, _WALK_HEAD_BYTES + 1, "a walker")
    steps, left = _STEPS.unpack_from(data, _WALK_HEAD_BYTES - _STEPS.size)
    text, _ = until_zero(data, _WALK_HEAD_BYTES, "a walker's text")
    return Walk(*head, unpack_port_host(data, _VENDOR.size), steps, left, as_text(text))


def walk_size(walk: Walk) -> int:
    return _WALK_HEAD_BYTES + text_size(walk.text) + 1
