"""Announcing a new piece: at once where it matters, together with other messages where it does not.

A have costs both ends about the same whatever follows from it: two packets and a wake-up. In a large swarm most of them
go to neighbours that would do nothing about it now:

    it has the piece itself                     it needs only our count, for its statistics
    we choke it, and others wait for a slot     it could request nothing, nor be given a slot before the next round

Haves to those are delayed until another message goes to them, so that a have is never late when it begins to matter (an
unchoke takes it along), or until `have_patience` of the profile has passed.
"""

from collections.abc import Iterable
from math import inf
from typing import Final

from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.context import Context
from peer.bittorrent.wire.messages import Have


class HaveAnnouncer:
    """The haves of one client; with a patience of 0 none is delayed."""

    def __init__(self, context: Context) -> None:
        self._outbox: Final = context.outbox
        self._patience: Final = context.profile.have_patience
        self._neighbours: Final = context.neighbours
        self._due_at = inf

    def announce(self, index: int, keys: Iterable[int]) -> None:
        """Announce a new piece to these neighbours."""
        is_crowded = any(each.up.is_interested and not each.up.is_unchoked for each in self._neighbours.values())
        for neighbour in map(self._neighbours.__getitem__, keys):
            if self._patience and (_has(neighbour, index) or (is_crowded and not neighbour.up.is_unchoked)):
                self._outbox.send_later(neighbour, Have(index))
                self._due_at = min(self._due_at, self._outbox.now + self._patience)
            else:
                self._outbox.send(neighbour, Have(index))

    def tick(self) -> None:
        """Send the delayed haves if the first of them has waited long enough."""
        if self._outbox.now >= self._due_at:
            self.send_delayed()

    def send_delayed(self) -> None:
        self._due_at = inf
        for neighbour in self._neighbours.values():
            self._outbox.send_delayed(neighbour)


def _has(neighbour: Neighbour, index: int) -> bool:
    return neighbour.bitfield is not None and index in neighbour.bitfield
