"""Our identities in the swarm together: how many neighbours the strategy wants for each, and the search for more."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from peer.bittorrent.engine.connections.connections import Connections
from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.connections.presence import Presence
from peer.bittorrent.engine.context import Context
from peer.bittorrent.engine.strategy import PeerTargets, TransferTotals
from peer.net.address import Address

SEED_NEIGHBOURS: Final = 2
"""Neighbours that a seed looks for, for each of its slots: all that stay with it want something."""


class Presences:
    """All identities of one client, by their numbers."""

    def __init__(
        self,
        context: Context,
        trackers: Sequence[Sequence[str]],
        *,
        is_complete: bool,
        on_left: Callable[[Neighbour], None],
    ) -> None:
        """`on_left` is called with each neighbour that was removed."""
        self._context: Final = context
        self._each: Final = [
            Presence(context, identity, trackers, is_complete=is_complete, on_left=on_left)
            for identity in range(len(context.identities))
        ]

    def __getitem__(self, identity: int) -> Presence:
        return self._each[identity]

    def __iter__(self) -> Iterator[Presence]:
        return iter(self._each)

    def connections_of(self, neighbour: Neighbour) -> Connections:
        """Return the connections that a neighbour's is one of."""
        return self._each[neighbour.identity].connections

    def learn(self, known: Iterable[Address]) -> None:
        """Keep addresses that were given to us."""
        for presence in self._each:
            presence.addresses.learn(known, "given")

    def limit(self, targets: PeerTargets) -> None:
        """Let each have as many neighbours as the strategy wants."""
        for presence in self._each:
            presence.connections.most_neighbours = targets.most_neighbours
            presence.connections.room.most_per_host = targets.most_per_host or self._context.profile.most_per_host

    def find_peers(
        self, targets: PeerTargets, reported_totals: Callable[[], TransferTotals], *, is_complete: bool
    ) -> None:
        """Look for neighbours, as far as there are fewer than wanted."""
        for presence in self._each:
            count = presence.connections.settled_count
            wanted = self._of_seed(targets, count) if is_complete else targets
            presence.search.find_peers(wanted, reported_totals(), count)

    def _of_seed(self, targets: PeerTargets, neighbour_count: int) -> PeerTargets:
        """Have a seed dial peers one by one, and no more than keep its slots taken.

        A tracker's answer is soon out of date: when a crowd completes, most peers that needed pieces have them a moment
        later, and if all others dialled them at once the crowd would end in a storm of connections.
        """
        enough = min(SEED_NEIGHBOURS * self._context.profile.slots(self._context.capacity), neighbour_count + 1)
        return replace(targets, dials_up_to=min(targets.dials_up_to, enough))

    def become_seed(self) -> None:
        """Want nothing of seeds any more."""
        for presence in self._each:
            presence.addresses.refuse_exchange()
            presence.connections.room.is_seed = True

    def stop_dht(self) -> None:
        """Announce nothing to the DHT: the torrent is private."""
        for presence in self._each:
            presence.search.dht.stop()

    def completed(self) -> None:
        """Tell trackers that we have everything."""
        for presence in self._each:
            presence.search.completed()

    def leave(self, reported_totals: Callable[[], TransferTotals]) -> None:
        """Tell trackers that we leave."""
        for presence in self._each:
            presence.search.leave(reported_totals())

    def tick(self) -> None:
        """Do what is due for connections."""
        for presence in self._each:
            presence.connections.tick()
