"""Copies are counted, and pieces stand in the order of their copies, whatever happens."""

from collections import Counter
from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from peer.bittorrent.engine.download.candidate_pieces import Offer
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
    """The order against plain sets: who has what, and which pieces are fresh."""

    @initialize(fresh=SETS)
    def begin(self, fresh: set[int]) -> None:
        self.rarity = Rarity(SIZE, sorted(fresh))
        self.fresh = fresh
        self.neighbours: dict[int, tuple[Bitfield, bool]] = {}
        self.next_key = 0

    @rule(pieces=SETS)
    def join(self, pieces: set[int]) -> None:
        theirs = bitfield(pieces)
        self.neighbours[self.next_key] = (theirs, self.rarity.joined(theirs))
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
        self.rarity.parted(theirs, is_seed=is_seed)

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
        assert self.rarity.spread == (min(copies), max(copies))

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


def offer_of(theirs: Bitfield, others: list[Bitfield], seed: int = 0, among: list[int] | None = None) -> Offer:
    """Show a neighbour's pieces to somebody who has nothing yet."""
    rarity = Rarity(theirs.size, range(theirs.size))
    for each in (theirs, *others):
        rarity.joined(each)
    return Offer(7, theirs, Bitfield(theirs.size), rarity, Random(seed), among=among)


def test_the_rarest_is_one_of_those_with_the_fewest_copies() -> None:
    copies = [3, 1, 2, 1, 1, 4]
    others = [bitfield({index for index in range(6) if copies[index] > above}, 6) for above in range(1, 4)]
    theirs = bitfield({0, 1, 2, 3, 5}, 6)
    assert {offer_of(theirs, others, seed).rarest() for seed in range(50)} == {1, 3}


@pytest.mark.parametrize("count", [3, 100, 2_000])
def test_ties_are_broken_by_chance_alone(count: int) -> None:
    """A neighbour with few pieces and one with all are drawn from in different ways, and evenly in each."""
    rng = Random(3)
    theirs = bitfield(set(rng.sample(range(2_000), count)), 2_000)
    offer = offer_of(theirs, [])
    low = set(list(theirs)[: count // 3])
    for pick in (offer.rarest, offer.random):
        drawn = Counter(pick() in low for _ in range(900))
        assert 300 * 0.8 < drawn[True] < 300 * 1.2


def test_an_offer_has_what_the_neighbour_has_and_we_lack_and_nobody_was_asked_for() -> None:
    rarity = Rarity(6, [2, 3, 4, 5])
    theirs = bitfield({0, 2, 3, 5}, 6)
    rarity.joined(theirs)
    rarity.take(3)
    offer = Offer(7, theirs, bitfield({0, 1}, 6), rarity, Random(1))
    assert list(offer) == [2, 5]
    assert offer.first() == 2
    assert offer.have_count == 2
    assert offer.copies(5) == 1
    assert {offer.random() for _ in range(50)} == {2, 5} == {offer.rarest() for _ in range(50)}


def test_an_offer_can_be_narrowed_to_some_pieces() -> None:
    offer = offer_of(bitfield({1, 2, 3, 4}), [], among=[9, 4, 2])
    assert list(offer) == [2, 4]
    assert {offer.random() for _ in range(50)} == {2, 4} == {offer.rarest() for _ in range(50)}
    assert [index for index in range(SIZE) if index in offer] == [2, 4]


def test_an_empty_offer_has_no_pieces_to_give() -> None:
    offer = offer_of(Bitfield(SIZE), [])
    assert (offer.first(), offer.random(), offer.rarest()) == (None, None, None)


def test_a_seed_offers_what_only_seeds_have_before_all_else() -> None:
    offer = offer_of(Bitfield.full(SIZE), [bitfield(range(SIZE - 1))])
    assert {offer.rarest() for _ in range(20)} == {SIZE - 1}


def test_the_same_seed_draws_the_same_pieces() -> None:
    theirs = bitfield(set(range(0, 600, 7)), 600)
    first, second = (offer_of(theirs, [], seed=5) for _ in range(2))
    assert [first.rarest() for _ in range(20)] == [second.rarest() for _ in range(20)]
