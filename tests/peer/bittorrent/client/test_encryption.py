"""Two of our peers with each choice of --encryption: whether they come together, and how the stream is encrypted."""

from pathlib import Path
from random import Random
from typing import Final

import pytest

from peer.bittorrent.client.connections.encrypted_queue import MOST_SEALED, EncryptedQueue
from peer.bittorrent.client.connections.encryption import rc4
from peer.bittorrent.client.torrent_maker import Order, create
from peer.bittorrent.wire.messages import Have, PieceHeader, Request, encode
from tests.peer.programs import Share, events, events_so_far, leeching, named, seeding, wait_until

PIECE: Final = 64 << 10
BLOCK: Final = 16 << 10


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Share:
    folder = tmp_path_factory.mktemp("shared")
    made = Share(folder / "data.torrent", folder / "data")
    made.data.write_bytes(Random(1).randbytes(30 * PIECE - 1_000))
    create(Order(source=made.data, piece_length=PIECE), made.torrent)
    return made


@pytest.mark.parametrize(
    ("called", "caller", "methods"),
    [
        ("accept", "accept", []),
        ("off", "accept", []),
        ("off", "off", []),
        ("off", "prefer", []),
        ("accept", "prefer", ["plaintext"]),
        ("accept", "require", ["rc4"]),
        ("prefer", "prefer", ["rc4"]),
        ("prefer", "accept", []),
        ("require", "prefer", ["rc4"]),
        ("require", "require", ["rc4"]),
    ],
)
def test_peers_agree_and_the_file_arrives(
    shared: Share, tmp_path: Path, called: str, caller: str, methods: list[str]
) -> None:
    traces = [tmp_path / "seed.jsonl", tmp_path / "leech.jsonl"]
    with seeding(shared, "--no-tracker", "--encryption", called, "--trace", traces[0]) as seed:
        options = ("--peer", seed.address, "--encryption", caller, "--trace", traces[1])
        with leeching(shared.torrent, "--to", tmp_path, "--departure", "at-completion", *options) as leech:
            assert leech.line() == "completed"
            assert leech.process.wait(10) == 0
        assert seed.end() == 0
    assert (tmp_path / "data").read_bytes() == shared.data.read_bytes()
    for trace in traces:
        assert [each["method"] for each in named(events(trace), "encrypted")] == methods
    assert named(events(traces[1]), "error") == []


@pytest.mark.parametrize(
    ("called", "caller", "blamed"),
    [
        ("require", "accept", "expected an encrypted handshake, found one in plaintext"),
        ("off", "require", "perhaps an encrypted handshake (MSE)"),
    ],
)
def test_peers_that_cannot_agree_say_why(shared: Share, tmp_path: Path, called: str, caller: str, blamed: str) -> None:
    traces = [tmp_path / "seed.jsonl", tmp_path / "leech.jsonl"]
    with seeding(shared, "--no-tracker", "--encryption", called, "--trace", traces[0]) as seed:
        options = ("--peer", seed.address, "--encryption", caller, "--trace", traces[1])
        with leeching(shared.torrent, "--to", tmp_path, *options):
            wait_until(lambda: bool(named(events_so_far(traces[1]), "disconnected")))
            wait_until(lambda: bool(named(events_so_far(traces[0]), "error")))
    assert blamed in named(events_so_far(traces[0]), "error")[0]["what"]
    assert "perhaps it has no place, or requires" in named(events_so_far(traces[1]), "disconnected")[0]["reason"]


def test_messages_overtake_blocks_that_are_not_encrypted_yet() -> None:
    queue, opened = EncryptedQueue(rc4(b"k" * 20), b"front"), rc4(b"k" * 20)
    assert queue.sent(len(queue.buffers()[0])) == []
    blocks = [Request(index, 0, BLOCK) for index in range(8)]
    for block in blocks:
        queue.add_block(block, memoryview(bytes([block.index]) * BLOCK))
    stream, done = bytearray(), list[Request]()
    for count in (100, 1 << 20):
        sending = bytes(queue.buffers()[0][:count])
        stream += opened.update(sending)
        done += queue.sent(len(sending))
    queue.add_message(encode(Have(9)))
    while queue:
        sending = bytes(queue.buffers()[0][:30_000])
        stream += opened.update(sending)
        done += queue.sent(len(sending))
    assert done == blocks
    assert stream.startswith(encode(PieceHeader(0, 0, BLOCK)) + bytes(BLOCK))
    assert MOST_SEALED <= stream.index(encode(Have(9))) < MOST_SEALED + BLOCK + 13
