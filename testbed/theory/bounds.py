"""The least time in which a file can reach everyone.

In a flash crowd, where N peers begin at once with nothing and nobody leaves, these are the textbook's

    client-server   max{N F/u_s, F/d_min}
    peer-to-peer    max{F/u_s, F/d_min, N F/(u_s + sum u_i)}

Peers that arrive later, or hold a part already, are counted for what they still need. The results stay lower bounds,
but what attains them is known for the flash crowd only. A peer that leaves early can only make it slower.
"""

from dataclasses import dataclass, replace
from math import inf
from typing import Literal, TypeAlias

Term: TypeAlias = Literal["server", "download", "uploads"]


@dataclass(frozen=True, slots=True)
class Downloader:
    """One peer: rates in bit/s, the share of the file that it holds at first, when it arrives (s)."""

    up: float
    down: float = inf
    held: float = 0.0
    arrival: float = 0.0


@dataclass(frozen=True, slots=True)
class Swarm:
    """A file of `size` bits, the servers' uploads together (bit/s), and who wants the file."""

    size: float
    server_up: float
    peers: tuple[Downloader, ...]

    def __post_init__(self) -> None:
        if not self.peers:
            raise ValueError("a swarm has at least one peer")

    @property
    def uploads(self) -> float:
        """The peers' uploads together."""
        return sum(peer.up for peer in self.peers)

    @property
    def slowest_download(self) -> float:
        """The textbook's d_min."""
        return min(peer.down for peer in self.peers)

    @property
    def needs(self) -> tuple[float, ...]:
        """The bits that each peer lacks at first."""
        return tuple(self.size * (1 - peer.held) for peer in self.peers)

    def in_payload(self, share: float) -> "Swarm":
        """The same with every rate reduced to the share of it that carries payload."""
        peers = tuple(replace(peer, up=peer.up * share, down=peer.down * share) for peer in self.peers)
        return Swarm(self.size, self.server_up * share, peers)


@dataclass(frozen=True, slots=True)
class Bound:
    """A lower bound on the distribution time (s), by what could be in the way; each term is one by itself."""

    server: float
    """What only the server can send must leave it."""
    download: float
    """The last peer must take in what it needs."""
    uploads: float = 0.0
    """All that is needed must leave the server or a peer."""

    @property
    def seconds(self) -> float:
        """The bound."""
        return max(self.server, self.download, self.uploads)

    @property
    def limit(self) -> Term:
        """Which term it is that limits; of equal ones the first."""
        terms: dict[Term, float] = {"server": self.server, "download": self.download, "uploads": self.uploads}
        return max(terms, key=terms.__getitem__)


def client_server_bound(swarm: Swarm) -> Bound:
    """Bound the time in which the server alone serves all."""
    return Bound(server=_first_arrival(swarm) + sum(swarm.needs) / swarm.server_up, download=_download_term(swarm))


def p2p_bound(swarm: Swarm) -> Bound:
    """Bound the time of any scheme in which peers help."""
    first = _first_arrival(swarm)
    at_first = swarm.server_up + sum(peer.up for peer in swarm.peers if peer.held > 0)
    return Bound(
        server=first + max(swarm.needs) / at_first,
        download=_download_term(swarm),
        uploads=first + sum(swarm.needs) / (swarm.server_up + swarm.uploads),
    )


def _first_arrival(swarm: Swarm) -> float:
    return min(peer.arrival for peer in swarm.peers)


def _download_term(swarm: Swarm) -> float:
    return max(peer.arrival + need / peer.down for peer, need in zip(swarm.peers, swarm.needs, strict=True))
