"""The hands of one session: it does what the mind says, and tells it what happened.

    a socket is ready, a timer is due, a tracker has answered
        -> an input of the session (connected, received, block_came, tick, ...), as many as this turn brought
        -> settle: do all actions in order, send what they left in the connections, set the timer

Nothing here decides. Blocks go between sockets and storage without passing through the mind.
"""

import asyncio
import mmap
import socket
from collections.abc import Callable
from functools import partial
from random import Random
from time import monotonic
from typing import Any, Final, TypeAlias

from peer.bittorrent.client.connection import READ_BUFFER, Connection
from peer.bittorrent.client.open_torrent import OpenTorrent
from peer.bittorrent.client.storage import StorageError
from peer.bittorrent.client.trackers import TrackerClient, TrackerFailure
from peer.bittorrent.engine.actions import (
    Action,
    Announce,
    Close,
    Dial,
    Divert,
    Greet,
    Leave,
    LimitUpload,
    Open,
    Send,
    Upload,
    Verify,
)
from peer.bittorrent.engine.download.placement import Placement
from peer.bittorrent.engine.session import Session
from peer.bittorrent.engine.upload.upload import LARGEST_BLOCK
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.handshake import Handshake
from peer.bittorrent.wire.messages import (
    Message,
    PieceHeader,
    Request,
    encode,
)
from peer.bittorrent.wire.metainfo.metainfo import Info
from peer.bittorrent.wire.tracker.messages import Event
from peer.net.address import Address
from peer.net.dialler import Dialler
from peer.net.rate_limiter import RateLimiter
from peer.net.timer import Timer

Opened: TypeAlias = asyncio.Future[tuple[OpenTorrent, Bitfield]]

_GARBAGE: Final = memoryview(Random(0).randbytes(LARGEST_BLOCK))


class Client:
    """Runs one session from its start until it leaves."""

    def __init__(
        self,
        session: Session,
        *,
        dialler: Dialler,
        trackers: TrackerClient,
        throttle: RateLimiter,
        stock: OpenTorrent | None,
        open_stock: Callable[[Info], Opened],
        on_complete: Callable[[], None],
    ) -> None:
        """`stock` is None for a client that has a magnet link only; `open_stock` is called once it knows more."""
        self._session: Final = session
        self._dialler: Final = dialler
        self._trackers: Final = trackers
        self._throttle: Final = throttle
        self.stock = stock
        self._open_stock: Final = open_stock
        self._on_complete: Final = on_complete
        self._loop: Final = asyncio.get_running_loop()
        self._buffer: Final = memoryview(mmap.mmap(-1, READ_BUFFER))  # costs memory only as far as reads reach into it
        self._connections: Final[dict[int, Connection]] = {}
        self._to_flush: Final[dict[int, Connection]] = {}
        self._announcements: Final[set[asyncio.Task[None]]] = set()
        self._timer: Final = Timer(self._loop, self._tick)
        self._turns: Final = Timer(self._loop, self._take_turns)
        self._is_settling = False
        self._is_told_complete = False
        self.left: Final[asyncio.Future[Leave]] = self._loop.create_future()
        """How the session ended, when it has."""
        self.failure: str | None = None
        """What broke, if something did without which the client could not go on."""
        self._hands: Final[dict[type[Action], Callable[[Any, float], None]]] = {
            Send: self._send,
            Greet: self._greet,
            Upload: self._upload,
            LimitUpload: self._limit,
            Divert: self._divert,
            Verify: self._verify,
            Dial: self._dial,
            Close: self._close,
            Announce: self._announce,
            Open: self._open,
            Leave: self._leave,
        }

    @property
    def have(self) -> Bitfield | None:
        """The pieces that are here and right; None until the torrent is known."""
        return self._session.have

    def start(self) -> None:
        """Join the swarm."""
        now = monotonic()
        self._session.start(now)
        self._tell_if_complete()
        self.settle(now)

    def accepted(self, face: int, connected: socket.socket, address: Address) -> None:
        """Take in a connection that somebody made to one of our faces."""
        now = monotonic()
        self._meet(connected, address, now, is_outgoing=False, face=face)
        self.settle(now)

    def leave(self, reason: str) -> None:
        """Leave the swarm politely; `left` is set at once, and `end` waits for what is still to be said."""
        now = monotonic()
        self._session.leave(reason, now)
        self.settle(now)

    async def end(self) -> None:
        """Wait until the trackers know that we are gone, then let go of everything but the storage."""
        self._dialler.close()
        if self._announcements:
            await asyncio.wait(self._announcements)
        self.cut()

    def cut(self) -> None:
        """Let go at once."""
        self._dialler.close()
        for each in list(self._connections.values()):
            each.cut()
        for announcement in self._announcements:
            announcement.cancel()
        self._timer.cancel()
        self._turns.cancel()

    # What a connection asks and tells.

    def heard(self, connection: Connection, event: Handshake | Message, now: float) -> None:
        """A handshake or a message has come."""
        self._session.received(connection.key, event, now)

    def place(self, connection: Connection, header: PieceHeader, now: float) -> memoryview | None:
        """A block begins to come: find out where it belongs."""
        placement = self._session.placement(connection.key, header, now)
        if placement is Placement.IN_PLACE:
            return self._space(header)
        if placement is Placement.ASIDE:
            connection.aside = memoryview(bytearray(header.length))
            return connection.aside
        return None

    def block_came(self, connection: Connection, header: PieceHeader, now: float) -> None:
        """A block is whole; one that was put aside takes the place of another that is still coming."""
        is_needed = self._session.block_arrived(connection.key, header, now)
        if is_needed and connection.aside is not None:
            self._space(header)[:] = connection.aside

    def may_begin(self, connection: Connection, now: float) -> bool:
        """Tell whether the throttle lets a block in."""
        return self._throttle.may_begin(connection.key, now)

    def next_block(self, connection: Connection, now: float) -> tuple[Request, memoryview] | None:
        """Take the next block for a neighbour from the mind."""
        shipment = self._session.next_upload(connection.key, now)
        if shipment is None:
            return None
        request = shipment.request
        try:
            block = self._content(request, is_garbage=shipment.is_garbage)
        except StorageError as error:
            self._fail(str(error), now)
            return None
        self._throttle.began(connection.key, request.length, now)
        return request, block

    def _content(self, request: Request, *, is_garbage: bool) -> memoryview:
        if is_garbage:
            return _GARBAGE[: request.length]
        return self._known.storage.read(request.index, request.begin, request.length)

    def block_went(self, connection: Connection, request: Request, now: float) -> None:
        """The last byte of a block is in the kernel."""
        self._session.block_sent(connection.key, request, now)

    def broken(self, connection: Connection, error: str, now: float) -> None:
        """A neighbour makes no sense."""
        self._session.broken(connection.key, error, now)

    def lost(self, connection: Connection, reason: str, now: float) -> None:
        """A connection has ended, and not by us."""
        self._forget(connection)
        self._session.disconnected(connection.key, reason, now)

    def settle(self, now: float) -> None:
        """Do all that the mind wants, until it wants nothing more."""
        if self._is_settling:
            return  # an action has brought an input: what follows from it has its turn behind the actions before it
        self._is_settling = True
        hands, to_flush = self._hands, self._to_flush
        while (actions := self._session.take_actions()) or to_flush:
            for action in actions:
                hands[type(action)](action, now)
            while to_flush:
                to_flush.popitem()[1].flush(now)
        self._is_settling = False
        self._timer.set(self._session.next_deadline(), now)
        self._turns.set(self._throttle.next_turn_at(now), now)

    # What the mind wants.

    def _send(self, action: Send, now: float) -> None:
        connection = self._connections.get(action.neighbour)
        if connection is not None:
            self._to_flush[action.neighbour] = connection
            connection.send(encode(action.message), now)

    def _greet(self, action: Greet, now: float) -> None:
        connection = self._connections.get(action.neighbour)
        if connection is not None:
            self._to_flush[action.neighbour] = connection
            connection.send(action.handshake, now)

    def _upload(self, action: Upload, _: float) -> None:
        connection = self._connections.get(action.neighbour)
        if connection is not None:
            self._to_flush[action.neighbour] = connection
            connection.offer_blocks()

    def _limit(self, action: LimitUpload, now: float) -> None:
        self._throttle.limit(action.neighbour, action.rate, now)

    def _divert(self, action: Divert, _: float) -> None:
        connection = self._connections.get(action.neighbour)
        if connection is not None:
            connection.divert()

    def _verify(self, action: Verify, _: float) -> None:
        report = partial(self._checked, action.index)
        self._known.hasher.check(action.index, report, with_digests=action.with_digests)

    def _dial(self, action: Dial, _: float) -> None:
        face = action.face
        self._dialler.dial(action.address, partial(self._reached, face), partial(self._missed, face))

    def _close(self, action: Close, _: float) -> None:
        connection = self._connections.get(action.neighbour)
        if connection is not None:
            self._forget(connection)
            connection.end()

    def _announce(self, action: Announce, _: float) -> None:
        asking = self._loop.create_task(self._ask(action))
        self._announcements.add(asking)
        asking.add_done_callback(self._announcements.discard)

    def _open(self, action: Open, _: float) -> None:
        self._open_stock(action.info).add_done_callback(self._opened)

    def _leave(self, action: Leave, _: float) -> None:
        self.left.set_result(action)

    # What comes of it.

    def _reached(self, face: int, address: Address, connected: socket.socket) -> None:
        now = monotonic()
        self._meet(connected, address, now, is_outgoing=True, face=face)
        self.settle(now)

    def _missed(self, face: int, address: Address, reason: str) -> None:
        now = monotonic()
        self._session.dial_failed(address, reason, now, face)
        self.settle(now)

    def _meet(self, connected: socket.socket, address: Address, now: float, *, is_outgoing: bool, face: int) -> None:
        key = self._session.connected(address, now, is_outgoing=is_outgoing, face=face)
        if key is None:
            connected.close()
            return
        piece_count = None if self.stock is None else self.stock.info.piece_count
        self._connections[key] = Connection(
            connected, key, self, loop=self._loop, buffer=self._buffer, piece_count=piece_count
        )

    def _forget(self, connection: Connection) -> None:
        self._connections.pop(connection.key, None)
        self._to_flush.pop(connection.key, None)
        self._throttle.forget(connection.key)

    async def _ask(self, action: Announce) -> None:
        is_farewell = action.request.event is Event.STOPPED
        try:
            response = await self._trackers.announce(action.url, action.request)
        except TrackerFailure as failure:
            if not is_farewell:
                self._session.tracker_failed(action.url, str(failure), monotonic(), action.face)
        else:
            if not is_farewell:
                self._session.tracker_answered(action.url, response, monotonic(), action.face)
        self.settle(monotonic())

    def _opened(self, opening: Opened) -> None:
        if opening.cancelled():
            return
        now = monotonic()
        try:
            self.stock, have = opening.result()
        except StorageError as error:
            self._fail(str(error), now)
        else:
            for connection in self._connections.values():
                connection.know_pieces(self.stock.info.piece_count)
            self._session.open(self.stock.info, have, now)
            self._tell_if_complete()
        self.settle(now)

    def _checked(self, index: int, is_good: bool, digests: tuple[bytes, ...]) -> None:
        now, storage = monotonic(), self._known.storage
        try:
            (storage.kept if is_good and self._session.keeps_pieces else storage.dropped)(index)
        except StorageError as error:
            self._fail(str(error), now)
        else:
            self._session.piece_checked(index, is_good, now, digests)
            self._tell_if_complete()
        self.settle(now)

    def _tell_if_complete(self) -> None:
        if self._session.is_complete and not self._is_told_complete:
            self._is_told_complete = True
            self._on_complete()

    def _tick(self) -> None:
        now = monotonic()
        if now >= self._session.next_deadline():
            self._session.tick(now)
        self.settle(now)

    def _take_turns(self) -> None:
        now = monotonic()
        while (key := self._throttle.next_turn(now)) is not None:
            self._connections[key].take_turn(now)
        self.settle(now)

    def _fail(self, what: str, now: float) -> None:
        self.failure = self.failure or what
        self._session.failed(what, now)

    def _space(self, header: PieceHeader) -> memoryview:
        return self._known.storage.space(header.index, header.begin, header.length)

    @property
    def _known(self) -> OpenTorrent:
        """The torrent, for what only happens when it is known."""
        if self.stock is None:
            raise RuntimeError("the mind trades in a torrent that was not opened")
        return self.stock
