"""One direction of HTTP: requests and answers; those of trackers are read, of all others only the length counts."""

import re
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from testbed.wiretap.messages import Message
from testbed.wiretap.protocols.bencoding import read_dictionary
from testbed.wiretap.protocols.fields import Fields
from testbed.wiretap.protocols.reader import Findings, Way

REQUESTS: Final = (b"GET ", b"POST ", b"HEAD ", b"PUT ")
ANSWER: Final = b"HTTP/1."
_MOST_HEAD: Final = 16 << 10
_MOST_BODY: Final = 64 << 10
_BEGINNING: Final = 512
"""Bytes of a message that are always kept."""
_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length:\s*([0-9]{1,18})\s*\r\n", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_REQUEST_LINE: Final = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.[01]$")
_ANSWER_LINE: Final = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")
_NUMBERS: Final = ("port", "uploaded", "downloaded", "left", "numwant", "compact")
_UNLIMITED: Final = 1 << 62


class Http:
    """Reads the bytes of one direction in their order."""

    def __init__(self, way: Way, findings: Findings, offset: int) -> None:
        self._way, self._findings, self._losses = way, findings, findings.losses
        self._offset = offset
        """Where in the stream the message that is being read begins."""
        self._kept = bytearray()
        """Its head, and the first bytes of its body."""
        self._body = 0
        """How long the body is, once the head is whole."""
        self._head = 0
        """How long the head is; 0 before it is whole."""
        self._read = 0
        """How many bytes of the message have come."""
        self._taken = 0
        """How many bytes of the allowance are kept."""
        self._is_lost = False
        self.asked: list[str] = []
        """What was requested in this direction and is not answered yet."""
        self.other: Http | None = None
        self.is_tracker = False

    def feed(self, data: bytes, start: int, end: int, length: int) -> None:
        """Read the next `length` bytes of the stream, of which the first ones are `data[start:end]`."""
        end = min(end, start + length)
        while length and not self._is_lost:
            used = (
                self._feed_head(data, start, end, length)
                if not self._head
                else self._feed_body(data, start, end, length)
            )
            self._read += used
            start, length = start + used, length - used
            if self._head and self._read >= self._head + self._body:
                self._finish()
        self._losses.unreadable_bytes += length

    def _feed_head(self, data: bytes, start: int, end: int, length: int) -> int:
        before = len(self._kept)
        is_kept = self._keep(data[start : max(start, end)])
        found = self._kept.find(_END, max(0, before - 3))
        if found >= 0:
            self._head = found + 4
            del self._kept[self._head :]
            self._body = self._body_length(bytes(self._kept))
            return self._head - before
        if not is_kept or end - start < length or len(self._kept) > _MOST_HEAD:
            # The rest of the head was cut off, or there is no room for it.
            self._losses.cut_messages += 1
            self._is_lost = True
            return 0
        return length

    def _feed_body(self, data: bytes, start: int, end: int, length: int) -> int:
        used = min(length, self._head + self._body - self._read)
        # Nothing is kept behind a hole.
        if len(self._kept) == self._read and len(self._kept) < self._head + _MOST_BODY and start < end:
            self._keep(data[start : min(end, start + used)])
        return used

    def _body_length(self, head: bytes) -> int:
        if _CHUNKED.search(head):
            return _UNLIMITED
        if found := _LENGTH.search(head):
            return min(int(found[1]), _UNLIMITED)
        status = _ANSWER_LINE.match(head)
        is_empty = status is None or status[1][:1] == b"1" or status[1] in {b"204", b"304"}
        return 0 if is_empty else _UNLIMITED

    def finish(self) -> None:
        """Finish an answer that ends with its connection."""
        if self._head and self._body >= _UNLIMITED and not self._is_lost:
            self._finish()
        elif self._read and not self._is_lost:
            self._losses.cut_messages += 1
        self._forget()

    def _keep(self, data: bytes) -> bool:
        """Keep some bytes; returns False if there is no room for them."""
        if len(self._kept) + len(data) > _BEGINNING:
            if not self._findings.allowance.take(len(data)):
                return False
            self._taken += len(data)
        self._kept += data
        return True

    def _forget(self) -> None:
        self._findings.allowance.give_back(self._taken)
        self._taken = 0
        self._kept.clear()

    def _finish(self) -> None:
        head, body = bytes(self._kept[: self._head]), bytes(self._kept[self._head :])
        line = head.partition(b"\r\n")[0]
        if found := _REQUEST_LINE.match(line):
            kind, fields = _request(found[1].decode(), found[2])
            self.asked.append(kind)
            self.is_tracker |= kind in {"announce", "scrape"}
        elif found := _ANSWER_LINE.match(line):
            asked = self.other.asked.pop(0) if self.other is not None and self.other.asked else ""
            kind, fields = self._answer(asked, int(found[1]), body)
        else:
            self._is_lost = True
            self._losses.unreadable_bytes += self._read
            return
        now, way = self._findings.now, self._way
        ends = (way.connection, way.source, way.destination)
        self._findings.messages.append(Message(now.time, now.packet, *ends, kind, self._offset, self._read, fields))
        self._offset += self._read
        self._forget()
        self._head = self._body = self._read = 0

    def _answer(self, asked: str, status: int, body: bytes) -> tuple[str, Fields]:
        length = self._read - self._head
        said, is_whole = read_dictionary(body)
        # What it says decides: in a capture that lacks requests, answers follow others than their own.
        if b"files" in said:
            asked = "scrape"
        elif b"interval" in said or (not asked and b"failure reason" in said):
            asked = "announce"
        if asked not in {"announce", "scrape"}:
            return "http answer", {"status": status, "length": length}
        self.is_tracker = True
        if len(body) < length or not is_whole:
            self._losses.cut_messages += 1
        return f"{asked} answer", {"status": status, **_tracker_fields(said)}


def _request(method: str, target: bytes) -> tuple[str, Fields]:
    path, _, query = target.partition(b"?")
    given = dict(part.partition(b"=")[::2] for part in query.split(b"&")[:200])
    if b"info_hash" not in given:
        return "http request", {"method": method, "target": target[:200].decode(errors="replace")}
    fields: dict[str, Any] = {"info_hash": unquote_to_bytes(given[b"info_hash"]).hex()}
    if path.rpartition(b"/")[2].startswith(b"scrape"):
        return "scrape", fields
    fields["peer_id"] = unquote_to_bytes(given.get(b"peer_id", b"")).hex()
    if event := given.get(b"event"):
        fields["event"] = event[:20].decode(errors="replace")
    for name in _NUMBERS:
        if re.fullmatch(rb"-?[0-9]{1,20}", number := given.get(name.encode(), b"")):
            fields[name] = int(number)
    return "announce", fields


def _tracker_fields(said: dict[bytes, Any]) -> Fields:
    fields: dict[str, Any] = {}
    for key in (b"interval", b"min interval", b"complete", b"incomplete"):
        if isinstance(said.get(key), int):
            fields[key.decode()] = said[key]
    if isinstance(reason := said.get(b"failure reason"), bytes):
        fields["failure"] = reason[:200].decode(errors="replace")
    for key, size in ((b"peers", 6), (b"peers6", 18)):
        peers = said.get(key)
        if isinstance(peers, bytes | list):
            fields[key.decode()] = len(peers) // size if isinstance(peers, bytes) else len(peers)
    if isinstance(files := said.get(b"files"), dict):
        fields["files"] = len(files)
    return fields
