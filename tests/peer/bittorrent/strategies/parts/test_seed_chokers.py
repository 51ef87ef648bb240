"""A seed serves all neighbours in turn, or those that download fastest."""

from dataclasses import replace
from random import Random

import pytest

from peer.bittorrent.engine.profile import PROFILES, Profile
from peer.bittorrent.engine.strategy import Choker, Trigger
from peer.bittorrent.strategies.parts.seed_chokers import Fastest, RoundRobin, ServiceQueue
from tests.peer.bittorrent.strategies.candidates import PIECE, Neighbourhood, neighbours

COURSE = PROFILES["course"]
LIBTORRENT = PROFILES["libtorrent"]
FAST = float(PIECE)
"""In bytes/s: the 20 pieces of a turn in 20 seconds."""


def crowd(choker: Choker, rates: list[float]) -> Neighbourhood:
    candidates = neighbours(" ".join(["0"] * len(rates)))
    taking = [replace(each, sent_rate=rate) for each, rate in zip(candidates, rates, strict=True)]
    return Neighbourhood(choker, taking, is_seed=True)


@pytest.mark.parametrize("count", [9, 16, 20, 23, 50])
def test_turns_are_fair_within_one_period(count: int) -> None:
    half_an_hour = 1_800
    here = crowd(RoundRobin(LIBTORRENT, Random(1)), [FAST] * count)
    here.decide(Trigger.CHANGE)
    turns = half_an_hour * 8 / LIBTORRENT.seed_turn
    whole_turns_each = int(turns // count) * LIBTORRENT.seed_turn
    for _ in range(int(half_an_hour / LIBTORRENT.rechoke_period)):
        here.round(after=LIBTORRENT.rechoke_period)
        assert len(here.served) == 8
    for key in range(count):
        assert whole_turns_each <= here.seconds_served[key] <= whole_turns_each + LIBTORRENT.seed_turn
    if turns % count == 0:
        assert len(set(here.seconds_served.values())) == 1


def test_turn_lasts_a_time_and_some_pieces() -> None:
    slow = LIBTORRENT.seed_turn_pieces * PIECE / 150
    here = crowd(RoundRobin(replace(LIBTORRENT, all_slots=2), Random(1)), [FAST, slow])
    here.decide(Trigger.CHANGE)
    for candidate in neighbours("0 0 0"):
        here.come(replace(candidate, key=candidate.key + 10, sent_rate=FAST))
    for _ in range(9):
        here.round(after=15)
    assert here.seconds_served[0] < here.seconds_served[1] == 135
    assert 1 in here.served
    here.round(after=15)
    assert 1 not in here.served
    assert here.allocation.refusals[1] == "turn over"


def test_idle_neighbour_loses_its_turn() -> None:
    here = crowd(RoundRobin(replace(LIBTORRENT, all_slots=1), Random(1)), [0])
    here.decide(Trigger.CHANGE)
    here.come(replace(here.present[0], key=1, is_unchoked=False, sent_rate=FAST))
    here.round(after=14)
    assert here.served == {0}
    here.round(after=1)
    assert here.served == {1}


def test_turns_continue_while_none_waits() -> None:
    here = crowd(RoundRobin(LIBTORRENT, Random(1)), [FAST] * 8)
    for _ in range(20):
        here.round(after=15)
        assert here.given("free slot") == set(range(8))


def test_longest_served_make_room_first() -> None:
    here = crowd(RoundRobin(replace(LIBTORRENT, all_slots=3), Random(1)), [FAST, FAST])
    here.round(after=15)
    here.come(replace(here.present[0], key=2, is_unchoked=False, unchoked_for=0))
    for _ in range(10):
        here.round(after=15)
    here.present[1] = replace(here.present[1], unchoked_for=1_000)
    here.come(replace(here.present[0], key=3, is_unchoked=False))
    here.round(after=15)
    assert here.served == {0, 2, 3}


def test_simultaneous_neighbours_queue_in_random_order() -> None:
    first = {ServiceQueue(Random(seed)).in_order(neighbours("0 0 0"))[0].key for seed in range(20)}
    assert first == {0, 1, 2}


def test_brief_disinterest_keeps_the_place_in_queue() -> None:
    queue = ServiceQueue(Random(1))
    first, *_ = order = [each.key for each in queue.in_order(neighbours("0 0 0 0"))]
    queue.in_order([replace(each, is_interested=each.key != first) for each in neighbours("0 0 0 0")])
    assert [each.key for each in queue.in_order(neighbours("0 0 0 0"))] == order
    queue.move_to_back({first})
    assert [each.key for each in queue.in_order(neighbours("0 0 0 0"))] == [*order[1:], first]


def test_fastest_are_kept_others_share_a_third() -> None:
    here = crowd(Fastest(replace(COURSE, all_slots=6), Random(1)), [1_000.0 * (key + 1) for key in range(20)])
    here.decide(Trigger.CHANGE)
    until_all_are_known = 100
    for number in range(until_all_are_known + 480):
        if number == until_all_are_known:
            here.seconds_served.clear()
        here.round(after=10)
        assert len(here.served) == 6
    assert [here.seconds_served[key] for key in (16, 17, 18, 19)] == [4_800] * 4
    two_slots_for_sixteen = 4_800 * 2 / 16
    assert all(abs(here.seconds_served[key] - two_slots_for_sixteen) <= 30 for key in range(16))


def test_trial_lasts_long_enough_to_measure() -> None:
    here = crowd(Fastest(COURSE, Random(1)), [1_000.0 * (key + 1) for key in range(12)])
    here.decide(Trigger.CHANGE)
    for _ in range(300):
        before = {key: here.present[key].unchoked_for for key in here.served}
        here.round(after=10)
        lost = before.keys() - here.served
        assert all(before[key] + 10 >= COURSE.optimistic_period for key in lost)
        assert all(here.allocation.refusals[key] == "slower" for key in lost)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_third_of_slots_is_renewed_each_period(profile: Profile) -> None:
    here = crowd(Fastest(profile, Random(1)), [1_000.0 * (key + 1) for key in range(40)])
    here.decide(Trigger.CHANGE)
    arrivals, periods = 0, 50
    for _ in range(round(periods * profile.optimistic_period / profile.rechoke_period)):
        before = here.served
        here.round(after=profile.rechoke_period)
        arrivals += len(here.served - before)
    third = (profile.slots(None) + 2) // 3
    assert arrivals == pytest.approx(periods * third, abs=third)


def test_slot_filled_between_rounds_is_a_trial() -> None:
    here = crowd(Fastest(replace(COURSE, all_slots=6), Random(1)), [FAST] * 6)
    for _ in range(5):
        here.round(after=10)
    here.part(0)
    for key in (6, 7, 8):
        here.come(replace(here.present[1], key=key, is_unchoked=False, unchoked_for=0))
    assert here.served == {1, 2, 3, 4, 5, 6}
    here.round(after=10)
    assert len(here.served & {6, 7, 8}) == 2
