"""Copies are counted, and pieces stay in the order of their copies, whatever happens."""

from collections import Counter
from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from peer.bittorrent.engine.download.candidate_pieces import CandidatePieces
from peer.bittorrent.engine.download.rarity import Rarity
from peer.bittorrent.wire.bitfield import Bitfield

SIZE = 12
SETS = st.sets(st.integers(0, SIZE - 1))


def bitfield(pieces: set[int] | range, size: int = SIZE) -> Bitfield:
    made = Bitfield(size)
    for index in pieces:
        made.add(index)
    return made


class RarityAgainstSets(RuleBasedStateMachine):
    """The order against plain sets: who has which, and which pieces are inactive."""

    @initialize(fresh=SETS)
    def begin(self, fresh: set[int]) -> None:
        self.rarity = Rarity(SIZE, sorted(fresh))
        self.fresh = fresh
        self.neighbours: dict[int, tuple[Bitfield, bool]] = {}
        self.next_key = 0

    @rule(pieces=SETS)
    def join(self, pieces: set[int]) -> None:
        theirs = bitfield(pieces)
        self.neighbours[self.next_key] = (theirs, self.rarity.neighbour_joined(theirs))
        self.next_key += 1

    @rule()
    def join_as_seed(self) -> None:
        self.join(set(range(SIZE)))

    @precondition(lambda self: self.neighbours)
    @rule(data=st.data(), index=st.integers(0, SIZE - 1))
    def announce(self, data: st.DataObject, index: int) -> None:
        theirs, _ = self.neighbours[data.draw(st.sampled_from(sorted(self.neighbours)))]
        if theirs.add(index):
            assert self.rarity.gained(index) == (index in self.fresh)

    @precondition(lambda self: self.neighbours)
    @rule(data=st.data())
    def part(self, data: st.DataObject) -> None:
        theirs, is_seed = self.neighbours.pop(data.draw(st.sampled_from(sorted(self.neighbours))))
        self.rarity.neighbour_left(theirs, is_seed=is_seed)

    @rule(index=st.integers(0, SIZE - 1))
    def take_or_put_back(self, index: int) -> None:
        if index in self.fresh:
            self.rarity.take(index)
        else:
            self.rarity.put_back(index)
        self.fresh ^= {index}

    @invariant()
    def copies_are_true(self) -> None:
        copies = [sum(index in theirs for theirs, _ in self.neighbours.values()) for index in range(SIZE)]
        assert [self.rarity.copies(index) for index in range(SIZE)] == copies

    @invariant()
    def the_order_has_the_fresh_pieces_rarest_first(self) -> None:
        levels = [[self.rarity.at(position) for position in level] for level in self.rarity.levels()]
        assert sorted(index for level in levels for index in level) == sorted(self.fresh)
        assert len(self.rarity) == len(self.fresh)
        assert all(index in self.rarity for index in self.fresh)
        of_levels = [{self.rarity.copies(index) for index in level} for level in levels]
        assert all(len(copies) == 1 for copies in of_levels)
        assert [min(copies) for copies in of_levels] == sorted({self.rarity.copies(index) for index in self.fresh})


TestRarityAgainstSets = RarityAgainstSets.TestCase
TestRarityAgainstSets.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)


def candidates_of(
    theirs: Bitfield, others: list[Bitfield], seed: int = 0, among: set[int] | None = None
) -> CandidatePieces:
    """The pieces of a neighbour, for a client without pieces."""
    rarity = Rarity(theirs.size, range(theirs.size))
    for each in (theirs, *others):
        rarity.neighbour_joined(each)
    return CandidatePieces(7, theirs, Bitfield(theirs.size), rarity, Random(seed), among=among)


def test_rarest_is_among_those_with_fewest_copies() -> None:
    copies = [3, 1, 2, 1, 1, 4]
    others = [bitfield({index for index in range(6) if copies[index] > above}, 6) for above in range(1, 4)]
    theirs = bitfield({0, 1, 2, 3, 5}, 6)
    assert {candidates_of(theirs, others, seed).rarest() for seed in range(50)} == {1, 3}


@pytest.mark.parametrize("count", [3, 100, 2_000])
def test_ties_are_broken_by_chance_alone(count: int) -> None:
    """A neighbour with few pieces and one with all are drawn from in different ways, and evenly in each."""
    rng = Random(3)
    theirs = bitfield(set(rng.sample(range(2_000), count)), 2_000)
    candidates = candidates_of(theirs, [])
    low = set(list(theirs)[: count // 3])
    for pick in (candidates.rarest, candidates.random):
        drawn = Counter(pick() in low for _ in range(900))
        assert 300 * 0.8 < drawn[True] < 300 * 1.2


def test_candidates_are_theirs_missing_and_inactive() -> None:
    rarity = Rarity(6, [2, 3, 4, 5])
    theirs = bitfield({0, 2, 3, 5}, 6)
    rarity.neighbour_joined(theirs)
    rarity.take(3)
    candidates = CandidatePieces(7, theirs, bitfield({0, 1}, 6), rarity, Random(1))
    assert list(candidates) == [2, 5]
    assert candidates.first() == 2
    assert candidates.have_count == 2
    assert candidates.copies(5) == 1
    assert {candidates.random() for _ in range(50)} == {2, 5} == {candidates.rarest() for _ in range(50)}


def test_an_offer_can_be_narrowed_to_some_pieces() -> None:
    candidates = candidates_of(bitfield({1, 2, 3, 4}), [], among={9, 4, 2})
    assert list(candidates) == [2, 4]
    assert {candidates.random() for _ in range(50)} == {2, 4} == {candidates.rarest() for _ in range(50)}
    assert [index for index in range(SIZE) if index in candidates] == [2, 4]


def test_an_empty_offer_has_no_pieces_to_give() -> None:
    candidates = candidates_of(Bitfield(SIZE), [])
    assert (candidates.first(), candidates.random(), candidates.rarest()) == (None, None, None)


def test_seed_offers_pieces_of_seeds_alone_first() -> None:
    candidates = candidates_of(Bitfield.full(SIZE), [bitfield(range(SIZE - 1))])
    assert {candidates.rarest() for _ in range(20)} == {SIZE - 1}


def test_the_same_seed_draws_the_same_pieces() -> None:
    theirs = bitfield(set(range(0, 600, 7)), 600)
    first, second = (candidates_of(theirs, [], seed=5) for _ in range(2))
    assert [first.rarest() for _ in range(20)] == [second.rarest() for _ in range(20)]
