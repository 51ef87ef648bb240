"""Seeds only: interested in seeds, asking seeds, giving nothing."""

from random import Random

import pytest
from hypothesis import given

from contract.events import Connected, Disconnected, Interested
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import Candidate, ChokingView, Strategy
from peer.bittorrent.strategies import StrategyError, make_strategy
from peer.bittorrent.wire.messages import (
    Have,
    HaveAll,
    HaveNone,
    Request,
    Unchoke,
)
from peer.bittorrent.wire.messages import Interested as InterestedMessage
from tests.peer.bittorrent.engine.scripted import Mind
from tests.peer.bittorrent.strategies.candidates import neighbours, view_of
from tests.peer.bittorrent.strategies.crowds import Crowd
from tests.peer.bittorrent.strategies.progress import progress
from tests.peer.bittorrent.strategies.views import neighbourhoods, views

COURSE = PROFILES["course"]


def rider(**parameters: object) -> Strategy:
    return make_strategy("seeds-only", COURSE, Random(1), parameters)


@given(neighbourhoods())
def test_it_asks_those_that_have_everything(candidates: list[Candidate]) -> None:
    seeds = {candidate.key for candidate in candidates if candidate.is_seed}
    assert rider().peer_policy.targets(progress(), candidates).sources == seeds


@given(views)
def test_it_serves_nobody(view: ChokingView) -> None:
    assert rider().choker.allot(view).grants == {}


def test_it_can_serve_as_others_do() -> None:
    view = view_of(neighbours("9 8 7 6 5 4 3"))
    assert len(rider(gives=True).choker.allot(view).grants) == COURSE.slots(None)


def test_it_shows_no_interest_in_a_leech_and_asks_a_seed_from_the_next_round_on() -> None:
    mind = Mind(strategy=rider())
    leech = mind.meet(HaveNone(), Have(1), Unchoke(), host="198.18.0.2", name="leech")
    seed = mind.meet(HaveAll(), Unchoke(), host="198.18.0.3", name="seed")
    mind.wait(COURSE.rechoke_period + 1)
    assert InterestedMessage() not in leech.hears()
    assert not [word for word in leech.hears() if isinstance(word, Request)]
    assert InterestedMessage() in seed.hears()
    assert [word for word in seed.hears() if isinstance(word, Request)]


def test_all_that_it_gets_comes_from_those_that_have_everything() -> None:
    crowd = Crowd("seeds-only", seed_up=512)
    crowd.swarm.run(8)
    lone = crowd.lone
    assert not any(peer.session.is_complete for peer in crowd.others)
    hosts = {fact.neighbour: fact.address.rpartition(":")[0] for fact in lone.events_of(Connected)}
    wanted = {hosts[fact.neighbour] for fact in lone.events_of(Interested) if fact.by_us and fact.is_interested}
    assert wanted == {crowd.seed.address.host}
    assert lone.session.received_bytes > 0
    assert lone.session.sent_bytes == 0
    assert not [fact for fact in lone.events_of(Disconnected) if hosts[fact.neighbour] == crowd.seed.address.host]


def test_whether_it_gives_is_yes_or_no() -> None:
    with pytest.raises(StrategyError, match=r"^strategy seeds-only: gives: expected true or false, found 'x'$"):
        rider(gives="x")
