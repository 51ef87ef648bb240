"""BitTyrant as in its paper: prices rise and fall, and the capacity is spent where the return is best."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import (
    Allocation,
    Candidate,
    ChokingView,
    Trigger,
)
from peer.bittorrent.strategies.registry import StrategyError, make_strategy
from peer.simulation.swarm import VirtualSwarm, a_torrent
from tests.peer.bittorrent.strategies.candidates import (
    A_LONG_TIME,
    PIECE,
    Neighbourhood,
    neighbours,
    view_of,
)
from tests.peer.bittorrent.strategies.progress import progress

KB = 1_000
COURSE = PROFILES["course"]
CAPACITY = 100 * KB
EQUAL_SPLIT = CAPACITY / 5


def made(**parameters: object):
    return make_strategy("bittyrant", COURSE, Random(1), parameters)


class Market:
    """Rounds of ten seconds, in which neighbours upload what they offer while they are served.

    A neighbour unchokes us while it is given `asks` (bytes/s) or more, and then gives `gives`.
    """

    def __init__(self, asks: Iterable[float], gives: Iterable[float], **parameters: object) -> None:
        self.choker = made(**parameters).choker
        self.asks, self.gives = list(asks), list(gives)
        self.candidates = [Candidate(key=key, is_interested=True, interests_us=True) for key in range(len(self.asks))]
        self.now = 0.0
        self.allocation = Allocation()

    def comes(self, asks: float, gives: float) -> int:
        """Add a neighbour that is interested and interesting."""
        self.asks.append(asks)
        self.gives.append(gives)
        self.candidates.append(Candidate(key=len(self.candidates), is_interested=True, interests_us=True))
        return len(self.candidates) - 1

    def round(self) -> Allocation:
        """Let ten seconds pass, then call the choker."""
        self.now += 10
        self.candidates = [self._later(each) for each in self.candidates]
        view = ChokingView(
            now=self.now,
            trigger=Trigger.ROUND,
            candidates=self.candidates,
            is_seed=False,
            capacity=CAPACITY,
            piece_length=PIECE,
        )
        self.allocation = self.choker.allocate(view)
        return self.allocation

    def rate(self, key: int) -> float:
        """The rate granted to one neighbour now."""
        grant = self.allocation.grants.get(key)
        return 0 if grant is None else grant.rate or 0

    def rates(self, key: int, rounds: int) -> list[float]:
        """The rate granted to one neighbour in each of the next rounds."""
        return [self.round() and self.rate(key) for _ in range(rounds)]

    def _later(self, candidate: Candidate) -> Candidate:
        rate = self.rate(candidate.key)
        unchokes_us = rate >= self.asks[candidate.key]
        received = 10 * self.gives[candidate.key] if unchokes_us else 0
        return replace(
            candidate,
            known_for=candidate.known_for + 10,
            unchokes_us=unchokes_us,
            received=candidate.received + round(received),
            received_rate=received / 10,
            is_unchoked=rate > 0,
            unchoked_for=10 if rate > 0 else 0,
        )


def test_price_rises_by_a_fifth_until_reciprocated() -> None:
    market = Market(asks=[50 * KB], gives=[10 * KB], excess="withheld")
    assert market.rates(0, 6) == pytest.approx([EQUAL_SPLIT * 1.2**n for n in range(6)])
    assert EQUAL_SPLIT * 1.2**5 < 50 * KB < EQUAL_SPLIT * 1.2**6


def test_price_falls_by_a_tenth_after_three_rounds() -> None:
    market = Market(asks=[0], gives=[30 * KB], excess="withheld")
    assert market.rates(0, 7) == pytest.approx([EQUAL_SPLIT * 0.9**n for n in (0, 0, 0, 1, 2, 3, 4)])


def test_price_settles_around_what_reciprocates() -> None:
    market = Market(asks=[9 * KB], gives=[30 * KB], excess="withheld")
    settled = market.rates(0, 60)[20:]
    assert 9 * KB * 0.9 <= min(settled) < 9 * KB <= max(settled) <= 9 * KB * 1.2


def test_new_neighbour_is_first_paid_the_common_price() -> None:
    """Three upload 2, 4 and 6 kB/s: a new one is assumed to be like them, and its price rises until it reciprocates."""
    market = Market(asks=[0, 0, 0], gives=[2 * KB, 4 * KB, 6 * KB], excess="withheld")
    for _ in range(3):
        market.round()
    stranger = market.comes(asks=6 * KB, gives=6 * KB)
    assert market.rates(stranger, 4) == pytest.approx([4 * KB, 4.8 * KB, 5.76 * KB, 6.912 * KB])


@pytest.mark.parametrize("of_these", [2, 3])
def test_common_price_needs_three_measured_neighbours(of_these: int) -> None:
    market = Market(asks=[0] * of_these, gives=[4 * KB] * of_these, excess="withheld")
    for _ in range(3):
        market.round()
    stranger = market.comes(asks=CAPACITY, gives=0)
    assert market.rates(stranger, 1) == pytest.approx([4 * KB if of_these == 3 else EQUAL_SPLIT])


def test_common_price_ignores_seeds() -> None:
    market = Market(asks=[0] * 3, gives=[4 * KB] * 3, excess="withheld")
    market.candidates = [replace(each, is_seed=True) for each in market.candidates]
    for _ in range(3):
        market.round()
    stranger = market.comes(asks=CAPACITY, gives=0)
    assert market.rates(stranger, 1) == pytest.approx([EQUAL_SPLIT])


def test_first_price_parameter_applies_to_new_neighbours() -> None:
    market = Market(asks=[0] * 3, gives=[4 * KB] * 3, excess="withheld", first_price=9 * KB)
    assert market.rates(0, 3) == [9 * KB] * 3
    stranger = market.comes(asks=CAPACITY, gives=0)
    assert market.rates(stranger, 1) == [9 * KB]


@pytest.mark.parametrize(("rise", "fall", "patience"), [(0.5, 0.1, 3), (0.2, 0.3, 1)])
def test_parameters_set_how_prices_move(rise: float, fall: float, patience: int) -> None:
    terms: dict[str, object] = {"rise": rise, "fall": fall, "patience": patience, "excess": "withheld"}
    assert Market([CAPACITY], [0], **terms).rates(0, 2)[1] == pytest.approx(EQUAL_SPLIT * (1 + rise))
    falling = Market([0], [30 * KB], **terms).rates(0, patience + 1)
    assert falling == pytest.approx([EQUAL_SPLIT] * patience + [EQUAL_SPLIT * (1 - fall)])


def test_price_never_falls_below_a_block_per_window() -> None:
    market = Market(asks=[0], gives=[30 * KB], excess="withheld")
    assert market.rates(0, 200)[-1] == pytest.approx(COURSE.block_length / COURSE.rate_window)


def test_price_stays_for_neighbours_without_pieces_for_us() -> None:
    market = Market(asks=[CAPACITY], gives=[0], excess="withheld")
    market.candidates = [replace(each, interests_us=False) for each in market.candidates]
    assert market.rates(0, 5) == pytest.approx([EQUAL_SPLIT] * 5)


def test_best_return_is_served_most() -> None:
    """Ten have equal prices, in all twice the capacity: the more one uploads, the more often it is served."""
    market = Market(asks=[EQUAL_SPLIT] * 10, gives=[KB * (key + 1) for key in range(10)], excess="withheld")
    counted = Counter[int]()
    for _ in range(100):
        counted.update(market.round().grants.keys())
    assert min(counted[key] for key in (8, 9)) > 80
    assert max(counted[key] for key in (0, 1, 2)) < 40


def test_three_cheap_neighbours_beat_a_generous_dear_one() -> None:
    """d_p/u_p: 60/90 against 25/25, thrice."""
    first = Market([90 * KB, 25 * KB, 25 * KB, 25 * KB], [60 * KB, 25 * KB, 25 * KB, 25 * KB], excess="withheld")
    counted = Counter[int]()
    for _ in range(80):
        counted.update(first.round().grants.keys())
    assert counted[0] < 40
    assert min(counted[key] for key in (1, 2, 3)) > 70


def test_upload_is_guessed_from_announcements_while_choked() -> None:
    """Four announce a piece in 10 s, one announces ten: it is expected to upload ten times as much."""
    choker = made(slots=1).choker
    slow = [Candidate(key=key, is_interested=True, known_for=A_LONG_TIME, have_rate=0.1) for key in range(4)]
    fast = Candidate(key=4, is_interested=True, known_for=A_LONG_TIME, have_rate=1.0)
    served = [choker.allocate(a_view([*slow, fast], now=now)).grants.keys() for now in (0, 10, 20)]
    assert all(keys == {4} for keys in served)


def a_view(candidates: Iterable[Candidate], **fields: object) -> ChokingView:
    return replace(view_of(candidates), capacity=CAPACITY, **fields)  # type: ignore[arg-type]


def test_has_no_optimistic_slots_and_gives_reasons() -> None:
    choker = made(excess="withheld").choker
    allocation = choker.allocate(a_view(neighbours("0 0 0 0 0 0 0-")))
    assert [grant.reason for grant in allocation.grants.values()] == ["worth it"] * 5
    assert sorted(allocation.refusals.values()) == ["dearer", "not interested"]


def test_neighbour_that_sends_nothing_is_worth_nothing() -> None:
    market = Market(asks=[0, 0], gives=[0, KB], excess="withheld")
    for _ in range(3):
        market.round()
    assert market.allocation.grants.keys() == {1}
    assert market.allocation.refusals == {0: "gives nothing back"}


class TestExcess:
    """Prices fall over time, and some capacity is left over."""

    def after(self, rounds: int, count: int, excess: str) -> Market:
        market = Market(asks=[0] * count, gives=[10 * KB] * count, excess=excess)
        for _ in range(rounds):
            market.round()
        return market

    def test_withheld_excess_is_not_used(self) -> None:
        market = self.after(40, 8, "withheld")
        assert set(market.allocation.grants) == set(range(8))
        assert sum(map(market.rate, range(8))) < 0.2 * CAPACITY

    def test_excess_goes_to_paid_neighbours_without_others(self) -> None:
        market = self.after(40, 8, "donated")
        assert sum(map(market.rate, range(8))) == pytest.approx(CAPACITY)

    def test_unused_payments_are_donated_too(self) -> None:
        """Five are paid 20 kB/s each, and use 12; two more are interested."""
        choker = made().choker
        served = neighbours("0 0 0 0 0")
        choker.allocate(a_view(served))
        taking = [replace(each, is_unchoked=True, unchoked_for=60.0, sent_rate=12.0 * KB) for each in served]
        others = [Candidate(key=key, is_interested=True) for key in (5, 6)]
        grants = choker.allocate(a_view([*taking, *others], trigger=Trigger.CHANGE)).grants
        assert {key: grants[key].rate for key in (0, 5, 6)} == pytest.approx({0: 20 * KB, 5: 20 * KB, 6: 20 * KB})

    def test_excess_goes_to_others_at_limited_rates(self) -> None:
        choker = made(first_price=30 * KB).choker
        grants = choker.allocate(a_view(neighbours("0 0 0 0 0 0"))).grants.values()
        assert sorted((grant.reason, grant.rate) for grant in grants) == [
            ("donated", pytest.approx(10 * KB)),
            *[("worth it", 30 * KB)] * 3,
        ]


CANDIDATE = st.builds(
    Candidate,
    key=st.integers(0, 30),
    known_for=st.floats(0, 100),
    is_interested=st.booleans(),
    interests_us=st.booleans(),
    is_unchoked=st.booleans(),
    unchoked_for=st.floats(0, 100),
    unchokes_us=st.booleans(),
    is_seed=st.booleans(),
    have_rate=st.floats(0, 100),
    received=st.integers(0, 10**7),
    received_rate=st.floats(0, 10**6),
)
MOMENT = st.tuples(st.sampled_from(Trigger), st.lists(CANDIDATE, max_size=12, unique_by=lambda each: each.key))


@given(st.lists(MOMENT, max_size=8), st.sampled_from(["donated", "withheld"]), st.floats(1, 10**7))
def test_grants_never_exceed_the_capacity(moments, excess: str, capacity: float) -> None:
    choker = made(excess=excess).choker
    for number, (trigger, candidates) in enumerate(moments):
        view = replace(view_of(candidates, trigger, now=10.0 * number), capacity=capacity)
        spent = Counter[str]()
        for grant in choker.allocate(view).grants.values():
            assert grant.rate is not None
            assert grant.rate > 0
            spent[grant.reason] += grant.rate
        assert max(spent["worth it"], spent["donated"]) <= capacity * (1 + 1e-6)
        assert excess == "donated" or not spent["donated"]


@given(st.lists(CANDIDATE, max_size=12, unique_by=lambda each: each.key), st.sampled_from(["donated", "withheld"]))
def test_interested_neighbours_stay_unchoked_between_rounds(candidates, excess: str) -> None:
    choker = made(excess=excess).choker
    first = choker.allocate(a_view(candidates)).grants.keys()
    told = [replace(each, is_unchoked=each.key in first) for each in candidates]
    stayed = [each for each in told if each.key % 3]
    second = choker.allocate(a_view(stayed, trigger=Trigger.CHANGE)).grants.keys()
    assert {each.key for each in stayed if each.key in first and each.is_interested} <= second


def test_uninterested_giver_is_kept_ready() -> None:
    giver = Candidate(key=0, unchokes_us=True, received_rate=5 * KB)
    (grant,) = made().choker.allocate(a_view([giver])).grants.values()
    assert grant.reason == "ready"


def test_acts_as_standard_client_without_capacity() -> None:
    here = Neighbourhood(made().choker, neighbours("15 12 10 9 8 3"))
    here.round(after=10)
    assert here.given("reciprocates") == {0, 1, 2, 3}
    assert len(here.given("optimistic")) == 1


def test_seed_serves_as_the_profile_says() -> None:
    here = Neighbourhood(made().choker, neighbours("0 0 0 0 0 0"), is_seed=True)
    here.round(after=10)
    assert here.given("on trial") == here.served
    assert len(here.served) == 5


def test_aims_for_many_neighbours() -> None:
    targets = made().peer_policy.targets(progress(), ())
    assert (targets.most_neighbours, targets.dials_up_to, targets.numwant) == (500, 500, 200)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"excess": "kept"}, "excess: expected donated or withheld, found 'kept'"),
        ({"first_price": 0}, "first_price: expected a number above 0, found 0"),
        ({"fall": 1}, "fall: expected a part below 1, found 1"),
        ({"patience": 0.5}, "patience: expected a whole number, 1 or more, found 0.5"),
        ({"slots": 0}, "slots: expected a whole number, 1 or more, found 0"),
    ],
)
def test_invalid_parameters_are_refused(parameters: dict[str, object], words: str) -> None:
    with pytest.raises(StrategyError) as error:
        made(**parameters)
    assert str(error.value) == f"strategy bittyrant: {words}"


@pytest.mark.parametrize("excess", ["donated", "withheld"])
def test_swarm_of_bittyrants_gets_the_file(excess: str) -> None:
    swarm = VirtualSwarm(a_torrent(100, 32 << 10), profile=COURSE.scaled(10))
    swarm.add("seed", up=400 * KB, is_seed=True)
    for number, up in enumerate([100, 100, 100, 100, 100, 100, 400, 400]):
        swarm.add(str(number), up=up * KB, strategy="bittyrant", excess=excess)
    bound = 8 * swarm.info.length / (400 * KB + 1_400 * KB)
    assert swarm.run_until_all_complete(200) < 3 * bound
