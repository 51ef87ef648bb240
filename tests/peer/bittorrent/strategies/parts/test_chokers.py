"""Tit-for-tat as in textbooks: serves the fastest uploaders, and one random other for 30 seconds."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.engine.profile import PROFILES, Profile
from peer.bittorrent.engine.strategy import Candidate, Trigger
from peer.bittorrent.strategies.parts.chokers import TitForTat
from tests.peer.bittorrent.strategies.candidates import Neighbourhood, neighbours, view_of

COURSE = PROFILES["course"]
BEP3 = PROFILES["bep3"]
LIBTORRENT = PROFILES["libtorrent"]


def choker(profile: Profile = COURSE, seed: int = 1) -> TitForTat:
    return TitForTat(profile, Random(seed))


def around(words: str, profile: Profile = COURSE, seed: int = 1) -> Neighbourhood:
    return Neighbourhood(choker(profile, seed), neighbours(words))


def test_four_fastest_of_six_are_served() -> None:
    four_and_none = replace(COURSE, all_slots=4, optimistic_slots=0)
    allocation = choker(four_and_none).allocate(view_of(neighbours("8 15 3 12 9 10")))
    assert {key: grant.reason for key, grant in allocation.grants.items()} == dict.fromkeys(
        [1, 3, 5, 4], "reciprocates"
    )
    assert allocation.refusals == {0: "slower", 2: "slower"}


@pytest.mark.parametrize("seed", range(10))
def test_four_reciprocate_and_one_is_optimistic(seed: int) -> None:
    here = around("15 12 10 9 8 3", seed=seed)
    here.round(after=10)
    assert here.given("reciprocates") == {0, 1, 2, 3}
    assert len(here.given("optimistic") & {4, 5}) == len(here.given("optimistic")) == 1


def test_every_other_neighbour_can_be_optimistic() -> None:
    drawn = Counter[int]()
    for seed in range(400):
        here = around("15 12 10 9 8 3", seed=seed)
        here.round(after=10)
        drawn.update(here.given("optimistic"))
    assert 150 < drawn[4] < 250


def test_optimistic_slot_moves_every_30_seconds() -> None:
    here = around("15 12 10 9 0 0 0 0")
    seen = []
    for _ in range(300):
        here.round(after=10)
        seen.append(min(here.given("optimistic")))
    moves = [number for number in range(1, len(seen)) if seen[number] != seen[number - 1]]
    assert moves == list(range(3, 300, 3))


def test_inexact_rounds_do_not_extend_optimistic_slots() -> None:
    here = around("15 12 10 9 0 0 0 0")
    seen = []
    for late in [10.2, 9.9, 9.95, 9.9] * 30:
        here.round(after=late)
        seen.append(min(here.given("optimistic")))
    assert [number for number in range(1, 120) if seen[number] != seen[number - 1]] == list(range(3, 120, 3))


def test_earning_a_slot_frees_the_optimistic_one() -> None:
    here = around("15 12 10 9 0 0 0")
    here.round(after=10)
    (lucky,) = here.given("optimistic")
    here.present[lucky] = replace(here.present[lucky], received_rate=20)
    here.round(after=10)
    assert here.given("reciprocates") == {0, 1, 2, lucky}
    assert len(here.given("optimistic")) == 1
    assert lucky not in here.given("optimistic")


def test_free_rider_gets_one_sixth_of_optimistic_time() -> None:
    rider = 9
    here = around("18 17 16 15 14 13 12 11 10 0")
    for _ in range(9_000):
        here.round(after=10)
    six_compete_for_one_slot = here.now / 6
    assert here.seconds_served[rider] == pytest.approx(six_compete_for_one_slot, rel=0.08)
    assert all(here.seconds_served[key] == here.now - 10 for key in range(4))


def test_bep3_triples_the_chance_of_newcomers() -> None:
    drawn = Counter[int]()
    here, here_now = choker(replace(BEP3, all_slots=1)), neighbours("0 0 0 0 0 0+ 0+ 0+")
    for turn in range(8_000):
        (lucky,) = here.allocate(view_of(here_now, now=turn * 1_000)).grants
        drawn[lucky] += 1
        here_now = [replace(each, key=each.key + 8) for each in here_now]
    newcomers = sum(count for key, count in drawn.items() if key % 8 >= 5) / 3
    others = sum(count for key, count in drawn.items() if key % 8 < 5) / 5
    assert newcomers / others == pytest.approx(3, rel=0.1)


def test_course_profile_has_no_newcomer_bias() -> None:
    drawn = Counter[bool]()
    for seed in range(1_000):
        (lucky,) = choker(replace(COURSE, all_slots=1), seed).allocate(view_of(neighbours("0 0 0 0+"))).grants
        drawn[lucky == 3] += 1
    assert drawn[True] == pytest.approx(250, rel=0.2)


def test_equal_rates_are_chosen_at_random() -> None:
    times_served = Counter[int]()
    for seed in range(1_000):
        allocation = choker(seed=seed).allocate(view_of(neighbours("7 7 7 7 7 7 7 7 7 7")))
        times_served.update(allocation.grants.keys())
    assert all(times_served[key] == pytest.approx(500, rel=0.15) for key in range(10))


def test_new_neighbours_fill_free_slots_at_once() -> None:
    here = around("")
    for candidate in neighbours("0+ 0+ 0+ 0+ 0+ 0+ 0+"):
        here.come(candidate)
    assert here.served == {0, 1, 2, 3, 4}
    assert here.allocation.refusals == {5: "gives nothing", 6: "gives nothing"}


def test_first_neighbours_keep_slots_for_30_seconds() -> None:
    here = around("0+ 0+ 0+ 0+ 0+")
    here.decide(Trigger.CHANGE)
    here.come(replace(here.present[0], key=5, is_unchoked=False))
    for _ in range(2):
        here.round(after=10)
        assert here.served == {0, 1, 2, 3, 4}
    here.round(after=10)
    assert 5 in here.served
    assert len(here.served) == 5


def test_expired_slot_is_kept_until_another_waits() -> None:
    here = around("0 0 0")
    for _ in range(10):
        here.round(after=10)
    assert here.given("free slot") == {0, 1, 2}
    for key in (3, 4, 5):
        here.come(replace(here.present[0], key=key, is_unchoked=False))
    assert here.served == {0, 1, 2, 3, 4}
    here.round(after=10)
    assert {3, 4, 5} <= here.served


def test_slot_of_departed_goes_to_fastest_refused() -> None:
    here = around("15 12 10 9 8 7 0 0 0")
    here.round(after=10)
    optimistic = here.given("optimistic")
    here.part(1)
    (promoted,) = {key for key in (4, 5) if key not in optimistic} & here.served
    assert promoted == min({4, 5} - optimistic)
    assert optimistic <= here.served


def test_slot_of_uninterested_is_filled_at_once() -> None:
    here = around("15 12 10 9 0 0 0", replace(LIBTORRENT, all_slots=3))
    here.round(after=15)
    before = here.served
    here.change(0, is_interested=False)
    assert len(here.served) == 3
    assert before - {0} < here.served
    assert here.allocation.refusals[0] == "not interested"


def test_snubbing_neighbour_gets_only_optimistic_slots() -> None:
    here = around("0! 0! 10 9 0! 0!")
    here.round(after=10)
    assert here.given("reciprocates") == {2, 3}
    assert len(here.given("optimistic")) == 3
    (refused,) = here.allocation.refusals
    assert here.allocation.refusals[refused] == "snubbed"


def test_snubbed_slot_goes_to_the_next_giver() -> None:
    allocation = choker().allocate(view_of(neighbours("15! 12 10 9 8 3")))
    assert {key for key, grant in allocation.grants.items() if grant.reason == "reciprocates"} == {1, 2, 3, 4}


def test_uninterested_giver_is_ready_besides_the_slots() -> None:
    here = around("15 12 10 9 0 0 11- 3-")
    here.round(after=10)
    assert here.given("ready") == {6}
    assert len(here.served) == 5
    assert here.allocation.refusals[7] == "not interested"


def test_ready_giver_replaces_the_slowest() -> None:
    here = around("15 12 10 9 0 0 11-")
    here.round(after=10)
    optimistic = here.given("optimistic")
    here.change(6, is_interested=True)
    assert here.served == {0, 1, 2, 6} | optimistic
    assert here.allocation.refusals[3] == "slower"


def test_returning_interest_need_not_wait_for_a_round() -> None:
    here = around("15 12 10 9 0 0 0")
    here.round(after=10)
    optimistic = here.given("optimistic")
    here.change(0, is_interested=False)
    assert here.given("ready") == {0}
    assert len(here.served) == 5
    here.change(0, is_interested=True)
    assert here.served == {0, 1, 2, 3} | optimistic


def test_only_a_round_makes_a_neighbour_ready() -> None:
    here = around("15 12 10 9 0 0 11-")
    here.decide(Trigger.CHANGE)
    assert here.given("ready") == set()
    here.round(after=10)
    assert here.given("ready") == {6}


def test_snubbing_neighbour_is_not_ready() -> None:
    assert set(choker().allocate(view_of(neighbours("5 6!-"))).grants) == {0}


def test_neither_seeds_nor_libtorrent_have_ready_neighbours() -> None:
    assert set(choker().allocate(view_of(neighbours("50s 5 6-"))).grants) == {1, 2}
    assert set(choker(LIBTORRENT).allocate(view_of(neighbours("50s 5 6-"))).grants) == {1}


def test_seed_serves_as_the_profile_says() -> None:
    words = " ".join(["0"] * 12)
    for profile, reason in ((COURSE, "on trial"), (LIBTORRENT, "seed turn")):
        allocation = choker(profile).allocate(view_of(neighbours(words), is_seed=True))
        assert {grant.reason for grant in allocation.grants.values()} == {reason}
        assert len(allocation.grants) == profile.slots(None)


def test_same_random_seed_makes_the_same_choices() -> None:
    words = "15 12 0 0 0 0+ 0+ 0! 7- 7 7 7"

    def story(seed: int) -> list[set[int]]:
        here = around(words, seed=seed)
        served = []
        for _ in range(30):
            here.round(after=10)
            served.append(here.served)
        return served

    assert story(1) == story(1)
    assert story(1) != story(2)


CANDIDATES = st.builds(
    Candidate,
    key=st.integers(0, 10_000),
    known_for=st.floats(0, 100),
    is_interested=st.booleans(),
    is_snubbed=st.booleans(),
    is_seed=st.booleans(),
    is_unchoked=st.booleans(),
    unchoked_for=st.floats(0, 100),
    received_rate=st.sampled_from([0.0, 1.0, 2.0, 50.0]),
    sent_rate=st.sampled_from([0.0, 1.0, 50.0]),
    sent_since_unchoked=st.integers(0, 1 << 24),
)
CROWDS = st.lists(CANDIDATES, max_size=14, unique_by=lambda candidate: candidate.key)
SMALL_PROFILES = st.builds(
    lambda profile, slots, optimistic: replace(profile, all_slots=slots, optimistic_slots=optimistic),
    st.sampled_from([COURSE, BEP3, LIBTORRENT]),
    st.integers(1, 6),
    st.integers(0, 2),
)
STEPS = st.lists(st.tuples(st.sampled_from(Trigger), CROWDS, st.booleans()), min_size=1, max_size=6)


@given(SMALL_PROFILES, STEPS, st.integers(0, 5))
def test_slots_are_neither_exceeded_nor_wasted(
    profile: Profile, steps: list[tuple[Trigger, list[Candidate], bool]], seed: int
) -> None:
    deciding = choker(profile, seed)
    for number, (trigger, crowd, is_seed) in enumerate(steps):
        allocation = deciding.allocate(view_of(crowd, trigger, now=10.0 * number, is_seed=is_seed))
        interested = {each.key for each in crowd if each.is_interested}
        served = interested & set(allocation.grants)
        assert len(served) == min(len(interested), profile.slots(None))
        assert set(allocation.grants) | set(allocation.refusals) == {each.key for each in crowd}
        assert not set(allocation.grants) & set(allocation.refusals)


@given(SMALL_PROFILES, STEPS, st.integers(0, 5), st.sets(st.integers(0, 10_000)))
def test_served_neighbours_keep_slots_between_rounds(
    profile: Profile, steps: list[tuple[Trigger, list[Candidate], bool]], seed: int, losing_interest: set[int]
) -> None:
    here = Neighbourhood(choker(profile, seed))
    for trigger, crowd, here.is_seed in steps:
        new = [replace(each, is_unchoked=False) for each in crowd if each.key not in here.present]
        here.present |= {each.key: each for each in new}
        for key in here.present.keys() & losing_interest:
            here.present[key] = replace(here.present[key], is_interested=False)
        before = here.served
        here.decide(trigger)
        if trigger is Trigger.CHANGE:
            assert before <= here.served
