"""Giving and taking pieces with all neighbours: what each of them has, who serves whom, and what is whole.

This is the half of the session that needs the torrent; a client that joins by a magnet link gets it later. What a
neighbour may not say raises MessageError, and the session then ends that connection.
"""

from collections.abc import Callable, Iterable, Sequence
from random import Random
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
from peer.bittorrent.engine.download.download import Requesting
from peer.bittorrent.engine.download.pieces import Block, Pieces
from peer.bittorrent.engine.download.placement import Placement
from peer.bittorrent.engine.outbox import Outbox
from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import Candidate, Strategy
from peer.bittorrent.engine.upload.choking_rounds import Rounds
from peer.bittorrent.engine.upload.have_announcer import News
from peer.bittorrent.engine.upload.upload import Serving, Shipment
from peer.bittorrent.wire import messages
from peer.bittorrent.wire.allowed_fast import allowed_fast_set
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.errors import MessageError
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
"""Of the pieces that a neighbour allows us while it chokes us, so many are remembered."""


class Trade:
    """Everything about pieces, for one torrent."""

    def __init__(
        self,
        info: Info,
        *,
        have: Bitfield,
        profile: Profile,
        strategy: Strategy,
        rng: Random,
        outbox: Outbox,
        neighbours: dict[int, Neighbour],
        capacity: float | None,
    ) -> None:
        self.info = info
        self.pieces = Pieces(
            length=info.length,
            piece_length=info.piece_length,
            block_length=profile.block_length,
            have=have,
            picker=strategy.picker,
            rng=rng,
            endgame_copies=profile.endgame_copies,
            is_strict=profile.strict_priority,
            keeps=strategy.keeps_pieces,
        )
        self.completed_at = outbox.now if have.is_full else None
        self._sources: frozenset[int] | None = None
        self._profile = profile
        self._strategy = strategy
        self._outbox = outbox
        self._neighbours = neighbours
        self._serving = Serving(outbox, have, info.piece_length, info.length)
        self._news = News(outbox, profile.have_patience, neighbours)
        self._requesting = Requesting(outbox, profile, self.pieces, neighbours)
        self._rounds = Rounds(
            choker=strategy.choker,
            profile=profile,
            capacity=capacity,
            piece_length=info.piece_length,
            have=have,
            outbox=outbox,
            serving=self._serving,
            neighbours=neighbours,
        )
        self._handlers: Final[dict[type, Callable[[Neighbour, Any], None]]] = {
            Have: self._got_have,
            Request: self._got_request,
            messages.Choke: self._got_choke,
            messages.Unchoke: self._got_unchoke,
            messages.Interested: self._got_interested,
            messages.NotInterested: self._got_not_interested,
            messages.Cancel: self._serving.got_cancel,
            HaveBitfield: self._got_bitfield,
            HaveAll: self._got_have_all,
            HaveNone: self._got_have_none,
            AllowedFast: self._got_allowed_fast,
            messages.RejectRequest: self._got_reject,
        }

    @property
    def next_decision_at(self) -> float:
        """When the choker is to be asked."""
        return self._rounds.next_at

    @property
    def received_bytes(self) -> int:
        """Bytes of blocks that came."""
        return self._requesting.received

    @property
    def sent_bytes(self) -> int:
        """Bytes of blocks that went."""
        return self._serving.sent

    @property
    def wasted_bytes(self) -> int:
        """Bytes of blocks that came and were not needed, or were wrong."""
        return self._requesting.wasted

    @property
    def left_bytes(self) -> int:
        """Bytes of the pieces that we lack."""
        have, info = self.pieces.have, self.info
        last = info.piece_count - 1
        shorter = info.piece_length - info.piece_size(last) if last in have else 0
        return info.length - have.count * info.piece_length + shorter

    def met(self, neighbour: Neighbour) -> None:
        """Say what we have to a neighbour that has just shaken hands."""
        self._join(neighbour)
        self._claim(neighbour)

    def met_late(self, neighbour: Neighbour) -> None:
        """Take in what a neighbour said before the torrent was known, and tell it what we have."""
        self._join(neighbour)
        self._reveal(
            (neighbour.key, index)
            for index in self._strategy.advertiser.initial_bitfield(neighbour.key, self.pieces.have)
        )
        claims, neighbour.claims = neighbour.claims, []
        for claim in claims:
            self.received(neighbour, claim)

    def parted(self, neighbour: Neighbour) -> None:
        """Forget a neighbour."""
        was_served = neighbour.up.is_unchoked
        self._requesting.forget(neighbour)
        if was_served:
            self._rounds.changed(frees_slot=True)

    def received(self, neighbour: Neighbour, message: Message) -> None:
        """Take a message about pieces; others are not this module's."""
        handler = self._handlers.get(type(message))
        if handler is not None:
            handler(neighbour, message)

    def placement(self, neighbour: Neighbour, header: PieceHeader) -> Placement:
        """Decide where the block belongs that begins to arrive."""
        return self._requesting.placement(neighbour, header)

    def block_arrived(self, neighbour: Neighbour, header: PieceHeader) -> bool:
        """Take a block in; returns whether it was needed."""
        arrival = self._requesting.block_arrived(neighbour, header)
        if arrival.is_piece_whole:
            self._outbox.do(Verify(header.index, self.pieces.wants_digests(header.index)))
        return arrival.is_needed

    def piece_checked(self, index: int, *, is_good: bool, digests: tuple[bytes, ...]) -> Sequence[int]:
        """Take the result of a hash; returns the neighbours that are found to have sent wrong blocks."""
        verdict = self.pieces.checked(index, is_good, digests)
        if is_good and self._strategy.keeps_pieces:
            self._completed_piece(index, verdict.contributors)
        elif is_good:
            self._outbox.tell(PieceForgotten(index, verdict.contributors))
            self._requesting.fill_hungry()
        else:
            self._requesting.wasted += self.info.piece_size(index)
            self._outbox.tell(PieceFailed(index, verdict.contributors))
            self._requesting.fill_hungry()
        return verdict.guilty

    def next_upload(self, neighbour: Neighbour) -> Shipment | None:
        """Hand out the next block to send."""
        return self._serving.next_upload(neighbour)

    def block_sent(self, neighbour: Neighbour, request: Request) -> None:
        """Count a block that has left us."""
        self._serving.block_sent(neighbour, request)

    def decide(self) -> Sequence[Candidate] | None:
        """Ask the choker, as is due; returns what the strategy saw if this was a round."""
        return self._rounds.hold(is_seed=self.pieces.is_complete)

    def ask_only(self, sources: frozenset[int] | None) -> None:
        """Ask these neighbours for blocks from now on, and show no interest in others; None is all."""
        self._sources = sources
        for neighbour in self._neighbours.values():
            neighbour.down.is_source = sources is None or neighbour.key in sources
            if neighbour.bitfield is not None:
                self._requesting.weigh(neighbour)
                self._requesting.fill(neighbour)

    def look_around(self) -> None:
        """Do what is due about once a second."""
        if self._requesting.look_for_silence():
            self._rounds.changed(frees_slot=True)
        self._reveal(self._strategy.advertiser.due_haves(self._outbox.now))
        self._news.look_around()

    def _join(self, neighbour: Neighbour) -> None:
        neighbour.down.is_source = self._sources is None
        neighbour.bitfield = Bitfield(self.info.piece_count)
        self.pieces.joined(neighbour.key, neighbour.bitfield)

    def _claim(self, neighbour: Neighbour) -> None:
        claimed = self._strategy.advertiser.initial_bitfield(neighbour.key, self.pieces.have)
        if neighbour.conversation.is_fast and claimed.is_full:
            self._outbox.send(neighbour, HaveAll())
        elif neighbour.conversation.is_fast and not claimed:
            self._outbox.send(neighbour, HaveNone())
        elif claimed:
            self._outbox.send(neighbour, HaveBitfield(claimed.to_wire()))
        if neighbour.conversation.is_fast and ":" not in neighbour.address.host:
            self._allow_free_pieces(neighbour)

    def _allow_free_pieces(self, neighbour: Neighbour) -> None:
        info, count = self.info, self._profile.allowed_fast
        indices = allowed_fast_set(neighbour.address.host, info.info_hash, info.piece_count, count)
        neighbour.up.free_pieces = frozenset(indices)
        for index in indices:
            if index in self.pieces.have:
                self._outbox.send(neighbour, AllowedFast(index))

    def _got_have(self, neighbour: Neighbour, message: Have) -> None:
        if not self.pieces.announced(neighbour.key, message.index):
            return
        neighbour.conversation.has_claimed = True
        self._reveal(self._strategy.advertiser.answer_have(neighbour.key, message.index))
        if message.index not in self.pieces.have:
            self._requesting.weigh(neighbour)
            self._requesting.fill_if_hungry(neighbour)

    def _got_bitfield(self, neighbour: Neighbour, message: HaveBitfield) -> None:
        self._has(neighbour, Bitfield.from_wire(message.bits, self.info.piece_count))

    def _got_have_all(self, neighbour: Neighbour, _: HaveAll) -> None:
        _expect_fast(neighbour)
        self._has(neighbour, Bitfield.full(self.info.piece_count))

    def _got_have_none(self, neighbour: Neighbour, _: HaveNone) -> None:
        _expect_fast(neighbour)
        self._has(neighbour, Bitfield(self.info.piece_count))

    def _has(self, neighbour: Neighbour, bitfield: Bitfield) -> None:
        if neighbour.conversation.has_claimed:
            raise MessageError("bitfield: expected it once, before any have")
        neighbour.conversation.has_claimed = True
        neighbour.bitfield = bitfield
        self.pieces.parted(neighbour.key)
        self.pieces.joined(neighbour.key, bitfield)
        for index in bitfield:
            self._reveal(self._strategy.advertiser.answer_have(neighbour.key, index))
        self._requesting.weigh(neighbour)
        self._requesting.fill(neighbour)

    def _got_request(self, neighbour: Neighbour, message: Request) -> None:
        self._serving.got_request(neighbour, message)

    def _got_choke(self, neighbour: Neighbour, _: messages.Choke) -> None:
        if neighbour.down.unchokes_us:
            self._outbox.tell(Choked(neighbour.key, by_us=False))
            self._requesting.got_choke(neighbour)

    def _got_unchoke(self, neighbour: Neighbour, _: messages.Unchoke) -> None:
        if not neighbour.down.unchokes_us:
            self._outbox.tell(Unchoked(neighbour.key, by_us=False))
            self._requesting.got_unchoke(neighbour)

    def _got_interested(self, neighbour: Neighbour, _: messages.Interested) -> None:
        self._note_interest(neighbour, is_interested=True)

    def _got_not_interested(self, neighbour: Neighbour, _: messages.NotInterested) -> None:
        self._note_interest(neighbour, is_interested=False)

    def _note_interest(self, neighbour: Neighbour, *, is_interested: bool) -> None:
        if neighbour.up.is_interested != is_interested:
            neighbour.up.is_interested = is_interested
            self._outbox.tell(Interested(neighbour.key, by_us=False, is_interested=is_interested))
            if is_interested or neighbour.up.is_unchoked:
                self._rounds.changed(frees_slot=not is_interested)

    def _got_allowed_fast(self, neighbour: Neighbour, message: AllowedFast) -> None:
        _expect_fast(neighbour)
        free = neighbour.down.free_pieces
        if 0 <= message.index < self.info.piece_count and len(free) < MOST_FREE_PIECES:
            free.add(message.index)
            self._requesting.fill(neighbour)

    def _got_reject(self, neighbour: Neighbour, message: messages.RejectRequest) -> None:
        _expect_fast(neighbour)
        self._requesting.got_reject(neighbour, Block(message.index, message.begin, message.length))

    def _completed_piece(self, index: int, contributors: tuple[int, ...]) -> None:
        outbox = self._outbox
        outbox.tell(PieceCompleted(index, self.pieces.have.count, contributors))
        self._news.tell(index, self._strategy.advertiser.announce_to(index, self._met()))
        self._requesting.weigh_all()
        if self.pieces.is_complete and self.completed_at is None:
            self.completed_at = outbox.now
            self._news.tell_all()
            outbox.tell_moved(self._neighbours.values())
            outbox.tell(Completed(self.received_bytes, self.sent_bytes, self.wasted_bytes))
            self._rounds.changed(frees_slot=True)

    def _reveal(self, haves: Iterable[tuple[int, int]]) -> None:
        for key, index in haves:
            neighbour = self._neighbours.get(key)
            if neighbour is not None:
                self._outbox.send(neighbour, Have(index))

    def _met(self) -> Iterable[int]:
        return (each.key for each in self._neighbours.values() if each.bitfield is not None)


def _expect_fast(neighbour: Neighbour) -> None:
    if not neighbour.conversation.is_fast:
        raise MessageError("expected no message of the fast extension, which was not agreed on")
