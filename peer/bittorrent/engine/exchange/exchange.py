"""The exchange of pieces with all neighbours: who has which, who is interested in whom, and which are complete.

This half of the session needs the torrent; until a magnet link has led to it, `PendingExchange` takes its place. A
message that a neighbour may not send raises MessageError, and the session then closes that connection.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from contract.events import (
    Choked,
    Completed,
    Interested,
    PieceCompleted,
    PieceFailed,
    PieceForgotten,
    Unchoked,
)
from peer.bittorrent.engine.actions import Verify
from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.context import Context
from peer.bittorrent.engine.download.blocks import Block, Grid
from peer.bittorrent.engine.download.download import Download
from peer.bittorrent.engine.download.pieces import Pieces
from peer.bittorrent.engine.exchange.have_announcer import HaveAnnouncer
from peer.bittorrent.engine.strategy import Candidate
from peer.bittorrent.engine.upload.choking_rounds import ChokingRounds
from peer.bittorrent.engine.upload.upload import Upload
from peer.bittorrent.wire import messages
from peer.bittorrent.wire.allowed_fast import allowed_fast_set
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.messages import (
    AllowedFast,
    Have,
    HaveAll,
    HaveBitfield,
    HaveNone,
    Message,
    PieceHeader,
    Request,
)
from peer.bittorrent.wire.metainfo.metainfo import Info

MOST_FREE_PIECES: Final = 64
"""Pieces that one neighbour may allow us while it chokes us; more are ignored."""


class Exchange:
    """The exchange of the pieces of one torrent with all neighbours."""

    def __init__(self, context: Context, info: Info, have: Bitfield) -> None:
        self._info = info
        self._profile = context.profile
        self._strategy = context.strategy
        self._outbox = context.outbox
        self._neighbours = context.neighbours
        self._sources: frozenset[int] | None = None
        self.completed_at = context.outbox.now if have.is_full else None
        grid = Grid(info.length, info.piece_length, context.profile.block_length)
        self._pieces: Final = Pieces(grid, have, context.strategy, context.profile, context.rng)
        self._upload: Final = Upload(context, info, have)
        self._have_announcer: Final = HaveAnnouncer(context)
        self._download: Final = Download(context, self._pieces)
        self._rounds: Final = ChokingRounds(context, info, have, self._upload)
        self._handlers: Final[dict[type, Callable[[Neighbour, Any], None]]] = {
            Have: self._got_have,
            Request: self._upload.got_request,
            messages.Choke: self._got_choke,
            messages.Unchoke: self._got_unchoke,
            messages.Interested: self._got_interested,
            messages.NotInterested: self._got_not_interested,
            messages.Cancel: self._upload.got_cancel,
            HaveBitfield: self._got_bitfield,
            HaveAll: self._got_have_all,
            HaveNone: self._got_have_none,
            AllowedFast: self._got_allowed_fast,
            messages.RejectRequest: self._got_reject,
        }
        # These are called for every block: without a method in between.
        self.block_began: Final = self._download.block_began
        self.next_block: Final = self._upload.next_block
        self.block_sent: Final = self._upload.block_sent

    @property
    def is_complete(self) -> bool:
        return self._pieces.is_complete

    @property
    def have(self) -> Bitfield:
        return self._pieces.have

    @property
    def have_count(self) -> int:
        return self._pieces.have.count

    @property
    def piece_count(self) -> int:
        return self._info.piece_count

    @property
    def length(self) -> int:
        return self._info.length

    @property
    def received_bytes(self) -> int:
        return self._download.received

    @property
    def sent_bytes(self) -> int:
        return self._upload.sent

    @property
    def wasted_bytes(self) -> int:
        return self._download.wasted

    @property
    def left_bytes(self) -> int:
        """Bytes of the pieces that we lack."""
        have, info = self._pieces.have, self._info
        last = info.piece_count - 1
        shorter = info.piece_length - info.piece_size(last) if last in have else 0
        return info.length - have.count * info.piece_length + shorter

    @property
    def next_decision_at(self) -> float:
        """When to call `decide`."""
        return min(self._rounds.next_at, self._upload.next_turn_at)

    def neighbour_joined(self, neighbour: Neighbour) -> bool:
        """Announce our pieces to a neighbour that has just shaken hands; returns whether we said that we have all."""
        self._join(neighbour)
        return self._announce_pieces(neighbour)

    def neighbour_joined_early(self, neighbour: Neighbour, early_messages: Iterable[Message]) -> None:
        """Announce our pieces to a neighbour that shook hands before the torrent was known, and handle what it sent."""
        self._join(neighbour)
        self._send_haves(
            (neighbour.key, index)
            for index in self._strategy.advertiser.initial_bitfield(neighbour.key, self._pieces.have)
        )
        for message in early_messages:
            self.message_received(neighbour, message)

    def neighbour_left(self, neighbour: Neighbour) -> None:
        if neighbour.bitfield is None:
            return
        was_unchoked = neighbour.up.is_unchoked
        self._download.neighbour_left(neighbour)
        self._upload.neighbour_left(neighbour)
        if was_unchoked:
            self._rounds.interest_changed(frees_slot=True)

    def message_received(self, neighbour: Neighbour, message: Message) -> None:
        """Handle a message about pieces; others are ignored."""
        handler = self._handlers.get(type(message))
        if handler is not None:
            handler(neighbour, message)

    def block_received(self, neighbour: Neighbour, header: PieceHeader) -> bool:
        """Take a complete block; returns whether it was needed."""
        received = self._download.block_received(neighbour, header)
        if received.is_piece_whole:
            self._outbox.do(Verify(header.index, self._pieces.wants_digests(header.index)))
        return received.is_needed

    def piece_checked(self, index: int, *, is_good: bool, digests: tuple[bytes, ...]) -> Sequence[int]:
        """Take the result of a Verify; returns the neighbours that are proved to have sent wrong blocks."""
        verdict = self._pieces.piece_checked(index, is_good, digests)
        if is_good and self._strategy.keeps_pieces:
            self._piece_completed(index, verdict.contributors)
        elif is_good:
            self._outbox.record(PieceForgotten(index, verdict.contributors))
            self._download.request_from_hungry()
        else:
            self._download.wasted += self._info.piece_size(index)
            self._outbox.record(PieceFailed(index, verdict.contributors))
            self._download.request_from_hungry()
        return verdict.guilty

    def decide(self) -> Sequence[Candidate] | None:
        """Ask the choker, if that is due; returns what the strategy saw if this was a round."""
        self._upload.begin_turns()
        return self._rounds.decide(is_seed=self._pieces.is_complete)

    def request_only_from(self, sources: frozenset[int] | None) -> None:
        """Request blocks only from these neighbours, and show no interest in others; None is all."""
        self._sources = sources
        for neighbour in self._neighbours.values():
            neighbour.down.is_source = sources is None or neighbour.key in sources
            if neighbour.bitfield is not None:
                self._download.update_interest(neighbour)
                self._download.request_blocks(neighbour)

    def tick(self) -> None:
        """Do what is due; called about once a second."""
        if self._download.find_silent():
            self._rounds.interest_changed(frees_slot=True)
        self._send_haves(self._strategy.advertiser.due_haves(self._outbox.now))
        self._have_announcer.tick()

    def _join(self, neighbour: Neighbour) -> None:
        neighbour.down.is_source = self._sources is None
        neighbour.bitfield = Bitfield(self._info.piece_count)
        self._pieces.neighbour_joined(neighbour.key, neighbour.bitfield)

    def _announce_pieces(self, neighbour: Neighbour) -> bool:
        announced = self._strategy.advertiser.initial_bitfield(neighbour.key, self._pieces.have)
        if neighbour.conversation.is_fast and announced.is_full:
            self._outbox.send(neighbour, HaveAll())
        elif neighbour.conversation.is_fast and not announced:
            self._outbox.send(neighbour, HaveNone())
        elif announced:
            self._outbox.send(neighbour, HaveBitfield(announced.to_wire()))
        if neighbour.conversation.is_fast and ":" not in neighbour.address.host:
            self._allow_free_pieces(neighbour)
        return announced.is_full

    def _allow_free_pieces(self, neighbour: Neighbour) -> None:
        info, count = self._info, self._profile.allowed_fast
        indices = allowed_fast_set(neighbour.address.host, info.info_hash, info.piece_count, count)
        neighbour.up.free_pieces = frozenset(indices)
        for index in indices:
            if index in self._pieces.have:
                self._outbox.send(neighbour, AllowedFast(index))

    def _got_have(self, neighbour: Neighbour, message: Have) -> None:
        if not self._pieces.piece_announced(neighbour.key, message.index):
            return
        self._send_haves(self._strategy.advertiser.answer_have(neighbour.key, message.index))
        if message.index not in self._pieces.have:
            self._download.update_interest(neighbour)
            self._download.request_if_hungry(neighbour)

    def _got_bitfield(self, neighbour: Neighbour, message: HaveBitfield) -> None:
        self._set_pieces(neighbour, Bitfield.from_wire(message.bits, self._info.piece_count))

    def _got_have_all(self, neighbour: Neighbour, _: HaveAll) -> None:
        self._set_pieces(neighbour, Bitfield.full(self._info.piece_count))

    def _got_have_none(self, neighbour: Neighbour, _: HaveNone) -> None:
        self._set_pieces(neighbour, Bitfield(self._info.piece_count))

    def _set_pieces(self, neighbour: Neighbour, bitfield: Bitfield) -> None:
        """Take what a neighbour says it has; it can come at any time, and adds to what it has said before."""
        for index in self._pieces.bitfield_announced(neighbour.key, bitfield):
            self._send_haves(self._strategy.advertiser.answer_have(neighbour.key, index))
        self._download.update_interest(neighbour)
        self._download.request_blocks(neighbour)

    def _got_choke(self, neighbour: Neighbour, _: messages.Choke) -> None:
        if neighbour.down.unchokes_us:
            self._outbox.record(Choked(neighbour.key, by_us=False))
            self._download.got_choke(neighbour)

    def _got_unchoke(self, neighbour: Neighbour, _: messages.Unchoke) -> None:
        if not neighbour.down.unchokes_us:
            self._outbox.record(Unchoked(neighbour.key, by_us=False))
            self._download.got_unchoke(neighbour)

    def _got_interested(self, neighbour: Neighbour, _: messages.Interested) -> None:
        self._interest_changed(neighbour, is_interested=True)

    def _got_not_interested(self, neighbour: Neighbour, _: messages.NotInterested) -> None:
        self._interest_changed(neighbour, is_interested=False)

    def _interest_changed(self, neighbour: Neighbour, *, is_interested: bool) -> None:
        if neighbour.up.is_interested != is_interested:
            neighbour.up.is_interested = is_interested
            self._outbox.record(Interested(neighbour.key, by_us=False, is_interested=is_interested))
            if is_interested or neighbour.up.is_unchoked:
                self._rounds.interest_changed(frees_slot=not is_interested)

    def _got_allowed_fast(self, neighbour: Neighbour, message: AllowedFast) -> None:
        free = neighbour.down.free_pieces
        if 0 <= message.index < self._info.piece_count and len(free) < MOST_FREE_PIECES:
            free.add(message.index)
            self._download.request_blocks(neighbour)

    def _got_reject(self, neighbour: Neighbour, message: messages.RejectRequest) -> None:
        self._download.got_reject(neighbour, Block(message.index, message.begin, message.length))

    def _piece_completed(self, index: int, contributors: tuple[int, ...]) -> None:
        outbox = self._outbox
        outbox.record(PieceCompleted(index, self._pieces.have.count, contributors))
        self._have_announcer.announce(index, self._strategy.advertiser.announce_to(index, self._joined_keys()))
        self._download.update_interests()
        if self._pieces.is_complete and self.completed_at is None:
            self.completed_at = outbox.now
            self._have_announcer.send_delayed()
            outbox.record_moved(self._neighbours.values())
            outbox.record(Completed(self.received_bytes, self.sent_bytes, self.wasted_bytes))
            self._rounds.interest_changed(frees_slot=True)

    def _send_haves(self, haves: Iterable[tuple[int, int]]) -> None:
        for key, index in haves:
            neighbour = self._neighbours.get(key)
            if neighbour is not None:
                self._outbox.send(neighbour, Have(index))

    def _joined_keys(self) -> Iterable[int]:
        return (each.key for each in self._neighbours.values() if each.bitfield is not None)
