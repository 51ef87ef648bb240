"""The scheme that attains the peer-to-peer bound of a flash crowd, as rates of a fluid (Kumar and Ross).

The server sends peer i a stream s_i of its own, which i relays to all others, and to each peer a stream s_0 that is not
relayed:

    server     (N-1) u_s <= sum u_i         s_i = u_s u_i / sum u_i, s_0 = 0                       each peer gets u_s
    uploads    otherwise                    s_i = u_i/(N-1), s_0 = (u_s - sum u_i/(N-1)) / N       (u_s + sum u_i)/N
    download   d_min is below that          the same streams, all scaled down                      d_min
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from testbed.theory.bounds import Swarm, Term


@dataclass(frozen=True, slots=True)
class FluidRates:
    """All streams of the scheme, in bit/s."""

    limit: Term
    relayed: tuple[float, ...]
    """What the server sends to each peer, which relays it to every other peer at this rate."""
    direct: float
    """What the server sends to each peer for that peer alone."""

    @property
    def received(self) -> float:
        """What each peer receives."""
        return self.direct + sum(self.relayed)

    def scaled(self, factor: float, limit: Term) -> "FluidRates":
        return FluidRates(limit, tuple(rate * factor for rate in self.relayed), self.direct * factor)


def fluid_rates(swarm: Swarm) -> FluidRates:
    """Return the rates at which all peers complete at the bound."""
    rates = _unlimited_downloads(swarm.server_up, [peer.up for peer in swarm.peers])
    slowest = swarm.slowest_download
    return rates.scaled(slowest / rates.received, "download") if slowest < rates.received else rates


def _unlimited_downloads(server_up: float, ups: list[float]) -> FluidRates:
    total, others = sum(ups), len(ups) - 1
    if others == 0:
        return FluidRates("server", (server_up,), 0.0)
    if total and others * server_up <= total:
        return FluidRates("server", tuple(server_up * (up / total) for up in ups), 0.0)
    relayed = tuple(up / others for up in ups)
    return FluidRates("uploads", relayed, max(0.0, server_up - total / others) / len(ups))


@dataclass(frozen=True, slots=True)
class LinkLoads:
    """The share of each link that the streams use."""

    server: float
    uplinks: tuple[float, ...]
    downlinks: tuple[float, ...]

    def is_feasible(self, tolerance: float = 1e-9) -> bool:
        """Whether no link is overloaded."""
        return max(self.server, *self.uplinks, *self.downlinks) <= 1 + tolerance


def link_loads(rates: FluidRates, swarm: Swarm) -> LinkLoads:
    """Return how much of each link of a swarm the streams use."""
    sent = sum(rates.relayed) + len(swarm.peers) * rates.direct
    relays = [rate * (len(swarm.peers) - 1) for rate in rates.relayed]
    return LinkLoads(
        server=_share(sent, swarm.server_up),
        uplinks=_shares(relays, (peer.up for peer in swarm.peers)),
        downlinks=_shares([rates.received] * len(swarm.peers), (peer.down for peer in swarm.peers)),
    )


def _shares(loads: Iterable[float], rates: Iterable[float]) -> tuple[float, ...]:
    return tuple(_share(load, rate) for load, rate in zip(loads, rates, strict=True))


def _share(load: float, rate: float) -> float:
    if not rate:
        return inf if load else 0.0
    return load / rate
