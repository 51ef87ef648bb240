"""One direction of a TCP connection: segments in any order become bytes in their order, each once.

Of bytes that came twice the copy that could be read first counts. A gap is a hole in the stream that the capture
missed: it is given up when the other end has acknowledged what lies behind it, when too much waits behind it, or when
the connection ends.
"""

from bisect import insort
from typing import Final, NamedTuple, Protocol

from testbed.wiretap.messages import ConnectionSummary, Direction
from testbed.wiretap.protocols.reader import Findings, Reader

MASK: Final = 0xFFFFFFFF
_HALF: Final = 1 << 31
_MOST_HELD: Final = 1 << 20
"""Captured bytes that wait behind a gap."""
_MOST_SEGMENTS: Final = 4096
_HELD_BYTES: Final = 300
"""Memory for a segment that waits, besides its data."""
_SAMPLE_BYTES: Final = 40
_WIDEST_GAP: Final = 64 << 20
"""Bytes; what lies further behind has a damaged sequence number, or is of another connection."""
_PATIENCE: Final = 50_000_000
"""Nanoseconds: a segment may be captured that much later than its acknowledgement, by another processor."""
MOST_SAMPLES: Final = 256


class Held(NamedTuple):
    """A segment that waits for one before it."""

    offset: int
    packet: int
    time: int
    length: int
    data: bytes


class Owner(Protocol):
    """The connection of a stream."""

    summary: ConnectionSummary

    first: "Stream"

    def answered(self, stream: "Stream") -> None:
        """Take the first acknowledgement of a direction."""

    def control(self, stream: "Stream", sequence: int, flags: int) -> None:
        """Take a packet that begins or ends a direction."""

    def is_reopened_by(self, sequence: int, flags: int) -> bool:
        """Return whether a SYN opens another connection between the same ports."""

    def finish(self) -> None:
        """Read what still waits."""


class Stream:
    """One direction. Offsets count from the first byte behind the SYN."""

    __slots__ = (
        "_acked_at",
        "_findings",
        "_held",
        "_held_bytes",
        "_now",
        "_rtts",
        "_samples",
        "_stride",
        "_timed_at",
        "_timed_end",
        "acked",
        "acknowledgement",
        "connection",
        "counts",
        "is_finished",
        "latest_packet",
        "latest_time",
        "missing",
        "next",
        "offset",
        "opposite",
        "packets",
        "reader",
    )

    def __init__(self, connection: Owner, counts: Direction, findings: Findings, reader: Reader) -> None:
        self.connection, self.counts, self.reader = connection, counts, reader
        self.opposite = self
        """The opposite direction, once there is one."""
        self._findings, self._now, self._rtts = findings, findings.now, connection.summary.rtts
        self.next = -1
        """The sequence number that comes next; -1 before the first packet."""
        self.offset = 0
        """Its place in the stream."""
        self.missing = 0
        """Bytes before it that were given up."""
        self.packets = self.latest_time = self.latest_packet = 0
        """How many there were, and the latest of them."""
        self.acknowledgement = -1
        """The latest acknowledgement by the other end, and the highest offset that it has acknowledged."""
        self.acked = 0
        self.is_finished = False
        self._acked_at = 0
        self._held: list[Held] = []
        self._held_bytes = 0
        self._timed_end, self._timed_at = -1, 0
        self._samples, self._stride = 0, 1

    # Six arguments: this is called for every packet, and making one of them costs as much as the rest of the call.
    def segment(  # noqa: PLR0917
        self, sequence: int, acknowledgement: int, data: bytes, start: int, end: int, length: int
    ) -> None:
        """Take a segment with `length` bytes of payload, of which `data[start:end]` was captured."""
        now = self._now
        self.latest_time, self.latest_packet = now.time, now.packet
        self.packets += 1
        if acknowledgement != self.opposite.acknowledgement:
            self.opposite.acknowledged(acknowledgement)
        if not length:
            if self.next < 0:
                self.next = sequence
        elif sequence == self.next and not self._held:
            self.next = (sequence + length) & MASK
            self.offset += length
            if self._timed_end < 0:
                self._timed_end, self._timed_at = self.offset, now.time
            self.reader.feed(data, start, end, length)
        else:
            self._place(sequence, data, start, end, length)

    def _place(self, sequence: int, data: bytes, start: int, end: int, length: int) -> None:
        """Take a segment that is not simply the next."""
        if self.next < 0:
            self.next = sequence
        ahead = (sequence - self.next) & MASK
        if 0 < ahead < _HALF:
            self._hold(ahead, data[start:end], length)
            return
        if ahead:
            seen = MASK + 1 - ahead
            self._timed_end = -1
            if seen >= length:
                # A probe of an idle connection repeats the last byte.
                self.counts.retransmitted += length if seen > 1 else 0
                return
            self.counts.retransmitted += seen
            start, length = start + seen, length - seen
        self._move(length)
        self.reader.feed(data, start, end, length)
        if self._held:
            self._release()

    def acknowledged(self, acknowledgement: int) -> None:
        """Take an acknowledgement of the other end."""
        if self.next < 0:
            return
        if self.acknowledgement < 0:
            self.connection.answered(self)
        self.acknowledgement = acknowledgement
        ahead = (acknowledgement - self.next) & MASK
        if _WIDEST_GAP < ahead < _HALF:
            return
        offset, time = self.offset + (ahead if ahead < _HALF else ahead - MASK - 1), self._now.time
        if offset > self.acked:
            self.acked, self._acked_at = offset, time
            if 0 <= self._timed_end <= offset:
                self._sample(time - self._timed_at)
                self._timed_end = -1
        while self._held and self._held[0].offset <= self.acked and time > self._acked_at + _PATIENCE:
            self._give_up()

    def finish(self) -> None:
        """Read what waits: nothing will come any more."""
        while self._held:
            self._give_up()
        # The end of a connection is acknowledged like one byte more.
        missing = self.acked - self.offset - self.is_finished
        if missing > 0 and self.next >= 0:
            self._skip(missing)
        self.counts.acknowledged = min(self.acked, self.offset)
        self.reader.finish()
        self.counts.packets, self.counts.payload = self.packets, self.offset - self.missing

    def _hold(self, ahead: int, data: bytes, length: int) -> None:
        now = self._now
        self._timed_end = -1
        if ahead > _WIDEST_GAP and not self._is_acknowledged_near((self.next + ahead) & MASK):
            self._findings.losses.unreadable_bytes += length
            return
        self.counts.out_of_order += 1
        insort(self._held, Held(self.offset + ahead, now.packet, now.time, length, data))
        self._held_bytes += len(data)
        is_full = not self._findings.allowance.take(len(data) + _HELD_BYTES)
        if is_full:
            self._findings.allowance.left -= len(data) + _HELD_BYTES
        if is_full or self._held_bytes > _MOST_HELD or len(self._held) > _MOST_SEGMENTS:
            self._give_up()

    def _is_acknowledged_near(self, sequence: int) -> bool:
        """Return whether the other end has got about as far: then the capture paused, and nothing is damaged."""
        return self.acknowledgement >= 0 and (sequence - self.acknowledgement + _WIDEST_GAP) & MASK < 2 * _WIDEST_GAP

    def _give_up(self) -> None:
        """Skip the gap before what waits, and read that as if it came now: nobody waited for it but the capture."""
        now = self._now
        time, packet = now.time, now.packet
        first = self._held[0]
        now.time, now.packet = first.time, first.packet
        self._skip(first.offset - self.offset)
        self._release(is_late=True)
        now.time, now.packet = time, packet

    def _skip(self, missing: int) -> None:
        self.missing += missing
        self._findings.losses.missing_bytes += missing
        self.counts.missing += max(0, min(missing, self.acked - self.is_finished - self.offset))
        self._move(missing)
        self.reader.feed(b"", 0, 0, missing)

    def _release(self, *, is_late: bool = False) -> None:
        """Read what waited for the bytes before it."""
        used = 0
        for segment in self._held:
            if segment.offset > self.offset:
                break
            used += 1
            self._held_bytes -= len(segment.data)
            self._findings.allowance.give_back(len(segment.data) + _HELD_BYTES)
            if is_late:
                self._now.time, self._now.packet = segment.time, segment.packet
            self._read(segment)
        del self._held[:used]

    def _read(self, segment: Held) -> None:
        seen = min(self.offset - segment.offset, segment.length)
        self.counts.retransmitted += seen
        if length := segment.length - seen:
            self._move(length)
            self.reader.feed(segment.data, min(seen, len(segment.data)), len(segment.data), length)

    def _move(self, length: int) -> None:
        self.next = (self.next + length) & MASK
        self.offset += length

    def _sample(self, nanoseconds: int) -> None:
        """Keep a sample, or every second, fourth, ... of them, so that they stay few and cover the connection."""
        if self._samples % self._stride == 0 and self._findings.allowance.take(_SAMPLE_BYTES):
            self._rtts.append(nanoseconds)
            if len(self._rtts) >= MOST_SAMPLES:
                before = len(self._rtts)
                del self._rtts[1::2]
                self._findings.allowance.give_back(_SAMPLE_BYTES * (before - len(self._rtts)))
                self._stride *= 2
        self._samples += 1
