"""Selfish and altruist peers are standard clients that differ in when they leave."""

from random import Random

import pytest

from contract.events import Left
from peer.bittorrent.engine.actions import Leave
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.strategies.registry import make_strategy
from tests.peer.bittorrent.strategies.crowds import Crowd
from tests.peer.bittorrent.strategies.progress import progress

COMPLETE = progress(now=150, have_count=10, completed_at=150)


@pytest.mark.parametrize(("name", "expected"), [("selfish", Leave("complete")), ("altruist", None)])
def test_differ_only_in_the_departure(name: str, expected: Leave | None) -> None:
    strategy = make_strategy(name, PROFILES["course"], Random(1), {})
    standard = make_strategy("tit-for-tat", PROFILES["course"], Random(1), {})
    assert strategy.departure.decide(COMPLETE) == expected
    for part in ("choker", "picker", "advertiser", "peer_policy"):
        assert type(getattr(strategy, part)) is type(getattr(standard, part))


def test_selfish_leaves_at_completion_altruist_uploads_more() -> None:
    selfish, altruist = (Crowd(name, leeches=4).run().lone for name in ("selfish", "altruist"))
    assert [fact.reason for fact in selfish.events_of(Left)] == ["complete"]
    assert not list(altruist.events_of(Left))
