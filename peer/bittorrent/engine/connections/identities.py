"""The identities of one client: each has a peer id, a port, connections, trackers, and addresses of its own.

Most clients have one. To the others of a swarm each is a client by itself; what is traded through any of them goes into
the same pieces.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import NamedTuple

from peer.bittorrent.engine.connections.connections import Doors
from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.discovery.address_book import AddressBook
from peer.bittorrent.engine.discovery.announcer import Announcer
from peer.bittorrent.engine.discovery.search import Search
from peer.bittorrent.engine.outbox import Outbox
from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.wire.tracker.messages import AnnounceRequest


class Identity(NamedTuple):
    """Who a client says it is, and where it listens."""

    peer_id: bytes
    port: int


class Face:
    """One identity in the swarm."""

    def __init__(
        self,
        number: int,
        ours: Sequence[Identity],
        *,
        info_hash: bytes,
        trackers: Sequence[Sequence[str]],
        is_complete: bool,
        profile: Profile,
        rng: Random,
        outbox: Outbox,
        neighbours: dict[int, Neighbour],
        keys: Iterator[int],
        gone: Callable[[Neighbour], None],
    ) -> None:
        """The one of that number among ours; `neighbours` and `keys` are those of all of them."""
        peer_id, self.port = ours[number]
        self.addresses = AddressBook(rng, profile)
        self.doors = Doors(
            info_hash=info_hash,
            peer_id=peer_id,
            own_ids=frozenset(identity.peer_id for identity in ours),
            face=number,
            profile=profile,
            outbox=outbox,
            addresses=self.addresses,
            neighbours=neighbours,
            keys=keys,
            gone=gone,
        )
        self.search = Search(
            ours=AnnounceRequest(info_hash, peer_id, self.port, uploaded=0, downloaded=0, left=0),
            face=number,
            announcer=Announcer(trackers, rng, is_complete=is_complete),
            profile=profile,
            rng=rng,
            outbox=outbox,
            addresses=self.addresses,
        )
