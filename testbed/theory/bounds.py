"""The shortest time in which a file can reach all peers.

In a flash crowd, where N peers begin together with nothing and none leaves, these are the textbook's

    client-server   max{N F/u_s, F/d_min}
    peer-to-peer    max{F/u_s, F/d_min, N F/(u_s + sum u_i)}

Peers that arrive later, or have a part already, count with what they still need. The results remain lower bounds, but a
scheme that attains them is known for the flash crowd only. A peer that leaves early can only make it slower.
"""

from dataclasses import dataclass, replace
from math import inf
from typing import Literal, TypeAlias

Term: TypeAlias = Literal["server", "download", "uploads"]


@dataclass(frozen=True, slots=True)
class Downloader:
    """One peer: its rates in bit/s, the share of the file that it has at first, and its arrival in s."""

    up: float
    down: float = inf
    held: float = 0.0
    arrival: float = 0.0


@dataclass(frozen=True, slots=True)
class Swarm:
    """A file of `size` bits, the total upload rate of the servers (bit/s), and the peers that want the file."""

    size: float
    server_up: float
    peers: tuple[Downloader, ...]

    def __post_init__(self) -> None:
        if not self.peers:
            raise ValueError("a swarm has at least one peer")

    @property
    def uploads(self) -> float:
        """The total upload rate of the peers."""
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
        """Return the same swarm with every rate reduced to its share of payload."""
        peers = tuple(replace(peer, up=peer.up * share, down=peer.down * share) for peer in self.peers)
        return Swarm(self.size, self.server_up * share, peers)


@dataclass(frozen=True, slots=True)
class Bound:
    """A lower bound on the distribution time (s): the largest of three terms, each of which is a bound by itself."""

    server: float
    """The server must send each bit at least once."""
    download: float
    """The slowest peer must receive what it needs."""
    uploads: float = 0.0
    """Server and peers together must send everything that is needed."""

    @property
    def seconds(self) -> float:
        return max(self.server, self.download, self.uploads)

    @property
    def limit(self) -> Term:
        """The largest term; the first of equal ones."""
        terms: dict[Term, float] = {"server": self.server, "download": self.download, "uploads": self.uploads}
        return max(terms, key=terms.__getitem__)


def client_server_bound(swarm: Swarm) -> Bound:
    """Bound the time in which the server alone serves all peers."""
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
