"""Policies of seeds: in turn, by speed, and those at either end of their download first."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import (
    Candidate,
    ChokingView,
    Strategy,
    Trigger,
)
from peer.bittorrent.strategies.registry import make_strategy
from peer.bittorrent.strategies.seed_policies import anti_leech_score
from peer.simulation.swarm import VirtualSwarm, a_torrent
from tests.peer.bittorrent.strategies.candidates import Neighbourhood, neighbours, view_of

COURSE = PROFILES["course"]
PIECE = 256 << 10
HUNDRED = replace(view_of([], is_seed=True), piece_count=100)


def made(name: str, **parameters: object) -> Strategy:
    return make_strategy(name, COURSE, Random(1), parameters)


def having(*counts: int, **fields: object) -> list[Candidate]:
    """Interested neighbours with so many of 100 pieces."""
    plain = [Candidate(key=key, is_interested=True, have_count=count) for key, count in enumerate(counts)]
    return [replace(each, **fields) for each in plain]  # type: ignore[arg-type]


def served(strategy: Strategy, candidates: Sequence[Candidate], trigger: Trigger = Trigger.ROUND) -> set[int]:
    view = replace(HUNDRED, candidates=candidates, trigger=trigger)
    return set(strategy.choker.allocate(view).grants)


@pytest.mark.parametrize(
    ("name", "reason"), [("seed-round-robin", "seed turn"), ("seed-fastest", "on trial"), ("anti-leech", "at an end")]
)
@pytest.mark.parametrize("profile", ["course", "libtorrent"])
def test_named_policy_overrides_the_profile(name: str, reason: str, profile: str) -> None:
    strategy = make_strategy(name, PROFILES[profile], Random(1), {"slots": 3})
    view = view_of(neighbours("0 0 0 0 0"), is_seed=True)
    assert {grant.reason for grant in strategy.choker.allocate(view).grants.values()} == {reason}


@pytest.mark.parametrize("name", ["seed-round-robin", "seed-fastest", "anti-leech"])
def test_leech_plays_tit_for_tat(name: str) -> None:
    here = Neighbourhood(made(name).choker, neighbours("15 12 10 9 8 3"))
    here.round(after=10)
    assert here.given("reciprocates") == {0, 1, 2, 3}


def test_score_is_1000_at_ends_0_in_middle() -> None:
    view = replace(HUNDRED, piece_length=PIECE)
    scores = [anti_leech_score(each, view) for each in having(0, 25, 50, 75, 100)]
    assert scores == [1000, 500, 0, 500, 1000]


def test_either_end_is_served_before_the_middle() -> None:
    assert served(made("anti-leech", slots=2), having(50, 0, 40, 99, 60)) == {1, 3}


def test_sent_bytes_reveal_hidden_pieces() -> None:
    hiding = having(0, 10, sent=50 * PIECE)
    assert served(
        made("anti-leech", slots=2), [*hiding, *(replace(each, key=each.key + 2) for each in having(5, 90))]
    ) == {
        2,
        3,
    }


def test_longest_waiting_is_served_among_equals() -> None:
    here = Neighbourhood(made("anti-leech", slots=2).choker, having(0, 0, 0, 0, 0, 0), is_seed=True)
    turns = []
    for _ in range(3):
        here.round(after=10)
        turns.append(here.served)
    assert set.union(*turns) == set(range(6))


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans(), st.booleans()), max_size=12), st.integers(1, 6))
def test_anti_leech_chokes_only_in_rounds(crowd: list[tuple[int, bool, bool]], slots: int) -> None:
    strategy = made("anti-leech", slots=slots)
    candidates = [
        Candidate(key=key, have_count=have, is_interested=wants, is_unchoked=is_served and wants)
        for key, (have, wants, is_served) in enumerate(crowd)
    ]
    wanting = {each.key for each in candidates if each.is_interested}
    before = {each.key for each in candidates if each.is_unchoked}
    after = served(strategy, candidates, Trigger.CHANGE)
    assert len(after) == min(slots, len(wanting))
    assert after <= wanting
    assert before <= after or after <= before


class Remembers:
    """A choker that records the last view."""

    def __init__(self, strategy: Strategy) -> None:
        self.inner = strategy.choker
        self.view: ChokingView | None = None

    def allocate(self, view: ChokingView):  # type: ignore[no-untyped-def]
        self.view = view
        return self.inner.allocate(view)


def test_choking_view_has_piece_and_have_counts() -> None:
    strategy = made("tit-for-tat")
    remembers = Remembers(strategy)
    swarm = VirtualSwarm(a_torrent(40))
    swarm.add("seed", up=1e6, is_seed=True)
    leech = swarm.add("leech", up=1e6, strategy=replace(strategy, choker=remembers))
    swarm.run_until_all_complete()
    swarm.run(swarm.now + 20)
    assert remembers.view is not None
    assert (remembers.view.piece_count, remembers.view.have_count) == (40, leech.have_count) == (40, 40)
