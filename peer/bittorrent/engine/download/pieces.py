"""The pieces of a torrent: which we have, which blocks are requested from whom, and which neighbour has which.

    piece    missing --> active --> whole --> had       whole: all blocks are here, and the hash is being computed
                ^-----------/---------/                 back when nothing of it is left, when the hash is wrong, or
                                                        when pieces are not kept
    block    free --> requested --> received            back to free when the request ends without the block
                \\-------------------^                   a block may still come after its last request has ended

Invariants:
- A piece is in exactly one state, and so is a block. A piece is active as long as a block of it is requested or
  received.
- A block is requested from one neighbour. Only in endgame, when no block is free, may others be asked for it too.
- A neighbour finishes the piece of its last request. Then, under strict priority, a piece that is active comes before
  any new piece; without it, only if there is no new one. The picker chooses which new piece.
- The same calls with the same random source give the same answers.
"""

from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from operator import itemgetter
from random import Random
from typing import Final, NamedTuple

from peer.bittorrent.engine.download.active_pieces import ActivePiece, ActivePieces
from peer.bittorrent.engine.download.block_reception import BlockReception, Placement
from peer.bittorrent.engine.download.blocks import Block, Grid
from peer.bittorrent.engine.download.candidate_pieces import CandidatePieces
from peer.bittorrent.engine.download.corruption import Corruption
from peer.bittorrent.engine.download.rarity import Rarity
from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.wire.bitfield import Bitfield

ENOUGH: Final = 32
"""Blocks beyond those wanted that are compared in endgame, and not all: each received block leads to many choices."""


class ReceivedBlock(NamedTuple):
    """What follows from a received block."""

    is_needed: bool
    was_requested: bool = False
    """Its request was still outstanding; without it, a block was requested earlier or never."""
    others: tuple[int, ...] = ()
    """The other neighbours that were asked for it; those requests have ended, and are to be cancelled."""
    is_piece_whole: bool = False
    displaced: int | None = None
    """The neighbour that was writing into the block's place. It must stop: the piece may be checked and served soon."""


class Verdict(NamedTuple):
    """What follows from the hash of a piece."""

    contributors: tuple[int, ...]
    """The neighbours that sent blocks of it, in the order of the blocks. They may have left."""
    guilty: tuple[int, ...]
    """The neighbours that sent wrong blocks, of this attempt or of earlier ones. They may have left."""


_NOT_NEEDED: Final = ReceivedBlock(is_needed=False)
_ORDINARY: Final = ReceivedBlock(is_needed=True, was_requested=True)
_NOTHING: Final[dict[Block, None]] = {}


@dataclass(slots=True, eq=False)
class _Neighbour:
    key: int
    theirs: Bitfield
    is_seed: bool = False
    """It is counted as one that had all pieces when it came."""
    wanted: int = 0
    """How many pieces it has and we lack."""
    inactive: int = 0
    """How many of those are not active."""
    requested: dict[Block, None] = field(default_factory=dict)
    """The blocks that were requested from it and that it has not sent, the oldest first."""
    latest: ActivePiece | None = None
    """The piece of its last request."""


class Pieces:
    """The pieces of one torrent; neighbours are known by their keys."""

    def __init__(self, grid: Grid, have: Bitfield, strategy: Strategy, profile: Profile, rng: Random) -> None:
        """`have` is kept up to date: it is the bitfield of the pieces that we have."""
        self.have: Final = have
        self._grid: Final = grid
        self._picker: Final = strategy.picker
        self._keeps: Final = strategy.keeps_pieces
        self._is_strict: Final = profile.strict_priority
        self._rng: Final = rng
        self._neighbours: dict[int, _Neighbour] = {}
        self._active: Final = ActivePieces(inf if profile.endgame_copies is None else profile.endgame_copies)
        self._rarity: Final = Rarity(have.size, have.missing())
        self._reception: Final = BlockReception()
        self._corruption: Final = Corruption()
        self.missing_blocks = sum(map(grid.block_count, have.missing()))
        """Blocks that were not received, or that were wrong."""

    @property
    def is_complete(self) -> bool:
        return self.have.is_full

    @property
    def is_endgame(self) -> bool:
        """Whether every missing block is requested, or reserved for the neighbour that is to send a suspect piece."""
        return not self._rarity and self.missing_blocks > 0 and self._active.is_all_requested

    def neighbour_joined(self, key: int, theirs: Bitfield) -> None:
        """Add a neighbour and what it has; `piece_announced` keeps its bitfield up to date."""
        self._neighbours[key] = neighbour = _Neighbour(key, theirs)
        self._count_pieces(neighbour)

    def piece_announced(self, key: int, index: int) -> bool:
        """Record that a neighbour has a piece; returns whether that is new."""
        neighbour = self._neighbours[key]
        if not neighbour.theirs.add(index):
            return False
        if index not in self.have:
            neighbour.wanted += 1
        if self._rarity.gained(index):
            neighbour.inactive += 1
        return True

    def bitfield_announced(self, key: int, claimed: Bitfield) -> list[int]:
        """Record that a neighbour has these pieces; returns those that are new.

        What it announced before stays announced, so that its requests and the counts of copies stay right: most clients
        that send a bitfield late have gained pieces, and one that lost some rejects our requests.
        """
        neighbour = self._neighbours[key]
        new = list(neighbour.theirs.missing_in(claimed))
        if neighbour.theirs:
            for index in new:
                self.piece_announced(key, index)
        elif new:
            self._rarity.neighbour_left(neighbour.theirs, is_seed=False)
            neighbour.theirs.update(claimed)
            self._count_pieces(neighbour)
        return new

    def neighbour_left(self, key: int) -> None:
        """Remove a neighbour, if it is known, and end its requests. Blocks that it sent keep its key."""
        if key not in self._neighbours:
            return
        self.end_requests(key)
        self._reception.stop(key)
        neighbour = self._neighbours.pop(key)
        self._rarity.neighbour_left(neighbour.theirs, is_seed=neighbour.is_seed)

    def is_interesting(self, key: int) -> bool:
        return self._neighbours[key].wanted > 0

    def requested_from(self, key: int) -> Collection[Block]:
        """Return the blocks requested from a neighbour that it has not sent, the oldest first."""
        neighbour = self._neighbours.get(key)
        return _NOTHING if neighbour is None else neighbour.requested

    def choose_blocks(self, key: int, count: int, among: AbstractSet[int] | None = None) -> list[Block]:
        """Choose up to `count` blocks and mark them as requested from a neighbour; `among` limits the pieces."""
        neighbour = self._neighbours[key]
        chosen: list[Block] = []
        if not neighbour.wanted:
            return chosen
        while len(chosen) < count:
            piece = self._next_piece(neighbour, among)
            if piece is None:
                break
            neighbour.latest = piece
            chosen += self._active.request(piece, key, count - len(chosen))
        if len(chosen) < count and self.is_endgame:
            chosen += self._request_again(neighbour, count - len(chosen), among)
        neighbour.requested.update(dict.fromkeys(chosen))
        return chosen

    def end_request(self, key: int, index: int, begin: int) -> bool:
        """End a request without its block; returns whether there was such a request."""
        piece = self._active.get(index)
        number, rest = divmod(begin, self._grid.block_length)
        if piece is None or rest or key not in piece.askers.get(number, ()):
            return False
        self._active.end_request(piece, number, key)
        del self._neighbours[key].requested[piece.block(number)]
        if piece.is_untouched:
            self._put_back(piece)
        return True

    def end_requests(self, key: int) -> list[Block]:
        """End all requests of a neighbour without their blocks, and return them."""
        blocks = list(self._neighbours[key].requested)
        for block in blocks:
            self.end_request(key, block.index, block.begin)
        return blocks

    def block_began(self, key: int, index: int, begin: int, length: int) -> Placement:
        """Decide where a block belongs whose header came; what is no block of ours is dropped."""
        span = (index, begin, length)
        if span not in self._neighbours[key].requested and not (
            self._grid.is_block(index, begin, length) and self._is_welcome(key, index, begin)
        ):
            return Placement.NOWHERE
        return self._reception.block_began(key, span)

    def block_received(self, key: int, index: int, begin: int, length: int) -> ReceivedBlock:
        """Take a complete block, after `block_began`."""
        span = (index, begin, length)
        if not self._reception.block_received(key, span) or not self._is_welcome(key, index, begin):
            return _NOT_NEEDED
        piece = self._active.get(index) or self._activate(index)
        askers = self._active.block_received(piece, begin // self._grid.block_length, key)
        self.missing_blocks -= 1
        for asker in askers:
            del self._neighbours[asker].requested[span]  # type: ignore[arg-type]  # a Block is equal to its tuple
        displaced = self._reception.take_over(span)
        if piece.missing and displaced is None and askers == (key,):
            return _ORDINARY
        others = tuple(asker for asker in askers if asker != key)
        return ReceivedBlock(True, key in askers, others, not piece.missing, displaced)

    def wants_digests(self, index: int) -> bool:
        """Whether `piece_checked` needs the digests of a piece's blocks even if the piece is right."""
        return index in self._corruption

    def piece_checked(self, index: int, is_good: bool, digests: tuple[bytes, ...] = ()) -> Verdict:
        """Take the result for a whole piece; `digests` of its blocks are needed if it is wrong or they are wanted."""
        piece = self._active.get(index)
        if piece is None or piece.missing:
            raise ValueError(f"piece {index} is not whole: there is nothing to check")
        if is_good:
            guilty = self._corruption.passed(index, digests)
        else:
            senders = [sender for sender in piece.senders if sender is not None]
            guilty = self._corruption.failed(index, senders, digests)
        if is_good and self._keeps:
            self._keep(piece)
        else:
            self.missing_blocks += len(piece.senders)
            self._put_back(piece)
        return Verdict(piece.contributors, guilty)

    def _count_pieces(self, neighbour: _Neighbour) -> None:
        theirs = neighbour.theirs
        neighbour.wanted = _count(self.have.missing_in(theirs))
        neighbour.inactive = neighbour.wanted - self._active.count_in(theirs)
        neighbour.is_seed = self._rarity.neighbour_joined(theirs)

    def _keep(self, piece: ActivePiece) -> None:
        self._active.drop(piece)
        self.have.add(piece.index)
        for neighbour in self._having(piece.index):
            neighbour.wanted -= 1

    def _put_back(self, piece: ActivePiece) -> None:
        self._active.drop(piece)
        self._rarity.put_back(piece.index)
        for neighbour in self._having(piece.index):
            neighbour.inactive += 1

    def _activate(self, index: int) -> ActivePiece:
        size = self._grid.piece_size(index)
        piece = ActivePiece(index, size, self._grid.block_length, is_suspect=index in self._corruption)
        self._active.add(piece)
        self._rarity.take(index)
        for neighbour in self._having(index):
            neighbour.inactive -= 1
        return piece

    def _having(self, index: int) -> list[_Neighbour]:
        return [neighbour for neighbour in self._neighbours.values() if index in neighbour.theirs]

    def _next_piece(self, neighbour: _Neighbour, among: AbstractSet[int] | None) -> ActivePiece | None:
        """Return a piece with free blocks for this neighbour.

        Without strict priority, a fast neighbour does not finish what slow ones began: a seed that serves many then
        sends a new piece to each, and they have more to exchange with one another.
        """
        latest, active = neighbour.latest, self._active
        if latest is not None and active.can_continue(latest, neighbour.key, neighbour.theirs, among):
            return latest
        if self._is_strict:
            return active.best_for(neighbour.key, neighbour.theirs, among) or self._pick(neighbour, among)
        return self._pick(neighbour, among) or active.best_for(neighbour.key, neighbour.theirs, among)

    def _pick(self, neighbour: _Neighbour, among: AbstractSet[int] | None) -> ActivePiece | None:
        """Let the picker choose a new piece of this neighbour."""
        if not neighbour.inactive:
            return None
        candidates = CandidatePieces(neighbour.key, neighbour.theirs, self.have, self._rarity, self._rng, among=among)
        index = self._picker.pick(candidates)
        if index is None:
            return None
        if index not in candidates:
            raise ValueError(f"the picker chose piece {index}, which is not among those it may choose from")
        return self._activate(index)

    def _request_again(self, neighbour: _Neighbour, count: int, among: AbstractSet[int] | None) -> list[Block]:
        """Request blocks that others were asked for: from a random sample, those with the fewest askers."""
        if len(neighbour.requested) >= self.missing_blocks:
            return []
        start = self._rng.randrange(len(self._active))
        found = self._active.requested_from_others(neighbour.key, neighbour.theirs, among, start)
        drawn = [(len(piece.askers[at]), self._rng.random(), piece, at) for piece, at in islice(found, count + ENOUGH)]
        drawn.sort(key=itemgetter(0, 1))
        return [self._active.request_again(piece, number, neighbour.key) for _, _, piece, number in drawn[:count]]

    def _is_welcome(self, key: int, index: int, begin: int) -> bool:
        """Whether a block is missing, and not reserved for another neighbour."""
        piece = self._active.get(index)
        if piece is None:
            return index not in self.have
        return piece.senders[begin // self._grid.block_length] is None and not piece.is_reserved_from(key)


def _count(items: Iterable[object]) -> int:
    return sum(1 for _ in items)
