"""The memory of what we have, what we asked for, and who has what.

    piece    missing --> begun --> whole --> had        whole: all blocks are here, and the hash is being computed
                ^----------/---------/                  back when nothing of it is left, when the hash is wrong, or
                                                        when pieces are not kept
    block    free --> asked --> arrived                 back to free when the request ends without the block
                \\------------------^                    a block that nobody is asked for any more may still come

Invariants:
- A piece is in exactly one state, and so is a block. A piece is begun as long as a block of it is asked or arrived.
- A block is asked of one neighbour. Only in endgame, when nothing is left to ask for, may others be asked for it too.
- A neighbour finishes the piece that it was last asked for. Then, under strict priority, a piece that others began
  comes before any new piece; without it, only where there is no new one. Which new piece, the picker says.
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

from peer.bittorrent.engine.download.active_pieces import BegunPiece, UnderWay
from peer.bittorrent.engine.download.block_reception import Incoming
from peer.bittorrent.engine.download.blocks import Block, Grid
from peer.bittorrent.engine.download.candidate_pieces import Offer
from peer.bittorrent.engine.download.corruption import Suspicion
from peer.bittorrent.engine.download.placement import Placement
from peer.bittorrent.engine.download.rarity import Rarity
from peer.bittorrent.engine.strategy import Picker
from peer.bittorrent.wire.bitfield import Bitfield

__all__ = ["Arrival", "Block", "Pieces", "Verdict"]

ENOUGH: Final = 32
"""In endgame, so many more blocks than wanted are compared, not all: each block that comes leads to many choices."""


class Arrival(NamedTuple):
    """What a block that came is good for."""

    is_needed: bool
    was_asked: bool = False
    """The request for it was still outstanding. A block not needed was asked for once, and the request withdrawn."""
    others: tuple[int, ...] = ()
    """Who else was asked for it; those requests have ended, and want a cancel."""
    is_piece_whole: bool = False
    overtaken: int | None = None
    """Who is still writing into the block's place. It must not go on: the piece may be checked and served by then."""


class Verdict(NamedTuple):
    """What the hash of a piece tells."""

    contributors: tuple[int, ...]
    """Who sent blocks of it, in the order of the blocks. They may be gone by now."""
    guilty: tuple[int, ...]
    """Who sent wrong blocks, of this attempt or of earlier ones. They may be gone by now."""


_NOT_NEEDED: Final = Arrival(is_needed=False)
_ORDINARY: Final = Arrival(is_needed=True, was_asked=True)
_NOTHING: Final[dict[Block, None]] = {}


@dataclass(slots=True, eq=False)
class _Neighbour:
    key: int
    theirs: Bitfield
    is_seed: bool
    """Counted as one that had everything when it came."""
    wanted: int
    """How many pieces it has and we lack."""
    fresh: int
    """How many of those are not begun."""
    asked: dict[Block, None] = field(default_factory=dict)
    """What it was asked for and has not sent, the oldest first."""
    latest: BegunPiece | None = None
    """The piece that it was last asked for."""


class Pieces:
    """The pieces of one torrent; neighbours are known by their keys."""

    def __init__(
        self,
        *,
        length: int,
        piece_length: int,
        block_length: int,
        have: Bitfield,
        picker: Picker,
        rng: Random,
        endgame_copies: int | None,
        is_strict: bool = False,
        keeps: bool = True,
    ) -> None:
        """`is_strict` is strict priority: what anybody began is finished before anything is begun."""
        self.have: Final = have
        self._grid: Final = Grid(length, piece_length, block_length)
        self._picker: Final = picker
        self._rng: Final = rng
        self._neighbours: dict[int, _Neighbour] = {}
        self._is_strict: Final = is_strict
        self._keeps: Final = keeps
        self._under_way: Final = UnderWay(most_askers=inf if endgame_copies is None else endgame_copies)
        self._rarity: Final = Rarity(have.size, have.missing())
        self._incoming: Final = Incoming()
        self._suspicion: Final = Suspicion()
        self.missing_blocks = sum(map(self._grid.block_count, have.missing()))
        """Blocks that have not come, or that came and were wrong."""

    @property
    def is_complete(self) -> bool:
        """Whether we have every piece."""
        return self.have.is_full

    @property
    def is_endgame(self) -> bool:
        """Whether every missing block is asked for, or held for the one neighbour that is to send a suspect piece."""
        return not self._rarity and self.missing_blocks > 0 and self._under_way.is_all_asked

    @property
    def spread(self) -> tuple[int, int]:
        """The fewest and the most copies that any piece has among our neighbours."""
        return self._rarity.spread

    def copies(self, index: int) -> int:
        """Return how many neighbours have a piece."""
        return self._rarity.copies(index)

    def joined(self, key: int, theirs: Bitfield) -> None:
        """Take in a neighbour and what it has; `announced` keeps its bitfield up to date."""
        wanted, begun = _count(self.have.missing_in(theirs)), self._under_way.count_in(theirs)
        self._neighbours[key] = _Neighbour(key, theirs, self._rarity.joined(theirs), wanted, wanted - begun)

    def announced(self, key: int, index: int) -> bool:
        """Take in that a neighbour has a piece; tells whether that is new."""
        neighbour = self._neighbours[key]
        if not neighbour.theirs.add(index):
            return False
        if index not in self.have:
            neighbour.wanted += 1
        if self._rarity.gained(index):
            neighbour.fresh += 1
        return True

    def parted(self, key: int) -> None:
        """Forget a neighbour, if it is known, and all that it was asked for. What it sent keeps its name."""
        if key not in self._neighbours:
            return
        self.released_all(key)
        self._incoming.stop(key)
        neighbour = self._neighbours.pop(key)
        self._rarity.parted(neighbour.theirs, is_seed=neighbour.is_seed)

    def is_interesting(self, key: int) -> bool:
        """Tell whether a neighbour has a piece that we lack."""
        return self._neighbours[key].wanted > 0

    def asked_of(self, key: int) -> Collection[Block]:
        """Return what a neighbour was asked for and has not sent, the oldest first."""
        neighbour = self._neighbours.get(key)
        return _NOTHING if neighbour is None else neighbour.asked

    def choose(self, key: int, count: int, among: AbstractSet[int] | None = None) -> list[Block]:
        """Choose up to `count` blocks to ask a neighbour for, and mark them as asked; `among` narrows the pieces."""
        neighbour = self._neighbours[key]
        chosen: list[Block] = []
        if not neighbour.wanted:
            return chosen
        while len(chosen) < count:
            piece = self._next_piece(neighbour, among)
            if piece is None:
                break
            neighbour.latest = piece
            chosen += self._under_way.ask(piece, key, count - len(chosen))
        if len(chosen) < count and self.is_endgame:
            chosen += self._ask_again(neighbour, count - len(chosen), among)
        neighbour.asked.update(dict.fromkeys(chosen))
        return chosen

    def released(self, key: int, index: int, begin: int) -> bool:
        """End a request without its block; tells whether there was such a request."""
        piece = self._under_way.get(index)
        number, rest = divmod(begin, self._grid.block_length)
        if piece is None or rest or key not in piece.askers.get(number, ()):
            return False
        self._under_way.release(piece, number, key)
        del self._neighbours[key].asked[piece.block(number)]
        if piece.is_untouched:
            self._put_back(piece)
        return True

    def released_all(self, key: int) -> list[Block]:
        """End all requests of a neighbour without their blocks, and return them."""
        blocks = list(self._neighbours[key].asked)
        for block in blocks:
            self.released(key, block.index, block.begin)
        return blocks

    def arriving(self, key: int, index: int, begin: int, length: int) -> Placement:
        """Say where a block belongs that begins to come; what is no block of ours raises MessageError."""
        spot = (index, begin, length)
        if spot not in self._neighbours[key].asked:
            self._grid.check(index, begin, length)
            if not self._is_welcome(key, index, begin):
                return Placement.NOWHERE
        return self._incoming.begin(key, spot)

    def arrived(self, key: int, index: int, begin: int, length: int) -> Arrival:
        """Take in a block that came whole, after `arriving` said where it belongs."""
        spot = (index, begin, length)
        if not self._incoming.end(key, spot) or not self._is_welcome(key, index, begin):
            return _NOT_NEEDED
        piece = self._under_way.get(index) or self._begin(index)
        askers = self._under_way.arrive(piece, begin // self._grid.block_length, key)
        self.missing_blocks -= 1
        for asker in askers:
            del self._neighbours[asker].asked[spot]  # type: ignore[arg-type]  # a Block is equal to its tuple
        overtaken = self._incoming.overtake(spot)
        if piece.missing and overtaken is None and askers == (key,):
            return _ORDINARY
        others = tuple(asker for asker in askers if asker != key)
        return Arrival(True, key in askers, others, not piece.missing, overtaken)

    def stopped_arriving(self, key: int) -> None:
        """Take note that a block will not come to its end."""
        self._incoming.stop(key)

    def wants_digests(self, index: int) -> bool:
        """Tell whether `checked` needs the digests of a piece's blocks even if the piece is right."""
        return index in self._suspicion

    def contributors(self, index: int) -> tuple[int, ...]:
        """Return who sent the blocks of a piece under way, in the order of the blocks."""
        piece = self._under_way.get(index)
        return () if piece is None else piece.contributors

    def checked(self, index: int, is_good: bool, digests: tuple[bytes, ...] = ()) -> Verdict:
        """Take the result for a whole piece; digests are of its blocks, needed if it is wrong or if they are wanted."""
        piece = self._under_way.get(index)
        if piece is None or piece.missing:
            raise ValueError(f"piece {index} is not whole: there is nothing to check")
        if is_good:
            guilty = self._suspicion.passed(index, digests)
        else:
            senders = [sender for sender in piece.senders if sender is not None]
            guilty = self._suspicion.failed(index, senders, digests)
        if is_good and self._keeps:
            self._keep(piece)
        else:
            self.missing_blocks += len(piece.senders)
            self._put_back(piece)
        return Verdict(piece.contributors, guilty)

    def _keep(self, piece: BegunPiece) -> None:
        self._under_way.drop(piece)
        self.have.add(piece.index)
        for neighbour in self._having(piece.index):
            neighbour.wanted -= 1

    def _put_back(self, piece: BegunPiece) -> None:
        self._under_way.drop(piece)
        self._rarity.put_back(piece.index)
        for neighbour in self._having(piece.index):
            neighbour.fresh += 1

    def _begin(self, index: int) -> BegunPiece:
        size = self._grid.piece_size(index)
        piece = BegunPiece(index, size, self._grid.block_length, is_suspect=index in self._suspicion)
        self._under_way.add(piece)
        self._rarity.take(index)
        for neighbour in self._having(index):
            neighbour.fresh -= 1
        return piece

    def _having(self, index: int) -> list[_Neighbour]:
        return [neighbour for neighbour in self._neighbours.values() if index in neighbour.theirs]

    def _next_piece(self, neighbour: _Neighbour, among: AbstractSet[int] | None) -> BegunPiece | None:
        """Return a piece with free blocks for this neighbour.

        Without strict priority, a fast neighbour is not spent on what slow ones began: a seed that serves many has
        then something new for each, and they have more to give to one another.
        """
        latest, begun = neighbour.latest, self._under_way
        if latest is not None and begun.can_go_on(latest, neighbour.key, neighbour.theirs, among):
            return latest
        if self._is_strict:
            return begun.best_for(neighbour.key, neighbour.theirs, among) or self._begin_next(neighbour, among)
        return self._begin_next(neighbour, among) or begun.best_for(neighbour.key, neighbour.theirs, among)

    def _begin_next(self, neighbour: _Neighbour, among: AbstractSet[int] | None) -> BegunPiece | None:
        """Let the picker choose a new piece of this neighbour."""
        if not neighbour.fresh:
            return None
        narrowed = None if among is None else sorted(among)
        offer = Offer(neighbour.key, neighbour.theirs, self.have, self._rarity, self._rng, among=narrowed)
        index = self._picker.pick(offer)
        if index is None:
            return None
        if index not in offer:
            raise ValueError(f"the picker chose piece {index}, which is not among those it may choose from")
        return self._begin(index)

    def _ask_again(self, neighbour: _Neighbour, count: int, among: AbstractSet[int] | None) -> list[Block]:
        """Ask for blocks that others were asked for: of some found by chance, those with the fewest askers."""
        if len(neighbour.asked) >= self.missing_blocks:
            return []
        start = self._rng.randrange(len(self._under_way))
        found = self._under_way.asked_of_others(neighbour.key, neighbour.theirs, among, start)
        drawn = [(len(piece.askers[at]), self._rng.random(), piece, at) for piece, at in islice(found, count + ENOUGH)]
        drawn.sort(key=itemgetter(0, 1))
        return [self._under_way.ask_also(piece, number, neighbour.key) for _, _, piece, number in drawn[:count]]

    def _is_welcome(self, key: int, index: int, begin: int) -> bool:
        """Tell whether a block of ours is missing, and not to be sent by somebody else alone."""
        piece = self._under_way.get(index)
        if piece is None:
            return index not in self.have
        return piece.senders[begin // self._grid.block_length] is None and not piece.is_held_from(key)


def _count(items: Iterable[object]) -> int:
    return sum(1 for _ in items)
