"""The course's example in virtual time: neighbours that upload at 15, 12, 10, 9, 8 and 3, and four slots to win.

The fastest four get a slot, and all slots are equally large: the neighbour that offers 9 gets as much as the one that
offers 15, and 8 gets as much as 3. The experiment `experiments/course-example.yaml` is the same with real sockets.
"""

from collections import Counter
from functools import cache
from random import Random

import pytest

from contract.events import Connected, Moved
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.wire.bitfield import Bitfield
from peer.simulation.swarm import VirtualPeer, VirtualSwarm, virtual_torrent

OFFERS = (15, 12, 10, 9, 8, 3)
UNIT = 10_000
SLOT = 20
"""The rate of each of our five slots: more than any of the six uploads."""
PIECES = 6_000
SETTLED, END = 6, 36
"""Seconds. Periods are a tenth of the course's, so these are one minute and six."""


@cache
def settled_rates(seed: int) -> tuple[Counter[int], Counter[int]]:
    """The bytes that one compliant peer sends to each of the six and receives from it, after all have settled.

    Each of the six serves only the neighbour that uploads most to it.
    """
    rng = Random(seed)
    swarm = VirtualSwarm(virtual_torrent(PIECES), profile=PROFILES["course"].scaled(10), seed=seed)
    swarm.add("seed", up=1, is_seed=True)
    ours = swarm.add("ours", up=5 * SLOT * UNIT, have=a_half(rng))
    for offer in OFFERS:
        swarm.add(str(offer), up=offer * UNIT, strategy="no-optimistic", slots=1, have=a_half(rng))
    swarm.run(END)
    return moved(ours, {swarm.peers[str(offer)].address.host: offer for offer in OFFERS})


def a_half(rng: Random) -> Bitfield:
    have = Bitfield(PIECES)
    for index in rng.sample(range(PIECES), PIECES // 2):
        have.add(index)
    return have


def moved(ours: VirtualPeer, offers: dict[str, int]) -> tuple[Counter[int], Counter[int]]:
    numbers = {fact.neighbour: offers.get(fact.address.rpartition(":")[0], 0) for fact in ours.events_of(Connected)}
    given, got = Counter[int](), Counter[int]()
    for now, fact in ours.events:
        if isinstance(fact, Moved) and now > SETTLED:
            for neighbour, received, sent in fact.bytes:
                given[numbers[neighbour]] += sent
                got[numbers[neighbour]] += received
    return given, got


@pytest.mark.parametrize("seed", [1, 2])
def test_offer_of_9_gets_as_much_as_15(seed: int) -> None:
    given, got = settled_rates(seed)
    whole_slot = SLOT * UNIT * (END - SETTLED)
    assert all(given[offer] == pytest.approx(whole_slot, rel=0.1) for offer in (15, 12, 10, 9))
    assert got[15] > 1.5 * got[9]


@pytest.mark.parametrize("seed", [1, 2])
def test_offers_8_and_3_share_the_optimistic_slot(seed: int) -> None:
    given, _ = settled_rates(seed)
    half_a_slot = SLOT * UNIT * (END - SETTLED) / 2
    assert all(given[offer] == pytest.approx(half_a_slot, rel=0.25) for offer in (8, 3))
