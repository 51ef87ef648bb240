"""The I/O of one session: it does the actions of the engine, and reports what happened.

    a socket is ready, a timer is due, a tracker has answered
        -> inputs of the session (connected, message_received, block_received, tick, ...), all that this wake-up brought
        -> settle: do all actions in order, send what they left in the connections, set the timer

Nothing here decides. Blocks go between sockets and storage without passing through the engine.
"""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from random import Random
from time import monotonic
from typing import Any, Final, TypeAlias

from peer.bittorrent.client.announcements import Announcements
from peer.bittorrent.client.connections.connection import Connection
from peer.bittorrent.client.connections.connections import Connections
from peer.bittorrent.client.connections.maker import ConnectionMaker
from peer.bittorrent.client.dht import Dht
from peer.bittorrent.client.open_torrent import OpenTorrent
from peer.bittorrent.client.storage import StorageError
from peer.bittorrent.client.trackers import TrackerClient
from peer.bittorrent.engine.actions import (
    Action,
    Announce,
    AnnounceToDht,
    Close,
    Dial,
    Divert,
    Greet,
    Leave,
    LimitUpload,
    MeetDhtNode,
    OfferBlocks,
    Open,
    Send,
    Verify,
)
from peer.bittorrent.engine.download.block_reception import Placement
from peer.bittorrent.engine.session import Session
from peer.bittorrent.engine.upload.upload import LARGEST_BLOCK
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.encryption import Method, Negotiation
from peer.bittorrent.wire.handshake import Handshake
from peer.bittorrent.wire.messages import (
    Message,
    PieceHeader,
    Request,
    encode,
)
from peer.bittorrent.wire.metainfo.metainfo import Info
from peer.net.address import Address
from peer.net.dialler import Dialler
from peer.net.rate_limiter import RateLimiter
from peer.net.timer import Timer

Opening: TypeAlias = asyncio.Future[tuple[OpenTorrent, Bitfield]]

_GARBAGE: Final = memoryview(Random(0).randbytes(LARGEST_BLOCK))


class Client:
    """Runs one session from its start until it leaves."""

    def __init__(
        self,
        session: Session,
        *,
        dialler: Dialler,
        trackers: TrackerClient,
        rate_limiter: RateLimiter,
        dht: Dht | None = None,
        torrent: OpenTorrent | None,
        open_torrent: Callable[[Info], Opening],
        on_complete: Callable[[], None],
        negotiation: Callable[[bool], Negotiation | None] = lambda _: None,
        falls_back: bool = False,
    ) -> None:
        """`torrent` is None for a client with only a magnet link; `open_torrent` is called once it knows more.

        `negotiation` returns our part in the encrypted handshake of a connection, given whether it is outgoing, and
        None for plaintext. With `falls_back`, who does not know encryption is dialled again without it.
        """
        self._session: Final = session
        self._rate_limiter: Final = rate_limiter
        self.torrent = torrent
        self._open_torrent: Final = open_torrent
        self._on_complete: Final = on_complete
        self._loop: Final = asyncio.get_running_loop()
        self._connections: Final = Connections()
        self._maker: Final = ConnectionMaker(
            session, self, self._connections, dialler=dialler, negotiation=negotiation, falls_back=falls_back
        )
        self._maker.piece_count = None if torrent is None else torrent.info.piece_count
        self._announcements: Final = Announcements(session, trackers, dht, self.settle)
        self._timer: Final = Timer(self._loop, self._tick)
        self._block_timer: Final = Timer(self._loop, self._start_blocks)
        self._is_settling = False
        self._is_completion_reported = False
        self.left: Final[asyncio.Future[Leave]] = self._loop.create_future()
        """How the session ended, once it has."""
        self.failure: str | None = None
        """What broke, if the client had to leave because of it."""
        self._performers: Final = self._make_performers()

    @property
    def have(self) -> Bitfield | None:
        """The pieces that we have; None until the torrent is known."""
        return self._session.have

    def start(self) -> None:
        now = monotonic()
        self._session.start(now)
        self._report_completion()
        self.settle(now)

    def accepted(self, identity: int, connected: socket.socket, address: Address) -> None:
        """A peer connected to one of our identities."""
        self._maker.accepted(identity, connected, address)

    def leave(self, reason: str) -> None:
        """Leave the swarm; `left` is set at once, and `end` waits for what is still to be sent."""
        now = monotonic()
        self._session.leave(reason, now)
        self.settle(now)

    async def end(self) -> None:
        """Wait for the last announcements and the ends of connections, then close everything but the storage."""
        self._maker.close()
        await self._announcements.wait()
        await self._connections.wait_for_ends()
        self.cut()

    def cut(self) -> None:
        """Close everything at once."""
        self._maker.close()
        self._connections.cut()
        self._announcements.cancel()
        self._timer.cancel()
        self._block_timer.cancel()

    # Events of connections.

    def message_received(self, connection: Connection, message: Handshake | Message, now: float) -> None:
        self._session.message_received(connection.key, message, now)

    def block_began(self, connection: Connection, header: PieceHeader, now: float) -> memoryview | None:
        """The header of a block came: return where its bytes belong, None to drop them."""
        placement = self._session.block_began(connection.key, header, now)
        if placement is Placement.IN_PLACE:
            return self._space(header)
        if placement is Placement.ASIDE:
            connection.aside = memoryview(bytearray(header.length))
            return connection.aside
        return None

    def block_received(self, connection: Connection, header: PieceHeader, now: float) -> None:
        """A block is complete; one that was put aside is copied if it was complete first."""
        is_needed = self._session.block_received(connection.key, header, now)
        if is_needed and connection.aside is not None:
            self._space(header)[:] = connection.aside

    def may_begin(self, connection: Connection, now: float) -> bool:
        """Return whether the rate limit lets a block be sent."""
        return self._rate_limiter.may_begin(connection.key, now)

    def next_block(self, connection: Connection, now: float) -> tuple[Request, memoryview] | None:
        """Return the next block to send to a neighbour, if there is one."""
        queued = self._session.next_block(connection.key, now)
        if queued is None:
            return None
        request = queued.request
        try:
            block = self._content(request, is_garbage=queued.is_garbage)
        except StorageError as error:
            self._fail(str(error), now)
            return None
        self._rate_limiter.began(connection.key, request.length, now)
        return request, block

    def _content(self, request: Request, *, is_garbage: bool) -> memoryview:
        if is_garbage:
            return _GARBAGE[: request.length]
        return self._known.storage.read(request.index, request.begin, request.length)

    def block_sent(self, connection: Connection, request: Request, now: float) -> None:
        self._session.block_sent(connection.key, request, now)

    def protocol_error(self, connection: Connection, error: str, now: float) -> None:
        self._session.protocol_error(connection.key, error, now)

    def negotiated(self, connection: Connection, method: Method | None, now: float) -> None:
        """It is known how the stream goes on."""
        self._maker.forget(connection.key)
        if method is not None:
            self._session.encrypted(connection.key, method.name or "", now)

    def disconnected(self, connection: Connection, reason: str, now: float) -> None:
        self._connections.forget(connection)
        self._rate_limiter.forget(connection.key)
        if not self._maker.dial_again(connection):
            self._session.disconnected(connection.key, reason, now)

    def settle(self, now: float) -> None:
        """Do the actions of the session until there are no more."""
        if self._is_settling:
            return  # an action caused an input: what follows from it comes behind the actions before it
        self._is_settling = True
        performers, connections = self._performers, self._connections
        while (actions := self._session.take_actions()) or connections.have_to_flush:
            for action in actions:
                performers[type(action)](action, now)
            connections.flush(now)
        self._is_settling = False
        self._timer.set(self._session.next_deadline(), now)
        self._block_timer.set(self._rate_limiter.next_turn_at(now), now)

    # Actions.

    def _make_performers(self) -> dict[type[Action], Callable[[Any, float], None]]:
        return {
            Send: self._send,
            Greet: self._greet,
            OfferBlocks: self._offer_blocks,
            LimitUpload: self._limit,
            Divert: self._divert,
            Verify: self._verify,
            Dial: self._maker.dial,
            Close: self._close,
            Announce: self._announcements.to_tracker,
            AnnounceToDht: self._announcements.to_dht,
            MeetDhtNode: self._announcements.meet_dht_node,
            Open: self._open,
            Leave: self._leave,
        }

    def _send(self, action: Send, now: float) -> None:
        connection = self._connections.get_to_send(action.neighbour)
        if connection is not None:
            connection.send(encode(action.message), now)

    def _greet(self, action: Greet, now: float) -> None:
        connection = self._connections.get_to_send(action.neighbour)
        if connection is not None:
            connection.send(action.handshake, now)

    def _offer_blocks(self, action: OfferBlocks, _: float) -> None:
        connection = self._connections.get_to_send(action.neighbour)
        if connection is not None:
            connection.offer_blocks()

    def _limit(self, action: LimitUpload, now: float) -> None:
        self._rate_limiter.limit(action.neighbour, action.rate, now)

    def _divert(self, action: Divert, _: float) -> None:
        connection = self._connections.get(action.neighbour)
        if connection is not None:
            connection.divert()

    def _verify(self, action: Verify, _: float) -> None:
        report = partial(self._piece_checked, action.index)
        self._known.hasher.check(action.index, report, with_digests=action.with_digests)

    def _close(self, action: Close, _: float) -> None:
        self._maker.forget(action.neighbour)
        connection = self._connections.get(action.neighbour)
        if connection is not None:
            self._rate_limiter.forget(action.neighbour)
            self._connections.end(connection)

    def _open(self, action: Open, _: float) -> None:
        self._open_torrent(action.info).add_done_callback(self._torrent_opened)

    def _leave(self, action: Leave, _: float) -> None:
        self.left.set_result(action)

    # Results of actions.

    def _torrent_opened(self, opening: Opening) -> None:
        if opening.cancelled():
            return
        now = monotonic()
        try:
            self.torrent, have = opening.result()
        except StorageError as error:
            self._fail(str(error), now)
        else:
            self._maker.piece_count = self.torrent.info.piece_count
            for connection in self._connections:
                connection.know_pieces(self.torrent.info.piece_count)
            self._session.torrent_opened(self.torrent.info, have, now)
            self._report_completion()
        self.settle(now)

    def _piece_checked(self, index: int, is_good: bool, digests: tuple[bytes, ...]) -> None:
        now, storage = monotonic(), self._known.storage
        try:
            (storage.keep if is_good and self._session.keeps_pieces else storage.drop)(index)
        except StorageError as error:
            self._fail(str(error), now)
        else:
            self._session.piece_checked(index, is_good, now, digests)
            self._report_completion()
        self.settle(now)

    def _report_completion(self) -> None:
        if self._session.is_complete and not self._is_completion_reported:
            self._is_completion_reported = True
            self._on_complete()

    def _tick(self) -> None:
        now = monotonic()
        if now >= self._session.next_deadline():
            self._session.tick(now)
        self.settle(now)

    def _start_blocks(self) -> None:
        now = monotonic()
        while (key := self._rate_limiter.next_turn(now)) is not None:
            self._connections[key].start_block(now)
        self.settle(now)

    def _fail(self, what: str, now: float) -> None:
        self.failure = self.failure or what
        self._session.failed(what, now)

    def _space(self, header: PieceHeader) -> memoryview:
        return self._known.storage.space(header.index, header.begin, header.length)

    @property
    def _known(self) -> OpenTorrent:
        """The torrent, for what only happens once it is known."""
        if self.torrent is None:
            raise RuntimeError("the session exchanges pieces of a torrent that was not opened")
        return self.torrent
