"""One of our identities in the swarm: with a peer id, a port, connections, trackers and addresses of its own.

Most clients have one identity. To other peers each identity is a client of its own; blocks that move through any of
them belong to the same pieces.
"""

from collections.abc import Callable, Sequence

from peer.bittorrent.engine.connections.connections import Connections
from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.context import Context
from peer.bittorrent.engine.discovery.address_book import AddressBook
from peer.bittorrent.engine.discovery.announcer import Announcer
from peer.bittorrent.engine.discovery.search import Search


class Presence:
    """The connections, the addresses and the search for peers of one identity."""

    def __init__(
        self,
        context: Context,
        identity: int,
        trackers: Sequence[Sequence[str]],
        *,
        is_complete: bool,
        on_left: Callable[[Neighbour], None],
    ) -> None:
        """`identity` is an index into our identities; `on_left` is called with each neighbour that was removed."""
        self.port = context.identities[identity].port
        self.addresses = AddressBook(context.rng, context.profile)
        self.connections = Connections(context, identity, self.addresses, on_left)
        announcer = Announcer(trackers, context.rng, is_complete=is_complete)
        self.search = Search(context, identity, announcer, self.addresses)
