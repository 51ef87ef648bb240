"""Active pieces: those of which some block was requested or received.

Each of their blocks is in exactly one state: free (its number is in `free`), requested (it has askers) or received (it
has a sender). A piece stays active, with all its blocks received, while its hash is computed.

A piece that came wrong from several neighbours is suspect: one neighbour, its owner, is to send the whole piece now.
While a request to the owner is outstanding, the free blocks of the piece are reserved for it.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from peer.bittorrent.engine.download.blocks import Block
from peer.bittorrent.wire.bitfield import Bitfield


class ActivePiece:
    """One piece, with the state of each of its blocks."""

    __slots__ = ("_block_length", "_size", "askers", "free", "index", "is_suspect", "missing", "owner", "senders")

    def __init__(self, index: int, size: int, block_length: int, *, is_suspect: bool) -> None:
        count = -(-size // block_length)
        self.index: Final = index
        self._size: Final = size
        self._block_length: Final = block_length
        self.free: list[int] = list(range(count - 1, -1, -1))
        """The next one to ask for is the last."""
        self.askers: dict[int, tuple[int, ...]] = {}
        """The neighbours that were asked for a block: several only in endgame."""
        self.senders: list[int | None] = [None] * count
        """The neighbour whose bytes lie in the place of each block."""
        self.missing = count
        """How many blocks have not been received."""
        self.is_suspect: Final = is_suspect
        self.owner: int | None = None

    def block(self, number: int) -> Block:
        begin = number * self._block_length
        return Block(self.index, begin, min(self._block_length, self._size - begin))

    def is_reserved_from(self, key: int) -> bool:
        """Whether the free blocks are reserved for another neighbour."""
        return self.owner is not None and self.owner != key and len(self.askers) > 0

    @property
    def is_untouched(self) -> bool:
        """Whether no block of it is requested or received any more."""
        return not self.askers and self.missing == len(self.senders)

    @property
    def contributors(self) -> tuple[int, ...]:
        """The neighbours that sent blocks of it, in the order of the blocks."""
        return tuple(dict.fromkeys(sender for sender in self.senders if sender is not None))


class ActivePieces:
    """Invariant: `_open` has the active pieces with free blocks."""

    __slots__ = ("_most_askers", "_open", "_pieces")

    def __init__(self, most_askers: float) -> None:
        self._most_askers: Final = most_askers
        self._pieces: dict[int, ActivePiece] = {}
        self._open: dict[int, ActivePiece] = {}

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def is_all_requested(self) -> bool:
        """Whether no block is free, except those reserved for an owner."""
        return all(piece.owner is not None and piece.askers for piece in self._open.values())

    def get(self, index: int) -> ActivePiece | None:
        return self._pieces.get(index)

    def add(self, piece: ActivePiece) -> None:
        """Add a piece with all blocks free."""
        self._pieces[piece.index] = self._open[piece.index] = piece

    def drop(self, piece: ActivePiece) -> None:
        del self._pieces[piece.index]
        self._open.pop(piece.index, None)

    def count_in(self, theirs: Bitfield) -> int:
        """Count how many of these pieces a neighbour has."""
        return sum(index in theirs for index in self._pieces)

    def can_continue(self, piece: ActivePiece, key: int, theirs: Bitfield, among: AbstractSet[int] | None) -> bool:
        """Whether a neighbour may be asked for the free blocks of a piece, if that is still active."""
        is_open = self._open.get(piece.index) is piece and not piece.is_reserved_from(key)
        return is_open and piece.index in theirs and (among is None or piece.index in among)

    def best_for(self, key: int, theirs: Bitfield, among: AbstractSet[int] | None) -> ActivePiece | None:
        """Return a piece with free blocks for this neighbour: its own, else the one with the fewest missing."""
        best: ActivePiece | None = None
        for piece in self._open.values():
            if best is not None and best.missing <= piece.missing and piece.owner != key:
                continue
            if piece.index not in theirs or (among is not None and piece.index not in among):
                continue
            if piece.owner == key:
                return piece
            if not piece.is_reserved_from(key):
                best = piece
        return best

    def request(self, piece: ActivePiece, key: int, most: int) -> list[Block]:
        """Mark the next free blocks as requested from a neighbour."""
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

    def request_again(self, piece: ActivePiece, number: int, key: int) -> Block:
        """Mark a block as requested from one more neighbour."""
        piece.askers[number] += (key,)
        return piece.block(number)

    def requested_from_others(
        self, key: int, theirs: Bitfield, among: AbstractSet[int] | None, start: int
    ) -> Iterator[tuple[ActivePiece, int]]:
        """Yield blocks that may be requested from this neighbour too, from piece `start` on, owned ones left out."""
        pieces = list(self._pieces.values())
        for piece in pieces[start:] + pieces[:start]:
            if piece.owner is not None or piece.index not in theirs or (among is not None and piece.index not in among):
                continue
            for number, askers in piece.askers.items():
                if key not in askers and len(askers) < self._most_askers:
                    yield piece, number

    def end_request(self, piece: ActivePiece, number: int, key: int) -> None:
        """End a request without its block; after the last one for it the block is free again."""
        others = tuple(asker for asker in piece.askers[number] if asker != key)
        if others:
            piece.askers[number] = others
            return
        del piece.askers[number]
        piece.free.append(number)
        self._open[piece.index] = piece

    def block_received(self, piece: ActivePiece, number: int, key: int) -> tuple[int, ...]:
        """Mark a missing block as received; returns the neighbours that were asked for it."""
        askers = piece.askers.pop(number, None)
        if askers is None:
            askers = ()
            piece.free.remove(number)
            if not piece.free:
                del self._open[piece.index]
        piece.senders[number] = key
        piece.missing -= 1
        return askers
