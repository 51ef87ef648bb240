"""One direction of a TCP connection: segments in any order become bytes in their order, each once.

Of bytes that came twice the first copy counts. A gap is a hole in the stream that the capture missed: it is given up when
the other end has acknowledged what lies behind it, when too much waits behind it, or when the connection ends.
"""

from bisect import insort
from typing import Final, NamedTuple, Protocol

from testbed.wiretap.messages import Direction, Losses

MASK: Final = 0xFFFFFFFF
_HALF: Final = 1 << 31
_MOST_HELD: Final = 2 << 20
"""Captured bytes that wait behind a gap."""
_MOST_SEGMENTS: Final = 4096
_WIDEST_GAP: Final = 64 << 20
"""Bytes; what lies further behind has a damaged sequence number, or is of another connection."""
_PATIENCE: Final = 50_000_000
"""Nanoseconds: a segment may be captured that much later than its acknowledgement, by another processor."""
MOST_SAMPLES: Final = 256


class Reader(Protocol):
    """What reads the bytes of a stream."""

    def feed(self, data: bytes, start: int, end: int, length: int, time: int, packet: int) -> None:
        """Read the next `length` bytes, of which the first ones are `data[start:end]`, captured at that time."""


class Held(NamedTuple):
    """A segment that waits for one before it."""

    offset: int
    length: int
    data: bytes
    time: int
    packet: int


class Stream:
    """One direction. Offsets count from the first byte behind the SYN."""

    __slots__ = (
        "_held",
        "_held_bytes",
        "_samples",
        "_stride",
        "_timed_at",
        "_timed_end",
        "acked",
        "acked_at",
        "counts",
        "finished",
        "losses",
        "next",
        "offset",
        "reader",
        "rtts",
    )

    def __init__(self, counts: Direction, losses: Losses, rtts: list[int]) -> None:
        self.counts, self.losses, self.rtts = counts, losses, rtts
        self.reader: Reader | None = None
        self.next: int | None = None
        """The sequence number that comes next; None before the first packet."""
        self.offset = 0
        """Its place in the stream."""
        self.acked = 0
        """The highest offset that the other end has acknowledged."""
        self.acked_at = 0
        self.finished = False
        self._held: list[Held] = []
        self._held_bytes = 0
        self._timed_end, self._timed_at = -1, 0
        self._samples, self._stride = 0, 1

    def begin(self, sequence: int) -> None:
        """Begin with this sequence number."""
        self.next = sequence & MASK

    def receive(self, sequence: int, data: bytes, start: int, end: int, length: int, time: int, packet: int) -> None:
        """Take a segment of `length` bytes, of which `data[start:end]` was captured."""
        assert self.next is not None
        assert self.reader is not None
        ahead = (sequence - self.next) & MASK
        if ahead:
            if ahead < _HALF:
                self._hold(Held(self.offset + ahead, length, data[start:end], time, packet))
                return
            seen = MASK + 1 - ahead
            self._cancel_timing()
            if seen >= length:
                # A probe of an idle connection repeats the last byte.
                if length > 1 or seen > 1:
                    self.counts.retransmitted += length
                return
            self.counts.retransmitted += seen
            start, length = min(start + seen, end), length - seen
        self.next = (self.next + length) & MASK
        self.offset += length
        self.counts.payload += length
        if self._timed_end < 0:
            self._timed_end, self._timed_at = self.offset, time
        self.reader.feed(data, start, end, length, time, packet)
        if self._held:
            self._release(time, packet)

    def acknowledged(self, acknowledgement: int, time: int) -> None:
        """Take an acknowledgement of the other end."""
        if self.next is None:
            return
        ahead = (acknowledgement - self.next) & MASK
        offset = self.offset + (ahead if ahead < _HALF else ahead - MASK - 1)
        if offset > self.acked:
            self.acked, self.acked_at = offset, time
            if 0 <= self._timed_end <= offset:
                self._sample(time - self._timed_at)
                self._timed_end = -1
        if self._held and self._held[0].offset <= self.acked and time > self.acked_at + _PATIENCE:
            self._give_up()

    def end(self) -> None:
        """Read what waits: nothing will come any more."""
        while self._held:
            if self._held[0].offset - self.offset > _WIDEST_GAP:
                self.losses.unreadable_bytes += sum(each.length for each in self._held)
                self._held.clear()
                break
            self._give_up()
        self.reader = None

    def _hold(self, segment: Held) -> None:
        self.counts.out_of_order += 1
        self._cancel_timing()
        insort(self._held, segment)
        self._held_bytes += len(segment.data)
        if self._held_bytes > _MOST_HELD or len(self._held) > _MOST_SEGMENTS:
            self._give_up()

    def _give_up(self) -> None:
        """Skip the gap before what waits."""
        assert self.reader is not None
        first = self._held[0]
        missing = first.offset - self.offset
        self.losses.missing_bytes += missing
        self._move(missing)
        self.reader.feed(b"", 0, 0, missing, first.time, first.packet)
        self._release(0, 0)

    def _release(self, time: int, packet: int) -> None:
        """Read what waited for a segment that came at this time, or for a gap that was given up."""
        assert self.reader is not None
        used = 0
        for segment in self._held:
            offset, length, data, own_time, own_packet = segment
            if offset > self.offset:
                break
            used += 1
            self._held_bytes -= len(data)
            seen = min(self.offset - offset, length)
            self.counts.retransmitted += seen
            if length > seen:
                self._move(length - seen)
                self.counts.payload += length - seen
                self.reader.feed(
                    data, min(seen, len(data)), len(data), length - seen, time or own_time, packet or own_packet
                )
        del self._held[:used]

    def _move(self, length: int) -> None:
        assert self.next is not None
        self.next = (self.next + length) & MASK
        self.offset += length

    def _cancel_timing(self) -> None:
        """Take no sample: after a retransmission nobody knows which of the two was acknowledged."""
        self._timed_end = -1

    def _sample(self, nanoseconds: int) -> None:
        """Keep a sample, or every second, fourth, ... of them, so that they stay few and cover the connection."""
        if self._samples % self._stride == 0:
            self.rtts.append(nanoseconds)
            if len(self.rtts) >= MOST_SAMPLES:
                del self.rtts[1::2]
                self._stride *= 2
        self._samples += 1
