"""Which protocol a TCP connection carries: told by the bytes of each direction, and never by ports."""

import re
from collections.abc import Callable
from typing import Final

from testbed.wiretap.protocols.fields import PROTOCOL
from testbed.wiretap.protocols.http import Http
from testbed.wiretap.protocols.peer_wire import PeerWire
from testbed.wiretap.protocols.reader import Findings, Way
from testbed.wiretap.protocols.search import MessageSearch, search_after

_HTTP: Final = re.compile(rb"(?:GET|POST|HEAD|PUT) \S+ HTTP/1\.[01]\r\n|HTTP/1\.[01] [0-9]{3}")
_BEGINNINGS: Final = (PROTOCOL, b"HTTP/1.", b"GET ", b"POST ", b"HEAD ", b"PUT ")
_LONGEST_LINE: Final = 4096
"""Bytes of a request's first line."""


class Recognition:
    """The first reader of a direction: when it knows the protocol, the reader for that takes over."""

    def __init__(
        self, way: Way, findings: Findings, adopt: Callable[[PeerWire | Http], None], *, has_begin: bool
    ) -> None:
        self._way, self._findings, self._adopt = way, findings, adopt
        self._kept = b""
        self._is_unknown = False
        self._offset = 0
        self._search = None if has_begin else self._new_search()

    def feed(self, data: bytes, start: int, end: int, length: int) -> None:
        """Look at the next bytes of the stream."""
        end = min(end, start + length)
        if self._is_unknown:
            self._findings.losses.unreadable_bytes += length
        elif self._search is not None:
            self._look_mid_flow(self._search, data, start, end, length)
        elif length:
            self._look(self._kept + data[start:end], length + len(self._kept), is_cut=end - start < length)

    def finish(self) -> None:
        """There are no more bytes, and still too few."""
        self._findings.losses.unreadable_bytes += len(self._kept)
        if self._search is not None and not self._is_unknown:
            self._search.finish()

    def _look(self, data: bytes, length: int, *, is_cut: bool) -> None:
        """Look at all bytes since the beginning."""
        if data.startswith(PROTOCOL) or _HTTP.match(data):
            self._take_over(data, 0, len(data), length)
        elif not data:
            # The capture missed the beginning.
            self._search = self._new_search()
            self._look_mid_flow(self._search, b"", 0, 0, length)
        elif not is_cut and _may_become_known(data):
            self._kept = data
        elif is_cut and data.startswith((b"GET ", *(PROTOCOL[: len(data)],) * (len(data) < len(PROTOCOL)))):
            self._take_over(data, 0, len(data), length)
        else:
            self._kept, self._is_unknown = b"", True
            self._findings.losses.unreadable_bytes += length

    def _look_mid_flow(self, search: MessageSearch, data: bytes, start: int, end: int, length: int) -> None:
        """Look for a proof that messages begin here; a segment can also begin with what begins a connection."""
        head = data[start : min(end, start + _LONGEST_LINE)]
        if head.startswith(PROTOCOL) or _HTTP.match(head):
            search.finish()
            self._take_over(data, start, end, length)
        else:
            search.feed(data, start, end, length)
        self._offset += length

    def _take_over(self, data: bytes, start: int, end: int, length: int) -> None:
        is_http = data[start : start + 1] != PROTOCOL[:1]
        reader = Http(self._way, self._findings, self._offset) if is_http else self._wire()
        self._adopt(reader)
        reader.feed(data, start, end, length)

    def _wire(self) -> PeerWire:
        wire = PeerWire(self._way, self._findings, search_after)
        wire.boundary = self._offset
        return wire

    def _new_search(self) -> MessageSearch:
        wire = self._wire()
        wire.search = MessageSearch(wire, self._offset, self._adopt)
        return wire.search


def _may_become_known(data: bytes) -> bool:
    if len(data) < len(PROTOCOL):
        return any(beginning.startswith(data[: len(beginning)]) for beginning in _BEGINNINGS)
    return data.startswith(_BEGINNINGS[2:]) and len(data) < _LONGEST_LINE
