"""Telling others of a new piece: at once where it matters, together with other messages where it does not.

A have costs both ends about the same whatever comes of it: two packets and a wake-up. In a large swarm most of them are
to neighbours who would do nothing about it now:

    it has the piece itself                 it needs only our count, for its statistics
    we choke it, and others wait for us     it could ask for nothing, nor be given a slot before the next round

What they are told waits until they are told anything else, so that it is never late when it begins to matter (an
unchoke takes it along), or until `have_patience` of the profile has passed.
"""

from collections.abc import Iterable
from math import inf
from typing import Final

from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.outbox import Outbox
from peer.bittorrent.wire.messages import Have


class News:
    """The haves of one client."""

    def __init__(self, outbox: Outbox, patience: float, neighbours: dict[int, Neighbour]) -> None:
        """A patience of 0 is none: everybody hears everything at once."""
        self._outbox: Final = outbox
        self._patience: Final = patience
        self._neighbours: Final = neighbours
        self._due_at = inf

    def tell(self, index: int, told: Iterable[int]) -> None:
        """Tell of a piece that we have now."""
        is_crowded = any(each.up.is_interested and not each.up.is_unchoked for each in self._neighbours.values())
        for neighbour in map(self._neighbours.__getitem__, told):
            if self._patience and (_has(neighbour, index) or (is_crowded and not neighbour.up.is_unchoked)):
                self._outbox.send_along(neighbour, Have(index))
                self._due_at = min(self._due_at, self._outbox.now + self._patience)
            else:
                self._outbox.send(neighbour, Have(index))

    def look_around(self) -> None:
        """Tell what has waited long enough, and with it what has not."""
        if self._outbox.now >= self._due_at:
            self.tell_all()

    def tell_all(self) -> None:
        """Tell everything that waits."""
        self._due_at = inf
        for neighbour in self._neighbours.values():
            self._outbox.send_unsaid(neighbour)


def _has(neighbour: Neighbour, index: int) -> bool:
    return neighbour.bitfield is not None and index in neighbour.bitfield
