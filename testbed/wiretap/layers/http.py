"""Trackers over HTTP: `TrackerHTTP(messages=[HttpAnnounce(info_hash=..., peer_id=..., port=6881, left=0)])`.

    GET /announce?info_hash=%AA%1F...&peer_id=-TB0100-...&port=6881&uploaded=0&downloaded=0&left=65536&compact=1
    GET /scrape?info_hash=...&info_hash=...

A parameter has a field, None if it is not there; `others` lists what has no field, and what is no number where one is
expected. scapy's own HTTP layer does not look into the query, parses a head again with each segment that brings more of
a body, and takes a request for whole that is not; so heads are read here.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from scapy.base_classes import BasePacket
from scapy.fields import PacketListField
from scapy.packet import Packet, Raw, bind_layers

from testbed.wiretap.layers.answers import TrackerAnswer, answer_class
from testbed.wiretap.layers.fields import PythonField

MOST_HEAD: Final = 16 << 10
MOST_BODY: Final = 1 << 20

_END: Final = b"\r\n\r\n"
_NUMBER: Final = re.compile(rb"0|-?[1-9][0-9]{0,19}")
_STATUS: Final = re.compile(rb"(HTTP/[0-9.]{1,5}) ([1-9][0-9]{2}) ?(.*)")
_REQUEST: Final = re.compile(rb"GET ([^ ?]*)\??([^ ]*) (HTTP/[0-9.]{1,5})")
_INFO_HASH: Final = re.compile(rb"GET [^ ?]*\?(?:[^ ]*&)?info_hash=")

Pairs = list[tuple[bytes, bytes]]


class Parameter(PythonField):
    """A parameter of the query, as bytes."""

    def read(self, value: bytes) -> Any:
        """Return the value for the field; None if it is not of its type."""
        return value

    def write(self, held: Any) -> bytes:
        """Return the value for the query."""
        return held if isinstance(held, bytes) else str(held).encode()


class NumberParameter(Parameter):
    """A parameter that is a number."""

    def read(self, value: bytes) -> int | None:
        return int(value) if _NUMBER.fullmatch(value) else None


class HeadersField(PythonField):
    """The last field of a head; writes all of it."""

    def addfield(self, pkt: Packet, s: bytes, val: Pairs | None) -> bytes:
        lines = b"".join(b"%b: %b\r\n" % header for header in val or [])
        return b"%b%b\r\n%b\r\n" % (s, pkt.first_line(), lines)


class HttpMessage(Packet):
    """The first line and headers of a request or an answer."""

    def do_dissect(self, s: bytes) -> bytes:
        line, headers, end = read_head(s)
        self.fields["headers"] = headers
        self.read_first_line(line)
        self.raw_packet_cache = s[:end]
        self.raw_packet_cache_fields = {
            field.name: field.do_copy(self.fields[field.name])
            for field in self.fields_desc
            if field.name in self.fields
        }
        self.explicit = 1
        return s[end:]

    def read_first_line(self, line: bytes) -> None:
        raise NotImplementedError

    def first_line(self) -> bytes:
        raise NotImplementedError


class _Request(HttpMessage):
    def read_first_line(self, line: bytes) -> None:
        found = _REQUEST.fullmatch(line)
        if found is None:
            raise ValueError("no GET request")
        path, query, version = found.groups()
        self.fields |= {"path": path, "version": version}
        others = [pair for pair in _pairs(query) if not self._took(*pair)]
        if others:
            self.fields["others"] = others

    def first_line(self) -> bytes:
        pairs = [*self._known(), *(self.others or [])]
        query = "&".join(f"{quote_from_bytes(name)}={quote_from_bytes(value, safe='')}" for name, value in pairs)
        return b"GET %b%b %b" % (self.path, f"?{query}".encode() if pairs else b"", self.version)

    def _took(self, name: bytes, value: bytes) -> bool:
        raise NotImplementedError

    def _known(self) -> Iterator[tuple[bytes, bytes]]:
        raise NotImplementedError

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes | None]:
        return b"", s


class HttpAnnounce(_Request):
    """A client's state, and its request for peers."""

    name = "HTTP announce"
    fields_desc = [
        PythonField("path", b"/announce"),
        Parameter("info_hash"),
        Parameter("peer_id"),
        NumberParameter("port"),
        NumberParameter("uploaded"),
        NumberParameter("downloaded"),
        NumberParameter("left"),
        Parameter("event"),
        NumberParameter("compact"),
        NumberParameter("numwant"),
        Parameter("key"),
        Parameter("ip"),
        NumberParameter("no_peer_id"),
        Parameter("trackerid"),
        PythonField("others"),
        PythonField("version", b"HTTP/1.1"),
        HeadersField("headers"),
    ]

    def _took(self, name: bytes, value: bytes) -> bool:
        """Put a parameter into its field; of two with one name, the first."""
        field = _ANNOUNCE_PARAMETERS.get(name)
        held = None if field is None or field.name in self.fields else field.read(value)
        if field is not None and held is not None:
            self.fields[field.name] = held
        return held is not None

    def _known(self) -> Iterator[tuple[bytes, bytes]]:
        for name, field in _ANNOUNCE_PARAMETERS.items():
            held = self.getfieldval(field.name)
            if held is not None:
                yield name, field.write(held)


_ANNOUNCE_PARAMETERS: Final = {
    field.name.encode(): field for field in HttpAnnounce.fields_desc if isinstance(field, Parameter)
}


class HttpScrape(_Request):
    """A request for the numbers of swarms; without info-hashes, of all."""

    name = "HTTP scrape"
    fields_desc = [
        PythonField("path", b"/scrape"),
        PythonField("info_hashes", []),
        PythonField("others"),
        PythonField("version", b"HTTP/1.1"),
        HeadersField("headers"),
    ]

    def _took(self, name: bytes, value: bytes) -> bool:
        if name == b"info_hash":
            self.fields.setdefault("info_hashes", []).append(value)
        return name == b"info_hash"

    def _known(self) -> Iterator[tuple[bytes, bytes]]:
        return ((b"info_hash", info_hash) for info_hash in self.info_hashes)


class HttpAnswer(HttpMessage):
    """The head of an answer. Without `headers` it is built with the length of its body."""

    name = "HTTP answer"
    fields_desc = [
        PythonField("version", b"HTTP/1.1"),
        PythonField("status", 200),
        PythonField("reason", b"OK"),
        HeadersField("headers"),
    ]

    def read_first_line(self, line: bytes) -> None:
        found = _STATUS.fullmatch(line)
        if found is None:
            raise ValueError("no status line")
        self.fields |= {"version": found[1], "status": int(found[2]), "reason": found[3]}

    def first_line(self) -> bytes:
        return b"%b %d %b" % (self.version, self.status, self.reason)

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        if self.headers is None:
            pkt = pkt[:-2] + b"Content-Length: %d\r\n\r\n" % len(pay)
        return pkt + pay


bind_layers(HttpAnswer, TrackerAnswer)


class Head(NamedTuple):
    """What is before a body."""

    line: bytes
    headers: Pairs
    end: int


def read_head(data: bytes) -> Head:
    """Read the head at the start; raises ValueError."""
    end = data.find(_END, 0, MOST_HEAD)
    if end < 0:
        raise ValueError("no end of the head")
    line, *headers = data[:end].split(b"\r\n")
    named = [header.partition(b":") for header in headers]
    return Head(line, [(name, value.strip(b" \t")) for name, _, value in named], end + len(_END))


class Size(NamedTuple):
    """How many bytes a request or an answer has, so far as they tell."""

    known: int | None = None
    """None if more bytes must tell."""
    lasts_to_end: bool = False
    """Whether the end of the connection ends it."""


def size_of(data: bytes) -> Size | None:
    """Return the size of the request or answer that `data` begins; None if it is none, or too long for a tracker."""
    end = data.find(_END, 0, MOST_HEAD)
    if end < 0:
        is_head = b"GET ".startswith(data[:4]) or b"HTTP/".startswith(data[:5])
        return Size() if is_head and len(data) < MOST_HEAD else None
    line, headers, start = read_head(data)
    if _REQUEST.fullmatch(line):
        return Size(start)
    if not _STATUS.fullmatch(line):
        return None
    lengths = [value for name, value in headers if name.lower() == b"content-length"]
    if not lengths:
        return Size(lasts_to_end=True)
    is_fine = lengths[0].isdigit() and len(lengths[0]) < 8 and int(lengths[0]) <= MOST_BODY
    return Size(start + int(lengths[0])) if is_fine else None


def is_announce(data: bytes) -> bool:
    """Return whether these bytes begin a request to a tracker."""
    return _INFO_HASH.match(data, 0, MOST_HEAD) is not None


def http_class(data: bytes) -> type[Packet]:
    """Return the class of one whole request or answer; Raw if it is no tracker's."""
    if data.startswith(b"HTTP/"):
        return HttpAnswer
    path = data[4:].partition(b" ")[0].partition(b"?")[0]
    if path.rpartition(b"/")[2].startswith(b"scrape"):
        return HttpScrape
    return HttpAnnounce if is_announce(data) else Raw


class HttpMessagesField(PacketListField):
    """The requests or answers of a segment."""

    def __init__(self, name: str) -> None:
        super().__init__(name, [], Packet)

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, list[BasePacket]]:
        messages: list[BasePacket] = []
        while s and (end := _whole(s)):
            messages.append(http_class(s[:end])(s[:end], _parent=pkt))
            s = s[end:]
        return s, messages


def _whole(data: bytes) -> int:
    """Return the size of the tracker's message that `data` begins; 0 if that is not whole, or none."""
    size = size_of(data)
    if size is None or (size.known is None and not size.lasts_to_end):
        return 0
    end = len(data) if size.known is None else size.known
    if end > len(data) or http_class(data) is Raw:
        return 0
    is_answer = data.startswith(b"HTTP/")
    return 0 if is_answer and answer_class(data[read_head(data).end : end]) is Raw else end


class TrackerHTTP(Packet):
    """Requests to a tracker over HTTP, or its answers."""

    name = "BitTorrent tracker"
    fields_desc = [HttpMessagesField("messages")]

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *_: Any, **__: Any) -> type[Packet]:
        return cls if _pkt is None or _whole(_pkt) else Raw

    def do_dissect(self, s: bytes) -> bytes:
        rest = super().do_dissect(s)
        # Each message remembers its own bytes, and notices if it is changed.
        self.raw_packet_cache = None
        return rest

    def mysummary(self) -> str:
        return f"BitTorrent tracker {', '.join(message.name for message in self.messages)}"


def _pairs(query: bytes) -> Iterator[tuple[bytes, bytes]]:
    for part in query.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            yield unquote_to_bytes(name), unquote_to_bytes(value)
