"""The host cache: addresses of servents, and when each may be tried again."""

from dataclasses import dataclass
from math import inf
from random import Random
from typing import Final

from peer.net.address import Address
from peer.net.backoff import backoff
from peer.overlays.gnutella.parameters import NeighbourParameters


@dataclass(slots=True)
class Host:
    """What we know of an address."""

    failures: int = 0
    not_before: float = 0.0


class HostCache:
    """A bounded memory of addresses; a new one takes the place of the worst, and else of the oldest."""

    def __init__(self, own: Address, parameters: NeighbourParameters, rng: Random) -> None:
        self._own: Final = own
        self._parameters: Final = parameters
        self._rng: Final = rng
        self._hosts: Final[dict[Address, Host]] = {}

    def __len__(self) -> int:
        return len(self._hosts)

    def add(self, address: Address) -> bool:
        """Remember an address; returns whether it is new."""
        if address == self._own or address in self._hosts or not 0 < address.port < 1 << 16:
            return False
        if len(self._hosts) >= self._parameters.hosts:
            self._forget_one()
        self._hosts[address] = Host()
        return True

    def _forget_one(self) -> None:
        worst = max(self._hosts, key=lambda address: self._hosts[address].failures)
        del self._hosts[worst]

    def usable(self, now: float, avoid: set[Address]) -> list[Address]:
        return [address for address, host in self._hosts.items() if host.not_before <= now and address not in avoid]

    def next_time(self, avoid: set[Address]) -> float:
        """Return when the next address may be tried."""
        return min((host.not_before for address, host in self._hosts.items() if address not in avoid), default=inf)

    def failed(self, address: Address, now: float) -> None:
        """Try an address later, as it gave no connection."""
        host = self._hosts.get(address)
        if host is not None:
            host.failures += 1
            first, longest = self._parameters.first_wait, self._parameters.longest_wait
            host.not_before = now + backoff(host.failures, first, longest, self._rng)

    def succeeded(self, address: Address) -> None:
        self.add(address)
        if address in self._hosts:
            self._hosts[address] = Host()

    def some(self, most: int) -> list[Address]:
        """Return at most so many addresses for somebody else, of those that did not fail."""
        good = [address for address, host in self._hosts.items() if not host.failures]
        return self._rng.sample(good, min(most, len(good)))
