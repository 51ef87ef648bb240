"""Seeds only: is interested in seeds, downloads from seeds, uploads nothing."""

from random import Random

import pytest
from hypothesis import given

from contract.events import Connected, Disconnected, Interested
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import Candidate, ChokingView, Strategy
from peer.bittorrent.strategies.registry import StrategyError, make_strategy
from peer.bittorrent.wire.messages import (
    Have,
    HaveAll,
    HaveNone,
    Request,
    Unchoke,
)
from peer.bittorrent.wire.messages import Interested as InterestedMessage
from tests.peer.bittorrent.engine.scripted import SessionHarness
from tests.peer.bittorrent.strategies.candidates import neighbours, view_of
from tests.peer.bittorrent.strategies.crowds import Crowd
from tests.peer.bittorrent.strategies.progress import progress
from tests.peer.bittorrent.strategies.views import neighbourhoods, views

COURSE = PROFILES["course"]


def rider(**parameters: object) -> Strategy:
    return make_strategy("seeds-only", COURSE, Random(1), parameters)


@given(neighbourhoods())
def test_downloads_from_seeds_only(candidates: list[Candidate]) -> None:
    seeds = {candidate.key for candidate in candidates if candidate.is_seed}
    assert rider().peer_policy.targets(progress(), candidates).sources == seeds


@given(views)
def test_serves_no_neighbour(view: ChokingView) -> None:
    assert rider().choker.allocate(view).grants == {}


def test_gives_parameter_serves_like_others() -> None:
    view = view_of(neighbours("9 8 7 6 5 4 3"))
    assert len(rider(gives=True).choker.allocate(view).grants) == COURSE.slots(None)


def test_ignores_leeches_and_asks_seeds_from_next_round() -> None:
    harness = SessionHarness(strategy=rider())
    leech = harness.add_neighbour(HaveNone(), Have(1), Unchoke(), host="198.18.0.2", name="leech")
    seed = harness.add_neighbour(HaveAll(), Unchoke(), host="198.18.0.3", name="seed")
    harness.wait(COURSE.rechoke_period + 1)
    assert InterestedMessage() not in leech.received()
    assert not [word for word in leech.received() if isinstance(word, Request)]
    assert InterestedMessage() in seed.received()
    assert [word for word in seed.received() if isinstance(word, Request)]


def test_gets_all_bytes_from_seeds() -> None:
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


def test_gives_must_be_true_or_false() -> None:
    with pytest.raises(StrategyError, match=r"^strategy seeds-only: gives: expected true or false, found 'x'$"):
        rider(gives="x")
