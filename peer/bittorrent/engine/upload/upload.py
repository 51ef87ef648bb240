"""Giving: who is unchoked, which requests wait, and what is refused.

A request is in a neighbour's queue from when it is accepted until it is handed out for sending (`next_upload`), is
cancelled, or the neighbour is choked. Nothing is handed out before the connection has room: a choke bites at once.
"""

from typing import Final, NamedTuple

from contract.events import (
    BlockMoved,
    BlockRequested,
    Choked,
    RequestEnded,
    Unchoked,
)
from peer.bittorrent.engine.actions import LimitUpload, Upload
from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.outbox import Outbox
from peer.bittorrent.engine.strategy import Garbage, Grant
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.errors import MessageError
from peer.bittorrent.wire.messages import (
    Cancel,
    Choke,
    RejectRequest,
    Request,
    Unchoke,
)

MOST_QUEUED: Final = 500
"""Requests that are kept for one neighbour; it is told in the extension handshake (`reqq`)."""
LARGEST_BLOCK: Final = 128 << 10
MOST_REFUSED: Final = 1_000
"""Requests while choked, after which a neighbour is not believed to have missed the choke."""


class Shipment(NamedTuple):
    """A block to send."""

    request: Request
    is_garbage: bool
    """Random bytes are to go in its place."""


class Serving:
    """The giving half of a session; it begins when the torrent is known."""

    def __init__(self, outbox: Outbox, have: Bitfield, piece_length: int, length: int) -> None:
        self._outbox = outbox
        self._have = have
        self._piece_length = piece_length
        self._length = length
        self.sent = 0
        """Bytes of blocks that have left us."""

    def unchoke(self, neighbour: Neighbour, grant: Grant) -> None:
        """Serve a neighbour from now on, or serve it at another rate."""
        up = neighbour.up
        up.garbage = grant.garbage
        if grant.rate != up.limit:
            up.limit = grant.rate
            self._outbox.do(LimitUpload(neighbour.key, grant.rate))
        if up.is_unchoked:
            return
        up.is_unchoked = True
        up.unchoked_at = self._outbox.now
        up.sent_when_unchoked = up.rate.total
        up.refused = 0
        self._outbox.send(neighbour, Unchoke())
        self._outbox.tell(Unchoked(neighbour.key, by_us=True, reason=grant.reason, rate=grant.rate))

    def choke(self, neighbour: Neighbour, reason: str) -> None:
        """Serve a neighbour no more; what it asked for is dropped, and with the fast extension it is told so."""
        up = neighbour.up
        if not up.is_unchoked:
            return
        up.is_unchoked = False
        dropped = [request for request in up.queue if request.index not in up.free_pieces]
        kept = [request for request in up.queue if request.index in up.free_pieces]
        up.queue.clear()
        up.queue.extend(kept)
        self._outbox.send(neighbour, Choke())
        self._outbox.tell(Choked(neighbour.key, by_us=True, reason=reason))
        for request in dropped:
            self._refuse(neighbour, request, "choked")

    def got_request(self, neighbour: Neighbour, request: Request) -> None:
        """Take a request in, or refuse it; raises MessageError for one that no honest client makes."""
        self._check(request)
        up = neighbour.up
        if self._outbox.tells_blocks:
            self._outbox.tell(BlockRequested(neighbour.key, False, request.index, request.begin, request.length))
        if request.index not in self._have and up.garbage is Garbage.NEVER:
            self._refuse(neighbour, request, "rejected")
        elif not up.is_unchoked and request.index not in up.free_pieces:
            up.refused += 1
            if up.refused > MOST_REFUSED:
                raise MessageError(f"expected no requests while choked, found {up.refused}")
            self._refuse(neighbour, request, "choked")
        elif len(up.queue) >= MOST_QUEUED:
            self._refuse(neighbour, request, "rejected")
        else:
            up.queue.append(request)
            if len(up.queue) == 1:
                self._outbox.do(Upload(neighbour.key))

    def got_cancel(self, neighbour: Neighbour, cancel: Cancel) -> None:
        """Forget a request; one that is on its way already is answered by its block."""
        wanted = Request(cancel.index, cancel.begin, cancel.length)
        try:
            neighbour.up.queue.remove(wanted)
        except ValueError:
            return
        self._refuse(neighbour, wanted, "cancelled")

    def next_upload(self, neighbour: Neighbour) -> Shipment | None:
        """Hand out the next block to send."""
        up = neighbour.up
        if not up.queue:
            return None
        request = up.queue.popleft()
        return Shipment(request, up.garbage is Garbage.ALWAYS or request.index not in self._have)

    def block_sent(self, neighbour: Neighbour, request: Request) -> None:
        """Count a block that has left us."""
        self.sent += request.length
        neighbour.up.rate.add(request.length, self._outbox.now)
        neighbour.conversation.last_said = self._outbox.now
        if self._outbox.tells_blocks:
            self._outbox.tell(BlockMoved(neighbour.key, True, request.index, request.begin, request.length))

    def _check(self, request: Request) -> None:
        """An index beyond the end is refused here too: no piece there has any bytes."""
        end = min(self._piece_length, self._length - request.index * self._piece_length)
        if not 0 < request.length <= LARGEST_BLOCK:
            raise MessageError(f"request: expected 1 to {LARGEST_BLOCK} bytes, found {request.length}")
        if request.begin + request.length > end:
            found = f"{request.length} bytes from {request.begin}"
            raise MessageError(f"request: expected a block within piece {request.index}, found {found}")

    def _refuse(self, neighbour: Neighbour, request: Request, how: str) -> None:
        """Say that a request will not be answered; without the fast extension, silence says it."""
        if neighbour.conversation.is_fast:
            self._outbox.send(neighbour, RejectRequest(request.index, request.begin, request.length))
        if self._outbox.tells_blocks:
            self._outbox.tell(RequestEnded(neighbour.key, False, request.index, request.begin, request.length, how))
