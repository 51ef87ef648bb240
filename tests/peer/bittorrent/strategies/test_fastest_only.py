"""Fastest only: trades with the neighbours that download and upload fastest, and ignores the others."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import Candidate, Strategy
from peer.bittorrent.strategies.fastest_only import Favourites
from peer.bittorrent.strategies.registry import StrategyError, make_strategy
from tests.peer.bittorrent.strategies.candidates import neighbours, view_of
from tests.peer.bittorrent.strategies.crowds import Crowd
from tests.peer.bittorrent.strategies.progress import progress
from tests.peer.bittorrent.strategies.views import neighbourhoods

COURSE = PROFILES["course"]
FAR = progress(length=100_000, piece_count=10)


def strategy(**parameters: object) -> Strategy:
    return make_strategy("fastest-only", COURSE, Random(1), parameters)


def sources(made: Strategy, candidates: list[Candidate]) -> frozenset[int]:
    chosen = made.peer_policy.targets(FAR, candidates).sources
    assert chosen is not None
    return chosen


def announcing(*rates: float) -> list[Candidate]:
    return [Candidate(key=key, is_interested=True, have_rate=rate) for key, rate in enumerate(rates)]


def test_fastest_announcers_are_chosen_without_uploads() -> None:
    assert sources(strategy(fastest=2), announcing(1, 5, 0, 4)) == {1, 3}


def test_upload_rate_counts_if_above_announce_rate() -> None:
    slow, quick = Candidate(key=1, have_rate=1), Candidate(key=2, received_rate=20_000)
    assert sources(strategy(fastest=1), [slow, quick]) == {2}


def test_downloads_from_seeds_too() -> None:
    assert sources(strategy(fastest=1), [*announcing(3, 2), Candidate(key=9, is_seed=True)]) == {0, 9}


def test_only_a_long_silence_changes_the_choice() -> None:
    made = strategy(fastest=1)
    assert sources(made, announcing(8, 3)) == {0}
    assert sources(made, announcing(0, 3)) == {0}
    assert sources(made, announcing(0, 3)) == {1}


@given(neighbourhoods(), st.integers(1, 6))
def test_chooses_the_fastest_in_the_requested_number(candidates: list[Candidate], count: int) -> None:
    leeches = {each.key: max(each.received_rate, each.have_rate * 10_000) for each in candidates if not each.is_seed}
    chosen = sources(strategy(fastest=count), candidates) & leeches.keys()
    assert len(chosen) == min(count, len(leeches))
    left_out = [speed for key, speed in leeches.items() if key not in chosen]
    assert not left_out or min(leeches[key] for key in chosen) >= max(left_out)


@given(neighbourhoods())
def test_serves_only_the_chosen(candidates: list[Candidate]) -> None:
    made = strategy(fastest=3)
    chosen = sources(made, candidates)
    assert made.choker.allocate(view_of(candidates)).grants.keys() <= chosen


def test_seed_serves_as_the_profile_says() -> None:
    view = view_of(neighbours("0 0 0 0 0 0 0"), is_seed=True)
    assert len(strategy().choker.allocate(view).grants) == COURSE.slots(None)


def test_default_number_is_that_of_slots() -> None:
    made = strategy()
    assert isinstance(made.choker, Favourites)
    assert len(sources(made, announcing(*range(20)))) == COURSE.slots(None)
    ladder = make_strategy("fastest-only", PROFILES["mainline"], Random(1), {})
    ladder.choker.allocate(replace(view_of([]), capacity=40 * 1024))
    assert len(sources(ladder, announcing(*range(20)))) == PROFILES["mainline"].slots(40 * 1024)


def test_gets_the_file() -> None:
    assert Crowd("fastest-only").run().lone.session.is_complete


def test_invalid_number_is_refused() -> None:
    with pytest.raises(StrategyError, match=r"^strategy fastest-only: fastest: expected a whole number, 1 or more"):
        strategy(fastest=0)
