"""The controls: random slots only, optimistic slots only, no optimistic slot."""

from collections import Counter
from random import Random

import pytest

from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import Trigger
from peer.bittorrent.strategies.registry import make_strategy
from tests.peer.bittorrent.strategies.candidates import Neighbourhood, neighbours, view_of

CONTROLS = ["random-unchoke", "optimistic-only", "no-optimistic"]


def around(name: str, words: str, seed: int = 1, *, is_seed: bool = False, **parameters: object) -> Neighbourhood:
    strategy = make_strategy(name, PROFILES["course"], Random(seed), parameters)
    return Neighbourhood(strategy.choker, neighbours(words), is_seed=is_seed)


@pytest.mark.parametrize("name", ["random-unchoke", "optimistic-only"])
def test_uploads_to_us_do_not_count(name: str) -> None:
    here = around(name, "90 80 70 60 50 0 0 0 0 0")
    for _ in range(2_000):
        here.round(after=10)
    assert len(here.served) == 5
    assert all(here.seconds_served[key] == pytest.approx(here.now / 2, rel=0.1) for key in range(10))


def turns(name: str) -> list[int]:
    """For how many consecutive rounds one neighbour of ten was served, each time."""
    here, lengths = around(name, " ".join(["0"] * 10)), [0]
    for _ in range(2_000):
        here.round(after=10)
        if 0 in here.served:
            lengths[-1] += 1
        elif lengths[-1]:
            lengths.append(0)
    return lengths


def test_random_slots_last_one_round_optimistic_three() -> None:
    by_chance, by_turns = Counter(turns("random-unchoke")), turns("optimistic-only")
    assert by_chance[1] == pytest.approx(sum(by_chance.values()) / 2, rel=0.15)
    assert all(length % 3 == 0 for length in by_turns[1:-1])


def test_no_optimistic_serves_only_the_five_fastest() -> None:
    here = around("no-optimistic", "15 12 10 9 8 3 0 0")
    for _ in range(100):
        here.round(after=10)
        assert here.given("reciprocates") == here.served == {0, 1, 2, 3, 4}


def test_no_optimistic_fills_unearned_slots_at_random() -> None:
    here = around("no-optimistic", "15 12 0 0 0 0 0 0")
    here.round(after=10)
    assert here.given("reciprocates") == {0, 1}
    assert len(here.given("optimistic")) == 3


@pytest.mark.parametrize("name", CONTROLS)
def test_change_keeps_slots_and_fills_free_ones(name: str) -> None:
    here = around(name, "15 12 10 9 8 3 0 0")
    here.round(after=10)
    before = here.served
    here.decide(Trigger.CHANGE)
    assert here.served == before
    gone = min(before)
    here.change(gone, is_interested=False)
    assert len(here.served) == 5
    assert before - {gone} < here.served


@pytest.mark.parametrize("name", CONTROLS)
def test_slots_is_a_parameter_and_seeds_are_standard(name: str) -> None:
    strategy = make_strategy(name, PROFILES["course"], Random(1), {"slots": 2})
    assert len(strategy.choker.allocate(view_of(neighbours("3 2 1 0 0"))).grants) == 2
    here = around(name, "0 0 0 0 0 0", is_seed=True)
    here.round(after=10)
    assert here.given("on trial") == here.served
