"""Sybil: several clients to the others, with one set of pieces."""

from random import Random
from statistics import mean

import pytest

from contract.events import Connected, Handshaken, Joined
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.strategies.registry import StrategyError, make_strategy
from peer.simulation.swarm import VirtualPeer, VirtualSwarm, a_torrent
from tests.peer.bittorrent.engine.test_swarms import KIB, a_share

COURSE = PROFILES["course"]


def own_ids(peer: VirtualPeer) -> set[str]:
    (joined,) = peer.events_of(Joined)
    return {joined.peer_id, *(joined.also or ())}


def among_leeches(identities: int) -> tuple[VirtualPeer, list[VirtualPeer]]:
    """A sybil and twelve compliant peers after three minutes, far from completion."""
    swarm, rng = VirtualSwarm(a_torrent(600, 64 * KIB), profile=COURSE), Random(5)
    swarm.add("seed", up=64 * KIB, is_seed=True)
    others = [swarm.add(f"leech {n}", up=64 * KIB, have=a_share(rng, 600, 1 / 3)) for n in range(12)]
    strategy = make_strategy("sybil", COURSE, Random(1), {"identities": identities})
    sybil = swarm.add("sybil", up=64 * KIB, strategy=strategy, have=a_share(rng, 600, 1 / 3))
    swarm.run(180)
    return sybil, others


def test_others_see_one_client_per_identity() -> None:
    sybil, others = among_leeches(4)
    ids = own_ids(sybil)
    assert len(ids) == 4
    for other in others:
        assert ids <= {fact.peer_id for fact in other.events_of(Handshaken)}


def test_identities_do_not_connect_to_each_other() -> None:
    sybil, _ = among_leeches(4)
    assert not own_ids(sybil) & {fact.peer_id for fact in sybil.events_of(Handshaken)}
    # Each learns once, by a handshake, that an address from the tracker is its own.
    assert sum(str(sybil.address.host) in fact.address for fact in sybil.events_of(Connected)) <= 2 * 4 * 3


def test_more_identities_get_more_optimistic_slots() -> None:
    def share(identities: int) -> float:
        sybil, others = among_leeches(identities)
        assert sybil.session.sent_bytes == 0
        return sybil.session.received_bytes / mean(other.session.received_bytes for other in others)

    assert share(8) > 2 * share(1)


def test_no_block_arrives_twice() -> None:
    swarm = VirtualSwarm(a_torrent(200, 64 * KIB), profile=COURSE)
    swarm.add("seed", up=512 * KIB, is_seed=True)
    for number in range(8):
        swarm.add(f"leech {number}", up=128 * KIB)
    sybil = swarm.add("sybil", strategy="sybil", identities=6)
    swarm.run_until_all_complete()
    assert sybil.session.is_complete
    assert sybil.session.wasted_bytes < 0.02 * swarm.info.length


@pytest.mark.parametrize("identities", [0, -1, 1.5, True, "many"])
def test_invalid_number_of_identities_is_refused(identities: object) -> None:
    with pytest.raises(StrategyError, match="identities: expected a whole number, 1 or more, found"):
        make_strategy("sybil", COURSE, Random(1), {"identities": identities})
