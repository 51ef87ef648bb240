"""Crowds against a real seed: an honest leech that knows nobody else completes while they stay, or soon afterwards."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

import pytest

from peer.bittorrent.client.torrent_maker import Order, create
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.wire.handshake import Handshake
from peer.bittorrent.wire.messages import Have, Interested, encode
from peer.net.address import Address
from tests.peer.programs import (
    SOON,
    Program,
    ScriptedPeer,
    Share,
    events,
    events_so_far,
    leeching,
    named,
    seeding,
    wait_until,
)

BLOCK = 16 << 10
PLACES = PROFILES["course"].most_neighbours
CROWD, LEECH = "127.0.0.1", "127.0.0.2"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Share:
    folder = tmp_path_factory.mktemp("shared")
    made = Share(folder / "data.torrent", folder / "data")
    made.data.write_bytes(Random(1).randbytes(64 * BLOCK))
    create(Order(source=made.data, piece_length=4 * BLOCK), made.torrent)
    return made


@pytest.fixture
def seed(shared: Share) -> Iterator[Program]:
    with seeding(shared, "--no-tracker") as program:
        yield program
        assert program.end() == 0
        assert program.errors() == ""


@contextmanager
def crowd(seed: Program, hosts: list[str]) -> Iterator[list[ScriptedPeer]]:
    """Let these hosts connect to a seed, one after the other."""
    with ExitStack() as stack:
        yield [stack.enter_context(ScriptedPeer(Address("127.0.0.1", seed.port), host)) for host in hosts]


def completes(shared: Share, seed: Program, folder: Path, host: str = LEECH) -> bool:
    """Run a leech that knows only the seed."""
    with leeching(shared.torrent, "--to", folder, "--peer", seed.address, "--bind", host) as leech:
        return leech.line() == "completed"


def hold(_: ScriptedPeer, __: Share) -> None:
    """Only hold the connection."""


def shake_hands(stranger: ScriptedPeer, shared: Share) -> None:
    stranger.shake_hands(shared.info.info_hash)


def want(stranger: ScriptedPeer, shared: Share) -> None:
    stranger.shake_hands(shared.info.info_hash).send(Interested())


def begin_handshake(stranger: ScriptedPeer, shared: Share) -> None:
    """Send a part of it, as somebody does who sends one byte at a time."""
    stranger.socket.sendall(Handshake(shared.info.info_hash, bytes(20)).encode()[:40])


@pytest.mark.parametrize("do", [hold, begin_handshake, shake_hands])
def test_leech_completes_while_a_crowd_stays(
    do: Callable[[ScriptedPeer, Share], None], shared: Share, seed: Program, tmp_path: Path
) -> None:
    with crowd(seed, [CROWD] * PLACES) as strangers:
        for stranger in strangers:
            do(stranger, shared)
        assert completes(shared, seed, tmp_path)


def test_leech_beside_a_silent_crowd_on_its_host_completes(shared: Share, seed: Program, tmp_path: Path) -> None:
    with crowd(seed, [CROWD] * PLACES):
        assert completes(shared, seed, tmp_path, CROWD)


def test_leech_completes_soon_after_a_crowd_of_hosts_leaves(shared: Share, seed: Program, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    with ExitStack() as stack:
        with crowd(seed, [f"127.0.1.{number}" for number in range(1, PLACES + 1)]) as strangers:
            for stranger in strangers:
                want(stranger, shared)
                stranger.receive(Handshake)
            options = ["--to", tmp_path, "--peer", seed.address, "--bind", LEECH, "--trace", trace]
            leech = stack.enter_context(leeching(shared.torrent, *options))
            wait_until(lambda: bool(named(events_so_far(trace), "disconnected")))
        assert leech.line() == "completed"
    refused, *_ = named(events(trace), "disconnected")
    (completed,) = named(events(trace), "completed")
    assert completed["t"] - refused["t"] < SOON


def test_large_silent_crowd_has_no_more_than_the_places(shared: Share, seed: Program, tmp_path: Path) -> None:
    with crowd(seed, [CROWD] * (3 * PLACES)) as strangers:
        assert all(stranger.is_closed() for stranger in strangers[: 2 * PLACES])
        assert completes(shared, seed, tmp_path)


def test_floods_of_messages_do_not_stop_a_peer(shared: Share, seed: Program, tmp_path: Path) -> None:
    have = encode(Have(1)) * 50_000
    with crowd(seed, [CROWD] * 5) as strangers:
        for stranger in strangers:
            shake_hands(stranger, shared)
            stranger.socket.sendall(have)
        assert completes(shared, seed, tmp_path)
