"""One client in one swarm, without sockets: inputs go in, and actions come out.

    report what happened     connected, message_received, block_received, piece_checked, tracker_answered, ...
    do what it asks for      for action in session.take_actions(): ...
    and wake it in time      session.tick(now), at session.next_deadline() or a little later

`now` is any clock that does not go back. The same inputs at the same times with the same random source give the same
actions and the same trace, byte for byte. Blocks never pass through here: the engine sees (piece, offset, length) only.

    Presences    our identities: of each its Connections    Exchange             pieces: download, upload, choking
                 and its Search (trackers, addresses)       ExtensionProtocol    extension messages
"""

from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import Final, TypeVar, TypeVarTuple

from contract.events import Encrypted, Erred, Joined, Left, Opened
from peer.bittorrent.engine.actions import Action, Leave
from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.connections.presences import Presences
from peer.bittorrent.engine.context import Context
from peer.bittorrent.engine.discovery.address_book import Ending
from peer.bittorrent.engine.download.block_reception import Placement
from peer.bittorrent.engine.exchange.exchange import Exchange
from peer.bittorrent.engine.exchange.pending import PendingExchange
from peer.bittorrent.engine.exchange.progress import progress, reported_totals
from peer.bittorrent.engine.extensions.extensions import ExtensionProtocol
from peer.bittorrent.engine.strategy import ProgressView, TransferTotals
from peer.bittorrent.engine.upload.upload import QueuedBlock
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.errors import MessageError
from peer.bittorrent.wire.handshake import Handshake
from peer.bittorrent.wire.messages import Extended, Message, PieceHeader, Port, Request
from peer.bittorrent.wire.metainfo.metainfo import Info
from peer.bittorrent.wire.tracker.messages import AnnounceResponse
from peer.errors import WireError
from peer.net.address import Address

PULSE: Final = 1.0
"""Seconds between two checks of what no input brings up: silence, time-outs, missing neighbours."""
BOTH_COMPLETE: Final = "both have everything"

Argument = TypeVar("Argument")
Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


class Session:
    """The engine of one client: each input, the part that handles it, and joining and leaving the swarm."""

    def __init__(
        self,
        context: Context,
        *,
        trackers: Sequence[Sequence[str]] = (),
        known: Iterable[Address] = (),
        info: Info | None = None,
        have: Bitfield | None = None,
    ) -> None:
        """`info` is the torrent, if it is known from the start, and `have` its pieces that we have at the start."""
        self._context = context
        self._strategy = context.strategy
        self._outbox = context.outbox
        self._neighbours = context.neighbours
        self._joined_at = context.outbox.now
        is_complete = have is not None and have.is_full
        self._presences = Presences(context, trackers, is_complete=is_complete, on_left=self._neighbour_left)
        self._extensions = ExtensionProtocol(context, self._presences, self._give_up)
        self._exchange: Exchange | PendingExchange = PendingExchange(context)
        self._info, self._have_at_start = info, have
        self._targets = context.strategy.peer_policy.targets(self._progress(), ())
        self._presences.limit(self._targets)
        self._pulse = min(PULSE, context.profile.rechoke_period / 5)
        self._next_pulse_at = context.outbox.now
        self._next_moved_at = context.outbox.now + PULSE
        self.is_over = False
        self._presences.learn(known)

    @property
    def is_complete(self) -> bool:
        return self._exchange.is_complete

    @property
    def keeps_pieces(self) -> bool:
        """Whether complete pieces are kept; without it the strategy only downloads for the sake of it."""
        return self._strategy.keeps_pieces

    @property
    def have(self) -> Bitfield | None:
        """The pieces that we have; None until the torrent is known."""
        return self._exchange.have

    @property
    def received_bytes(self) -> int:
        """Bytes of blocks."""
        return self._exchange.received_bytes

    @property
    def sent_bytes(self) -> int:
        """Bytes of blocks."""
        return self._exchange.sent_bytes

    @property
    def wasted_bytes(self) -> int:
        """Bytes of received blocks that were not needed, or were wrong."""
        return self._exchange.wasted_bytes

    def start(self, now: float) -> None:
        self._handle(now, self._start)

    def torrent_opened(self, info: Info, have: Bitfield, now: float) -> None:
        """The torrent is known, and its storage holds `have`: begin to exchange pieces."""
        self._handle(now, self._torrent_opened, info, have)

    def connected(self, address: Address, now: float, *, is_outgoing: bool, identity: int = 0) -> int | None:
        """One of our identities has a new connection; returns its number, or None to refuse it."""
        return self._handle(now, self._connected, address, is_outgoing, identity)

    def dial_failed(self, address: Address, reason: str, now: float, identity: int = 0) -> None:
        self._handle(now, self._presences[identity].search.dial_failed, address, reason)

    def message_received(self, key: int, message: Handshake | Message, now: float) -> None:
        """A neighbour sent a handshake or a message other than a block."""
        self._handle_from(key, now, self._message_received, message)

    def encrypted(self, key: int, method: str, now: float) -> None:
        """The ends of a connection have shaken hands for an encrypted stream, or a plaintext one after that."""
        self._handle_from(key, now, self._encrypted, method)

    def block_began(self, key: int, header: PieceHeader, now: float) -> Placement:
        """The header of a block came: decide where its bytes belong."""
        return self._handle_from(key, now, self._exchange.block_began, header) or Placement.NOWHERE

    def block_received(self, key: int, header: PieceHeader, now: float) -> bool:
        """A block is complete; returns whether it was needed: one that was put aside is to be copied then."""
        return self._handle_from(key, now, self._exchange.block_received, header) or False

    def next_block(self, key: int, now: float) -> QueuedBlock | None:
        """The connection has room: take the next block to send to a neighbour."""
        self._outbox.now = now
        neighbour = self._neighbours.get(key)
        return None if neighbour is None else self._exchange.next_block(neighbour)

    def block_sent(self, key: int, request: Request, now: float) -> None:
        """The last byte of a block was handed to the network."""
        self._handle_from(key, now, self._exchange.block_sent, request)

    def piece_checked(self, index: int, is_good: bool, now: float, digests: tuple[bytes, ...] = ()) -> None:
        """The hash of a piece was computed; `digests` are those of its blocks, where they were wanted."""
        self._handle(now, self._piece_checked, index, is_good, digests)

    def protocol_error(self, key: int, error: str, now: float) -> None:
        """A neighbour sent bytes that are no message."""
        self._handle_from(key, now, self._close_with_error, error)

    def disconnected(self, key: int, reason: str, now: float) -> None:
        """A connection ended, other than by a Close."""
        self._handle_from(key, now, self._disconnected, reason)

    def tracker_answered(self, url: str, response: AnnounceResponse, now: float, identity: int = 0) -> None:
        self._handle(now, self._tracker_answered, url, response, identity)

    def tracker_failed(self, url: str, reason: str, now: float, identity: int = 0) -> None:
        """A tracker did not answer, or refused."""
        self._handle(now, self._presences[identity].search.tracker_failed, url, reason)

    def peers_found(self, addresses: list[Address], now: float, identity: int = 0) -> None:
        """The DHT told peers; more may come until `dht_ended`."""
        self._handle(now, self._peers_found, addresses, identity)

    def dht_ended(self, node_count: int, now: float, identity: int = 0) -> None:
        """An announcement to the DHT is over, after which our node knows so many others."""
        self._handle(now, self._presences[identity].search.dht.ended, node_count)

    def failed(self, what: str, now: float) -> None:
        """Something broke without which the client cannot continue: leave the swarm."""
        self._handle(now, self._give_up, what)

    def leave(self, reason: str, now: float) -> None:
        self._handle(now, self._leave, Leave(reason))

    def tick(self, now: float) -> None:
        """Do what is due."""
        self._handle(now, self._tick)

    def next_deadline(self) -> float:
        """Return when to call `tick`."""
        return inf if self.is_over else min(self._next_pulse_at, self._exchange.next_decision_at)

    def take_actions(self) -> list[Action]:
        """Return the actions to do, in order."""
        return self._outbox.take()

    def _handle(self, now: float, handler: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """Handle an input at its time."""
        self._outbox.now = now
        return handler(*arguments)

    def _handle_from(
        self, key: int, now: float, handler: Callable[[Neighbour, Argument], Result], argument: Argument
    ) -> Result | None:
        """Handle an input from a neighbour: one that breaks the protocol is closed, one that has left is ignored."""
        self._outbox.now = now
        neighbour = self._neighbours.get(key)
        if neighbour is None:
            return None
        try:
            return handler(neighbour, argument)
        except WireError as error:
            self._close_with_error(neighbour, str(error))
            return None

    def _start(self) -> None:
        (peer_id, port), *others = self._context.identities
        also = tuple(other.hex() for other, _ in others) or None
        self._outbox.record(Joined(peer_id.hex(), self._context.info_hash.hex(), port, also))
        info, have = self._info, self._have_at_start
        if info is not None:
            self._torrent_opened(info, Bitfield(info.piece_count) if have is None else have)
        self._tick()

    def _torrent_opened(self, info: Info, have: Bitfield) -> None:
        self._outbox.record(Opened(info.name, info.length, info.piece_length, info.piece_count, have.count))
        self._exchange = exchange = Exchange(self._context, info, have)
        exchange.request_only_from(self._targets.sources)
        self._extensions.torrent_opened(info)
        if info.is_private:
            self._presences.stop_dht()
        if have.is_full:
            self._presences.become_seed()
        for neighbour in list(self._neighbours.values()):
            if neighbour.is_handshaken:
                early, neighbour.early_messages = neighbour.early_messages, []
                self._handle_from(neighbour.key, self._outbox.now, exchange.neighbour_joined_early, early)

    def _connected(self, address: Address, is_outgoing: bool, identity: int) -> int | None:
        presence = self._presences[identity]
        if is_outgoing:
            presence.search.connected(address)
        neighbour = None if self.is_over else presence.connections.admit(address, is_outgoing=is_outgoing)
        if neighbour is None and is_outgoing:
            presence.search.refused(address)
        return None if neighbour is None else neighbour.key

    def _encrypted(self, neighbour: Neighbour, method: str) -> None:
        self._outbox.record(Encrypted(neighbour.key, method.lower()))

    def _message_received(self, neighbour: Neighbour, message: Handshake | Message) -> None:
        neighbour.conversation.last_received = self._outbox.now
        if not neighbour.is_handshaken:
            if not isinstance(message, Handshake):
                raise MessageError("expected a handshake first")
            if self._presences.connections_of(neighbour).shake_hands(neighbour, message):
                says_all = self._exchange.neighbour_joined(neighbour)
                self._extensions.neighbour_joined(neighbour, is_upload_only=says_all and self.is_complete)
                self._presences[neighbour.identity].search.dht.neighbour_joined(neighbour)
        elif isinstance(message, Extended):
            self._extensions.message_received(neighbour, message)
        elif isinstance(message, Port):
            self._presences[neighbour.identity].search.dht.port_received(neighbour, message.port)
        elif isinstance(message, Handshake):
            raise MessageError("expected one handshake, found another")
        else:
            self._exchange.message_received(neighbour, message)
            if self._exchange.completed_at is not None and neighbour.is_seed:
                self._presences.connections_of(neighbour).close(neighbour, BOTH_COMPLETE, Ending.FAULT)

    def _piece_checked(self, index: int, is_good: bool, digests: tuple[bytes, ...]) -> None:
        if self.is_over:
            return
        was_complete = self.is_complete
        for key in self._exchange.piece_checked(index, is_good=is_good, digests=digests):
            neighbour = self._neighbours.get(key)
            if neighbour is not None:
                self._presences.connections_of(neighbour).ban(neighbour, f"sent a wrong block of piece {index}")
        if self.is_complete and not was_complete:
            self._completed()

    def _disconnected(self, neighbour: Neighbour, reason: str) -> None:
        self._presences.connections_of(neighbour).disconnected(neighbour, reason)

    def _close_with_error(self, neighbour: Neighbour, error: str) -> None:
        self._presences.connections_of(neighbour).close_with_error(neighbour, error)

    def _neighbour_left(self, neighbour: Neighbour) -> None:
        self._outbox.record_moved([neighbour])
        self._extensions.neighbour_left(neighbour)
        self._exchange.neighbour_left(neighbour)

    def _tracker_answered(self, url: str, response: AnnounceResponse, identity: int) -> None:
        self._presences[identity].search.tracker_answered(url, response)
        self._find_peers()

    def _peers_found(self, addresses: list[Address], identity: int) -> None:
        self._presences[identity].search.found_by_dht(addresses)
        self._find_peers()

    def _tick(self) -> None:
        if self.is_over:
            return
        now = self._outbox.now
        if now >= self._exchange.next_decision_at:
            self._decide()
        if now >= self._next_pulse_at:
            self._next_pulse_at = now + self._pulse
            self._check_everything()

    def _decide(self) -> None:
        candidates = self._exchange.decide()
        if candidates is None:
            return
        self._targets = self._strategy.peer_policy.targets(self._progress(), candidates)
        self._presences.limit(self._targets)
        self._exchange.request_only_from(self._targets.sources)

    def _check_everything(self) -> None:
        self._presences.tick()
        self._extensions.tick()
        self._exchange.tick()
        self._find_peers()
        if self._outbox.now >= self._next_moved_at:
            self._next_moved_at += PULSE
            self._outbox.record_moved(self._neighbours.values())
        self._consider_leaving()

    def _find_peers(self) -> None:
        if not self.is_over:
            self._presences.find_peers(self._targets, self._reported_totals, is_complete=self.is_complete)

    def _reported_totals(self) -> TransferTotals:
        return reported_totals(self._context, self._exchange)

    def _completed(self) -> None:
        self._presences.completed()
        self._presences.become_seed()
        for neighbour in list(self._neighbours.values()):
            if neighbour.is_seed:
                self._presences.connections_of(neighbour).close(neighbour, BOTH_COMPLETE, Ending.FAULT)
        self._find_peers()
        self._consider_leaving()

    def _progress(self) -> ProgressView:
        return progress(self._context, self._exchange, self._joined_at)

    def _give_up(self, what: str) -> None:
        self._outbox.record(Erred(what))
        self._leave(Leave(what))

    def _consider_leaving(self) -> None:
        leave = None if self.is_over else self._strategy.departure.decide(self._progress())
        if leave is not None:
            self._leave(leave)

    def _leave(self, leave: Leave) -> None:
        if self.is_over:
            return
        self._outbox.record_moved(self._neighbours.values())
        self._presences.leave(self._reported_totals)
        for neighbour in list(self._neighbours.values()):
            self._presences.connections_of(neighbour).close(neighbour, leave.reason)
        self.is_over = True
        exchange = self._exchange
        moved = (exchange.received_bytes, exchange.sent_bytes, exchange.wasted_bytes)
        self._outbox.record(Left(leave.reason, exchange.have_count, *moved))
        self._outbox.do(leave)
