"""Super-seeding as in BEP 16: claims nothing, and announces pieces one by one to neighbours that pass them on."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import Advertiser
from peer.bittorrent.strategies.registry import make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.messages import (
    Have,
    HaveAll,
    HaveNone,
    Interested,
)
from peer.simulation.swarm import VirtualSwarm, virtual_torrent
from tests.peer.bittorrent.engine.scripted import ScriptedNeighbour, SessionHarness, everything
from tests.peer.bittorrent.strategies.candidates import neighbours, view_of

COURSE = PROFILES["course"]
INFO = virtual_torrent(20)
ALL = Bitfield.full(20)


def a_super_seed() -> SessionHarness:
    strategy = make_strategy("super-seeding", COURSE, Random(1), {})
    return SessionHarness(INFO, have=everything(INFO), strategy=strategy)


def join(harness: SessionHarness, number: int) -> ScriptedNeighbour:
    return harness.add_neighbour(HaveNone(), Interested(), host=f"198.18.0.{number + 2}", name=f"peer {number}")


def announced(neighbour: ScriptedNeighbour) -> list[int]:
    """The pieces announced to it, in order."""
    known: list[int] = []
    for message in neighbour.received():
        assert not isinstance(message, HaveAll)
        if isinstance(message, Have):
            known.append(message.index)
        elif hasattr(message, "bits"):
            known += Bitfield.from_wire(message.bits, INFO.piece_count)
    return known


def test_each_neighbour_learns_of_one_different_piece() -> None:
    harness = a_super_seed()
    crowd = [join(harness, number) for number in range(5)]
    harness.wait(60)
    assert [len(announced(neighbour)) for neighbour in crowd] == [1] * 5
    assert len({announced(neighbour)[0] for neighbour in crowd}) == 5


def test_next_piece_follows_announcement_by_another() -> None:
    harness = a_super_seed()
    first, other = join(harness, 0), join(harness, 1)
    (piece,) = announced(first)
    first.send(Have(piece))
    harness.wait(60)
    assert announced(first) == [piece]
    other.send(Have(piece))
    assert len(announced(first)) == 2


def test_neighbour_that_passes_nothing_on_gets_one_piece() -> None:
    harness = a_super_seed()
    rider, giver, taker = (join(harness, number) for number in range(3))
    for _ in range(6):
        (*_, piece) = announced(giver)
        giver.send(Have(piece))
        taker.send(Have(piece))
    assert len(announced(giver)) == 7
    assert len(announced(rider)) == 1


def test_single_neighbour_need_not_wait_for_others() -> None:
    harness = a_super_seed()
    neighbour = join(harness, 0)
    for number in range(20):
        assert len(announced(neighbour)) == number + 1
        neighbour.send(Have(announced(neighbour)[-1]))
        if harness.session.is_over or neighbour.is_disconnected:
            break
    assert set(announced(neighbour)) == set(range(20))


def test_later_seed_is_honest() -> None:
    advertiser = make_strategy("super-seeding", COURSE, Random(1), {}).advertiser
    assert advertiser.initial_bitfield(1, Bitfield(20)) == Bitfield(20)
    assert list(advertiser.announce_to(3, [1, 2])) == [1, 2]
    assert advertiser.initial_bitfield(2, ALL) == ALL


EVENTS = st.lists(st.tuples(st.sampled_from(["heard", "later", "gone"]), st.integers(0, 3), st.integers(0, 19)))


@given(EVENTS)
def test_known_pieces_are_never_announced_again(events: list[tuple[str, int, int]]) -> None:
    strategy = make_strategy("super-seeding", COURSE, Random(1), {})
    advertiser: Advertiser = strategy.advertiser
    present = set(range(4))
    known = {key: set(advertiser.initial_bitfield(key, ALL)) for key in present}
    for what, key, index in events:
        if what == "gone":
            present.discard(key)
            strategy.choker.allocate(
                view_of([each for each in neighbours("0 0 0 0") if each.key in present], is_seed=True)
            )
            continue
        if what == "heard" and key not in present:
            continue
        said = list(advertiser.answer_have(key, index)) if what == "heard" else list(advertiser.due_haves(0))
        if what == "heard":
            known[key].add(index)
        for to, piece in said:
            assert to in present
            assert piece not in known[to]
            known[to].add(piece)


def copies_sent_when_all_is_out(strategy: str) -> float:
    """How many copies a seed has sent when its leeches, of three classes, have all pieces between them."""
    swarm = VirtualSwarm(virtual_torrent(80, 32 << 10), profile=COURSE.scaled(10), latency=0.002)
    seed = swarm.add("seed", up=1e6, is_seed=True, strategy=strategy)
    for number, up in enumerate([1.5e5, 4e5, 1e6] * 4):
        swarm.add(f"leech {number}", up=up, down=2e6)
    leechers = [peer for peer in swarm.peers.values() if peer is not seed]
    while len({index for peer in leechers for index in peer.session.have or ()}) < 80:
        assert swarm.now < 60
        swarm.run(swarm.now + 0.05)
    return seed.session.sent_bytes / swarm.info.length


def test_sends_105_percent_until_all_pieces_are_out() -> None:
    assert copies_sent_when_all_is_out("super-seeding") < 1.06
    for ordinary in ("seed-fastest", "seed-round-robin"):
        assert 1.25 < copies_sent_when_all_is_out(ordinary) < 2
