"""Taking: which blocks to ask of whom, and what becomes of those requests.

Which block is in which state is `pieces`' business, how many requests a neighbour gets is `pipeline`'s. This module
turns what neighbours say into questions to those two, and their answers into messages.
"""

from typing import Final

from contract.events import (
    BlockMoved,
    BlockRequested,
    EndgameBegan,
    Interested,
    RequestEnded,
    Snubbed,
)
from peer.bittorrent.engine.actions import Divert
from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.download.pieces import Arrival, Block, Pieces
from peer.bittorrent.engine.download.placement import Placement
from peer.bittorrent.engine.outbox import Outbox
from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.wire.errors import MessageError
from peer.bittorrent.wire.messages import (
    Cancel,
    NotInterested,
    PieceHeader,
    Request,
)
from peer.bittorrent.wire.messages import Interested as InterestedMessage

MOST_UNASKED: Final = 16 << 20
"""Bytes of blocks that nobody asked for, after which a neighbour is not believed to have missed our cancels."""

BATCH: Final = 8
"""With so many requests outstanding, and multiples of it, it is cheaper to wait until there is room for some more."""


class Requesting:
    """The taking half of a session; it begins when the torrent is known."""

    def __init__(self, outbox: Outbox, profile: Profile, pieces: Pieces, neighbours: dict[int, Neighbour]) -> None:
        self._outbox = outbox
        self._profile = profile
        self._pieces = pieces
        self._neighbours = neighbours
        self._hungry: dict[int, None] = {}
        """Who would serve us more than there was to ask of it; an ordered set."""
        self._has_told_endgame = False
        self.received = 0
        """Bytes of blocks that came."""
        self.wasted = 0
        """Bytes of blocks that came and were not needed."""

    def weigh(self, neighbour: Neighbour) -> None:
        """Tell a neighbour when it becomes interesting, and when it is not any more."""
        down = neighbour.down
        wants = down.is_source and self._pieces.is_interesting(neighbour.key)
        if wants != down.interests_us:
            down.interests_us = wants
            self._outbox.send(neighbour, InterestedMessage() if wants else NotInterested())
            self._outbox.tell(Interested(neighbour.key, by_us=True, is_interested=wants))
            self.fill(neighbour)

    def weigh_all(self) -> None:
        """Look again who is interesting, after a piece was completed."""
        for neighbour in self._neighbours.values():
            if neighbour.down.interests_us:
                self.weigh(neighbour)

    def fill(self, neighbour: Neighbour) -> None:
        """Ask a neighbour for as many blocks as its pipeline has room for."""
        down = neighbour.down
        if not (down.interests_us and down.is_source and (down.unchokes_us or down.free_pieces)):
            return
        outstanding = len(self._pieces.asked_of(neighbour.key))
        room = 1 - outstanding if down.is_snubbed else down.pipeline.room(outstanding)
        if room <= outstanding // BATCH:
            return
        blocks = self._pieces.choose(neighbour.key, room, None if down.unchokes_us else down.free_pieces)
        if not outstanding and blocks:
            down.waiting_since = self._outbox.now
        self._ask(neighbour, blocks)
        if len(blocks) < room:
            self._hungry[neighbour.key] = None
        else:
            self._hungry.pop(neighbour.key, None)
        if self._pieces.is_endgame:
            self._tell_endgame()

    def fill_if_hungry(self, neighbour: Neighbour) -> None:
        """Ask a neighbour again if it could serve us more, after it announced a piece."""
        if neighbour.key in self._hungry:
            self.fill(neighbour)

    def fill_hungry(self) -> None:
        """Ask again of those who could serve us more, after blocks became free to be asked for."""
        for key in list(self._hungry):
            self.fill(self._neighbours[key])

    def got_unchoke(self, neighbour: Neighbour) -> None:
        """Begin to ask."""
        neighbour.down.unchokes_us = True
        neighbour.down.waiting_since = self._outbox.now
        self.fill(neighbour)

    def got_choke(self, neighbour: Neighbour) -> None:
        """Give up what was asked; with the fast extension each request is still answered, by its block or a reject."""
        neighbour.down.unchokes_us = False
        neighbour.down.pipeline.paused()
        self._hungry.pop(neighbour.key, None)
        if not neighbour.conversation.is_fast:
            self._release_all(neighbour, "choked")

    def got_reject(self, neighbour: Neighbour, block: Block) -> None:
        """Let others be asked for a block; one refused although the piece was promised is not asked there again."""
        down = neighbour.down
        if not self._pieces.released(neighbour.key, block.index, block.begin):
            return
        if not down.unchokes_us:
            down.free_pieces.discard(block.index)
        self._tell_ended(neighbour, block, "rejected")
        self.fill_hungry()

    def placement(self, neighbour: Neighbour, header: PieceHeader) -> Placement:
        """Decide where the block belongs that begins to arrive."""
        return self._pieces.arriving(neighbour.key, header.index, header.begin, header.length)

    def block_arrived(self, neighbour: Neighbour, header: PieceHeader) -> Arrival:
        """Take a block in, tell others that it is not needed any more, and ask for the next."""
        down, now = neighbour.down, self._outbox.now
        arrival = self._pieces.arrived(neighbour.key, header.index, header.begin, header.length)
        down.rate.add(header.length, now)
        self.received += header.length
        down.waiting_since = now
        down.is_snubbed = False
        if self._outbox.tells_blocks:
            fact = BlockMoved(neighbour.key, False, header.index, header.begin, header.length, arrival.is_needed)
            self._outbox.tell(fact)
        if arrival.was_asked:
            down.pipeline.arrived(now)
        elif not arrival.is_needed:
            self._count_unasked(neighbour, header)
        if arrival.overtaken is not None:
            self._outbox.do(Divert(arrival.overtaken))
        for other in arrival.others:
            self._cancel(self._neighbours[other], Block(header.index, header.begin, header.length))
        self.fill(neighbour)
        return arrival

    def look_for_silence(self) -> bool:
        """Find neighbours that were asked and send nothing; tells whether one was found to be snubbed."""
        found = False
        for neighbour in self._neighbours.values():
            down = neighbour.down
            if not len(self._pieces.asked_of(neighbour.key)):
                continue
            waited = self._outbox.now - down.waiting_since
            if waited >= self._profile.snubbed_after and down.unchokes_us and not down.is_snubbed:
                down.is_snubbed = found = True
                self._outbox.tell(Snubbed(neighbour.key))
            if waited >= self._profile.request_timeout:
                self._give_up(neighbour)
        return found

    def forget(self, neighbour: Neighbour) -> None:
        """Let others be asked for what a neighbour that is gone was asked for."""
        self._hungry.pop(neighbour.key, None)
        self._pieces.parted(neighbour.key)
        self.fill_hungry()

    def _ask(self, neighbour: Neighbour, blocks: list[Block]) -> None:
        for block in blocks:
            self._outbox.send(neighbour, Request(*block))
            neighbour.down.pipeline.asked(self._outbox.now)
        if self._outbox.tells_blocks:
            for block in blocks:
                self._outbox.tell(BlockRequested(neighbour.key, True, *block))

    def _give_up(self, neighbour: Neighbour) -> None:
        """Cancel everything that is overdue; a block that still comes is welcome if it is missing then."""
        neighbour.down.waiting_since = self._outbox.now
        neighbour.down.pipeline.paused()
        for block in list(self._pieces.asked_of(neighbour.key)):
            self._outbox.send(neighbour, Cancel(*block))
        self._release_all(neighbour, "overdue")

    def _release_all(self, neighbour: Neighbour, how: str) -> None:
        for block in self._pieces.released_all(neighbour.key):
            self._tell_ended(neighbour, block, how)
        self.fill_hungry()

    def _cancel(self, neighbour: Neighbour, block: Block) -> None:
        self._outbox.send(neighbour, Cancel(*block))
        self._tell_ended(neighbour, block, "cancelled")
        self.fill(neighbour)

    def _count_unasked(self, neighbour: Neighbour, header: PieceHeader) -> None:
        self.wasted += header.length
        neighbour.down.unasked += header.length
        if neighbour.down.unasked > MOST_UNASKED:
            raise MessageError(f"expected blocks that we asked for, found {neighbour.down.unasked} bytes of others")

    def _tell_ended(self, neighbour: Neighbour, block: Block, how: str) -> None:
        if self._outbox.tells_blocks:
            self._outbox.tell(RequestEnded(neighbour.key, True, *block, how))

    def _tell_endgame(self) -> None:
        if not self._has_told_endgame:
            self._has_told_endgame = True
            self._outbox.tell(EndgameBegan(self._pieces.missing_blocks))
