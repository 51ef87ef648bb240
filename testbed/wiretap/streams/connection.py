"""One TCP connection: its two directions, how it begins and ends, and which protocol it carries."""

from socket import AF_INET, AF_INET6, inet_ntop
from typing import Final

from testbed.wiretap.messages import ConnectionSummary, Direction, Endpoint
from testbed.wiretap.protocols.http import Http
from testbed.wiretap.protocols.peer_wire import PeerWire
from testbed.wiretap.protocols.reader import Findings, Way
from testbed.wiretap.streams.recognition import Recognition
from testbed.wiretap.streams.stream import Stream

FIN: Final = 1
SYN: Final = 2
RST: Final = 4
ACK: Final = 16


def endpoints(key: bytes) -> tuple[Endpoint, Endpoint]:
    """Return the sender and the receiver of a packet: `key` is its addresses and its ports."""
    size = (len(key) - 4) // 2
    family = AF_INET if size == 4 else AF_INET6
    return (
        Endpoint(inet_ntop(family, key[:size]), int.from_bytes(key[-4:-2], "big")),
        Endpoint(inet_ntop(family, key[size : 2 * size]), int.from_bytes(key[-2:], "big")),
    )


def reversed_key(key: bytes) -> bytes:
    """Return the key of packets in the opposite direction."""
    size = (len(key) - 4) // 2
    return key[size : 2 * size] + key[:size] + key[-2:] + key[-4:-2]


class Connection:
    """A connection, which the first captured packet opens."""

    def __init__(self, number: int, key: bytes, flags: int, findings: Findings) -> None:
        sender, receiver = endpoints(key)
        is_answer = flags & (SYN | ACK) == SYN | ACK
        opener, acceptor = (receiver, sender) if is_answer else (sender, receiver)
        self._findings, self._has_begin = findings, bool(flags & SYN)
        time = findings.now.time
        self.summary = ConnectionSummary(number, "tcp", opener, acceptor, time, time, False, "open", "unknown")
        self.forward = self._half(self.summary.forward, Way(number, opener, acceptor), is_forward=True)
        self.back = self._half(self.summary.back, Way(number, acceptor, opener), is_forward=False)
        self.forward.opposite, self.back.opposite = self.back, self.forward
        self.first = self.back if is_answer else self.forward
        """The direction of the first packet."""
        self.syn = -1
        """The sequence number of the SYN."""
        self.is_over = False
        self._readers: dict[bool, PeerWire | Http] = {}
        self._syn_at = self._answer_at = 0

    def control(self, stream: Stream, sequence: int, flags: int) -> None:
        """Take a packet that begins or ends a direction."""
        if flags & SYN:
            self._begin(stream, sequence, flags)
        if flags & FIN:
            stream.is_finished = True
            self.summary.end = "closed" if self.summary.end == "open" else self.summary.end
        if flags & RST and not (self.forward.is_finished and self.back.is_finished):
            self.summary.end = "reset"
        self.is_over |= bool(flags & RST) or (self.forward.is_finished and self.back.is_finished)

    def answered(self, stream: Stream) -> None:
        """Take the first acknowledgement of a direction."""
        if stream is self.back and self._answer_at:
            self.summary.handshake_rtt = self._findings.now.time - self._syn_at

    def is_reopened_by(self, sequence: int, flags: int) -> bool:
        """Return whether a SYN opens another connection between the same ports."""
        return not flags & ACK and (self.is_over or self.syn not in {-1, sequence})

    def finish(self) -> None:
        """Read what still waits; no more packets are this connection's."""
        now = self._findings.now
        time, packet = now.time, now.packet
        now.time = max(self.forward.latest_time, self.back.latest_time)
        now.packet = max(self.forward.latest_packet, self.back.latest_packet)
        for stream in (self.forward, self.back):
            stream.finish()
        if any(isinstance(reader, Http) and reader.is_tracker for reader in self._readers.values()):
            self.summary.application = "http tracker"
        self.summary.ended = now.time
        now.time, now.packet = time, packet

    def _begin(self, stream: Stream, sequence: int, flags: int) -> None:
        if stream.next < 0:
            stream.next = (sequence + 1) & 0xFFFFFFFF
        if flags & ACK:
            self._answer_at = self._findings.now.time if self.summary.has_begin else 0
        elif not self.summary.has_begin:
            self.syn, self._syn_at = sequence, self._findings.now.time
            self.summary.has_begin = True

    def _half(self, counts: Direction, way: Way, *, is_forward: bool) -> Stream:
        def adopt(reader: PeerWire | Http) -> None:
            self._adopt(reader, stream, is_forward=is_forward)

        reader = Recognition(way, self._findings, adopt, has_begin=self._has_begin)
        stream = Stream(self, counts, self._findings, reader)
        return stream

    def _adopt(self, reader: PeerWire | Http, stream: Stream, *, is_forward: bool) -> None:
        self._readers[is_forward] = stream.reader = reader
        self.summary.application = "http" if isinstance(reader, Http) else "peer wire"
        other = self._readers.get(not is_forward)
        if isinstance(reader, PeerWire) and isinstance(other, PeerWire):
            reader.other, other.other = other, reader
        if isinstance(reader, Http) and isinstance(other, Http):
            reader.other, other.other = other, reader
