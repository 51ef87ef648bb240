"""The bytes of one direction of a TCP connection in their order, whatever order their segments were captured in.

scapy's TCPSession fills holes with zeros, which the peer wire reads as keep-alives, so the layers order segments here.

    segments    [100..200)  [300..400)  [200..300)  [200..300)
    runs        [100..200)              [200..400)               duplicates add nothing

A segment of which the capture kept only the first bytes (a snaplen) is a run of these bytes and a number of missing
ones. A hole that no segment fills is given up as soon as too much waits behind it.
"""

import heapq
from dataclasses import dataclass, field
from typing import Final, NamedTuple

WINDOW: Final = 1 << 20
"""The most bytes that wait behind a hole, and how far back a retransmission may reach."""
MOST_WAITING: Final = 1_024
"""The most segments that wait."""

_SEQUENCE: Final = 1 << 32


class Run(NamedTuple):
    """Bytes that follow the ones before, unless there is a gap."""

    data: bytes
    missing: int = 0
    """How many bytes after `data` were not captured, although their segment was."""
    is_after_gap: bool = False
    """Whether bytes of unknown number are missing before `data`."""


@dataclass(slots=True)
class Order:
    """Puts the segments of one direction in order."""

    _next: int | None = None
    """The offset of the byte that is due; its sequence number is this modulo 2^32."""
    _waiting: list[tuple[int, bytes, int]] = field(default_factory=list)
    """Offset, data and length of segments that came early, as a heap."""
    _waiting_bytes: int = 0
    _acknowledged: int = 0
    """The offset before which the receiver has everything: what was not captured of that never will be."""

    @property
    def is_complete(self) -> bool:
        """Whether no segment waits for one before it."""
        return not self._waiting

    def add(self, sequence: int, data: bytes, length: int) -> list[Run]:
        """Take a segment, of whose `length` bytes `data` was captured; return what is in order now."""
        if not length:
            return []
        if self._next is None:
            self._next = sequence
        at = self._offset(sequence, self._next)
        runs: list[Run] = []
        while self._waiting and abs(at - self._next) > WINDOW:
            runs += self._give_up_hole()
        if abs(at - self._next) > WINDOW:
            # Much was not captured, or a new connection has the old one's ports.
            self._next = sequence + length
            return [*runs, Run(data, length - len(data), is_after_gap=True)]
        if at > self._next:
            return [*runs, *self._keep(at, data, length)]
        return [*runs, *self._take(at, data, length), *self._drain()]

    def acknowledge(self, sequence: int) -> None:
        """Take the number of the byte that the receiver expects."""
        if self._next is not None:
            at = self._offset(sequence, self._next)
            self._acknowledged = max(self._acknowledged, min(at, self._next + WINDOW))

    @staticmethod
    def _offset(sequence: int, near: int) -> int:
        """Return the offset with this sequence number that is nearest to another."""
        return near + (sequence - near + _SEQUENCE // 2) % _SEQUENCE - _SEQUENCE // 2

    def _take(self, at: int, data: bytes, length: int) -> list[Run]:
        """Return what is new of a segment that begins at the due byte or before it."""
        assert self._next is not None  # noqa: S101 - `add` has set it
        known = self._next - at
        if known >= length:
            return []
        self._next = at + length
        new = data[known:]
        return [Run(new, length - known - len(new))]

    def _keep(self, at: int, data: bytes, length: int) -> list[Run]:
        heapq.heappush(self._waiting, (at, data, length))
        self._waiting_bytes += length
        is_known_lost = self._waiting[0][0] <= self._acknowledged
        if self._waiting_bytes <= WINDOW and len(self._waiting) <= MOST_WAITING and not is_known_lost:
            return []
        return self._give_up_hole()

    def _give_up_hole(self) -> list[Run]:
        self._next = self._waiting[0][0]
        first, *others = self._drain()
        return [first._replace(is_after_gap=True), *others]

    def _drain(self) -> list[Run]:
        assert self._next is not None  # noqa: S101 - `add` has set it
        runs: list[Run] = []
        while self._waiting and self._waiting[0][0] <= self._next:
            at, data, length = heapq.heappop(self._waiting)
            self._waiting_bytes -= length
            runs += self._take(at, data, length)
        return runs
