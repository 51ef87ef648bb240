"""One TCP connection: its two directions, how it begins and ends, and which protocol it carries."""

from collections.abc import Callable
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Final

from testbed.wiretap.messages import ConnectionSummary, Endpoint, Losses, Message
from testbed.wiretap.streams.http import Http
from testbed.wiretap.streams.peer_wire import PeerWire
from testbed.wiretap.streams.recognition import Recognition
from testbed.wiretap.streams.stream import Stream

FIN: Final = 1
SYN: Final = 2
RST: Final = 4
ACK: Final = 16


def endpoints(addresses: bytes, ports: bytes) -> tuple[Endpoint, Endpoint]:
    """Return the sender and the receiver of a packet."""
    half = len(addresses) // 2
    family = AF_INET if half == 4 else AF_INET6
    return (
        Endpoint(inet_ntop(family, addresses[:half]), int.from_bytes(ports[:2], "big")),
        Endpoint(inet_ntop(family, addresses[half:]), int.from_bytes(ports[2:4], "big")),
    )


class Connection:
    """A connection, which the first captured packet opens."""

    __slots__ = (
        "_losses",
        "_out",
        "_readers",
        "_syn_at",
        "_synack_at",
        "back",
        "first_sequence",
        "forward",
        "is_over",
        "last_packet",
        "summary",
    )

    def __init__(self, summary: ConnectionSummary, out: list[Message], losses: Losses) -> None:
        self.summary, self._out, self._losses = summary, out, losses
        self.forward = Stream(summary.forward, losses, summary.rtts)
        self.back = Stream(summary.back, losses, summary.rtts)
        self.forward.reader = Recognition(self._chooser(self.forward), losses)
        self.back.reader = Recognition(self._chooser(self.back), losses)
        self._readers: dict[Stream, PeerWire | Http] = {}
        self._syn_at, self._synack_at = 0, 0
        self.first_sequence: int | None = None
        """Of the SYN."""
        self.is_over = False
        self.last_packet = 0

    def begin(self, stream: Stream, sequence: int, flags: int, time: int) -> None:
        """Take a packet with SYN."""
        if stream.next is None:
            stream.begin(sequence + 1)
        if flags & ACK:
            self._synack_at = time
        else:
            self._syn_at, self.first_sequence = time, sequence
            self.summary.has_begin = True

    def acknowledged_opening(self, time: int) -> None:
        """Take the opener's first acknowledgement."""
        if self._syn_at and self._synack_at and self.summary.handshake_rtt is None:
            self.summary.handshake_rtt = time - self._syn_at

    def finish(self, stream: Stream, flags: int) -> None:
        """Take a packet with FIN or RST."""
        other = self.back if stream is self.forward else self.forward
        if flags & FIN:
            stream.finished = True
            if self.summary.end == "open":
                self.summary.end = "closed"
        if flags & RST and not (self.forward.finished and self.back.finished):
            self.summary.end = "reset"
        self.is_over = bool(flags & RST) or (stream.finished and other.finished)

    def end(self) -> None:
        """Read what still waits; no more packets are this connection's."""
        for stream in (self.forward, self.back):
            stream.end()
            reader = self._readers.get(stream)
            if isinstance(reader, Http):
                reader.end(self.summary.ended, self.last_packet)
                if reader.is_tracker:
                    self.summary.application = "http tracker"
        self.is_over = True

    def _chooser(self, stream: Stream) -> Callable[[str, bytes, int, int, int], None]:
        def choose(protocol: str, data: bytes, length: int, time: int, packet: int) -> None:
            kind = PeerWire if protocol == "peer wire" else Http
            source, destination = self.summary.opener, self.summary.acceptor
            if stream is self.back:
                source, destination = destination, source
            reader = kind(self.summary.number, source, destination, self._out, self._losses)
            other = self._readers.get(self.back if stream is self.forward else self.forward)
            if isinstance(reader, PeerWire) and isinstance(other, PeerWire):
                reader.other, other.other = other, reader
            if isinstance(reader, Http) and isinstance(other, Http):
                reader.other, other.other = other, reader
            self._readers[stream] = reader
            stream.reader = reader
            self.summary.application = protocol
            reader.feed(data, 0, len(data), length, time, packet)

        return choose
