"""Pieces under way: those of which some block was asked for, or has come.

Each of their blocks is in exactly one state: free (its number is in `free`), asked (it has askers) or arrived (it has a
sender). A piece stays here, with all its blocks arrived, while its hash is computed.

A piece that came wrong from several neighbours is suspect: one neighbour, its owner, is to send the whole piece now.
While something is asked of the owner, the free blocks of the piece are held for it.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from peer.bittorrent.engine.download.blocks import Block
from peer.bittorrent.wire.bitfield import Bitfield


class BegunPiece:
    """One piece under way."""

    __slots__ = ("_block_length", "_size", "askers", "free", "index", "is_suspect", "missing", "owner", "senders")

    def __init__(self, index: int, size: int, block_length: int, *, is_suspect: bool) -> None:
        count = -(-size // block_length)
        self.index: Final = index
        self._size: Final = size
        self._block_length: Final = block_length
        self.free: list[int] = list(range(count - 1, -1, -1))
        """The next one to ask for is the last."""
        self.askers: dict[int, tuple[int, ...]] = {}
        """Who was asked for a block: several neighbours only in endgame."""
        self.senders: list[int | None] = [None] * count
        """Whose bytes lie in the place of each block."""
        self.missing = count
        """How many blocks have not arrived."""
        self.is_suspect: Final = is_suspect
        self.owner: int | None = None

    def block(self, number: int) -> Block:
        """Return what to ask for."""
        begin = number * self._block_length
        return Block(self.index, begin, min(self._block_length, self._size - begin))

    def is_held_from(self, key: int) -> bool:
        """Whether only another neighbour may send the blocks that are free."""
        return self.owner is not None and self.owner != key and len(self.askers) > 0

    @property
    def is_untouched(self) -> bool:
        """Whether no block of it is asked or arrived any more."""
        return not self.askers and self.missing == len(self.senders)

    @property
    def contributors(self) -> tuple[int, ...]:
        """Who sent blocks of it, in the order of the blocks."""
        return tuple(dict.fromkeys(sender for sender in self.senders if sender is not None))


class UnderWay:
    """All pieces under way. Invariant: `_open` has those with free blocks."""

    __slots__ = ("_most_askers", "_open", "_pieces")

    def __init__(self, most_askers: float) -> None:
        self._most_askers: Final = most_askers
        self._pieces: dict[int, BegunPiece] = {}
        self._open: dict[int, BegunPiece] = {}

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def is_all_asked(self) -> bool:
        """Whether no block is free, except those held for an owner."""
        return all(piece.owner is not None and piece.askers for piece in self._open.values())

    def get(self, index: int) -> BegunPiece | None:
        """Return a piece, if it is under way."""
        return self._pieces.get(index)

    def add(self, piece: BegunPiece) -> None:
        """Take in a piece with all blocks free."""
        self._pieces[piece.index] = self._open[piece.index] = piece

    def drop(self, piece: BegunPiece) -> None:
        """Put a piece out."""
        del self._pieces[piece.index]
        self._open.pop(piece.index, None)

    def count_in(self, theirs: Bitfield) -> int:
        """Count how many of these pieces a neighbour has."""
        return sum(index in theirs for index in self._pieces)

    def can_go_on(self, piece: BegunPiece, key: int, theirs: Bitfield, among: AbstractSet[int] | None) -> bool:
        """Whether a neighbour may be asked for the free blocks of a piece, if that is still under way."""
        is_open = self._open.get(piece.index) is piece and not piece.is_held_from(key)
        return is_open and piece.index in theirs and (among is None or piece.index in among)

    def best_for(self, key: int, theirs: Bitfield, among: AbstractSet[int] | None) -> BegunPiece | None:
        """Return a piece with free blocks for this neighbour: one that it owns, else the one that misses the fewest."""
        best: BegunPiece | None = None
        for piece in self._open.values():
            if best is not None and best.missing <= piece.missing and piece.owner != key:
                continue
            if piece.index not in theirs or (among is not None and piece.index not in among):
                continue
            if piece.owner == key:
                return piece
            if not piece.is_held_from(key):
                best = piece
        return best

    def ask(self, piece: BegunPiece, key: int, most: int) -> list[Block]:
        """Ask a neighbour for the next free blocks."""
        if piece.is_suspect:
            piece.owner = key
        blocks: list[Block] = []
        while piece.free and len(blocks) < most:
            number = piece.free.pop()
            piece.askers[number] = (key,)
            blocks.append(piece.block(number))
        if not piece.free:
            del self._open[piece.index]
        return blocks

    def ask_also(self, piece: BegunPiece, number: int, key: int) -> Block:
        """Ask one more neighbour for a block that was asked for already."""
        piece.askers[number] += (key,)
        return piece.block(number)

    def asked_of_others(
        self, key: int, theirs: Bitfield, among: AbstractSet[int] | None, start: int
    ) -> Iterator[tuple[BegunPiece, int]]:
        """Yield blocks that this neighbour may be asked for too, pieces from number `start` on; owners keep theirs."""
        pieces = list(self._pieces.values())
        for piece in pieces[start:] + pieces[:start]:
            if piece.owner is not None or piece.index not in theirs or (among is not None and piece.index not in among):
                continue
            for number, askers in piece.askers.items():
                if key not in askers and len(askers) < self._most_askers:
                    yield piece, number

    def release(self, piece: BegunPiece, number: int, key: int) -> None:
        """End one request; when it was the last for this block, the block is free again."""
        others = tuple(asker for asker in piece.askers[number] if asker != key)
        if others:
            piece.askers[number] = others
            return
        del piece.askers[number]
        piece.free.append(number)
        self._open[piece.index] = piece

    def arrive(self, piece: BegunPiece, number: int, key: int) -> tuple[int, ...]:
        """Mark a missing block as arrived; returns who was asked for it."""
        askers = piece.askers.pop(number, None)
        if askers is None:
            askers = ()
            piece.free.remove(number)
            if not piece.free:
                del self._open[piece.index]
        piece.senders[number] = key
        piece.missing -= 1
        return askers
