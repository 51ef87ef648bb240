"""Changes of route tables as bytes: a signed number of 4 or 8 bits for each entry, mostly zero."""

import re
import zlib
from collections.abc import Iterable
from typing import Final

from peer.errors import WireError
from peer.overlays.gnutella.tables.table import Table

_SOME: Final = re.compile(rb"[^\x00]")
_NIBBLE: Final = 0xF


def write_change(before: Table | None, after: Table, infinity: int) -> bytes:
    """Return the change from one table to another (None: an infinite one), with 4 bits an entry.

    The first entry is in the higher half of the first byte. Ours have a distance of 1 where they are not infinite.
    """
    nearer, farther = (1 - infinity) & _NIBBLE, (infinity - 1) & _NIBBLE
    old = before or Table(after.entries)
    data = bytearray(after.entries >> 1)
    for slot in _different(old, after):
        data[slot >> 1] |= (nearer if slot in after else farther) << (0 if slot & 1 else 4)
    return bytes(data)


def _different(one: Table, other: Table) -> Iterable[int]:
    if one.slots == other.slots:
        return []
    differences = Table(one.entries)
    both = int.from_bytes(one.slots, "little") ^ int.from_bytes(other.slots, "little")
    differences.slots = bytearray(both.to_bytes(len(one.slots), "little"))
    return differences.present()


def apply_change(table: Table, data: bytes, entry_bits: int) -> None:
    """Change a table: what comes nearer is there, what goes farther is gone."""
    if len(data) * 8 != table.entries * entry_bits:
        raise WireError(f"a patch of {len(data)} bytes for {table.entries} entries of {entry_bits} bits")
    for match in _SOME.finditer(data):
        at, byte = match.start(), match[0][0]
        if entry_bits == 8:
            _change(table, at, byte >= 0x80)
        else:
            _change_two(table, at * 2, byte)


def _change_two(table: Table, first: int, byte: int) -> None:
    for slot, nibble in ((first, byte >> 4), (first + 1, byte & _NIBBLE)):
        if nibble:
            _change(table, slot, nibble >= 8)


def _change(table: Table, slot: int, is_nearer: bool) -> None:
    if is_nearer:
        table.set(slot)
    else:
        table.clear(slot)


def compress(data: bytes) -> bytes:
    return zlib.compress(data)


def decompress(data: bytes, length: int) -> bytes:
    """Return what was compressed, which must have this length: no more is unpacked."""
    unpacker = zlib.decompressobj()
    try:
        found = unpacker.decompress(data, length + 1)
    except zlib.error as error:
        raise WireError(f"a patch that is no zlib stream: {error}") from error
    if len(found) != length or not unpacker.eof:
        raise WireError(f"a patch: expected {length} bytes in it, found {len(found)} or more")
    return found
