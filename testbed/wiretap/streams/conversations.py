"""From frames to messages: each packet goes to its connection, and what its readers find comes out."""

import struct
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Final, NamedTuple

from testbed.wiretap.files.frames import Frame
from testbed.wiretap.files.links import LINKS, NO_IP
from testbed.wiretap.messages import ConnectionSummary, Message
from testbed.wiretap.protocols.reader import Findings
from testbed.wiretap.streams.connection import ACK, FIN, RST, SYN, Connection, reversed_key
from testbed.wiretap.streams.datagrams import Datagrams
from testbed.wiretap.streams.packets import TCP, UDP, Packet, Unread, read_ip
from testbed.wiretap.streams.stream import MASK, Stream

_SEGMENT: Final = struct.Struct(">IIBB").unpack_from
_COMMON: Final = struct.Struct(">12xIHxxI2x12sIIBB")
"""Ethernet, IPv4 without options, TCP."""
_ETHERNET: Final = 1
_IPV4: Final = 0x080045
"""The type of the frame, and that the head has no options; the byte behind these does not matter."""
_FRAGMENT_AND_PROTOCOL: Final = 0x3FFF00FF
"""Where more fragments or an offset are told, and the protocol; the bits between are others."""
_TCP_HEAD: Final = 20
_CONTROL: Final = SYN | FIN | RST
_UNUSUAL: Final = _CONTROL | ACK
_MOST_CONNECTIONS: Final = 20_000
_MOST_WAITING: Final = 50_000
_LATE: Final = 10_000
"""Packets: a message that is proved later than that after its own packet is out of order."""


class Segment(NamedTuple):
    """A TCP segment, of which `length` bytes from `start` are payload, captured up to `end`."""

    key: bytes
    sequence: int
    acknowledgement: int
    flags: int
    data: bytes
    start: int
    end: int
    length: int
    """Negative if the headers contradict each other."""


class Conversations:
    """All connections of a capture."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.summaries: list[ConnectionSummary] = []
        self._streams: dict[bytes, Stream] = {}
        self._datagrams = Datagrams(findings, self.summaries, _MOST_CONNECTIONS)

    def read(self, frames: Iterable[Frame]) -> Iterator[Message]:
        """Yield the messages in the frames."""
        found, now = self._findings.messages, self._findings.now
        unpack, size, streams = _COMMON.unpack_from, _COMMON.size, self._streams
        number, flush_at = 0, _LATE
        for time, data, start, end, length, link in frames:
            number += 1
            now.time, now.packet = time, number
            if link == _ETHERNET and end - start >= size:
                kind, total, protocol, key, sequence, acknowledgement, header, flags = unpack(data, start)
                if kind >> 8 == _IPV4 and protocol & _FRAGMENT_AND_PROTOCOL == TCP and total:
                    header = (header >> 4) * 4
                    at, total = start + 34 + header, total - 20 - header if header >= _TCP_HEAD else -1
                    stream = streams.get(key)
                    if stream is None or flags & _UNUSUAL != ACK or at > end or total < 0:
                        self._segment(Segment(key, sequence, acknowledgement, flags, data, at, end, total))
                    else:
                        stream.segment(sequence, acknowledgement, data, at, min(end, at + total), total)
                else:
                    self._other(data, start, end, length, link)
            else:
                self._other(data, start, end, length, link)
            if number >= flush_at or len(found) > _MOST_WAITING:
                flush_at = number + _LATE
                yield from self._take(number - _LATE)
        for stream in list(streams.values()):
            if stream is stream.connection.first:
                stream.connection.finish()
        yield from self._take(number)

    def _take(self, packet: int) -> list[Message]:
        """Remove and return the messages up to a packet; later ones wait for those that are proved later."""
        found = self._findings.messages
        found.sort(key=itemgetter(1))
        if len(found) > _MOST_WAITING:
            count = len(found)
        else:
            count = next((k for k, message in enumerate(found) if message.packet > packet), len(found))
        taken = found[:count]
        del found[:count]
        return taken

    def _other(self, data: bytes, start: int, end: int, length: int, link: int) -> None:
        """Take a frame that is not of the most common form."""
        if link not in LINKS:
            self._findings.losses.packets += 1
            return
        at = LINKS[link].packet(data, start, end)
        if at == NO_IP:
            return
        packet = read_ip(data, at, end, length - (at - start))
        if isinstance(packet, Unread):
            self._findings.losses.packets += packet == Unread.CUT
            self._findings.losses.fragments += packet == Unread.FRAGMENT
        elif packet.protocol == TCP:
            self._tcp(packet, data, end)
        elif packet.protocol == UDP:
            self._datagrams.read(packet, data, end)

    def _tcp(self, packet: Packet, data: bytes, end: int) -> None:
        at = packet.start
        if end - at < 14:
            self._findings.losses.packets += 1
            return
        sequence, acknowledgement, header, flags = _SEGMENT(data, at + 4)
        header = (header >> 4) * 4
        key = packet.addresses + data[at : at + 4]
        length = packet.length - header if header >= _TCP_HEAD else -1
        self._segment(Segment(key, sequence, acknowledgement, flags, data, at + header, end, length))

    def _segment(self, segment: Segment) -> None:
        """Take any segment: one that opens or closes a connection, or is damaged."""
        key, sequence, acknowledgement, flags, data, start, end, length = segment
        if length < 0:
            self._findings.losses.packets += 1
            return
        stream = self._streams.get(key)
        if stream is None or (flags & SYN and stream.connection.is_reopened_by(sequence, flags)):
            stream = self._open(key, flags)
            if stream is None:
                return
        if flags & _CONTROL:
            stream.connection.control(stream, sequence, flags)
            sequence = (sequence + (flags >> 1 & 1)) & MASK
        if not flags & ACK:
            acknowledgement = stream.opposite.acknowledgement
        stream.segment(sequence, acknowledgement, data, min(start, end), min(end, start + length), length)

    def _open(self, key: bytes, flags: int) -> Stream | None:
        before, reverse = self._streams.pop(key, None), reversed_key(key)
        if before is not None:
            before.connection.finish()
        if len(self.summaries) >= _MOST_CONNECTIONS:
            self._streams.pop(reverse, None)
            self._findings.losses.connections += 1
            return None
        connection = Connection(len(self.summaries), key, flags, self._findings)
        self.summaries.append(connection.summary)
        self._streams[key], self._streams[reverse] = connection.first, connection.first.opposite
        return connection.first
