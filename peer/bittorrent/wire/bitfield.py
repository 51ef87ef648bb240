"""The pieces that a peer has (BEP 3, the bitfield message): one bit a piece.

    byte      0                  1
    piece     0 1 2 3 4 5 6 7    8 9 - - - - - -      10 pieces: 2 bytes, and 6 spare bits; we send zeros there

The bits are a bytearray in wire order: 1,250 bytes for 10,000 pieces, 100 kB for 80 neighbours. Testing and setting a
bit is faster there than in a Python int, which is copied at each change. Operations on whole sets (which pieces does it
have that I lack?) convert the bytes to ints, which takes a microsecond.
"""

from collections.abc import Iterator
from itertools import compress
from random import Random
from typing import Final, Self

from contract.wording import counted
from peer.bittorrent.wire.errors import MessageError

_ONES_AS_TRUTH: Final = bytes.maketrans(b"01", b"\0\1")


def wire_length(size: int) -> int:
    """Return the number of bytes for `size` pieces."""
    return (size + 7) // 8


class Bitfield:
    """A set of piece indices below `size`."""

    __slots__ = ("_bits", "count", "size")

    def __init__(self, size: int) -> None:
        self._bits = bytearray(wire_length(size))
        self.size = size
        self.count = 0

    @classmethod
    def full(cls, size: int) -> Self:
        """Return the set of all pieces."""
        made = cls(size)
        made._adopt((1 << size) - 1)
        return made

    @classmethod
    def drawn(cls, size: int, share: float, rng: Random) -> Self:
        """Return this share of the pieces, drawn at random."""
        made = cls(size)
        for index in sorted(rng.sample(range(size), round(share * size))):
            made.add(index)
        return made

    @classmethod
    def from_wire(cls, data: bytes, size: int) -> Self:
        """Read the payload of a bitfield message; the length must fit, and the spare bits are ignored."""
        made = cls(size)
        if len(data) != len(made._bits):
            expected = f"expected {counted(len(made._bits), 'byte')} for {counted(size, 'piece')}"
            raise MessageError(f"bitfield: {expected}, found {len(data)}")
        made._adopt(int.from_bytes(data, "big") >> (len(data) * 8 - size))
        return made

    def to_wire(self) -> bytes:
        """Write the payload of a bitfield message."""
        return bytes(self._bits)

    def copy(self) -> Self:
        made = type(self)(0)
        made._bits, made.size, made.count = self._bits[:], self.size, self.count
        return made

    def add(self, index: int) -> bool:
        """Add a piece, and return whether it was new; an index out of range, as a have message may have, is refused."""
        if not 0 <= index < self.size:
            raise MessageError(f"piece {index}: expected an index below {self.size}")
        mask = 0x80 >> (index & 7)
        if self._bits[index >> 3] & mask:
            return False
        self._bits[index >> 3] |= mask
        self.count += 1
        return True

    def update(self, other: Self) -> None:
        """Add all pieces of another set."""
        self._adopt(self._as_int() | other._as_int())

    @property
    def is_full(self) -> bool:
        """Whether no piece is missing."""
        return self.count == self.size

    def missing(self) -> Iterator[int]:
        """Yield the missing pieces in order."""
        return _ones(~self._as_int() & ((1 << self.size) - 1), self.size)

    def missing_in(self, other: Self) -> Iterator[int]:
        """Yield the missing pieces that `other` has, in order."""
        return _ones(self._missing_from(other), self.size)

    def __contains__(self, index: int) -> bool:
        return 0 <= index < self.size and self._bits[index >> 3] & (0x80 >> (index & 7)) != 0

    def __iter__(self) -> Iterator[int]:
        return _ones(self._as_int(), self.size)

    def __len__(self) -> int:
        return self.count

    def __bool__(self) -> bool:
        return self.count > 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bitfield) and (self.size, self._bits) == (other.size, other._bits)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"<Bitfield: {self.count} of {self.size}>"

    def _missing_from(self, other: Self) -> int:
        if self.size != other.size:
            raise ValueError(f"bitfields of {self.size} and {other.size} pieces")
        return other._as_int() & ~self._as_int()

    def _as_int(self) -> int:
        """Piece 0 is the highest of `size` bits."""
        return int.from_bytes(self._bits, "big") >> (len(self._bits) * 8 - self.size)

    def _adopt(self, bits: int) -> None:
        spare = len(self._bits) * 8 - self.size
        self._bits[:] = (bits << spare).to_bytes(len(self._bits), "big")
        self.count = bits.bit_count()


def _ones(bits: int, size: int) -> Iterator[int]:
    """Yield which of `size` bits are set, the highest being number 0."""
    digits = f"{bits:0{size}b}".encode().translate(_ONES_AS_TRUTH) if size else b""
    return compress(range(size), digits)
