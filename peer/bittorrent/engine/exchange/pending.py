"""The exchange of pieces before the torrent is known: a client that joins by a magnet link begins with this one."""

from collections.abc import Sequence
from math import inf
from typing import Final

from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.context import Context
from peer.bittorrent.engine.download.block_reception import Placement
from peer.bittorrent.engine.strategy import Candidate
from peer.bittorrent.engine.upload.upload import QueuedBlock
from peer.bittorrent.wire import messages
from peer.bittorrent.wire.errors import MessageError
from peer.bittorrent.wire.messages import HaveBitfield, HaveNone, Message, PieceHeader, Request

MOST_EARLY: Final = 20_000
"""Messages of one neighbour that are kept until the torrent is known."""
MOST_EARLY_BITFIELDS: Final = 4
"""Such messages may be large, and one is usual."""
KEPT: Final = (
    messages.Choke,
    messages.Unchoke,
    messages.Interested,
    messages.NotInterested,
    messages.Have,
    messages.HaveAll,
    messages.HaveBitfield,
    messages.AllowedFast,
)
"""What says something about the time after that; the others are answers, or requests for what we cannot have."""


class PendingExchange:
    """Has nothing, sends nothing, and keeps the messages of neighbours for the `Exchange` that takes its place."""

    is_complete: Final = False
    completed_at: Final = None
    have: Final = None
    have_count: Final = 0
    piece_count: Final = 0
    length: Final = 0
    received_bytes: Final = 0
    sent_bytes: Final = 0
    wasted_bytes: Final = 0
    left_bytes: Final = 1
    """Trackers take 0 for a seed."""
    next_decision_at: Final = inf

    def __init__(self, context: Context) -> None:
        self._outbox = context.outbox

    def neighbour_joined(self, neighbour: Neighbour) -> bool:
        if neighbour.conversation.is_fast:
            self._outbox.send(neighbour, HaveNone())
        return False

    def neighbour_left(self, neighbour: Neighbour) -> None:
        """Its messages leave with it."""

    def message_received(self, neighbour: Neighbour, message: Message) -> None:
        if not isinstance(message, KEPT):
            return
        early = neighbour.early_messages
        if len(early) >= MOST_EARLY:
            raise MessageError(f"expected at most {MOST_EARLY} messages before the torrent is known")
        bitfields = sum(isinstance(each, HaveBitfield) for each in early) if isinstance(message, HaveBitfield) else 0
        if bitfields >= MOST_EARLY_BITFIELDS:
            raise MessageError(f"expected at most {MOST_EARLY_BITFIELDS} bitfields before the torrent is known")
        early.append(message)

    def block_began(self, _: Neighbour, __: PieceHeader) -> Placement:
        return Placement.NOWHERE

    def block_received(self, _: Neighbour, __: PieceHeader) -> bool:
        return False

    def next_block(self, _: Neighbour) -> QueuedBlock | None:
        return None

    def block_sent(self, neighbour: Neighbour, request: Request) -> None:
        """Cannot happen: no block was handed out."""

    def piece_checked(self, _: int, *, is_good: bool, digests: tuple[bytes, ...]) -> Sequence[int]:  # noqa: ARG002
        return ()

    def decide(self) -> Sequence[Candidate] | None:
        return None

    def request_only_from(self, sources: frozenset[int] | None) -> None:
        """Nothing is requested yet."""

    def tick(self) -> None:
        """There is nothing to do."""
