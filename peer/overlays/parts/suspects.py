"""Nodes that did not answer, and are not taken back on another's word for a while."""

from typing import Final

from peer.net.address import Address


class Suspects:
    """Addresses, each with the time until which it is suspected; the oldest make room."""

    __slots__ = ("_most", "_until")

    def __init__(self, most: int) -> None:
        self._most: Final = most
        self._until: Final[dict[Address, float]] = {}

    def add(self, address: Address, until: float) -> None:
        self._until.pop(address, None)
        self._until[address] = until
        if len(self._until) > self._most:
            del self._until[next(iter(self._until))]

    def clear(self, address: Address) -> None:
        """A node spoke, so it lives."""
        self._until.pop(address, None)

    def has(self, address: Address, now: float) -> bool:
        return self._until.get(address, 0.0) > now
