"""What a node sends and receives, by the search that caused it, and what goes wrong; told once a second."""

from collections.abc import Callable
from typing import Final, TypeAlias

from contract.events import TraceEvent
from contract.overlay_events import UPKEEP, NodeErred, Spent
from peer.net.address import Address

MOST_SEARCHES: Final = 1_000
"""In one line. Their names come from neighbours, who may invent many."""
MOST_TROUBLES: Final = 20
"""Told one by one in a second."""
_LONGEST: Final = 200
"""Characters of a line that quotes what a neighbour sent."""

Tell: TypeAlias = Callable[[TraceEvent], None]
_BySearch: TypeAlias = dict[str, tuple[int, int]]
"""Messages and bytes."""


class Costs:
    """Counts messages and their bytes until they are told."""

    def __init__(self, tell: Tell) -> None:
        self._tell: Final = tell
        self._sent: _BySearch = {}
        self._charged: _BySearch = {}
        self._messages_received = 0
        self._bytes_received = 0

    def count_sent(self, search: str, size: int) -> None:
        if len(self._sent) >= MOST_SEARCHES and search not in self._sent:
            self.tell()
        _add(self._sent, search, size)

    def charge(self, search: str, size: int) -> None:
        """Count what came to a search of ours; its sender counts it as upkeep. Without a search, nothing happens."""
        if search != UPKEEP:
            _add(self._charged, search, size)

    def count_received(self, messages: int, size: int) -> None:
        self._messages_received += messages
        self._bytes_received += size

    def tell(self) -> None:
        """Record what was counted since the last time, if anything was."""
        if self._sent or self._bytes_received or self._messages_received:
            received = self._messages_received, self._bytes_received
            self._tell(Spent(_rows(self._sent), *received, _rows(self._charged)))
        self._sent, self._charged = {}, {}
        self._messages_received = self._bytes_received = 0


def _add(counts: _BySearch, search: str, size: int) -> None:
    messages, total = counts.get(search, (0, 0))
    counts[search] = (messages + 1, total + size)


def _rows(counts: _BySearch) -> tuple[tuple[str, int, int], ...]:
    return tuple((search, messages, total) for search, (messages, total) in counts.items())


class Troubles:
    """What the network or a neighbour did wrong. A flood of it becomes few lines."""

    def __init__(self, tell: Tell) -> None:
        self._tell: Final = tell
        self._counts: dict[str, tuple[int, Address]] = {}
        self._others = 0

    def note(self, what: str, address: Address) -> None:
        """Take note of something that an address did or suffered."""
        what = what[:_LONGEST]
        if what in self._counts or len(self._counts) < MOST_TROUBLES:
            self._counts[what] = (self._counts.get(what, (0, address))[0] + 1, address)
        else:
            self._others += 1

    def tell(self) -> None:
        """Record each kind, with the last address and how often it was."""
        for what, (times, address) in self._counts.items():
            self._tell(NodeErred(what if times == 1 else f"{what} ({times} times)", str(address)))
        if self._others:
            self._tell(NodeErred(f"{self._others} more errors, of other kinds", ""))
        self._counts, self._others = {}, 0
