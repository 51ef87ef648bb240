"""When the choker is asked."""

from dataclasses import replace
from random import Random

from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import (
    Allocation,
    ChokingView,
    Grant,
    Trigger,
)
from peer.bittorrent.strategies.registry import make_strategy
from peer.bittorrent.wire.messages import Interested, NotInterested, Unchoke
from peer.simulation.swarm import virtual_torrent
from tests.peer.bittorrent.engine.scripted import ScriptedNeighbour, SessionHarness, everything

COURSE = PROFILES["course"]
INFO = virtual_torrent(8)


class FirstCome:
    """Serves the first two that are interested, and records when it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Trigger, float]] = []

    def allocate(self, view: ChokingView) -> Allocation:
        self.asked.append((view.trigger, view.now))
        interested = [each.key for each in view.candidates if each.is_interested]
        return Allocation({key: Grant("first come") for key in interested[:2]})

    @property
    def changes(self) -> list[float]:
        return [now for trigger, now in self.asked if trigger is Trigger.CHANGE]


def a_seed(choker: FirstCome) -> SessionHarness:
    strategy = replace(make_strategy("tit-for-tat", COURSE, Random(1), {}), choker=choker)
    return SessionHarness(INFO, have=everything(INFO), strategy=strategy)


def join(harness: SessionHarness, number: int) -> ScriptedNeighbour:
    return harness.add_neighbour(Interested(), host=f"198.18.0.{number + 2}", name=f"peer {number}")


def test_rounds_come_at_the_profiles_period() -> None:
    choker = FirstCome()
    harness = a_seed(choker)
    began = harness.now
    harness.wait(35)
    assert [now - began for trigger, now in choker.asked if trigger is Trigger.ROUND] == [10, 20, 30]


def test_a_free_slot_is_filled_at_once() -> None:
    harness = a_seed(FirstCome())
    assert Unchoke() in join(harness, 0).received_within(0.06)


def test_changes_of_one_moment_are_answered_together() -> None:
    choker = FirstCome()
    harness = a_seed(choker)
    for number in range(5):
        join(harness, number)
        harness.wait(0.005)
    harness.wait(0.06)
    assert len(choker.changes) == 1


def test_fruitless_changes_are_answered_more_and_more_slowly() -> None:
    choker = FirstCome()
    harness = a_seed(choker)
    first = join(harness, 0)
    for number in range(1, 60):
        join(harness, number)
        harness.wait(0.1)
    assert len(choker.changes) < 12
    first.send(NotInterested())
    before = len(choker.changes)
    harness.wait(0.06)
    assert len(choker.changes) == before + 1
