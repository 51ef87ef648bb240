"""Finds the messages of a direction again after their boundary was lost, or in a capture that begins mid-flow.

Attempts begin wherever bytes look like the head of a common message. An attempt reads on as if a message began there,
and each head that it meets where it expects one is evidence, in bits: how improbable it is in random bytes. Enough of
it proves the attempt, and its messages are kept. Only a file that looks like the peer wire inside could deceive it.

Where the head of a message was cut off (snaplen), the requests of the opposite direction tell what stood there: if all
blocks that were asked for before the one that is found next fill the room between, these were sent. Such pieces are
marked `inferred`. Small messages between them remain unknown, and shift their places by a few bytes.
"""

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from operator import itemgetter
from typing import Final

from testbed.wiretap.messages import Message
from testbed.wiretap.protocols.fields import Fields
from testbed.wiretap.protocols.peer_wire import PIECE_HEAD, PeerWire
from testbed.wiretap.protocols.reader import Findings
from testbed.wiretap.protocols.requests import Block, Requests

ENOUGH: Final = 100
"""Bits of evidence."""
_MOST_MESSAGES: Final = 4096
"""Of an attempt that is not proved."""
_REQUESTED: Final = 100
"""That exactly this block had been asked for."""
_ALONE: Final = 60
"""That a message fills a small segment exactly."""
_SMALL: Final = 17
_MOST_SPARE: Final = 512
"""Bytes of small messages between pieces that are inferred."""
_MOST_TRIES: Final = 16
"""Attempts in one segment; in random bytes there is hardly ever one."""
_ROOM: Final = 64
"""Marks for which memory is taken at once."""
_MOST_MARKS: Final = 64 * _ROOM - 1
_ROOM_BYTES: Final = 200 * _ROOM
_LONGEST: Final = 1 << 20
"""Bytes of a message in an attempt."""
Mark = tuple[int, int, int]
"""Where a segment ended in the stream, when it was captured, and in which packet."""
_BLOCK: Final = 16 << 10
_HEADS: Final = re.compile(rb"\0\0(?:[\x40\x80]\x09\x07|\0(?:\x0d[\x06\x08]|\x05\x04))")
"""A piece with a block of 16 or 32 KiB, a request, a cancel, a have."""
_HEADS_BEGIN: Final = b"\0\0"
_EVIDENCE: Final = {"have": 52, "extended": 32, "port": 40, "suggest piece": 52, "allowed fast": 52, "handshake": 160}
_LITTLE: Final = 10
"""Five bytes that are mostly zeros are found in many files."""
_INDEXES: Final = 1 << 20


class Attempt(PeerWire):
    """A reader that began where a message may begin."""

    __slots__ = ("began", "evidence", "is_dead", "passed")

    def __init__(self, wire: PeerWire, boundary: int) -> None:
        findings = Findings(wire.findings.now, wire.findings.allowance)
        super().__init__(wire.way, findings, wire.search_from)
        self.boundary = self.began = boundary
        self.evidence = 0
        self.is_dead = False
        """Whether something contradicts it."""
        self.passed = -1
        """How many bytes came behind its boundary, once the head there was cut off: it can read no more."""

    def place(self) -> tuple[int, int, bytes, tuple[str, int, Fields] | None]:
        """Give away how far it has read."""
        return self.boundary, self.skip, self.take_head(), self.pending

    def blocks(self) -> list[Block]:
        """Return the blocks of its pieces; the last may be on its way."""
        said = [(message.kind, message.fields) for message in self.findings.messages]
        if self.pending is not None:
            said.append((self.pending[0], self.pending[2]))
        return [_block(fields) for kind, fields in said if kind == "piece" and len(fields) >= 3]

    def _advance(self, at: int, limit: int, kind: str, length: int, fields: Fields) -> int:
        self.evidence += self._weigh(kind, fields)
        if self.is_dead or length > _LONGEST or len(self.findings.messages) > _MOST_MESSAGES:
            self.is_dead = True
            return 0
        return super()._advance(at, limit, kind, length, fields)

    def _lose(self, at: int, limit: int) -> int:
        self.passed = limit - at
        return 0

    def _fail(self, _at: int, _limit: int) -> int:
        self.is_dead = True
        return 0

    def release(self) -> None:
        """Give back the memory that it took."""
        self.take_head()
        self.requests.clear()

    def is_hopeful(self) -> bool:
        """Return whether it is proved, or can still be."""
        return not self.is_dead and self.evidence > 0 and (self.passed < 0 or self.evidence >= ENOUGH)

    def _weigh(self, kind: str, fields: Fields) -> int:
        if kind in {"request", "cancel", "reject request", "piece"}:
            return self._weigh_block(fields)
        self.is_dead |= kind.startswith("unknown")
        if fields.get("index", 0) >= _INDEXES:
            self.is_dead = True
        return _EVIDENCE.get(kind, _LITTLE if kind != "keep-alive" else 0)

    def _weigh_block(self, fields: Fields) -> int:
        if len(fields) < 3:
            return 0
        index, begin, length = _block(fields)
        if index >= _INDEXES or begin >= 1 << 28 or length > 1 << 20:
            self.is_dead = True
            return 0
        return 30 + 10 * (length == _BLOCK) + 12 + 14 * (begin % _BLOCK == 0)


class MessageSearch:
    """Searches one direction, from a place in its stream on."""

    def __init__(self, wire: PeerWire, offset: int, found: Callable[[PeerWire], None] | None = None) -> None:
        self._wire, self._found = wire, found
        self._from = self._offset = offset
        """Where the search began, and where the next bytes are."""
        self._attempts: list[Attempt] = []
        self._marks: deque[Mark] = deque(maxlen=_MOST_MARKS)
        self._rooms = 0
        self._now = wire.findings.now

    def feed(self, data: bytes, start: int, end: int, length: int) -> None:
        """Look at the next bytes."""
        now = self._now
        self._offset += length
        if len(self._marks) % _ROOM or self._has_room():
            self._marks.append((self._offset, now.time, now.packet))
        if not self._attempts and data.find(_HEADS_BEGIN, start, end) < 0:
            return
        for attempt in self._attempts:
            attempt.feed(data, start, end, length)
        for attempt in self._attempts:
            if not attempt.is_hopeful():
                attempt.release()
        self._attempts = [attempt for attempt in self._attempts if attempt.is_hopeful()]
        if not self._attempts:
            self._begin(data, start, min(end, start + length), length)
        for attempt in self._attempts:
            if attempt.evidence >= ENOUGH:
                self._accept(attempt)
                return

    def finish(self) -> None:
        """There are no more bytes."""
        self._release()
        self._wire.findings.losses.unreadable_bytes += self._offset - self._from

    def _has_room(self) -> bool:
        """Take memory for more marks, if there is some."""
        has_room = self._wire.findings.allowance.take(_ROOM_BYTES)
        self._rooms += has_room
        return has_room

    def _release(self) -> None:
        """Give back the memory that it took."""
        self._wire.findings.allowance.give_back(_ROOM_BYTES * self._rooms)
        self._rooms = 0
        self._marks.clear()
        for attempt in self._attempts:
            attempt.release()
        self._attempts = []

    def _begin(self, data: bytes, start: int, end: int, length: int) -> None:
        """Begin an attempt at the first head that leads to the end of these bytes."""
        if 0 < length == end - start <= _SMALL:
            self._try(data, start, end, length, evidence=_ALONE)
            return
        for head in islice(_HEADS.finditer(data, start, end), _MOST_TRIES):
            if self._try(data, head.start(), end, length - (head.start() - start)):
                return

    def _try(self, data: bytes, start: int, end: int, length: int, *, evidence: int = 0) -> bool:
        """Begin an attempt at the last `length` bytes that have come."""
        attempt = Attempt(self._wire, self._offset - length)
        attempt.feed(data, start, end, length)
        if attempt.evidence:
            attempt.evidence += evidence
        requests = self._requests()
        if requests is not None and any(block in requests for block in attempt.blocks()):
            attempt.evidence += _REQUESTED
        if not attempt.is_hopeful():
            attempt.release()
            return False
        self._attempts.append(attempt)
        return True

    def _requests(self) -> Requests | None:
        """Return what the opposite direction asked for."""
        return None if self._wire.other is None else self._wire.other.requests

    def _accept(self, attempt: Attempt) -> None:
        wire, losses, requests = self._wire, self._wire.findings.losses, self._requests()
        inferred = self._infer(attempt)
        losses.unreadable_bytes += attempt.began - self._from - sum(message.length for message in inferred)
        losses.unreadable_bytes += attempt.findings.losses.unreadable_bytes
        losses.cut_messages += attempt.findings.losses.cut_messages
        if requests is not None:
            for block in attempt.blocks():
                requests.answer(block)
        wire.findings.messages += [*inferred, *attempt.findings.messages]
        wire.boundary, wire.skip, head, wire.pending = attempt.place()
        wire.keep_head(head)
        attempt.requests.move_to(wire.requests)
        wire.extensions.update(attempt.extensions)
        self._release()
        wire.search = wire.search_from(wire, attempt.passed) if attempt.passed >= 0 else None
        if self._found is not None:
            self._found(wire)

    def _infer(self, attempt: Attempt) -> list[Message]:
        """Return the pieces before an attempt: all that were asked for before its first one, if they fill the room."""
        blocks, room, requests = attempt.blocks(), attempt.began - self._from, self._requests()
        if not blocks or requests is None or blocks[0] not in requests:
            return []
        if not requests.are_of_one_run(blocks[0]):
            return []
        before = requests.pop_older(blocks[0])
        spare = room - sum(PIECE_HEAD + length for _, _, length in before)
        if not before or not 0 <= spare <= _MOST_SPARE:
            return []
        return self._pieces(before, spare)

    def _pieces(self, blocks: Sequence[Block], spare: int) -> list[Message]:
        """Make messages of blocks behind the lost boundary; small messages may stand between, `spare` bytes in all."""
        way, marks, offset, messages = self._wire.way, self._marks, self._from, []
        for index, begin, length in blocks:
            size = PIECE_HEAD + length
            place = bisect_left(marks, offset + size + spare, key=itemgetter(0))
            if place < len(marks):
                fields = {"index": index, "begin": begin, "length": length, "inferred": True}
                _, time, packet = marks[place]
                ends = way.connection, way.source, way.destination
                messages.append(Message(time, packet, *ends, "piece", offset, size, fields))
            offset += size
        return messages


def _block(fields: Fields) -> Block:
    return fields["index"], fields["begin"], fields["length"]


def search_after(wire: PeerWire, length: int) -> MessageSearch:
    """Search behind a boundary where no head could be read; `length` bytes behind it have come already."""
    search = MessageSearch(wire, wire.boundary)
    search.feed(b"", 0, 0, length)
    return search
