"""What the ordered bytes of one direction are: messages of the peer wire, requests or answers of a tracker, or neither.

A reader takes runs (see `ordering`) and gives what they complete: whole messages, and bytes that it cannot read. Of a
message of which a part was not captured it gives what was captured before, if its length is among that. When it no
longer knows where a message begins, it waits for a segment that begins with one.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

from scapy.packet import Packet, Raw

from testbed.wiretap.layers.http import MOST_BODY, MOST_HEAD, Size, http_class, size_of
from testbed.wiretap.layers.messages import HANDSHAKE_LENGTH, LONGEST, PeerWireMessage
from testbed.wiretap.layers.ordering import Run
from testbed.wiretap.layers.peerwire import message_starts

_PREFIX: Final = 4
_HEAD: Final = 5


@dataclass(slots=True)
class Readings:
    """What some runs completed."""

    messages: list[Packet] = field(default_factory=list)
    unreadable: bytearray = field(default_factory=bytearray)


class Reader(Protocol):
    """Reads one direction from a known place on."""

    @property
    def waits_for_end(self) -> bool:
        """Whether only the end of the connection completes what is due."""

    def read(self, run: Run, into: Readings) -> None:
        """Take what follows."""

    def end(self, into: Readings) -> None:
        """Take the end of the connection."""


class Unread:
    """Passes everything on as bytes."""

    waits_for_end = False

    def read(self, run: Run, into: Readings) -> None:
        into.unreadable += run.data

    def end(self, into: Readings) -> None:
        """Nothing is kept."""


class MessageReader:
    """Reads the peer wire from the handshake on or, if `is_lost`, from the first segment that begins with a message."""

    waits_for_end = False

    def __init__(self, *, is_lost: bool = False) -> None:
        self._is_lost = is_lost
        self._is_shaken = is_lost
        self._begun = bytearray()
        """What was captured of the message that is due, from its beginning to its end or to the first missing byte."""
        self._left = 0
        """If bytes of that message are missing: how many of its bytes are still to come."""

    def read(self, run: Run, into: Readings) -> None:
        if run.is_after_gap:
            self._lose(into)
        if self._is_lost:
            self._is_lost = not message_starts(run.data)
        if self._is_lost:
            into.unreadable += run.data
            return
        self._take(run.data[self._pass(len(run.data), into) :], into)
        if run.missing and not self._is_lost:
            self._miss(run.missing, into)

    def end(self, into: Readings) -> None:
        self._lose(into)

    def _take(self, data: bytes, into: Readings) -> None:
        self._begun += data
        at = 0
        while (size := self._size(at)) is not None and at + size <= len(self._begun):
            self._give(self._begun[at : at + size], into)
            at += size
        del self._begun[:at]
        if self._is_lost:
            self._lose(into)

    def _size(self, at: int) -> int | None:
        """Return the size of the message at an offset; None if its length is still to come, or cannot be right."""
        if not self._is_shaken:
            return HANDSHAKE_LENGTH
        if len(self._begun) < at + _PREFIX:
            return None
        length = int.from_bytes(self._begun[at : at + _PREFIX], "big")
        self._is_lost = length > LONGEST
        return None if self._is_lost else _PREFIX + length

    def _miss(self, count: int, into: Readings) -> None:
        """Go over bytes that were not captured: inside a message of known length they do no harm."""
        if not self._left:
            size = self._size(0) if len(self._begun) >= _HEAD else None
            if size is None:
                self._lose(into)
                return
            self._left = size - len(self._begun)
        if self._pass(count, into) < count:
            self._lose(into)

    def _pass(self, count: int, into: Readings) -> int:
        """Go over bytes of a message of which some are missing; return how many of them it has."""
        passed = min(count, self._left)
        self._left -= passed
        if passed and not self._left:
            self._give(self._begun, into)
            self._begun.clear()
        return passed

    def _give(self, message: bytearray, into: Readings) -> None:
        self._is_shaken = True
        into.messages.append(PeerWireMessage(bytes(message)))

    def _lose(self, into: Readings) -> None:
        into.unreadable += self._begun
        self._begun.clear()
        self._left = 0
        self._is_lost = self._is_shaken = True


class HttpReader:
    """Reads requests to a tracker, or its answers. What is missing makes the rest unreadable."""

    def __init__(self) -> None:
        self._begun = bytearray()
        self._size = Size()
        self._is_lost = False
        self.is_tracker = False
        """Whether a request to a tracker was among what it has read."""

    @property
    def waits_for_end(self) -> bool:
        return self._size.lasts_to_end

    def read(self, run: Run, into: Readings) -> None:
        self._is_lost |= run.is_after_gap
        self._begun += run.data
        while self._begun and not self._is_lost and self._gave(into):
            pass
        self._is_lost |= bool(run.missing) or len(self._begun) > MOST_HEAD + MOST_BODY
        if self._is_lost:
            self._lose(into)

    def end(self, into: Readings) -> None:
        if self._size.lasts_to_end:
            self._give(len(self._begun), into)
        self._lose(into)

    def _gave(self, into: Readings) -> bool:
        """Give the request or answer that is due, if it is whole."""
        if self._size == Size():
            found = size_of(bytes(self._begun))
            self._is_lost = found is None
            self._size = found or Size()
        known = self._size.known
        if known is None or known > len(self._begun):
            return False
        self._give(known, into)
        return True

    def _give(self, size: int, into: Readings) -> None:
        whole = bytes(self._begun[:size])
        del self._begun[:size]
        self._size = Size()
        made = http_class(whole)
        if made is Raw:
            into.unreadable += whole
        else:
            self.is_tracker |= whole.startswith(b"GET ")
            into.messages.append(made(whole))

    def _lose(self, into: Readings) -> None:
        into.unreadable += self._begun
        self._begun.clear()
        self._size = Size()
        self._is_lost = True
