"""Whitewashing: a client that looks like a newcomer for ever."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.events import Joined, Left, Opened
from peer.bittorrent.engine.actions import Leave
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import ChokingView, Strategy
from peer.bittorrent.strategies.registry import StrategyError, make_strategy
from tests.peer.bittorrent.strategies.crowds import Crowd
from tests.peer.bittorrent.strategies.progress import progress
from tests.peer.bittorrent.strategies.views import views

BEP3 = PROFILES["bep3"]


def washer(**parameters: object) -> Strategy:
    return make_strategy("whitewash", BEP3, Random(1), parameters)


@given(views)
def test_serves_no_neighbour(view: ChokingView) -> None:
    assert washer().choker.allocate(view).grants == {}


@given(st.floats(0, 29.9))
def test_rejoins_with_its_pieces_after_one_period(lived: float) -> None:
    departure = washer().departure
    assert departure.decide(progress(now=100 + lived, joined_at=100)) is None
    assert departure.decide(progress(now=130, joined_at=100)) == Leave("to be somebody else", 0, forgets=False)
    assert departure.decide(progress(now=131, joined_at=130)) is None
    assert departure.decide(progress(now=160, joined_at=130)) is not None


def test_complete_client_does_not_rejoin() -> None:
    assert washer().departure.decide(progress(now=500, joined_at=100, completed_at=400)) is None


def test_departure_counts_from_the_first_join() -> None:
    departure = washer(departure="after 50 s").departure
    assert departure.decide(progress(now=130, joined_at=100)) is not None
    assert departure.decide(progress(now=149, joined_at=130)) is None
    assert departure.decide(progress(now=150, joined_at=130)) == Leave("after 50 s")


def test_each_rejoin_has_new_id_and_old_pieces() -> None:
    crowd = Crowd("whitewash", profile=BEP3.scaled(10)).run()
    lone = crowd.lone
    lives = [fact.peer_id for fact in lone.events_of(Joined)]
    assert len(lives) > 3
    assert len(set(lives)) == len(lives)
    ends = [fact.have_count for fact in lone.events_of(Left)]
    begins = [fact.have_count for fact in lone.events_of(Opened)]
    assert begins == [0, *ends][: len(begins)]
    times = [now for now, fact in lone.events if isinstance(fact, Joined)]
    assert all(3 <= later - earlier <= 3.5 for earlier, later in pairwise(times))


def test_gets_the_file_and_uploads_nothing() -> None:
    lone = Crowd("whitewash", profile=BEP3.scaled(10)).run().lone
    assert lone.completed_at is not None
    assert sum(fact.sent for fact in lone.events_of(Left)) + lone.session.sent_bytes == 0


@pytest.mark.parametrize("periods", [0, -1, True, "1", float("inf")])
def test_invalid_periods_are_refused(periods: object) -> None:
    with pytest.raises(StrategyError, match=r"^strategy whitewash: periods: expected a number above 0, found"):
        washer(periods=periods)
