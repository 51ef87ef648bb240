"""Models beyond the bounds: pieces instead of a fluid, and swarms in a steady state.

Mundinger's bound and the fluid model of Qiu and Srikant are written from memory: quote figures from the papers, not
from here. The tests check consistency: the steady state is one, and the bound falls to 1 as pieces get smaller.
"""

from dataclasses import dataclass
from math import floor, inf, log, log2

from testbed.theory.bounds import Swarm


def chunked_time(peers: int, pieces: int) -> float:
    """Return the shortest time to give N peers M pieces, in units of F/u: equal uploads, and no download limit.

    Mundinger, Weber and Weiss: 1 + floor(log2 N) / M.
    """
    if peers < 1 or pieces < 1:
        raise ValueError(f"at least one peer and one piece are needed, not {peers} and {pieces}")
    return 1 + floor(log2(peers)) / pieces


def chunked_seconds(swarm: Swarm, pieces: int) -> float | None:
    """Return that time in seconds, F/u (1 + floor(log2 N)/M); None for a swarm to which the formula does not apply.

    It applies if server and peers have the same upload u and no other limit, and all peers begin at once with nothing.
    """
    is_even = all(peer.up == swarm.server_up and peer.down == inf for peer in swarm.peers)
    if not is_even or any(peer.held or peer.arrival for peer in swarm.peers):
        return None
    return swarm.size / swarm.server_up * chunked_time(len(swarm.peers), pieces)


def sharing_effectiveness(pieces: int, neighbours: int) -> float:
    """Return eta, the probability that a peer has a piece for one of its k neighbours: about 1 - (log M / M)^k."""
    if pieces < 1 or neighbours < 0:
        raise ValueError(f"at least one piece and 0 or more neighbours are needed, not {pieces} and {neighbours}")
    return 1 - (log(pieces) / pieces) ** neighbours


def free_ride_share(slots: int) -> float:
    """Return a free rider's share of the others' uploads: one optimistic slot beside `slots` others."""
    return 1 / (slots + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FluidModel:
    """Qiu and Srikant's swarm: x leechers and y seeds, in files and units of time."""

    arrivals: float
    """lambda: leechers a unit of time."""
    upload: float
    """mu: files a unit of time."""
    download: float = inf
    """c: files a unit of time."""
    aborts: float = 0.0
    """theta: the rate at which a leecher gives up."""
    seed_departures: float
    """gamma: the rate at which a seed leaves."""
    effectiveness: float = 1.0
    """eta: how much of its upload a leecher can use."""

    def change(self, leechers: float, seeds: float) -> tuple[float, float]:
        """Return dx/dt and dy/dt."""
        completions = self.completions(leechers, seeds)
        return self.arrivals - self.aborts * leechers - completions, completions - self.seed_departures * seeds

    def completions(self, leechers: float, seeds: float) -> float:
        """Return how many leechers become seeds in a unit of time, as downloads or uploads allow."""
        by_uploads = self.upload * (self.effectiveness * leechers + seeds)
        return min(self.download * leechers, by_uploads) if leechers else 0.0

    def steady_state(self) -> tuple[float, float]:
        """Return the numbers of leechers and seeds that remain constant."""
        leechers = self.arrivals / (self._completion_rate() + self.aborts)
        return leechers, self._completion_rate() * leechers / self.seed_departures

    def mean_download_time(self) -> float:
        """Return the mean download time in the steady state, by Little's law."""
        return 1 / (self._completion_rate() + self.aborts)

    def _completion_rate(self) -> float:
        """Return beta, a leecher's rate of completion: 1 / max{1/c, (1/mu - 1/gamma)/eta}."""
        slowest = max(1 / self.download, (1 / self.upload - 1 / self.seed_departures) / self.effectiveness)
        if slowest <= 0:
            raise ValueError("seeds that stay this long serve every leecher at once: there is no steady state")
        return 1 / slowest
