"""From frames to messages: each packet goes to its connection, and what the connection's readers find comes out."""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

from testbed.wiretap.files.frames import Frame
from testbed.wiretap.files.links import LINKS, NO_IP
from testbed.wiretap.messages import ConnectionSummary, Direction, Losses, Message
from testbed.wiretap.streams.connection import ACK, FIN, RST, SYN, Connection, endpoints
from testbed.wiretap.streams.packets import TCP, UDP, Packet, Unread, read_ip
from testbed.wiretap.streams.stream import Stream
from testbed.wiretap.streams.udp_tracker import Exchange

_SEGMENT: Final = struct.Struct(">IIBB").unpack_from
_MOST_CONNECTIONS: Final = 50_000


class Conversations:
    """All connections of a capture."""

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self.packets = 0
        self.summaries: list[ConnectionSummary] = []
        self._out: list[Message] = []
        self._streams: dict[bytes, tuple[Connection, Stream, Stream]] = {}
        self._exchanges: dict[bytes, tuple[ConnectionSummary, Direction, Exchange]] = {}

    def read(self, frames: Iterable[Frame]) -> Iterator[Message]:
        """Yield the messages in the frames."""
        out, links = self._out, LINKS
        for frame in frames:
            self.packets += 1
            link = links.get(frame.link)
            if link is None:
                self._losses.packets += 1
                continue
            at = link.packet(frame.data, frame.start, frame.end)
            if at == NO_IP:
                continue
            self._packet(frame, at)
            if out:
                yield from out
                out.clear()
        for connection, _, _ in list(self._streams.values()):
            connection.end()
        yield from out

    def _packet(self, frame: Frame, at: int) -> None:
        packet = read_ip(frame.data, at, frame.end, frame.length - (at - frame.start))
        if isinstance(packet, Unread):
            if packet == Unread.CUT:
                self._losses.packets += 1
            elif packet == Unread.FRAGMENT:
                self._losses.fragments += 1
        elif packet.protocol == TCP:
            self._segment(frame, packet)
        elif packet.protocol == UDP:
            self._datagram(frame, packet)

    def _segment(self, frame: Frame, packet: Packet) -> None:
        data, at = frame.data, packet.start
        if frame.end - at < 14 or packet.length < 20:
            self._losses.packets += 1
            return
        sequence, acknowledgement, header, flags = _SEGMENT(data, at + 4)
        header = (header >> 4) * 4
        length = packet.length - header
        if header < 20 or length < 0:
            self._losses.packets += 1
            return
        key = packet.addresses + data[at : at + 4]
        found = self._streams.get(key)
        if found is None or (flags & SYN and self._is_new(found[0], sequence, flags)):
            found = self._open(key, packet.addresses, data[at : at + 4], flags, frame.time)
            if found is None:
                return
        connection, stream, other = found
        connection.summary.ended, connection.last_packet = frame.time, self.packets
        stream.counts.packets += 1
        if flags & SYN:
            connection.begin(stream, sequence, flags, frame.time)
            sequence += 1
        elif stream.next is None:
            stream.begin(sequence)
        if flags & ACK:
            if connection.summary.handshake_rtt is None and stream is connection.forward:
                connection.acknowledged_opening(frame.time)
            other.acknowledged(acknowledgement, frame.time)
        if length and stream.reader is not None:
            start = at + header
            end = min(frame.end, start + length)
            stream.receive(sequence, data, min(start, end), end, length, frame.time, self.packets)
        if flags & (FIN | RST):
            connection.finish(stream, flags)

    def _is_new(self, connection: Connection, sequence: int, flags: int) -> bool:
        """Return whether a SYN opens another connection between the same ports."""
        if flags & ACK:
            return False
        return connection.is_over or connection.first_sequence not in {None, sequence}

    def _open(
        self, key: bytes, addresses: bytes, ports: bytes, flags: int, time: int
    ) -> tuple[Connection, Stream, Stream] | None:
        before = self._streams.pop(key, None)
        if before is not None:
            before[0].end()
        if len(self.summaries) >= _MOST_CONNECTIONS:
            self._losses.connections += 1
            return None
        sender, receiver = endpoints(addresses, ports)
        is_answer = flags & (SYN | ACK) == SYN | ACK
        summary = ConnectionSummary(
            number=len(self.summaries),
            protocol="tcp",
            opener=receiver if is_answer else sender,
            acceptor=sender if is_answer else receiver,
            began=time,
            ended=time,
            has_begin=False,
            end="open",
            application="unknown",
        )
        self.summaries.append(summary)
        connection = Connection(summary, self._out, self._losses)
        half = len(addresses) // 2
        reverse = addresses[half:] + addresses[:half] + ports[2:] + ports[:2]
        ours, theirs = (connection.back, connection.forward) if is_answer else (connection.forward, connection.back)
        self._streams[key] = connection, ours, theirs
        self._streams[reverse] = connection, theirs, ours
        return self._streams[key]

    def _datagram(self, frame: Frame, packet: Packet) -> None:
        data, at = frame.data, packet.start
        if frame.end - at < 8 or packet.length < 8:
            self._losses.packets += 1
            return
        ports = data[at : at + 4]
        key = packet.addresses + ports
        body, length = data[at + 8 : min(frame.end, at + packet.length)], packet.length - 8
        found = self._exchanges.get(key)
        if found is None:
            exchange = Exchange()
            said = exchange.request(body, length)
            if said is None or len(self.summaries) >= _MOST_CONNECTIONS:
                return
            found = self._open_exchange(key, packet.addresses, ports, exchange, frame.time)
        else:
            said = found[2].request(body, length) or found[2].answer(body, length)
        summary, direction, _ = found
        summary.ended = frame.time
        direction.packets += 1
        direction.payload += length
        if said is None:
            self._losses.unreadable_bytes += length
            return
        kind, fields = said
        offset = direction.payload - length
        source, destination = endpoints(packet.addresses, ports)
        self._out.append(
            Message(frame.time, self.packets, summary.number, source, destination, kind, offset, length, fields)
        )

    def _open_exchange(
        self, key: bytes, addresses: bytes, ports: bytes, exchange: Exchange, time: int
    ) -> tuple[ConnectionSummary, Direction, Exchange]:
        sender, receiver = endpoints(addresses, ports)
        summary = ConnectionSummary(
            len(self.summaries), "udp", sender, receiver, time, time, False, "open", "udp tracker"
        )
        self.summaries.append(summary)
        half = len(addresses) // 2
        reverse = addresses[half:] + addresses[:half] + ports[2:] + ports[:2]
        self._exchanges[key] = summary, summary.forward, exchange
        self._exchanges[reverse] = summary, summary.back, exchange
        return self._exchanges[key]
