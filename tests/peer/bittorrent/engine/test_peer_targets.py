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
from tests.peer.bittorrent.engine.scripted import Mind, Them

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


def requests(them: Them) -> list[Request]:
    return [word for word in them.hears() if isinstance(word, Request)]


def test_interest_is_shown_only_in_sources() -> None:
    asks = Asks(frozenset())
    mind = Mind(strategy=standard(peer_policy=asks))
    wanted = mind.meet(HaveAll(), Unchoke(), host="198.18.0.2", name="wanted")
    other = mind.meet(HaveAll(), Unchoke(), host="198.18.0.3", name="other")
    assert not requests(wanted)
    asks.sources = frozenset({wanted.key})
    mind.wait(COURSE.rechoke_period)
    assert Interested() in wanted.hears()
    assert requests(wanted)
    assert Interested() not in other.hears()
    assert not requests(other)


def test_dropped_source_gets_not_interested() -> None:
    asks = Asks(None)
    mind = Mind(strategy=standard(peer_policy=asks))
    them = mind.meet(HaveAll())
    assert Interested() in them.hears()
    asks.sources = frozenset()
    mind.wait(COURSE.rechoke_period)
    assert them.hears()[-1] == NotInterested()
    them.say(Have(3))
    assert them.hears()[-1] == NotInterested()


def test_newcomer_that_is_no_source_waits_a_round() -> None:
    for sources, is_asked in ((None, True), (frozenset({1}), False)):
        mind = Mind(strategy=standard(peer_policy=Asks(sources)))
        mind.wait(COURSE.rechoke_period + 1)
        them = mind.meet(HaveAll(), Unchoke())
        assert bool(requests(them)) == is_asked
        mind.wait(COURSE.rechoke_period)
        assert requests(them)


def test_neighbours_are_limited_from_the_start() -> None:
    mind = Mind(strategy=standard(peer_policy=Asks(None, most_neighbours=1)))
    mind.meet(HaveNone())
    assert mind.session.connected(Address("198.18.0.3", 6881), mind.now, is_outgoing=False) is None


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
    mind = Mind(strategy=standard(advertiser=advertiser))
    claimed = Bitfield(mind.info.piece_count)
    for index in (1, 4):
        claimed.add(index)
    them = mind.meet(HaveBitfield(claimed.to_wire()))
    them.say(Have(5))
    them.say(Have(5))
    everything = mind.meet(HaveAll(), host="198.18.0.3", name="seed")
    assert advertiser.said == [
        *((them.key, index) for index in (1, 4, 5)),
        *((everything.key, index) for index in range(mind.info.piece_count)),
    ]


def test_haves_to_absent_neighbours_are_dropped() -> None:
    mind = Mind(strategy=standard(advertiser=Listens()))
    them = mind.meet(HaveNone())
    mind.wait(5)
    assert not [word for word in them.hears() if isinstance(word, Have)]
