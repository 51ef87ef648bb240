"""Datagrams of the UDP tracker protocol (BEP 15): recognised by their content.

    request   connection id (or the magic number), action, transaction id, ...
    answer    action, transaction id, ...

A request is recognised by the magic number, or by a connection id that its tracker gave out; an answer by the
transaction id of a request that was seen.
"""

import struct
from typing import Any, Final

from testbed.wiretap.protocols.fields import NO_FIELDS, Fields

MAGIC: Final = 0x41727101980
_REQUEST: Final = struct.Struct(">QII")
_ANSWER: Final = struct.Struct(">II")
_CONNECT, _ANNOUNCE, _SCRAPE, _ERROR = 0, 1, 2, 3
_NAMES: Final = {_CONNECT: "connect", _ANNOUNCE: "announce", _SCRAPE: "scrape"}
_LEAST: Final = {_CONNECT: 16, _ANNOUNCE: 98, _SCRAPE: 36}
_EVENTS: Final = {1: "completed", 2: "started", 3: "stopped"}
_MOST_OPEN: Final = 16


class Exchange:
    """What one client and one tracker say to each other."""

    __slots__ = ("_asked", "_ids", "_peer_size")

    def __init__(self, address_size: int) -> None:
        self._peer_size = address_size + 2
        self._asked: dict[int, int] = {}
        """Transaction id to action, of requests without an answer."""
        self._ids: set[bytes] = set()

    def request(self, data: bytes, length: int) -> tuple[str, Fields] | None:
        """Read a datagram of `length` bytes as a request."""
        if len(data) < _REQUEST.size:
            return None
        connection, action, transaction = _REQUEST.unpack_from(data)
        is_known = connection == MAGIC if action == _CONNECT else data[:8] in self._ids or length == _LEAST.get(action)
        if not is_known or length < _LEAST.get(action, 1 << 16):
            return None
        self._asked[transaction] = action
        if len(self._asked) > _MOST_OPEN:
            del self._asked[next(iter(self._asked))]
        return _NAMES[action], _requested(action, data, length)

    def answer(self, data: bytes, length: int) -> tuple[str, Fields] | None:
        """Read a datagram of `length` bytes as an answer to a request that was seen."""
        if len(data) < _ANSWER.size:
            return None
        action, transaction = _ANSWER.unpack_from(data)
        asked = self._asked.get(transaction)
        if asked is None or action not in {asked, _ERROR}:
            return None
        del self._asked[transaction]
        if action == _CONNECT and len(data) >= 16 and len(self._ids) < _MOST_OPEN:
            self._ids.add(data[8:16])
        return _answered(action, data, length, self._peer_size)


def _requested(action: int, data: bytes, length: int) -> Fields:
    if action == _SCRAPE:
        return {"torrents": (length - 16) // 20}
    if action != _ANNOUNCE or len(data) < 98:
        return NO_FIELDS
    downloaded, left, uploaded, event = struct.unpack_from(">QQQI", data, 56)
    fields: dict[str, Any] = {
        "info_hash": data[16:36].hex(),
        "peer_id": data[36:56].hex(),
        "downloaded": downloaded,
        "left": left,
        "uploaded": uploaded,
        "numwant": struct.unpack_from(">i", data, 92)[0],
        "port": struct.unpack_from(">H", data, 96)[0],
    }
    if event in _EVENTS:
        fields["event"] = _EVENTS[event]
    return fields


def _answered(action: int, data: bytes, length: int, peer_size: int) -> tuple[str, Fields]:
    if action == _ERROR:
        return "error", {"failure": data[8:208].decode(errors="replace")}
    if action == _ANNOUNCE and len(data) >= 20:
        interval, incomplete, complete = struct.unpack_from(">III", data, 8)
        fields: Fields = {
            "interval": interval,
            "complete": complete,
            "incomplete": incomplete,
            "peers": (length - 20) // peer_size,
        }
        return "announce answer", fields
    if action == _SCRAPE:
        return "scrape answer", {"torrents": (length - 8) // 12}
    return f"{_NAMES[action]} answer", NO_FIELDS
