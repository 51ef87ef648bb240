"""A choke works at once: on a slow link, few bytes are in flight that cannot be stopped."""

import time
from pathlib import Path
from random import Random
from typing import Final

import pytest

from peer.bittorrent.client.torrent_maker import Order, create
from peer.bittorrent.wire.messages import (
    Interested,
    NotInterested,
    Request,
    Unchoke,
)
from peer.bittorrent.wire.metainfo.metainfo import decode_metainfo
from peer.net.address import Address
from testbed.network import Network, sandbox
from testbed.network.kernel.syscalls import inside_network_namespace
from tests.peer.programs import ScriptedPeer, events, named
from topologies.star import Star

pytestmark = pytest.mark.kernel

BLOCK: Final = 16 << 10
REQUESTS: Final = 256
HALF_A_SECOND: Final = 62_500
"""Bytes at 1 Mbit/s; a faster link has room for no more."""


@pytest.mark.parametrize("rate", [1_000_000, 8_000_000])
def test_choke_stops_data_within_half_a_second(tmp_path: Path, rate: int) -> None:
    torrent, trace = make_torrent(tmp_path), tmp_path / "trace.jsonl"
    arrivals = sandbox.run(lambda: arrivals_around_a_choke(torrent, trace, rate, seconds=2.5))
    choked_at = named(events(trace), "choked")[0]["t"]
    before = sum(count for at, count in arrivals if at < choked_at)
    after = sum(count for at, count in arrivals if at >= choked_at)
    assert before > rate / 8
    assert after < HALF_A_SECOND


def make_torrent(folder: Path) -> Path:
    torrent = folder / "data.torrent"
    (folder / "data").write_bytes(Random(1).randbytes(REQUESTS * BLOCK))
    create(Order(source=folder / "data", piece_length=16 * BLOCK), torrent)
    return torrent


def arrivals_around_a_choke(torrent: Path, trace: Path, rate: int, seconds: float) -> list[tuple[float, int]]:
    """Download for a time, make the seed choke us, and return when how many bytes came until none come any more."""
    with Network(Star(n=2, up=rate, down=10 * rate)) as network:
        seed, leech = network.host("h1"), network.host("h2")
        command = ["seed", torrent, "--data", torrent.with_name("data"), "--bind", seed.address, "--trace", trace]
        program = seed.start_python("peer", [str(word) for word in command])
        program.wait_ready("^ready")
        with inside_network_namespace(leech.namespace):
            stranger = ScriptedPeer(Address(str(seed.address), 6881), str(leech.address))
        with stranger:
            stranger.shake_hands(decode_metainfo(torrent.read_bytes()).info.info_hash)
            stranger.send(Interested())
            stranger.receive(Unchoke)
            stranger.send(*(Request(n // 16, n % 16 * BLOCK, BLOCK) for n in range(REQUESTS)))
            arrivals = receive(stranger, seconds)
            stranger.send(NotInterested())
            arrivals += receive(stranger, 5, silence=1.0)
        program.stop()
    return arrivals


def receive(stranger: ScriptedPeer, seconds: float, silence: float | None = None) -> list[tuple[float, int]]:
    """Record when bytes come, for a time, or until none came for a while."""
    arrivals = []
    stranger.socket.settimeout(silence or seconds)
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            count = len(stranger.socket.recv(1 << 16))
            arrivals.append((time.monotonic(), count))
    except TimeoutError:
        pass
    return arrivals
