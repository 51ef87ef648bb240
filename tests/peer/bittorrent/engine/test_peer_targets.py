"""What a strategy decides about neighbours is done: which are asked, how many there are, which haves they get."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random

from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import (
    Candidate,
    PeerTargets,
    ProgressView,
    Strategy,
)
from peer.bittorrent.strategies.parts.advertisers import Honest
from peer.bittorrent.strategies.registry import make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.messages import (
    Have,
    HaveAll,
    HaveBitfield,
    HaveNone,
    Interested,
    NotInterested,
    Request,
    Unchoke,
)
from peer.net.address import Address
from tests.peer.bittorrent.engine.scripted import ScriptedNeighbour, SessionHarness

COURSE = PROFILES["course"]


class Asks:
    """Wants blocks from the neighbours that a test names."""

    def __init__(self, sources: frozenset[int] | None, most_neighbours: int = 80) -> None:
        self.sources = sources
        self._most = most_neighbours

    def targets(self, _: ProgressView, __: Sequence[Candidate]) -> PeerTargets:
        return PeerTargets(most_neighbours=self._most, dials_up_to=40, numwant=50, sources=self.sources)


def standard(**parts: object) -> Strategy:
    return replace(make_strategy("tit-for-tat", COURSE, Random(1), {}), **parts)  # type: ignore[arg-type]


def requests(neighbour: ScriptedNeighbour) -> list[Request]:
    return [word for word in neighbour.received() if isinstance(word, Request)]


def test_interest_is_shown_only_in_sources() -> None:
    asks = Asks(frozenset())
    harness = SessionHarness(strategy=standard(peer_policy=asks))
    wanted = harness.add_neighbour(HaveAll(), Unchoke(), host="198.18.0.2", name="wanted")
    other = harness.add_neighbour(HaveAll(), Unchoke(), host="198.18.0.3", name="other")
    assert not requests(wanted)
    asks.sources = frozenset({wanted.key})
    harness.wait(COURSE.rechoke_period)
    assert Interested() in wanted.received()
    assert requests(wanted)
    assert Interested() not in other.received()
    assert not requests(other)


def test_dropped_source_gets_not_interested() -> None:
    asks = Asks(None)
    harness = SessionHarness(strategy=standard(peer_policy=asks))
    neighbour = harness.add_neighbour(HaveAll())
    assert Interested() in neighbour.received()
    asks.sources = frozenset()
    harness.wait(COURSE.rechoke_period)
    assert neighbour.received()[-1] == NotInterested()
    neighbour.send(Have(3))
    assert neighbour.received()[-1] == NotInterested()


def test_newcomer_that_is_no_source_waits_a_round() -> None:
    for sources, is_asked in ((None, True), (frozenset({1}), False)):
        harness = SessionHarness(strategy=standard(peer_policy=Asks(sources)))
        harness.wait(COURSE.rechoke_period + 1)
        neighbour = harness.add_neighbour(HaveAll(), Unchoke())
        assert bool(requests(neighbour)) == is_asked
        harness.wait(COURSE.rechoke_period)
        assert requests(neighbour)


def test_neighbours_are_limited_from_the_start() -> None:
    harness = SessionHarness(strategy=standard(peer_policy=Asks(None, most_neighbours=1)))
    harness.add_neighbour(HaveNone())
    assert harness.session.connected(Address("198.18.0.3", 6881), harness.now, is_outgoing=False) is None


class Listens(Honest):
    """Records what neighbours have, and announces to one that is not there."""

    def __init__(self) -> None:
        self.said: list[tuple[int, int]] = []

    def answer_have(self, neighbour: int, index: int) -> Iterable[tuple[int, int]]:
        self.said.append((neighbour, index))
        return ()

    def due_haves(self, now: float) -> Iterable[tuple[int, int]]:  # noqa: ARG002
        return [(99, 0)]


def test_advertiser_sees_each_piece_of_bitfields_and_haves() -> None:
    advertiser = Listens()
    harness = SessionHarness(strategy=standard(advertiser=advertiser))
    claimed = Bitfield(harness.info.piece_count)
    for index in (1, 4):
        claimed.add(index)
    neighbour = harness.add_neighbour(HaveBitfield(claimed.to_wire()))
    neighbour.send(Have(5))
    neighbour.send(Have(5))
    everything = harness.add_neighbour(HaveAll(), host="198.18.0.3", name="seed")
    assert advertiser.said == [
        *((neighbour.key, index) for index in (1, 4, 5)),
        *((everything.key, index) for index in range(harness.info.piece_count)),
    ]


def test_haves_to_absent_neighbours_are_dropped() -> None:
    harness = SessionHarness(strategy=standard(advertiser=Listens()))
    neighbour = harness.add_neighbour(HaveNone())
    harness.wait(5)
    assert not [word for word in neighbour.received() if isinstance(word, Have)]
