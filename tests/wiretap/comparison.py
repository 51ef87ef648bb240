"""Our messages beside tshark's, stream by stream, and the one reason for which they may differ.

tshark loses a stream's boundary where the four bytes of a message's length are the last of a segment, and the id is the
first of the next: it shows "Continuation data" from there on, until a segment happens to begin with what looks like a
message. So it lacks messages that we have, from such a message on. Only there can it have one that we lack: a segment
that begins within a message, say with the number of piece 1 (00 00 00 01) and a small number (00), looks like a choke.
"""

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.wiretap import read_capture
from testbed.wiretap.messages import Endpoint, Message
from tests.wiretap import tshark
from tests.wiretap.tshark import IN_ORDER, Seen

PEER_WIRE = "peer wire"
LENGTH_BYTES = 4

Way = tuple[Endpoint, Endpoint]


@dataclass(frozen=True)
class Comparison:
    """The messages of one direction of one connection."""

    way: Way
    ours: Sequence[Message]
    theirs: Sequence[Seen]
    cuts: frozenset[int]
    """Where in the stream its segments ended."""

    def losses(self) -> Iterator[Sequence[Message]]:
        """Yield the runs of messages that only we have; raises AssertionError if the rest is not the same."""
        at = 0
        seen = [as_seen(message) for message in self.ours]
        for theirs in self.theirs:
            begin = at
            while at < len(seen) and seen[at] != theirs:
                at += 1
            if at == len(seen) and begin < at and self.is_explained(self.ours[begin:]):
                at = begin
                continue
            assert at < len(seen), f"{self.way}: tshark alone has {theirs}, we have {seen[begin : begin + 3]} there"
            if at > begin:
                yield self.ours[begin:at]
            at += 1
        if at < len(seen):
            yield self.ours[at:]

    def is_explained(self, lost: Sequence[Message]) -> bool:
        """Return whether only the length of the first of these messages was in a segment with those before it."""
        return lost[0].offset + LENGTH_BYTES in self.cuts


def compare(capture: Path) -> list[Comparison]:
    """Read a capture with both programs."""
    reading = read_capture(capture)
    ours: dict[Way, list[Message]] = {}
    for message in reading.messages():
        ours.setdefault((message.source, message.destination), []).append(message)
    wire = {ends for each in reading.connections if each.application == PEER_WIRE for ends in both_ways(each)}
    theirs, cuts = tshark.streams(capture), segment_ends(capture)
    ways = [way for way in ours if way in wire] + [way for way in theirs if way not in ours]
    return [Comparison(way, ours.get(way, []), theirs.get(way, []), frozenset(cuts.get(way, ()))) for way in ways]


def both_ways(summary: object) -> tuple[Way, Way]:
    ends = (summary.opener, summary.acceptor)  # type: ignore[attr-defined]
    return ends, ends[::-1]


def as_seen(message: Message) -> Seen:
    """Leave out what tshark does not tell."""
    names = ("index", "begin", "length", "id")
    return Seen(message.kind, tuple(message.fields[name] for name in names if name in message.fields))


def segment_ends(capture: Path) -> dict[Way, set[int]]:
    """Return where the segments of each stream end, counted from its first byte."""
    fields = ("ip.src", "tcp.srcport", "ip.dst", "tcp.dstport", "tcp.seq", "tcp.len")
    shown = [part for field in fields for part in ("-e", field)]
    command = ["tshark", "-n", "-r", capture, *IN_ORDER, "-Y", "tcp.len > 0", "-T", "fields", *shown]
    ends: dict[Way, set[int]] = {}
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        source, source_port, destination, port, sequence, length = line.split("\t")
        way = (Endpoint(source, int(source_port)), Endpoint(destination, int(port)))
        # Relative numbers give 1 to the first byte behind the SYN.
        ends.setdefault(way, set()).add(int(sequence) - 1 + int(length))
    return ends
