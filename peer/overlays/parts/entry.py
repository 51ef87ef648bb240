"""What is kept under a word: who has an item, and the item's whole name."""

from dataclasses import dataclass
from typing import Final

from peer.errors import WireError
from peer.net.address import Address
from peer.overlays.parts.packing import ADDRESS_SIZE, Reader, pack_address

MOST_NAME: Final = 900
"""Bytes of a name that an entry can carry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The names are whole, so the list of one word is enough to tell which of its items have the other words, too."""

    holder: Address
    name: str

    def encode(self) -> bytes:
        return pack_address(self.holder) + self.name.encode()


def decode_entry(value: bytes) -> Entry:
    """Read a value of a word's list."""
    if not ADDRESS_SIZE < len(value) <= ADDRESS_SIZE + MOST_NAME:
        raise WireError(f"entry: expected 7 to {ADDRESS_SIZE + MOST_NAME} bytes, found {len(value)}")
    holder = Reader(value, "entry").address()
    try:
        return Entry(holder, value[ADDRESS_SIZE:].decode())
    except UnicodeDecodeError as error:
        raise WireError("entry: expected a name in UTF-8") from error
