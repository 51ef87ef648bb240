"""The download: which blocks to request from which neighbour, and how those requests end.

`pieces` knows the state of each block, and `pipeline` how many requests a neighbour gets. This module turns messages of
neighbours into calls of those two, and their answers into messages.
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
from peer.bittorrent.engine.context import Context
from peer.bittorrent.engine.download.block_reception import Placement
from peer.bittorrent.engine.download.blocks import Block
from peer.bittorrent.engine.download.pieces import Pieces, ReceivedBlock
from peer.bittorrent.wire.errors import MessageError
from peer.bittorrent.wire.messages import (
    Cancel,
    NotInterested,
    PieceHeader,
    Request,
)
from peer.bittorrent.wire.messages import Interested as InterestedMessage

MOST_UNREQUESTED: Final = 16 << 20
"""Bytes of blocks that we did not request, after which a neighbour cannot simply have missed our cancels."""

BATCH: Final = 8
"""With this many requests outstanding it is cheaper to wait for room for two more, with twice as many for three, ..."""


class Download:
    """What all neighbours send us; it exists once the torrent is known."""

    def __init__(self, context: Context, pieces: Pieces) -> None:
        self._outbox = context.outbox
        self._profile = context.profile
        self._pieces = pieces
        self._neighbours = context.neighbours
        self._hungry: dict[int, None] = {}
        """The neighbours that would serve us more than there was to request from them; an ordered set."""
        self._is_endgame_recorded = False
        self.received = 0
        """Bytes of blocks."""
        self.wasted = 0
        """Bytes of blocks that were not needed."""

    def update_interest(self, neighbour: Neighbour) -> None:
        """Send a neighbour our interest if that changed."""
        down = neighbour.down
        wants = down.is_source and self._pieces.is_interesting(neighbour.key)
        if wants != down.interests_us:
            down.interests_us = wants
            self._outbox.send(neighbour, InterestedMessage() if wants else NotInterested())
            self._outbox.record(Interested(neighbour.key, by_us=True, is_interested=wants))
            self.request_blocks(neighbour)

    def update_interests(self) -> None:
        """Update our interest in all neighbours, after a piece was completed."""
        for neighbour in self._neighbours.values():
            if neighbour.down.interests_us:
                self.update_interest(neighbour)

    def request_blocks(self, neighbour: Neighbour) -> None:
        """Request as many blocks from a neighbour as its pipeline has room for."""
        down = neighbour.down
        if not (down.interests_us and down.is_source and (down.unchokes_us or down.free_pieces)):
            return
        outstanding = len(self._pieces.requested_from(neighbour.key))
        room = 1 - outstanding if down.is_snubbed else down.pipeline.room(outstanding)
        if room <= outstanding // BATCH:
            return
        blocks = self._pieces.choose_blocks(neighbour.key, room, None if down.unchokes_us else down.free_pieces)
        if not outstanding and blocks:
            down.waiting_since = self._outbox.now
        self._send_requests(neighbour, blocks)
        if len(blocks) < room:
            self._hungry[neighbour.key] = None
        else:
            self._hungry.pop(neighbour.key, None)
        if self._pieces.is_endgame:
            self._record_endgame()

    def request_if_hungry(self, neighbour: Neighbour) -> None:
        """Request blocks from a neighbour if it could serve us more, after it announced a piece."""
        if neighbour.key in self._hungry:
            self.request_blocks(neighbour)

    def request_from_hungry(self) -> None:
        """Request blocks from the neighbours that could serve us more, after blocks became free."""
        for key in list(self._hungry):
            self.request_blocks(self._neighbours[key])

    def got_unchoke(self, neighbour: Neighbour) -> None:
        neighbour.down.unchokes_us = True
        neighbour.down.waiting_since = self._outbox.now
        self.request_blocks(neighbour)

    def got_choke(self, neighbour: Neighbour) -> None:
        """End the requests; with the fast extension each is still answered, by its block or a reject."""
        neighbour.down.unchokes_us = False
        neighbour.down.pipeline.reset()
        self._hungry.pop(neighbour.key, None)
        if not neighbour.conversation.is_fast:
            self._end_requests(neighbour, "choked")

    def got_reject(self, neighbour: Neighbour, block: Block) -> None:
        """Free the block; if its piece was in the allowed-fast set, it is not requested there again."""
        down = neighbour.down
        if not self._pieces.end_request(neighbour.key, block.index, block.begin):
            return
        if not down.unchokes_us:
            down.free_pieces.discard(block.index)
        self._record_ended(neighbour, block, "rejected")
        self.request_from_hungry()

    def block_began(self, neighbour: Neighbour, header: PieceHeader) -> Placement:
        """Decide where a block belongs whose header came."""
        return self._pieces.block_began(neighbour.key, header.index, header.begin, header.length)

    def block_received(self, neighbour: Neighbour, header: PieceHeader) -> ReceivedBlock:
        """Take a complete block, cancel its other requests, and request the next blocks."""
        down, now = neighbour.down, self._outbox.now
        neighbour.conversation.last_received = now
        received = self._pieces.block_received(neighbour.key, header.index, header.begin, header.length)
        down.rate.add(header.length, now)
        self.received += header.length
        down.waiting_since = now
        down.is_snubbed = False
        if self._outbox.records_blocks:
            moved = BlockMoved(neighbour.key, False, header.index, header.begin, header.length, received.is_needed)
            self._outbox.record(moved)
        if received.was_requested:
            down.pipeline.block_received(now)
        elif not received.is_needed:
            self._count_unrequested(neighbour, header)
        if received.displaced is not None:
            self._outbox.do(Divert(received.displaced))
        for other in received.others:
            self._cancel(self._neighbours[other], Block(header.index, header.begin, header.length))
        self.request_blocks(neighbour)
        return received

    def find_silent(self) -> bool:
        """Find neighbours that owe us blocks and send none; returns whether one became snubbed."""
        found = False
        for neighbour in self._neighbours.values():
            down = neighbour.down
            if not len(self._pieces.requested_from(neighbour.key)):
                continue
            waited = self._outbox.now - down.waiting_since
            if waited >= self._profile.snubbed_after and down.unchokes_us and not down.is_snubbed:
                down.is_snubbed = found = True
                self._outbox.record(Snubbed(neighbour.key))
            if waited >= self._profile.request_timeout:
                self._give_up(neighbour)
        return found

    def neighbour_left(self, neighbour: Neighbour) -> None:
        """Free the blocks that were requested from it."""
        self._hungry.pop(neighbour.key, None)
        self._pieces.neighbour_left(neighbour.key)
        self.request_from_hungry()

    def _send_requests(self, neighbour: Neighbour, blocks: list[Block]) -> None:
        for block in blocks:
            self._outbox.send(neighbour, Request(*block))
            neighbour.down.pipeline.requested(self._outbox.now)
        if self._outbox.records_blocks:
            for block in blocks:
                self._outbox.record(BlockRequested(neighbour.key, True, *block))

    def _give_up(self, neighbour: Neighbour) -> None:
        """Cancel all requests; a block that still comes is taken if it is missing then."""
        neighbour.down.waiting_since = self._outbox.now
        neighbour.down.pipeline.reset()
        for block in list(self._pieces.requested_from(neighbour.key)):
            self._outbox.send(neighbour, Cancel(*block))
        self._end_requests(neighbour, "overdue")

    def _end_requests(self, neighbour: Neighbour, how: str) -> None:
        for block in self._pieces.end_requests(neighbour.key):
            self._record_ended(neighbour, block, how)
        self.request_from_hungry()

    def _cancel(self, neighbour: Neighbour, block: Block) -> None:
        self._outbox.send(neighbour, Cancel(*block))
        self._record_ended(neighbour, block, "cancelled")
        self.request_blocks(neighbour)

    def _count_unrequested(self, neighbour: Neighbour, header: PieceHeader) -> None:
        self.wasted += header.length
        neighbour.down.unrequested += header.length
        if neighbour.down.unrequested > MOST_UNREQUESTED:
            raise MessageError(f"expected blocks that we asked for, found {neighbour.down.unrequested} bytes of others")

    def _record_ended(self, neighbour: Neighbour, block: Block, how: str) -> None:
        if self._outbox.records_blocks:
            self._outbox.record(RequestEnded(neighbour.key, True, *block, how))

    def _record_endgame(self) -> None:
        if not self._is_endgame_recorded:
            self._is_endgame_recorded = True
            self._outbox.record(EndgameBegan(self._pieces.missing_blocks))
