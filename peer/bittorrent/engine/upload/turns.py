"""Turns at the uplink: which of the neighbours with requests are sent blocks now, a piece each.

An uplink that sends all its neighbours blocks at once completes all their pieces late, and at the same time:

    all at once   a b c a b c a b c a b c     the pieces are whole after 10, 11 and 12 blocks
    in turns      a a a a b b b b c c c c     after 4, 8 and 12

A piece can be passed on only when it is whole, so at the start of a swarm, when few peers have anything to send, turns
let uplinks work that would idle otherwise. Nobody is served later, and most are served sooner.

A neighbour that does not take its blocks as fast as its share of the uplink would not fill that. So one that has taken
none for a while does not count, and the next one's turn begins beside it.
"""

from math import inf
from typing import Final

from peer.bittorrent.engine.actions import OfferBlocks
from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.context import Context

LEAST_PATIENCE: Final = 0.05
"""Seconds: where the capacity is not known, or so large that less would only measure the machine."""


class Turn:
    """One neighbour's turn, which ends with the piece that it began with."""

    __slots__ = ("neighbour", "piece", "took_at")

    def __init__(self, neighbour: Neighbour, now: float) -> None:
        self.neighbour: Final = neighbour
        self.piece: int | None = None
        self.took_at = now

    @property
    def is_over(self) -> bool:
        """Whether the next request, if there is one, is for another piece."""
        queue = self.neighbour.up.queue
        return not queue or (self.piece is not None and queue[0].index != self.piece)


class Turns:
    """Invariant: each neighbour with requests waits or has its turn, unless it has a rate of its own."""

    def __init__(self, context: Context) -> None:
        profile = context.profile
        self._at_once: Final = profile.served_at_once
        self._outbox: Final = context.outbox
        self._turns: Final[dict[int, Turn]] = {}
        self._waiting: Final[dict[int, Neighbour]] = {}
        share = 2 * profile.served_at_once * profile.block_length / (context.capacity or inf)
        self._patience: Final = max(LEAST_PATIENCE, share)
        """Twice the time between two blocks of one neighbour while all that are served share the uplink evenly."""

    @property
    def next_at(self) -> float:
        """When to call `begin_next`, if nothing happens before."""
        if not self._waiting:
            return inf
        return min(
            (t for turn in self._turns.values() if (t := turn.took_at + self._patience) > self._outbox.now), default=inf
        )

    def requested(self, neighbour: Neighbour) -> None:
        """A neighbour has requests, after it had none."""
        if not self._at_once or neighbour.up.limit is not None or neighbour.key in self._turns:
            self._outbox.do(OfferBlocks(neighbour.key))
        else:
            self._waiting[neighbour.key] = neighbour
            self.begin_next()

    def may_take(self, neighbour: Neighbour) -> bool:
        """Whether a neighbour with requests may take the next block now."""
        if not self._at_once or neighbour.up.limit is not None:
            return True
        turn = self._turns.get(neighbour.key)
        return turn is not None and not (turn.is_over and self._waiting)

    def took(self, neighbour: Neighbour, piece: int) -> None:
        """A neighbour took a block."""
        turn = self._turns.get(neighbour.key)
        if turn is not None:
            turn.piece, turn.took_at = piece, self._outbox.now

    def sent(self, neighbour: Neighbour) -> None:
        """End a neighbour's turn if its piece is sent, or if it has no requests any more."""
        turn = self._turns.get(neighbour.key)
        if turn is not None and turn.is_over:
            if neighbour.up.queue and not self._waiting:
                turn.piece = None
                self._outbox.do(OfferBlocks(neighbour.key))
                return
            del self._turns[neighbour.key]
            if neighbour.up.queue:
                self._waiting[neighbour.key] = neighbour
            self.begin_next()

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
        now = self._outbox.now
        while self._waiting and self._busy(now) < self._at_once:
            key = next(iter(self._waiting))
            self._turns[key] = Turn(self._waiting.pop(key), now)
            self._outbox.do(OfferBlocks(key))

    def _busy(self, now: float) -> int:
        return sum(now < turn.took_at + self._patience for turn in self._turns.values())
