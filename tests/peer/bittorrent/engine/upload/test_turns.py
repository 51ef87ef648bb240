"""Turns at the uplink: whom it serves now, and that nobody is forgotten."""

from dataclasses import replace
from random import Random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.events import PieceCompleted
from peer.bittorrent.engine import actions
from peer.bittorrent.engine.actions import Action
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import Allocation, ChokingView, Grant
from peer.bittorrent.engine.upload.turns import LEAST_PATIENCE
from peer.bittorrent.strategies.registry import make_strategy
from peer.bittorrent.wire.messages import Cancel, Interested, NotInterested, Request
from peer.simulation.swarm import VirtualSwarm, virtual_torrent
from tests.peer.bittorrent.engine.scripted import ScriptedNeighbour, SessionHarness, everything

COURSE = PROFILES["course"]
BLOCK = 16 << 10
BLOCKS = 4
INFO = virtual_torrent(8, BLOCKS * BLOCK)


class Serves:
    """Serves all that are interested; the first neighbour gets a rate of its own, if there is one."""

    def __init__(self, rate: float | None = None) -> None:
        self._rate = rate

    def allocate(self, view: ChokingView) -> Allocation:
        interested = [each.key for each in view.candidates if each.is_interested]
        grants = {key: Grant("serves", rate=self._rate if key == 1 else None) for key in interested}
        return Allocation(grants)


class Uplink:
    """A seed that serves some neighbours at a time, and the connections of its neighbours."""

    def __init__(self, at_once: int, neighbours: int, rate: float | None = None) -> None:
        profile = replace(COURSE, served_at_once=at_once)
        strategy = replace(make_strategy("tit-for-tat", profile, Random(1), {}), choker=Serves(rate))
        self.harness = SessionHarness(INFO, have=everything(INFO), profile=profile, strategy=strategy)
        self.neighbours = [self._join(number) for number in range(neighbours)]
        self.harness.wait(0.1)
        self.got: dict[int, list[Request]] = {neighbour.key: [] for neighbour in self.neighbours}

    def _join(self, number: int) -> ScriptedNeighbour:
        return self.harness.add_neighbour(Interested(), host=f"198.18.0.{number + 2}", name=f"peer {number}")

    def send(self, neighbour: ScriptedNeighbour) -> int | None:
        """Send a neighbour the next block, if it may be sent one; return its piece."""
        harness = self.harness
        queued = harness.session.next_block(neighbour.key, harness.now)
        if queued is None:
            return None
        harness.actions_after(lambda: harness.session.block_sent(neighbour.key, queued.request, harness.now))
        self.got[neighbour.key].append(queued.request)
        return queued.request.index

    def send_all(self) -> None:
        """Let all connections take blocks, until none may take any for a while."""
        while any(self.send(neighbour) is not None for neighbour in self.neighbours) or self._offered():
            pass

    def _offered(self) -> bool:
        return any(isinstance(action, actions.OfferBlocks) for action in self.harness.wait(2 * LEAST_PATIENCE))


def ask(neighbour: ScriptedNeighbour, piece: int, count: int = BLOCKS) -> None:
    for number in range(count):
        neighbour.send(Request(piece, number * BLOCK, BLOCK))


def offers(found: list[Action]) -> list[int]:
    return [each.neighbour for each in found if isinstance(each, actions.OfferBlocks)]


def test_a_whole_piece_is_sent_before_the_next_neighbours() -> None:
    uplink = Uplink(1, 2)
    first, second = uplink.neighbours
    ask(first, 0)
    ask(first, 1)
    ask(second, 2)
    sent = [(uplink.send(first), uplink.send(second)) for _ in range(2 * BLOCKS)]
    assert sent == [(0, None)] * (BLOCKS - 1) + [(0, 2)] + [(None, 2)] * (BLOCKS - 1) + [(1, None)]


def test_all_are_served_at_once_unless_the_profile_says_so() -> None:
    uplink = Uplink(0, 2)
    first, second = uplink.neighbours
    ask(first, 0)
    ask(second, 2)
    assert [(uplink.send(first), uplink.send(second)) for _ in range(BLOCKS)] == [(0, 2)] * BLOCKS


def test_one_alone_gets_piece_after_piece() -> None:
    uplink = Uplink(1, 1)
    (alone,) = uplink.neighbours
    ask(alone, 0)
    ask(alone, 1)
    assert [uplink.send(alone) for _ in range(2 * BLOCKS)] == [0] * BLOCKS + [1] * BLOCKS


def test_one_that_takes_nothing_holds_up_nobody() -> None:
    uplink = Uplink(1, 2)
    first, second = uplink.neighbours
    ask(first, 0)
    ask(second, 2)
    assert offers(uplink.harness.wait(0.9 * LEAST_PATIENCE)) == []
    assert offers(uplink.harness.wait(0.2 * LEAST_PATIENCE)) == [second.key]
    assert (uplink.send(first), uplink.send(second)) == (0, 2)


def test_a_turn_goes_on_while_the_next_request_is_on_its_way() -> None:
    uplink = Uplink(1, 2)
    first, second = uplink.neighbours
    ask(first, 0, count=1)
    ask(second, 2)
    assert uplink.send(first) == 0
    first.send(Request(0, BLOCK, BLOCK))
    assert (uplink.send(second), uplink.send(first)) == (None, 0)
    uplink.harness.wait(1.1 * LEAST_PATIENCE)
    first.send(Request(0, 2 * BLOCK, BLOCK))
    assert (uplink.send(first), uplink.send(second)) == (None, 2)


@pytest.mark.parametrize("how", ["choked", "left", "cancelled"])
def test_the_turn_of_one_without_requests_passes_on(how: str) -> None:
    uplink = Uplink(1, 2)
    first, second = uplink.neighbours
    ask(first, 0, count=1)
    ask(second, 2)
    if how == "choked":
        first.send(NotInterested())
        uplink.harness.wait(0.051)
    elif how == "left":
        uplink.harness.actions_after(
            lambda: uplink.harness.session.disconnected(first.key, "reset", uplink.harness.now)
        )
    else:
        first.send(Cancel(0, 0, BLOCK))
    assert offers(uplink.harness.actions)[-1] == second.key
    assert uplink.send(second) == 2


def test_a_turn_ends_before_a_long_piece_does() -> None:
    uplink = Uplink(1, 2)
    first, second = uplink.neighbours
    ask(first, 0)
    ask(second, 2)
    uplink.harness.now += COURSE.rechoke_period / 2
    assert (uplink.send(first), uplink.send(first), uplink.send(second)) == (0, None, 2)


def test_one_with_a_rate_of_its_own_takes_no_turn() -> None:
    uplink = Uplink(1, 2, rate=1_000)
    limited, other = uplink.neighbours
    ask(other, 0)
    ask(limited, 1)
    assert (uplink.send(limited), uplink.send(other)) == (1, 0)


@given(
    at_once=st.integers(1, 3),
    steps=st.lists(
        st.tuples(st.sampled_from(["ask", "cancel", "send", "wait"]), st.integers(0, 4), st.integers(0, 7)),
        max_size=60,
    ),
)
def test_everything_asked_for_is_sent_once(at_once: int, steps: list[tuple[str, int, int]]) -> None:
    uplink = Uplink(at_once, 5)
    asked: dict[int, list[Request]] = {neighbour.key: [] for neighbour in uplink.neighbours}
    for step, number, piece in steps:
        neighbour, request = uplink.neighbours[number], Request(piece, 0, BLOCK)
        if step == "ask" and request not in asked[neighbour.key]:
            neighbour.send(request)
            asked[neighbour.key].append(request)
        elif step == "cancel" and request in asked[neighbour.key] and request not in uplink.got[neighbour.key]:
            neighbour.send(Cancel(piece, 0, BLOCK))
            asked[neighbour.key].remove(request)
        elif step == "send":
            uplink.send(neighbour)
        elif step == "wait":
            uplink.harness.wait(piece * LEAST_PATIENCE / 4)
    uplink.send_all()
    assert uplink.got == asked


def median_first_piece(at_once: int) -> float:
    profile = replace(PROFILES["testbed"], served_at_once=at_once)
    swarm = VirtualSwarm(virtual_torrent(24, 128 << 10), profile=profile, latency=0.002)
    swarm.add("seed", up=1e6, is_seed=True)
    leeches = [swarm.add(f"l{number}", up=5e5, down=2e6) for number in range(12)]
    swarm.run_until_all_complete()
    firsts = [next(now for now, event in each.events if isinstance(event, PieceCompleted)) for each in leeches]
    return median(firsts)


def test_in_a_crowd_turns_bring_the_first_pieces_sooner() -> None:
    assert median_first_piece(4) < 0.75 * median_first_piece(0)
