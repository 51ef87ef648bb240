"""What tshark's BitTorrent dissector finds in a capture, as the messages of each stream in their order."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from testbed.wiretap.messages import Endpoint
from testbed.wiretap.protocols.peer_wire import KINDS

FIELDS = (
    "frame.number",
    "ip.src",
    "tcp.srcport",
    "ip.dst",
    "tcp.dstport",
    "bittorrent.protocol.name",
    "bittorrent.msg.length",
    "bittorrent.msg.type",
    "bittorrent.piece.index",
    "bittorrent.piece.begin",
    "bittorrent.piece.length",
    "bittorrent.extended.id",
    "bittorrent.continuous_data",
)
IN_ORDER = ("-o", "tcp.reassemble_out_of_order:TRUE")
"""Without this tshark loses all messages behind a segment that came late."""
SEPARATOR = ";"


class Seen(NamedTuple):
    """One message, as much of it as both programs tell."""

    kind: str
    values: tuple[int, ...] = ()
    """Index, begin and length, as far as the message has them; the id of an extension."""


def streams(capture: Path, *options: str) -> dict[tuple[Endpoint, Endpoint], list[Seen]]:
    """Return the messages from each endpoint to each other."""
    found: dict[tuple[Endpoint, Endpoint], list[Seen]] = {}
    for row in rows(capture, *options):
        way = (Endpoint(row[1], int(row[2])), Endpoint(row[3], int(row[4])))
        found.setdefault(way, []).extend(messages(row))
    return found


def rows(capture: Path, *options: str) -> Iterator[list[str]]:
    """Run tshark; yields the fields of each frame with a message."""
    shown = [part for field in FIELDS for part in ("-e", field)]
    command = ["tshark", "-n", "-r", capture, *IN_ORDER, "--enable-heuristic", "bittorrent_tcp", *options]
    command += ["-Y", "bittorrent", "-T", "fields", *shown, "-E", f"aggregator={SEPARATOR}", "-E", "separator=/t"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    for line in ended.stdout.splitlines():
        yield line.split("\t")


def messages(row: list[str]) -> Iterator[Seen]:
    """Yield the messages of one frame: fields of the same name stand in one column, in the order of messages."""
    _, _, _, _, _, protocol, *columns = row
    lengths, types, indexes, begins, sizes, extensions = (
        iter([int(value, 0) for value in column.split(SEPARATOR) if value]) for column in columns[:6]
    )
    if protocol:
        yield Seen("handshake")
    for length in lengths:
        kind = KINDS[next(types)] if length else "keep-alive"
        if kind in {"have", "suggest piece", "allowed fast"}:
            yield Seen(kind, (next(indexes),))
        elif kind in {"request", "cancel", "reject request"}:
            yield Seen(kind, (next(indexes), next(begins), next(sizes)))
        elif kind == "piece":
            yield Seen(kind, (next(indexes), next(begins), length - 9))
        elif kind == "extended":
            yield Seen(kind, (next(extensions),))
        else:
            yield Seen(kind)
