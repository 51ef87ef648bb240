"""The exchanges of UDP trackers and their clients: each datagram is one message."""

from testbed.wiretap.messages import ConnectionSummary, Direction, Message
from testbed.wiretap.protocols.fields import Fields
from testbed.wiretap.protocols.reader import Findings
from testbed.wiretap.protocols.udp_tracker import Exchange
from testbed.wiretap.streams.connection import endpoints, reversed_key
from testbed.wiretap.streams.packets import Packet

_Half = tuple[ConnectionSummary, Direction, Exchange]


class Datagrams:
    """All UDP exchanges of a capture with a tracker in them."""

    def __init__(self, findings: Findings, summaries: list[ConnectionSummary], most: int) -> None:
        self._findings, self._summaries, self._most = findings, summaries, most
        self._halves: dict[bytes, _Half] = {}

    def read(self, packet: Packet, data: bytes, end: int) -> None:
        """Take a datagram."""
        at, length = packet.start, packet.length - 8
        if end - at < 8 or length < 0:
            self._findings.losses.packets += 1
            return
        key, body = packet.addresses + data[at : at + 4], data[at + 8 : min(end, at + packet.length)]
        half = self._halves.get(key)
        exchange = half[2] if half is not None else Exchange(address_size=len(packet.addresses) // 2)
        said = exchange.request(body, length) or exchange.answer(body, length)
        if half is None:
            if said is None:
                return
            half = self._open(key, exchange)
        if half is not None:
            self._add(half, key, said, length)

    def _add(self, half: _Half, key: bytes, said: tuple[str, Fields] | None, length: int) -> None:
        now, (summary, direction, _) = self._findings.now, half
        offset = direction.payload
        summary.ended = now.time
        direction.packets += 1
        direction.payload += length
        if said is None:
            self._findings.losses.unreadable_bytes += length
            return
        source, destination = endpoints(key)
        self._findings.messages.append(
            Message(now.time, now.packet, summary.number, source, destination, said[0], offset, length, said[1])
        )

    def _open(self, key: bytes, exchange: Exchange) -> _Half | None:
        if len(self._summaries) >= self._most:
            self._findings.losses.connections += 1
            return None
        sender, receiver = endpoints(key)
        time, number = self._findings.now.time, len(self._summaries)
        summary = ConnectionSummary(number, "udp", sender, receiver, time, time, False, "open", "udp tracker")
        self._summaries.append(summary)
        self._halves[key] = summary, summary.forward, exchange
        self._halves[reversed_key(key)] = summary, summary.back, exchange
        return self._halves[key]
