"""Cost of a message, a block and a torrent in `peer.bittorrent.wire`: microseconds, the best of several runs.

.venv/bin/python benchmarks/wire.py
"""

import os
import timeit
from collections.abc import Callable, Sequence

from peer.bencode import codec as bencode
from peer.bittorrent.client.connections.encryption import rc4
from peer.bittorrent.wire import messages
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.decoder import Decoder
from peer.bittorrent.wire.metainfo import metainfo

PIECES = 10_000
BLOCK = 16 << 10
BLOCKS = 64
READ = 64 << 10


def microseconds(action: Callable[[], object], per: int = 1, repeats: int = 5) -> float:
    return min(timeit.repeat(action, number=3, repeat=repeats)) / 3 / per * 1e6


def decode_all(stream: bytes) -> int:
    decoder, count = Decoder(has_handshake=False), 0
    for at in range(0, len(stream), READ):
        count += sum(1 for _ in decoder.feed(stream[at : at + READ]))
    return count


def receive_blocks(stream: memoryview, place: memoryview) -> None:
    """Receive as a connection does: a block's bytes go straight to their place, the rest through the shared buffer."""
    decoder, at = Decoder(has_handshake=False), 0
    while at < len(stream):
        there = min(len(decoder.space()), len(stream) - at)
        if there:
            decoder.received(there)
            at += there
        for event in decoder.feed(stream[at : at + READ]):
            if isinstance(event, messages.PieceHeader):
                decoder.place_block(place[event.begin : event.begin + event.length])
        at += len(stream[at : at + READ])


def measurements() -> Sequence[tuple[str, float]]:
    haves = b"".join(messages.encode(messages.Have(k)) for k in range(PIECES))
    requests = b"".join(messages.encode(messages.Request(k, 0, BLOCK)) for k in range(PIECES))
    headers = [messages.PieceHeader(0, k * BLOCK, BLOCK) for k in range(BLOCKS)]
    blocks = memoryview(b"".join(messages.encode(header) + os.urandom(BLOCK) for header in headers))
    place = memoryview(bytearray(BLOCKS * BLOCK))
    info = metainfo.make_info("file", PIECES * 65536, 65536, [os.urandom(20) for _ in range(PIECES)])
    torrent = metainfo.Metainfo(info, "http://tracker/announce").encode()
    request = messages.Request(1, 2, BLOCK)
    cipher = rc4(bytes(20))
    half = Bitfield(PIECES)
    for k in range(0, PIECES, 2):
        half.add(k)
    return [
        ("decode a have", microseconds(lambda: decode_all(haves), PIECES)),
        ("RC4 of a 16 KiB block, in its place", microseconds(lambda: cipher.update_into(place[:BLOCK], place[:BLOCK]))),
        ("decode a request", microseconds(lambda: decode_all(requests), PIECES)),
        ("encode a request", microseconds(lambda: [messages.encode(request) for _ in range(1000)], 1000)),
        ("make a message (frozen dataclass)", microseconds(lambda: [messages.Have(5) for _ in range(1000)], 1000)),
        ("decode a 16 KiB block", microseconds(lambda: receive_blocks(blocks, place), BLOCKS)),
        ("decode the bencoding of a torrent with 10,000 pieces", microseconds(lambda: bencode.decode(torrent))),
        ("decode a torrent with 10,000 pieces", microseconds(lambda: metainfo.decode_metainfo(torrent))),
        ("look up a piece in a bitfield", microseconds(lambda: [k in half for k in range(PIECES)], PIECES)),
        ("list all missing pieces of a bitfield", microseconds(lambda: list(half.missing()))),
    ]


def main() -> None:
    print("| operation | microseconds |\n| --- | --- |")
    for operation, cost in measurements():
        print(f"| {operation} | {cost:.2f} |")


if __name__ == "__main__":
    main()
