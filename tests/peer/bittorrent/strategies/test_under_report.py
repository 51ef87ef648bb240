"""Under-reporting: a neighbour knows of one piece that it lacks, and of no more."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.events import Interested as InterestedFact
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.strategies.registry import StrategyError, make_strategy
from peer.bittorrent.strategies.under_report import UnderReports
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.messages import Have, HaveBitfield, HaveNone
from peer.simulation.swarm import VirtualSwarm, virtual_torrent
from tests.peer.bittorrent.engine.scripted import SessionHarness
from tests.peer.bittorrent.strategies.crowds import COURSE

PIECES = 8
THEM = 1


class Told:
    """A client that under-reports, one neighbour, and the pieces announced to it."""

    def __init__(self, pieces: set[int], ahead: int = 1) -> None:
        self.have = Bitfield(PIECES)
        for index in pieces:
            self.have.add(index)
        self.advertiser = UnderReports(ahead, Random(1))
        self.told = set(self.advertiser.initial_bitfield(THEM, self.have))
        self.theirs: set[int] = set()

    @property
    def wanted(self) -> set[int]:
        return self.told - self.theirs

    def we_get(self, index: int) -> None:
        self.have.add(index)
        self.told |= {index for _ in self.advertiser.announce_to(index, [THEM])}

    def they_get(self, index: int) -> None:
        self.theirs.add(index)
        for key, told in self.advertiser.answer_have(THEM, index):
            assert key == THEM
            assert told in self.have
            assert told not in self.told | self.theirs
            self.told.add(told)


def test_claims_one_of_many_pieces() -> None:
    assert len(Told({1, 3, 5}).told) == 1


def test_next_piece_is_announced_when_the_last_arrived() -> None:
    told = Told({1, 3, 5})
    for count in (2, 3):
        told.they_get(next(iter(told.wanted)))
        assert len(told.told) == count
    told.they_get(next(iter(told.wanted)))
    assert told.told == {1, 3, 5}


def test_new_piece_is_announced_if_none_is_wanted() -> None:
    told = Told(set())
    told.we_get(4)
    assert told.told == {4}
    told.we_get(2)
    assert told.told == {4}


def test_most_common_piece_is_announced_first() -> None:
    told = Told({0})
    told.we_get(6)
    told.we_get(7)
    for another in (2, 3):
        list(told.advertiser.answer_have(another, 7))
    told.they_get(0)
    assert told.told == {0, 7}


ACTIONS = st.lists(st.tuples(st.booleans(), st.integers(0, PIECES - 1)), max_size=40)


@given(st.sets(st.integers(0, PIECES - 1), max_size=PIECES - 1), ACTIONS, st.integers(1, 3))
def test_neighbour_lacks_as_many_announced_pieces_as_set(
    pieces: set[int], actions: list[tuple[bool, int]], ahead: int
) -> None:
    told = Told(pieces, ahead)
    for is_ours, index in actions:
        if is_ours and index not in told.have:
            told.we_get(index)
        elif not is_ours and index not in told.theirs:
            told.they_get(index)
        assert told.told <= set(told.have)
        assert len(told.wanted) == min(ahead, len(set(told.have) - told.theirs))


def test_seed_announces_all_pieces() -> None:
    told = Told(set(range(PIECES - 1)))
    assert list(told.advertiser.due_haves(now=1)) == []
    told.we_get(PIECES - 1)
    rest = {index for _, index in told.advertiser.due_haves(now=2)}
    assert told.told | rest == set(range(PIECES))
    assert list(told.advertiser.due_haves(now=3)) == []


def test_newcomer_at_a_seed_learns_all_at_once() -> None:
    assert UnderReports(1, Random(1)).initial_bitfield(THEM, Bitfield.full(PIECES)).is_full


def test_initial_bitfield_of_a_neighbour_counts() -> None:
    have = Bitfield(8)
    for index in range(6):
        have.add(index)
    harness = SessionHarness(have=have, strategy=make_strategy("under-report", PROFILES["course"], Random(1), {}))
    neighbour = harness.add_neighbour()
    (claim,) = [word for word in neighbour.received() if isinstance(word, HaveBitfield)]
    (first,) = Bitfield.from_wire(claim.bits, 8)
    theirs = Bitfield(8)
    for index in {0, 1, 2, 3, first}:
        theirs.add(index)
    neighbour.send(HaveBitfield(theirs.to_wire()))
    told = {word.index for word in neighbour.received() if isinstance(word, Have)}
    assert len(told - set(theirs)) == 1


def test_neighbour_without_pieces_learns_of_no_more() -> None:
    have = Bitfield(8)
    have.add(1)
    have.add(2)
    harness = SessionHarness(have=have, strategy=make_strategy("under-report", PROFILES["course"], Random(1), {}))
    neighbour = harness.add_neighbour(HaveNone())
    harness.wait(30)
    assert not [word for word in neighbour.received() if isinstance(word, Have)]


def test_others_stay_interested_longer() -> None:
    honest = [last_interest("tit-for-tat", seed) for seed in (1, 2)]
    keeping_back = [last_interest("under-report", seed) for seed in (1, 2)]
    assert sum(keeping_back) > 1.1 * sum(honest)


def last_interest(strategy: str, seed: int) -> float:
    """When the last of six leeches loses interest in the one with half of the file, without a seed."""
    swarm = VirtualSwarm(virtual_torrent(24, 64 << 10), profile=COURSE, seed=seed)
    half = Bitfield(24)
    for index in range(12):
        half.add(index)
    lone = swarm.add("lone", up=128 << 10, have=half, strategy=strategy)
    for number in range(6):
        swarm.add(f"leech {number}", up=128 << 10)
    swarm.run(60)
    lost = [now for now, fact in lone.events if isinstance(fact, InterestedFact) and not fact.by_us]
    return max(lost)


def test_invalid_number_is_refused() -> None:
    with pytest.raises(StrategyError, match=r"^strategy under-report: ahead: expected a whole number, 1 or more"):
        make_strategy("under-report", PROFILES["course"], Random(1), {"ahead": 0})
