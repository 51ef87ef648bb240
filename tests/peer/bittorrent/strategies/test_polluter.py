"""Polluters send only wrong blocks, and are banned in the end."""

from random import Random

import pytest
from hypothesis import given

from contract.events import Banned, Interested, PieceFailed
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import ChokingView, Garbage, Strategy
from peer.bittorrent.strategies.parts.advertisers import Honest
from peer.bittorrent.strategies.registry import StrategyError, make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from tests.peer.bittorrent.strategies.crowds import Crowd
from tests.peer.bittorrent.strategies.progress import progress
from tests.peer.bittorrent.strategies.views import views

COURSE = PROFILES["course"]


def polluter(**parameters: object) -> Strategy:
    return make_strategy("polluter", COURSE, Random(1), parameters)


@given(views)
def test_serves_only_garbage(view: ChokingView) -> None:
    for claims in ("all", "own"):
        grants = polluter(claims=claims).choker.allocate(view).grants
        assert all(grant.garbage is Garbage.ALWAYS for grant in grants.values())


@given(views)
def test_serves_the_neighbours_of_the_standard_client(view: ChokingView) -> None:
    standard = make_strategy("tit-for-tat", COURSE, Random(1), {})
    assert polluter().choker.allocate(view).grants.keys() == standard.choker.allocate(view).grants.keys()


def test_claims_all_and_downloads_nothing() -> None:
    assert polluter().advertiser.initial_bitfield(1, Bitfield(8)).is_full
    assert polluter().peer_policy.targets(progress(), ()).sources == frozenset()


def test_own_claims_look_like_a_standard_client() -> None:
    hidden = polluter(claims="own")
    assert isinstance(hidden.advertiser, Honest)
    assert hidden.advertiser.initial_bitfield(1, Bitfield(8)).count == 0
    assert hidden.peer_policy.targets(progress(), ()).sources is None


@pytest.mark.parametrize("claims", ["all", "own"])
def test_spoils_pieces_and_only_it_is_banned(claims: str) -> None:
    crowd = Crowd("polluter", claims=claims)
    crowd.swarm.run(300, stop=lambda: all(peer.completed_at is not None for peer in crowd.others))
    assert all(peer.session.is_complete for peer in crowd.others)
    assert any(list(peer.events_of(PieceFailed)) for peer in crowd.others)
    assert {fact.host for peer in crowd.others for fact in peer.events_of(Banned)} == {crowd.lone.address.host}


def test_claiming_all_shows_no_interest() -> None:
    crowd = Crowd("polluter")
    crowd.swarm.run(10)
    assert not [fact for fact in crowd.lone.events_of(Interested) if fact.by_us]
    assert crowd.lone.session.received_bytes == 0
    assert crowd.lone.session.sent_bytes > 0


def test_invalid_claims_are_refused() -> None:
    with pytest.raises(StrategyError, match=r"^strategy polluter: claims: expected all or own, found 'some'$"):
        polluter(claims="some")
