"""The peers that others announced to us: for each key their addresses, until they expire.

Limits are libtorrent's, and so is what gives way: of all keys the one with the fewest peers, of a key's peers the one
that was announced longest ago.
"""

from random import Random
from typing import Final, TypeAlias

from peer.net.address import Address
from peer.overlays.kademlia.parameters import Parameters

_Peers: TypeAlias = dict[Address, float]
"""When each peer expires, the first to expire first."""


class PeerStore:
    """Stores peers."""

    def __init__(self, parameters: Parameters, rng: Random) -> None:
        self._parameters: Final = parameters
        self._rng: Final = rng
        self._keys: Final[dict[int, _Peers]] = {}

    def __len__(self) -> int:
        """How many peers are stored, those of all keys together."""
        return sum(map(len, self._keys.values()))

    def add(self, key: int, peer: Address, now: float) -> None:
        """Store a peer, or store it for longer."""
        peers = self._keys.get(key)
        if peers is None:
            self._make_room()
            peers = self._keys[key] = {}
        peers.pop(peer, None)
        if len(peers) >= self._parameters.most_peers:
            del peers[next(iter(peers))]
        peers[peer] = now + self._parameters.peer_lifetime

    def peers(self, key: int, now: float) -> list[Address]:
        """Return the peers of a key, a drawn choice of them if there are more than an answer may have."""
        peers = self._keys.get(key)
        if peers is None:
            return []
        self._expire(key, peers, now)
        found = list(peers)
        most = self._parameters.peers_an_answer
        return found if len(found) <= most else self._rng.sample(found, most)

    def expire(self, now: float) -> None:
        """Forget all that has expired."""
        for key, peers in list(self._keys.items()):
            self._expire(key, peers, now)

    def _expire(self, key: int, peers: _Peers, now: float) -> None:
        while peers and next(iter(peers.values())) <= now:
            del peers[next(iter(peers))]
        if not peers:
            del self._keys[key]

    def _make_room(self) -> None:
        if len(self._keys) >= self._parameters.most_keys:
            del self._keys[min(self._keys, key=lambda key: len(self._keys[key]))]
