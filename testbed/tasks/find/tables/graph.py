"""The overlay as a graph of the hosts that are there, from what each keeps; pure."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TypeAlias

Neighbours: TypeAlias = Mapping[str, Sequence[str]]
"""By host that is there, the hosts that it would send to, there or not."""


@dataclass
class Parts:
    """Hosts that can reach each other, whoever would send to whom."""

    _above: dict[str, str] = field(default_factory=dict)

    def top(self, host: str) -> str:
        """Return the host that stands for the part of another one."""
        self._above.setdefault(host, host)
        while self._above[host] != host:
            self._above[host] = self._above[self._above[host]]
            host = self._above[host]
        return host

    def join(self, one: str, other: str) -> None:
        """Put the parts of two hosts together."""
        self._above[self.top(one)] = self.top(other)


def parts_of(neighbours: Neighbours) -> list[set[str]]:
    """Return the parts that have no edge between them, the largest first."""
    parts = Parts()
    for host, others in neighbours.items():
        parts.top(host)
        for other in others:
            if other in neighbours:
                parts.join(host, other)
    found: dict[str, set[str]] = {}
    for host in neighbours:
        found.setdefault(parts.top(host), set()).add(host)
    return sorted(found.values(), key=len, reverse=True)


def living_neighbours(neighbours: Neighbours, hosts: Iterable[str], alive: Set[str]) -> dict[str, int]:
    """Return how many others each of some hosts has that are there."""
    return {host: len({other for other in neighbours[host] if other in alive and other != host}) for host in hosts}


def right_successors(identifiers: Mapping[str, str], neighbours: Neighbours) -> float | None:
    """Return the share of hosts whose first neighbour is the next host on the ring; None with fewer than two."""
    ring = sorted(identifiers, key=lambda host: int(identifiers[host], 16))
    if len(ring) < 2:
        return None
    right = sum(
        next(iter(neighbours[host]), None) == following
        for host, following in zip(ring, [*ring[1:], ring[0]], strict=True)
    )
    return right / len(ring)
