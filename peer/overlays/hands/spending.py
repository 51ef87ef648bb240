"""What a node sent and received since it was last written down, by the search that caused it."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from contract.overlay_events import UPKEEP, Spent

_Counts: TypeAlias = dict[str, list[int]]
"""Messages and bytes of each search."""


class Spending:
    """Counts messages and their bytes."""

    def __init__(self) -> None:
        self._sent: Final[_Counts] = {}
        self._charged: Final[_Counts] = {}
        self._received = [0, 0]

    def count_sent(self, search: str, size: int) -> None:
        _add(self._sent.setdefault(search, [0, 0]), size)

    def count_received(self, size: int) -> None:
        _add(self._received, size)

    def charge(self, search: str, size: int) -> None:
        """Count a message that came to a search; upkeep is what nobody is charged for."""
        if search != UPKEEP:
            _add(self._charged.setdefault(search, [0, 0]), size)

    def take(self) -> Spent | None:
        """Return what was counted since the last time, if anything was."""
        if not self._sent and not self._received[0]:
            return None
        messages, size = self._received
        spent = Spent(_rows(self._sent), messages, size, _rows(self._charged))
        self._sent.clear()
        self._charged.clear()
        self._received = [0, 0]
        return spent


def _add(counts: list[int], size: int) -> None:
    counts[0] += 1
    counts[1] += size


def _rows(counts: Mapping[str, list[int]]) -> tuple[tuple[str, int, int], ...]:
    return tuple((search, messages, size) for search, (messages, size) in counts.items())
