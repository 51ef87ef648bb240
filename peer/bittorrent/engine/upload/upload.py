"""The upload: which neighbours are unchoked, which requests wait, and which are refused.

A request is in a neighbour's queue from when it is accepted until it is handed out for sending (`next_block`), is
cancelled, or the neighbour is choked. No block is handed out before the connection has room: so a choke works at once.
"""

from typing import Final, NamedTuple

from contract.events import (
    BlockMoved,
    BlockRequested,
    Choked,
    RequestEnded,
    Unchoked,
)
from peer.bittorrent.engine.actions import LimitUpload
from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.context import Context
from peer.bittorrent.engine.strategy import Garbage, Grant
from peer.bittorrent.engine.upload.turns import Turns
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.errors import MessageError
from peer.bittorrent.wire.messages import (
    Cancel,
    Choke,
    RejectRequest,
    Request,
    Unchoke,
)
from peer.bittorrent.wire.metainfo.metainfo import Info

MOST_QUEUED: Final = 500
"""Requests that are queued for one neighbour; the extension handshake states it (`reqq`)."""
LARGEST_BLOCK: Final = 128 << 10
MOST_REFUSED: Final = 1_000
"""Requests while choked, or beyond the torrent, after which a neighbour cannot simply have missed the choke."""


class QueuedBlock(NamedTuple):
    """A block to send."""

    request: Request
    is_garbage: bool
    """Random bytes are sent in its place."""


class Upload:
    """What we send to all neighbours; it exists once the torrent is known."""

    def __init__(self, context: Context, info: Info, have: Bitfield) -> None:
        self._outbox = context.outbox
        self._turns = Turns(context, info)
        self._have = have
        self._piece_length = info.piece_length
        self._length = info.length
        self.sent = 0
        """Bytes of blocks."""

    def unchoke(self, neighbour: Neighbour, grant: Grant) -> None:
        """Serve a neighbour, or change the rate at which it is served."""
        up = neighbour.up
        up.garbage = grant.garbage
        if grant.rate != up.limit:
            up.limit = grant.rate
            self._outbox.do(LimitUpload(neighbour.key, grant.rate))
            self._turns.rate_changed(neighbour)
        if up.is_unchoked:
            return
        up.is_unchoked = True
        up.unchoked_at = self._outbox.now
        up.sent_when_unchoked = up.rate.total
        up.refused = 0
        self._outbox.send(neighbour, Unchoke())
        self._outbox.record(Unchoked(neighbour.key, by_us=True, reason=grant.reason, rate=grant.rate))

    def choke(self, neighbour: Neighbour, reason: str) -> None:
        """Stop serving a neighbour: its requests are dropped, and rejected if it has the fast extension."""
        up = neighbour.up
        if not up.is_unchoked:
            return
        up.is_unchoked = False
        dropped = [request for request in up.queue if request.index not in up.free_pieces]
        kept = [request for request in up.queue if request.index in up.free_pieces]
        up.queue.clear()
        up.queue.extend(kept)
        if not kept:
            self._turns.dropped(neighbour)
        self._outbox.send(neighbour, Choke())
        self._outbox.record(Choked(neighbour.key, by_us=True, reason=reason))
        for request in dropped:
            self._refuse(neighbour, request, "choked")

    def got_request(self, neighbour: Neighbour, request: Request) -> None:
        """Queue a request, or refuse it; raises MessageError for too many that were refused."""
        up = neighbour.up
        if not self._is_within_a_piece(request):
            self._count_refused(neighbour)
            self._reject(neighbour, request)
            return
        if self._outbox.records_blocks:
            self._outbox.record(BlockRequested(neighbour.key, False, request.index, request.begin, request.length))
        if request.index not in self._have and up.garbage is Garbage.NEVER:
            self._refuse(neighbour, request, "rejected")
        elif not up.is_unchoked and request.index not in up.free_pieces:
            self._count_refused(neighbour)
            self._refuse(neighbour, request, "choked")
        elif len(up.queue) >= MOST_QUEUED:
            self._refuse(neighbour, request, "rejected")
        else:
            up.queue.append(request)
            if len(up.queue) == 1:
                self._turns.requested(neighbour)

    def got_cancel(self, neighbour: Neighbour, cancel: Cancel) -> None:
        """Drop a request; one whose block is being sent already is answered by that block."""
        wanted = Request(cancel.index, cancel.begin, cancel.length)
        try:
            neighbour.up.queue.remove(wanted)
        except ValueError:
            return
        self._turns.cancelled(neighbour)
        self._refuse(neighbour, wanted, "cancelled")

    def next_block(self, neighbour: Neighbour) -> QueuedBlock | None:
        """Take the next block to send from the queue."""
        up = neighbour.up
        if not up.queue or not self._turns.may_take(neighbour):
            return None
        request = up.queue.popleft()
        self._turns.took(neighbour, request)
        return QueuedBlock(request, up.garbage is Garbage.ALWAYS or request.index not in self._have)

    def neighbour_left(self, neighbour: Neighbour) -> None:
        self._turns.dropped(neighbour)

    @property
    def next_turn_at(self) -> float:
        """When to call `begin_turns`."""
        return self._turns.next_at

    def begin_turns(self) -> None:
        """Serve others beside neighbours that do not take their blocks."""
        self._turns.begin_next()

    def block_sent(self, neighbour: Neighbour, request: Request) -> None:
        self.sent += request.length
        neighbour.up.rate.add(request.length, self._outbox.now)
        self._turns.sent(neighbour)
        neighbour.conversation.last_sent = self._outbox.now
        if self._outbox.records_blocks:
            self._outbox.record(BlockMoved(neighbour.key, True, request.index, request.begin, request.length))

    def _is_within_a_piece(self, request: Request) -> bool:
        """Whether a request asks for what we can send at once; a piece beyond the end of the torrent has no bytes."""
        end = min(self._piece_length, self._length - request.index * self._piece_length)
        return 0 < request.length <= LARGEST_BLOCK and request.begin + request.length <= end

    def _count_refused(self, neighbour: Neighbour) -> None:
        neighbour.up.refused += 1
        if neighbour.up.refused > MOST_REFUSED:
            raise MessageError(f"expected no more requests that cannot be served, found {neighbour.up.refused}")

    def _reject(self, neighbour: Neighbour, request: Request) -> None:
        """Answer that a request is refused; without the fast extension there is no such answer."""
        if neighbour.conversation.is_fast:
            self._outbox.send(neighbour, RejectRequest(request.index, request.begin, request.length))

    def _refuse(self, neighbour: Neighbour, request: Request, how: str) -> None:
        self._reject(neighbour, request)
        if self._outbox.records_blocks:
            self._outbox.record(RequestEnded(neighbour.key, False, request.index, request.begin, request.length, how))
