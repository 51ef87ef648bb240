"""Turns at the uplink: which of the neighbours with requests are sent blocks now, a piece each.

An uplink that sends all its neighbours blocks at once completes all their pieces late, and at the same time:

    all at once   a b c a b c a b c a b c     the pieces are whole after 10, 11 and 12 blocks
    in turns      a a a a b b b b c c c c     after 4, 8 and 12

A piece can be passed on only when it is whole, so at the start of a swarm, when few peers have anything to send, turns
let uplinks work that would idle otherwise. Nobody is served later, and most are served sooner.

A neighbour that does not take its blocks as fast as its share of the uplink would not fill that. So one that has taken
none for a while does not count, and the next one's turn begins beside it.

Where pieces are long and the uplink is slow, a turn ends before its piece, so that those who wait are not left without
a block for so long that they give up.
"""

from math import inf
from typing import Final

from peer.bittorrent.engine.actions import OfferBlocks
from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.context import Context
from peer.bittorrent.wire.messages import Request
from peer.bittorrent.wire.metainfo.metainfo import Info

LEAST_PATIENCE: Final = 0.05
"""Seconds: where the capacity is not known, or so large that less would only measure the machine."""


class Turn:
    """One neighbour's turn, which ends with the piece that it began with, or with its time."""

    __slots__ = ("began_at", "left", "neighbour", "piece", "took_at")

    def __init__(self, neighbour: Neighbour, now: float) -> None:
        self.neighbour: Final = neighbour
        self.piece: int | None = None
        self.left = 0
        """Bytes of the piece that were not sent in this turn."""
        self.began_at = self.took_at = now

    @property
    def is_over(self) -> bool:
        """Whether the whole piece was sent, or the next request is for another one.

        Without a request it goes on: often the next one is on its way.
        """
        queue = self.neighbour.up.queue
        return self.piece is not None and (self.left <= 0 or (len(queue) > 0 and queue[0].index != self.piece))


class Turns:
    """Invariant: each neighbour with requests waits or has its turn, unless it has a rate of its own."""

    def __init__(self, context: Context, info: Info) -> None:
        profile = context.profile
        self._at_once: Final = profile.served_at_once
        self._info: Final = info
        self._outbox: Final = context.outbox
        self._turns: Final[dict[int, Turn]] = {}
        self._waiting: Final[dict[int, Neighbour]] = {}
        share = 2 * profile.served_at_once * profile.block_length / (context.capacity or inf)
        self._patience: Final = max(LEAST_PATIENCE, share)
        """Twice the time between two blocks of one neighbour while all that are served share the uplink evenly."""
        self._longest: Final = profile.rechoke_period / 2
        self.next_at = inf
        """When to call `begin_next`, if nothing happens before."""

    def requested(self, neighbour: Neighbour) -> None:
        """A neighbour has requests, after it had none."""
        if not self._takes_turns(neighbour):
            self._outbox.do(OfferBlocks(neighbour.key))
            return
        turn = self._turns.get(neighbour.key)
        if turn is not None and not turn.is_over:
            self._outbox.do(OfferBlocks(neighbour.key))
        else:
            self._end(neighbour)

    def rate_changed(self, neighbour: Neighbour) -> None:
        """A neighbour got a rate of its own, or has none any more."""
        if self._at_once and neighbour.up.queue:
            self.dropped(neighbour)
            self.requested(neighbour)

    def may_take(self, neighbour: Neighbour) -> bool:
        """Whether a neighbour with requests may take the next block now."""
        if not self._takes_turns(neighbour):
            return True
        turn = self._turns.get(neighbour.key)
        return turn is not None and not turn.is_over

    def took(self, neighbour: Neighbour, request: Request) -> None:
        """A neighbour took a block."""
        turn = self._turns.get(neighbour.key)
        if turn is None:
            return
        if turn.piece != request.index:
            turn.piece, turn.left = request.index, self._info.piece_size(request.index)
        turn.left -= request.length
        turn.took_at = self._outbox.now

    def sent(self, neighbour: Neighbour) -> None:
        """A block was sent: end the neighbour's turn if that was the last one."""
        turn = self._turns.get(neighbour.key)
        if turn is not None and (turn.is_over or self._outbox.now >= turn.began_at + self._longest):
            self._end(neighbour)

    def cancelled(self, neighbour: Neighbour) -> None:
        """A neighbour withdrew a request."""
        if neighbour.up.queue:
            self.sent(neighbour)
        else:
            self.dropped(neighbour)

    def dropped(self, neighbour: Neighbour) -> None:
        """A neighbour has no requests any more: it was choked, or has left."""
        self._waiting.pop(neighbour.key, None)
        if self._turns.pop(neighbour.key, None) is not None:
            self.begin_next()

    def begin_next(self) -> None:
        """Begin the turns of those that waited longest, as far as there is room."""
        if self._waiting:
            self._end_idle()
        while self._waiting and len(self._lasting()) < self._at_once:
            key = next(iter(self._waiting))
            self._turns[key] = Turn(self._waiting.pop(key), self._outbox.now)
            self._outbox.do(OfferBlocks(key))
        self.next_at = min(self._lasting(), default=inf) if self._waiting else inf

    def _lasting(self) -> list[float]:
        """Until when each turn counts, of those that do, unless another block is taken before."""
        ends = (turn.took_at + self._patience for turn in self._turns.values())
        return [end for end in ends if end > self._outbox.now]

    def _takes_turns(self, neighbour: Neighbour) -> bool:
        return self._at_once > 0 and neighbour.up.limit is None

    def _end(self, neighbour: Neighbour) -> None:
        """End a neighbour's turn, if it has one; with requests it waits for the next one, behind the others."""
        self._turns.pop(neighbour.key, None)
        if neighbour.up.queue:
            self._waiting[neighbour.key] = neighbour
        self.begin_next()

    def _end_idle(self) -> None:
        """End the turns of those whose next request did not come in time."""
        idle = [
            key
            for key, turn in self._turns.items()
            if not turn.neighbour.up.queue and turn.took_at + self._patience <= self._outbox.now
        ]
        for key in idle:
            del self._turns[key]
