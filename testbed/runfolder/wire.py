"""What the capture of a host says of an application that writes no trace, in the form of a trace.

All of it is seen at the host's own interface, and so a little before the application knew of what came in, and after it
decided on what went out. A piece is there with its last byte: that its hash is right takes some milliseconds more, and
only the application knows it. Bytes that could not be read are missing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import floor
from typing import Any

from testbed.runfolder.traces import ConnectionTotals, HostTrace, InitialPieces
from testbed.wiretap.messages import ConnectionSummary, Message
from testbed.wiretap.totals.pieces import Download


@dataclass
class WireReader:
    """Takes the messages at one host's interface, in the order of its capture."""

    addresses: Collection[str]
    """Of the host."""
    origin: int
    """t = 0, in nanoseconds since 1970."""
    length: int
    piece_length: int
    trace: HostTrace = field(default_factory=HostTrace)
    _download: Download = field(init=False)
    _connections: dict[int, ConnectionTotals] = field(default_factory=dict)
    _had: int | None = None
    """How many pieces it said that it had when it came."""
    _announced: float | None = None
    """When it told a tracker that it had completed."""

    def __post_init__(self) -> None:
        self._download = Download(self.length, self.piece_length)

    def take(self, message: Message) -> None:
        """Take one message that the host sent or received."""
        t = self._seconds(message.time)
        self.trace.last = max(self.trace.last, t)
        if message.source.address in self.addresses:
            self._sent(message, t)
        elif message.destination.address in self.addresses:
            self._received(message, t)

    def finish(self, connections: Iterable[ConnectionSummary], end: float) -> HostTrace:
        """Return the trace, which ends at `end` if not before."""
        ends = {each.number: min(self._seconds(each.ended), end) for each in connections}
        for number, connection in self._connections.items():
            connection.stop(ends.get(number, end))
        trace, download = self.trace, self._download
        trace.connections = list(self._connections.values())
        trace.received, trace.sent = (
            sum(each.received for each in trace.connections),
            sum(each.sent for each in trace.connections),
        )
        trace.wasted = download.wasted
        trace.pieces = sorted((self._seconds(time), index) for index, time in download.times.items() if time >= 0)
        if trace.join_times:
            trace.initial_pieces = [InitialPieces(trace.join_times[0], download.piece_count, self._had or 0)]
        trace.completed = self._completed()
        return trace

    def _completed(self) -> float | None:
        """Return when its last piece came; if not all could be seen, when it told a tracker that it had them all."""
        had, pieces = self._had or 0, self.trace.pieces
        if had >= self._download.piece_count:
            return None
        return pieces[-1][0] if len(pieces) + had >= self._download.piece_count else self._announced

    def _seconds(self, time: int) -> float:
        return (time - self.origin) / 1e9

    def _sent(self, message: Message, t: float) -> None:
        fields = message.fields
        if message.kind in {"handshake", "announce"} and not self.trace.join_times:
            self.trace.join_times.append(t)
        if message.kind == "announce":
            if fields.get("event") == "completed" and self._announced is None:
                self._announced = t
            return
        connection = self._connection(message, f"{message.destination.address}:{message.destination.port}")
        match message.kind:
            case "handshake":
                self._shook_hands(fields)
            case "have all" | "have none" | "bitfield":
                self._claimed(message.kind, fields)
            case "unchoke":
                connection.unchoked_by_us.start(t)
            case "choke":
                connection.unchoked_by_us.stop(t)
            case "request":
                self._download.asked(fields.get("index", -1), fields.get("begin", -1))
            case "piece":
                self._moved(connection, t, sent=fields.get("length", 0))

    def _received(self, message: Message, t: float) -> None:
        fields = message.fields
        connection = self._connection(message, f"{message.source.address}:{message.source.port}")
        match message.kind:
            case "handshake":
                connection.peer_id = fields.get("peer_id")
            case "unchoke":
                connection.unchoked_by_them.start(t)
            case "choke":
                connection.unchoked_by_them.stop(t)
            case "piece":
                self._moved(connection, t, received=fields.get("length", 0))
                if "begin" in fields:
                    block = (fields["index"], fields["begin"], fields["length"])
                    self._download.received(*block, message.time)

    def _connection(self, message: Message, address: str) -> ConnectionTotals:
        """Return the connection of a message; those of trackers carry nothing that counts."""
        if message.kind == "handshake":
            return self._connections.setdefault(message.connection, ConnectionTotals(address))
        return self._connections.get(message.connection) or ConnectionTotals(address)

    def _shook_hands(self, fields: Mapping[str, Any]) -> None:
        peer_id = fields.get("peer_id")
        if peer_id and peer_id not in self.trace.peer_ids:
            self.trace.peer_ids.append(peer_id)

    def _claimed(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Take the first claim: what the host had when it came. Of a long bitfield, only the number is known."""
        if self._had is not None or self._download.times:
            return
        if kind == "have all":
            self._had, indices = self._download.piece_count, iter(range(self._download.piece_count))
        else:
            self._had, indices = fields.get("count", 0), _bits(fields.get("bits", ""))
        self._download.had(indices, -1)

    def _moved(self, connection: ConnectionTotals, t: float, *, received: int = 0, sent: int = 0) -> None:
        connection.received += received
        connection.sent += sent
        if self._download.completed is None:
            connection.sent_as_leech += sent
        before = self.trace.by_second.get(floor(t), (0, 0))
        self.trace.by_second[floor(t)] = (before[0] + received, before[1] + sent)


def _bits(digits: str) -> Iterator[int]:
    """Yield the pieces in a bitfield that is written in hex."""
    for place, byte in enumerate(bytes.fromhex(digits)):
        yield from (8 * place + bit for bit in range(8) if byte & 0x80 >> bit)
