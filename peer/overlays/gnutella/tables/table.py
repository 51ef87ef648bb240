"""Route tables: a set of bits, one for each value that the hash of a word can have.

Of the published distances only two are left, as between leaves and ultrapeers: infinite, or not.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from peer.overlays.gnutella.tables.words import words_of_text

_MULTIPLIER: Final = 0x4F1BBCDC
_WORD: Final = (1 << 32) - 1
"""32 bits."""


@lru_cache(maxsize=1 << 16)
def hash_word(word: str, bits: int) -> int:
    """Return the entry of a word in a table of 2**bits entries: Rohrs' multiplication hash."""
    data = word.lower().encode(errors="surrogateescape")
    folded = 0
    for begin in range(0, len(data), 4):
        folded ^= int.from_bytes(data[begin : begin + 4], "little")
    return (folded * _MULTIPLIER & _WORD) >> (32 - bits)


class Table:
    """Which words somebody may have."""

    __slots__ = ("_bits", "entries", "slots")

    def __init__(self, entries: int, slots: Iterable[int] = ()) -> None:
        self.entries: Final = entries
        self._bits: Final = entries.bit_length() - 1
        self.slots = bytearray(entries >> 3)
        for slot in slots:
            self.set(slot)

    def set(self, slot: int) -> None:
        self.slots[slot >> 3] |= 1 << (slot & 7)

    def clear(self, slot: int) -> None:
        self.slots[slot >> 3] &= ~(1 << (slot & 7))

    def __contains__(self, slot: int) -> bool:
        return bool(self.slots[slot >> 3] & (1 << (slot & 7)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and self.slots == other.slots

    def __hash__(self) -> int:
        raise TypeError("a table changes")

    def add_words(self, words: Iterable[str]) -> None:
        for word in words:
            self.set(hash_word(word, self._bits))

    def add_table(self, other: "Table") -> None:
        """Add whatever another has; one of another size is scaled, as published."""
        if other.entries == self.entries:
            merged = int.from_bytes(self.slots, "little") | int.from_bytes(other.slots, "little")
            self.slots = bytearray(merged.to_bytes(len(self.slots), "little"))
        else:
            self._add_scaled(other)

    def _add_scaled(self, other: "Table") -> None:
        for slot in other.present():
            first = slot * self.entries // other.entries
            last = max(first + 1, -(-(slot + 1) * self.entries // other.entries))
            for each in range(first, last):
                self.set(each)

    def present(self) -> list[int]:
        """Return the entries that are set."""
        return [at * 8 + bit for at, byte in enumerate(self.slots) if byte for bit in range(8) if byte & (1 << bit)]

    def may_have(self, text: str) -> bool:
        """Whether all words of a text are here; a text without words is nowhere.

        LimeWire and gtk-gnutella are content with two thirds of three words and more. Our servents answer only to
        questions of which they have all words, so nothing is lost.
        """
        words = words_of_text(text)
        return bool(words) and all(hash_word(word, self._bits) in self for word in words)

    def copy(self) -> "Table":
        twin = Table(self.entries)
        twin.slots = bytearray(self.slots)
        return twin
