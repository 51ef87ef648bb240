"""Connections that end early, are made twice, or are with somebody who only pretends to be a known client."""

from dataclasses import replace

import pytest

from contract.events import Connected
from peer.bittorrent.engine import actions
from peer.bittorrent.engine.connections.connections import CROSSING
from peer.bittorrent.engine.discovery.address_book import MOST_FAILURES, REUNION
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.wire.extensions import HANDSHAKE_ID, ExtensionHandshake
from peer.bittorrent.wire.messages import Extended, HaveAll, PieceHeader, Unchoke
from peer.net.address import Address
from tests.peer.bittorrent.engine.scripted import ScriptedNeighbour, SessionHarness

SEED = Address("198.18.0.9", 6881)
STRANGER = "198.18.0.66"
BLOCK = 16 << 10
LESSER, GREATER = "a lesser id", "~ a greater id"


def dialled(done: list[actions.Action]) -> list[Address]:
    return [each.address for each in done if isinstance(each, actions.Dial)]


def next_dial(harness: SessionHarness, within: float) -> float | None:
    """Let time pass until an address is dialled again; returns how long that took, None if it is not."""
    began = harness.now
    while harness.now - began <= within:
        if dialled(harness.wait(0.5)):
            return harness.now - began
    return None


def hang_up(harness: SessionHarness, neighbour: ScriptedNeighbour) -> None:
    """Let the other end close a connection."""
    harness.actions_after(lambda: harness.session.disconnected(neighbour.key, "closed by the other end", harness.now))


# Refused


def test_full_seed_is_dialled_again_within_seconds() -> None:
    harness, waits = SessionHarness(known=[SEED]), list[float]()
    for _ in range(2 * MOST_FAILURES):
        hang_up(harness, harness.connect(is_outgoing=True))
        wait = next_dial(harness, 100)
        assert wait is not None
        waits.append(wait)
    for wait, longest in zip(waits, [5, 10, 20, 40, *[60] * len(waits)], strict=False):
        assert longest / 2 <= wait <= longest + 1.5


def test_silent_seed_is_dialled_again_within_seconds() -> None:
    harness = SessionHarness(known=[SEED])
    silent = harness.connect(is_outgoing=True)
    harness.wait(PROFILES["course"].handshake_timeout)
    assert silent.is_disconnected
    assert next_dial(harness, 6) is not None


def test_stranger_that_refuses_is_given_up() -> None:
    harness = SessionHarness()
    heard = harness.connect(is_outgoing=True)
    for _ in range(MOST_FAILURES - 1):
        hang_up(harness, heard)
        assert next_dial(harness, 100) is not None
        heard = harness.connect(is_outgoing=True)
    hang_up(harness, heard)
    assert next_dial(harness, 1_000) is None


def test_dial_without_a_place_is_repeated_later() -> None:
    harness = SessionHarness(profile=replace(PROFILES["course"], most_neighbours=1), known=[SEED])
    other = harness.add_neighbour(host=STRANGER, name="other")
    assert harness.session.connected(SEED, harness.now, is_outgoing=True) is None
    hang_up(harness, other)
    assert next_dial(harness, REUNION + 1) is not None


# Twice, and impostors


def twice(harness: SessionHarness, host: str, name: str, *, later: float, outgoing_first: bool) -> ScriptedNeighbour:
    """Let a client be connected with us, and later another time from this host; returns the first one."""
    first = harness.add_neighbour(HaveAll(), Unchoke(), is_outgoing=outgoing_first, name=name)
    harness.wait(later)
    harness.add_neighbour(host=host, is_outgoing=not outgoing_first, name=name)
    return first


@pytest.mark.parametrize("name", [LESSER, GREATER])
@pytest.mark.parametrize("outgoing_first", [True, False])
def test_peer_id_of_a_neighbour_on_another_host_closes_nobody(name: str, outgoing_first: bool) -> None:
    harness = SessionHarness()
    twice(harness, STRANGER, name, later=0, outgoing_first=outgoing_first)
    assert len(harness.events_of(Connected)) == 2
    assert not [each for each in harness.actions if isinstance(each, actions.Close)]


@pytest.mark.parametrize("name", [LESSER, GREATER])
def test_impostor_replaces_no_neighbour_that_was_dialled(name: str) -> None:
    harness = SessionHarness()
    assert not twice(harness, SEED.host, name, later=CROSSING, outgoing_first=True).is_disconnected


@pytest.mark.parametrize("name", [LESSER, GREATER])
def test_dialled_client_replaces_its_impostor(name: str) -> None:
    harness = SessionHarness()
    assert twice(harness, SEED.host, name, later=CROSSING, outgoing_first=False).is_disconnected


@pytest.mark.parametrize("name", [LESSER, GREATER])
def test_impostor_replaces_no_neighbour_that_sends_blocks(name: str) -> None:
    harness = SessionHarness()
    seed = harness.add_neighbour(HaveAll(), Unchoke(), is_outgoing=True, name=name)
    header = PieceHeader(0, 0, BLOCK)
    harness.actions_after(lambda: harness.session.block_began(seed.key, header, harness.now))
    harness.actions_after(lambda: harness.session.block_received(seed.key, header, harness.now))
    harness.add_neighbour(name=name)
    assert not seed.is_disconnected


# Ports


def test_neighbour_has_one_port_whatever_it_states() -> None:
    harness = SessionHarness()
    stranger = harness.add_neighbour(host=STRANGER)
    for port in range(1, 2_500):
        stranger.send(Extended(HANDSHAKE_ID, ExtensionHandshake(p=port).encode()))
    hang_up(harness, stranger)
    assert dialled(harness.wait(REUNION)) == [Address(STRANGER, 1)]
