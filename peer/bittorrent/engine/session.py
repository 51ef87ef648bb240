"""One client in one swarm, without sockets: what happens goes in, what is to be done comes out.

    tell it what happened    connected, received, block_arrived, piece_checked, tracker_answered, ...
    then do what it says     for action in session.take_actions(): ...
    and wake it in time      session.tick(now), at session.next_deadline() or a little later

`now` is any clock that does not go back. The same inputs at the same times with the same random source give the same
actions and the same trace, byte for byte. Blocks never pass through here: the mind sees (piece, offset, length) only.

    Face         one of our identities: its Doors  Trade       pieces: asking, serving, choking
                 (connections and handshakes) and  Extending   extension messages
                 Search (trackers, whom to dial)
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import count
from math import inf
from random import Random
from typing import Final

from contract.events import (
    Erred,
    Joined,
    Left,
    Level,
    Opened,
)
from peer.bittorrent.engine.actions import Action, Leave
from peer.bittorrent.engine.connections.connections import Doors
from peer.bittorrent.engine.connections.identities import Face, Identity
from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.download.placement import Placement
from peer.bittorrent.engine.exchange import Trade
from peer.bittorrent.engine.extensions.extensions import Extending
from peer.bittorrent.engine.outbox import Outbox, Tell
from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.strategy import (
    PeerTargets,
    ProgressView,
    Strategy,
    TransferTotals,
)
from peer.bittorrent.engine.upload.upload import Shipment
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.errors import MessageError
from peer.bittorrent.wire.handshake import Handshake
from peer.bittorrent.wire.messages import (
    Extended,
    HaveNone,
    Message,
    PieceHeader,
    Request,
)
from peer.bittorrent.wire.metainfo.metainfo import Info
from peer.bittorrent.wire.tracker.messages import AnnounceResponse
from peer.errors import WireError
from peer.net.address import Address

PULSE: Final = 1.0
"""Seconds between two looks at what no input brings up: silence, time-outs, whom to dial."""
BOTH_COMPLETE: Final = "both have everything"
SEED_COMPANY: Final = 2
"""Neighbours that a seed looks for, for each of its slots: all that stay with it want something."""
MOST_CLAIMS: Final = 20_000
"""Messages of one neighbour that are kept until the torrent is known."""


class Session:
    """The mind of one client."""

    def __init__(
        self,
        *,
        info_hash: bytes,
        identities: Sequence[Identity],
        profile: Profile,
        strategy: Strategy,
        rng: Random,
        now: float,
        tell: Tell,
        level: Level = Level.SUMMARY,
        trackers: tuple[tuple[str, ...], ...] = (),
        known: Iterable[Address] = (),
        capacity: float | None = None,
        info: Info | None = None,
        have: Bitfield | None = None,
    ) -> None:
        """`identities` are ours, most often one; `capacity` is our upload in bytes/s, if known.

        `have` is what we bring along of the torrent `info`.
        """
        self._identities = identities
        self._info_hash = info_hash
        self._profile = profile
        self._strategy = strategy
        self._rng = rng
        self._capacity = capacity
        self._outbox = Outbox(tell, level)
        self._outbox.now = self._joined_at = now
        self._neighbours: dict[int, Neighbour] = {}
        keys = count(1)
        self._faces = [
            Face(
                number,
                identities,
                info_hash=info_hash,
                trackers=trackers,
                is_complete=have is not None and have.is_full,
                profile=profile,
                rng=rng,
                outbox=self._outbox,
                neighbours=self._neighbours,
                keys=keys,
                gone=self._gone,
            )
            for number in range(len(identities))
        ]
        self._extending = Extending(
            info_hash=info_hash,
            profile=profile,
            rng=rng,
            outbox=self._outbox,
            faces=self._faces,
            neighbours=self._neighbours,
            fail=self._give_up,
        )
        self._trade: Trade | None = None
        self._brought = (info, have)
        self._targets = strategy.peer_policy.targets(self._progress(), ())
        self._limit_neighbours()
        self._pulse = min(PULSE, profile.rechoke_period / 5)
        self._next_pulse_at = now
        self._next_moved_at = now + PULSE
        self.is_over = False
        for face in self._faces:
            face.addresses.learn(known, "given")

    @property
    def is_complete(self) -> bool:
        """Whether every piece is here and right."""
        return self._trade is not None and self._trade.pieces.is_complete

    @property
    def keeps_pieces(self) -> bool:
        """Whether pieces stay; without it the strategy takes them for the sake of taking."""
        return self._strategy.keeps_pieces

    @property
    def have(self) -> Bitfield | None:
        """The pieces that are here and right; None until the torrent is known."""
        return None if self._trade is None else self._trade.pieces.have

    @property
    def received_bytes(self) -> int:
        """Bytes of blocks that came."""
        return 0 if self._trade is None else self._trade.received_bytes

    @property
    def sent_bytes(self) -> int:
        """Bytes of blocks that went."""
        return 0 if self._trade is None else self._trade.sent_bytes

    @property
    def wasted_bytes(self) -> int:
        """Bytes of blocks that came and were not needed, or were wrong."""
        return 0 if self._trade is None else self._trade.wasted_bytes

    def start(self, now: float) -> None:
        """Join the swarm."""
        self._outbox.now = now
        (peer_id, port), *others = self._identities
        also = tuple(other.hex() for other, _ in others) or None
        self._outbox.tell(Joined(peer_id.hex(), self._info_hash.hex(), port, also))
        info, have = self._brought
        if info is not None:
            self.open(info, Bitfield(info.piece_count) if have is None else have, now)
        self.tick(now)

    def open(self, info: Info, have: Bitfield, now: float) -> None:
        """Begin to trade: the torrent is known, and its storage holds `have`."""
        self._outbox.now = now
        self._outbox.tell(Opened(info.name, info.length, info.piece_length, info.piece_count, have.count))
        self._trade = Trade(
            info,
            have=have,
            profile=self._profile,
            strategy=self._strategy,
            rng=self._rng,
            outbox=self._outbox,
            neighbours=self._neighbours,
            capacity=self._capacity,
        )
        self._trade.ask_only(self._targets.sources)
        self._extending.open(info)
        if have.is_full:
            self._refuse_hearsay()
        for neighbour in list(self._neighbours.values()):
            if neighbour.is_handshaken:
                self._guarded(neighbour, self._trade.met_late)

    def connected(self, address: Address, now: float, *, is_outgoing: bool, face: int = 0) -> int | None:
        """Take in a connection of one of our faces that was just made; returns its number, or None to refuse it."""
        self._outbox.now = now
        ours = self._faces[face]
        if is_outgoing:
            ours.search.reached(address)
        neighbour = None if self.is_over else ours.doors.admit(address, is_outgoing=is_outgoing)
        if neighbour is None and is_outgoing:
            ours.search.unwanted(address)
        return None if neighbour is None else neighbour.key

    def dial_failed(self, address: Address, reason: str, now: float, face: int = 0) -> None:
        """Take note that nobody answers there."""
        self._outbox.now = now
        self._faces[face].search.missed(address, reason)

    def received(self, key: int, event: Handshake | Message, now: float) -> None:
        """Take a handshake or a message; blocks have inputs of their own."""
        self._outbox.now = now
        neighbour = self._neighbours.get(key)
        if neighbour is None:
            return
        neighbour.conversation.last_heard = now
        try:
            self._hear(neighbour, event)
        except WireError as error:
            self._doors_of(neighbour).accuse(neighbour, str(error))

    def placement(self, key: int, header: PieceHeader, now: float) -> Placement:
        """Decide where the block belongs whose header just came."""
        self._outbox.now = now
        neighbour = self._neighbours.get(key)
        if neighbour is None or self._trade is None:
            return Placement.NOWHERE
        try:
            return self._trade.placement(neighbour, header)
        except WireError as error:
            self._doors_of(neighbour).accuse(neighbour, str(error))
            return Placement.NOWHERE

    def block_arrived(self, key: int, header: PieceHeader, now: float) -> bool:
        """Take note that a block is whole; returns whether it was needed: one put aside is to be copied then."""
        self._outbox.now = now
        neighbour = self._neighbours.get(key)
        if neighbour is None or self._trade is None:
            return False
        neighbour.conversation.last_heard = now
        try:
            return self._trade.block_arrived(neighbour, header)
        except WireError as error:
            self._doors_of(neighbour).accuse(neighbour, str(error))
            return False

    def next_upload(self, key: int, now: float) -> Shipment | None:
        """Hand out the next block to send to a neighbour: its connection has room."""
        self._outbox.now = now
        neighbour = self._neighbours.get(key)
        return None if neighbour is None or self._trade is None else self._trade.next_upload(neighbour)

    def block_sent(self, key: int, request: Request, now: float) -> None:
        """Take note that the last byte of a block was handed to the network."""
        self._outbox.now = now
        neighbour = self._neighbours.get(key)
        if neighbour is not None and self._trade is not None:
            self._trade.block_sent(neighbour, request)

    def piece_checked(self, index: int, is_good: bool, now: float, digests: tuple[bytes, ...] = ()) -> None:
        """Take the result of a Verify; `digests` are the hashes of the piece's blocks, where they were wanted."""
        self._outbox.now = now
        if self.is_over or self._trade is None:
            return
        was_complete = self.is_complete
        for key in self._trade.piece_checked(index, is_good=is_good, digests=digests):
            neighbour = self._neighbours.get(key)
            if neighbour is not None:
                self._doors_of(neighbour).ban(neighbour, f"sent a wrong block of piece {index}")
        if self.is_complete and not was_complete:
            self._became_complete()

    def broken(self, key: int, error: str, now: float) -> None:
        """Take note that what a neighbour sends makes no sense."""
        self._outbox.now = now
        neighbour = self._neighbours.get(key)
        if neighbour is not None:
            self._doors_of(neighbour).accuse(neighbour, error)

    def disconnected(self, key: int, reason: str, now: float) -> None:
        """Take note that a connection ended; not for one that was closed by an action."""
        self._outbox.now = now
        neighbour = self._neighbours.get(key)
        if neighbour is not None:
            self._doors_of(neighbour).lost(neighbour, reason)

    def tracker_answered(self, url: str, response: AnnounceResponse, now: float, face: int = 0) -> None:
        """Take a tracker's answer."""
        self._outbox.now = now
        self._faces[face].search.answered(url, response)
        self._look_for_peers()

    def tracker_failed(self, url: str, reason: str, now: float, face: int = 0) -> None:
        """Take note that a tracker did not answer, or refused."""
        self._outbox.now = now
        self._faces[face].search.failed(url, reason)

    def failed(self, what: str, now: float) -> None:
        """Give up: something broke without which the client cannot go on."""
        self._outbox.now = now
        self._give_up(what)

    def leave(self, reason: str, now: float) -> None:
        """Leave the swarm politely."""
        self._outbox.now = now
        self._leave(Leave(reason))

    def tick(self, now: float) -> None:
        """Do what is due."""
        self._outbox.now = now
        if self.is_over:
            return
        if self._trade is not None and now >= self._trade.next_decision_at:
            self._decide(self._trade)
        if now >= self._next_pulse_at:
            self._next_pulse_at = now + self._pulse
            self._look_around()

    def next_deadline(self) -> float:
        """When to call `tick`."""
        if self.is_over:
            return inf
        return self._next_pulse_at if self._trade is None else min(self._next_pulse_at, self._trade.next_decision_at)

    def take_actions(self) -> list[Action]:
        """Hand over what there is to do, in order."""
        return self._outbox.take()

    def _give_up(self, what: str) -> None:
        self._outbox.tell(Erred(what))
        self._leave(Leave(what))

    def _hear(self, neighbour: Neighbour, event: Handshake | Message) -> None:
        if not neighbour.is_handshaken:
            if not isinstance(event, Handshake):
                raise MessageError("expected a handshake first")
            if self._doors_of(neighbour).shake_hands(neighbour, event):
                self._introduce(neighbour)
        elif isinstance(event, Extended):
            self._extending.received(neighbour, event)
        elif isinstance(event, Handshake):
            raise MessageError("expected one handshake, found another")
        elif self._trade is not None:
            self._trade.received(neighbour, event)
            if self._trade.completed_at is not None and neighbour.is_seed:
                self._doors_of(neighbour).close(neighbour, BOTH_COMPLETE, is_fault=True)
        elif len(neighbour.claims) < MOST_CLAIMS:
            neighbour.claims.append(event)
        else:
            raise MessageError(f"expected at most {MOST_CLAIMS} messages before the torrent is known")

    def _doors_of(self, neighbour: Neighbour) -> Doors:
        return self._faces[neighbour.face].doors

    def _introduce(self, neighbour: Neighbour) -> None:
        if self._trade is not None:
            self._trade.met(neighbour)
        elif neighbour.conversation.is_fast:
            self._outbox.send(neighbour, HaveNone())
        self._extending.introduce(neighbour, is_seed=self.is_complete)

    def _guarded(self, neighbour: Neighbour, hear: Callable[[Neighbour], None]) -> None:
        try:
            hear(neighbour)
        except WireError as error:
            self._doors_of(neighbour).accuse(neighbour, str(error))

    def _gone(self, neighbour: Neighbour) -> None:
        self._outbox.tell_moved([neighbour])
        self._extending.parted(neighbour)
        if self._trade is not None and neighbour.bitfield is not None:
            self._trade.parted(neighbour)

    def _decide(self, trade: Trade) -> None:
        candidates = trade.decide()
        if candidates is None:
            return
        self._targets = self._strategy.peer_policy.targets(self._progress(), candidates)
        self._limit_neighbours()
        trade.ask_only(self._targets.sources)

    def _limit_neighbours(self) -> None:
        for face in self._faces:
            face.doors.most_neighbours = self._targets.most_neighbours

    def _look_around(self) -> None:
        for face in self._faces:
            face.doors.look_around()
        self._extending.look_around()
        if self._trade is not None:
            self._trade.look_around()
        self._look_for_peers()
        if self._outbox.now >= self._next_moved_at:
            self._next_moved_at += PULSE
            self._outbox.tell_moved(self._neighbours.values())
        self._consider_leaving()

    def _look_for_peers(self) -> None:
        if not self.is_over:
            for face in self._faces:
                company = face.doors.neighbour_count
                face.search.look_around(self._wished(company), self._tally(), company)

    def _wished(self, neighbour_count: int) -> PeerTargets:
        """Return what the strategy wants; who has everything looks for no more than keep its slots taken, one by one.

        What a tracker tells of is soon old: when a crowd completes, most of those who wanted something have it a moment
        later, and if all others dialled them at once the crowd would end in a storm of connections.
        """
        if not self.is_complete:
            return self._targets
        enough = min(SEED_COMPANY * self._profile.slots(self._capacity), neighbour_count + 1)
        return replace(self._targets, dials_up_to=min(self._targets.dials_up_to, enough))

    def _tally(self) -> TransferTotals:
        """Count what a tracker is told; one that does not know the torrent yet wants all of it."""
        left = 1 if self._trade is None else self._trade.left_bytes
        return self._strategy.advertiser.reported_totals(TransferTotals(self.sent_bytes, self.received_bytes, left))

    def _became_complete(self) -> None:
        for face in self._faces:
            face.search.completed()
        self._refuse_hearsay()
        for neighbour in list(self._neighbours.values()):
            if neighbour.is_seed:
                self._doors_of(neighbour).close(neighbour, BOTH_COMPLETE, is_fault=True)
        self._look_for_peers()
        self._consider_leaving()

    def _refuse_hearsay(self) -> None:
        for face in self._faces:
            face.addresses.refuse_hearsay()

    def _progress(self) -> ProgressView:
        trade = self._trade
        return ProgressView(
            now=self._outbox.now,
            joined_at=self._joined_at,
            completed_at=None if trade is None else trade.completed_at,
            have_count=0 if trade is None else trade.pieces.have.count,
            piece_count=0 if trade is None else trade.info.piece_count,
            length=0 if trade is None else trade.info.length,
            received=self.received_bytes,
            sent=self.sent_bytes,
            neighbour_count=len(self._neighbours),
        )

    def _consider_leaving(self) -> None:
        leave = None if self.is_over else self._strategy.departure.decide(self._progress())
        if leave is not None:
            self._leave(leave)

    def _leave(self, leave: Leave) -> None:
        if self.is_over:
            return
        self._outbox.tell_moved(self._neighbours.values())
        for face in self._faces:
            face.search.leave(self._tally())
        for neighbour in list(self._neighbours.values()):
            self._doors_of(neighbour).close(neighbour, leave.reason)
        self.is_over = True
        have_count = 0 if self._trade is None else self._trade.pieces.have.count
        self._outbox.tell(Left(leave.reason, have_count, self.received_bytes, self.sent_bytes, self.wasted_bytes))
        self._outbox.do(leave)
