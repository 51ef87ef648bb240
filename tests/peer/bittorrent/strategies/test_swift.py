"""Swift: a seed sends one piece after the other, a leech starts with few slots; nearer to the bound than others."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import Strategy, Trigger
from peer.bittorrent.strategies.registry import StrategyError, make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.messages import Have, HaveNone
from peer.simulation.swarm import VirtualSwarm, virtual_torrent
from tests.peer.bittorrent.engine.scripted import ScriptedNeighbour, SessionHarness, everything
from tests.peer.bittorrent.strategies.candidates import neighbours, view_of

TESTBED = PROFILES["testbed"]
INFO = virtual_torrent(12, 64 << 10)
ALL = Bitfield.full(12)


def made(**parameters: object) -> Strategy:
    return make_strategy("swift", TESTBED, Random(1), parameters)


def a_seed() -> SessionHarness:
    return SessionHarness(INFO, have=everything(INFO), strategy=made(), profile=TESTBED)


def join(harness: SessionHarness, number: int) -> ScriptedNeighbour:
    return harness.add_neighbour(HaveNone(), host=f"198.18.0.{number + 2}", name=f"peer {number}")


def announced(neighbour: ScriptedNeighbour) -> list[int]:
    known: list[int] = []
    for message in neighbour.received():
        if isinstance(message, Have):
            known.append(message.index)
        elif hasattr(message, "bits"):
            known += Bitfield.from_wire(message.bits, INFO.piece_count)
    return known


def test_seed_announces_to_two_and_others_wait() -> None:
    harness = a_seed()
    crowd = [join(harness, number) for number in range(6)]
    assert [len(announced(neighbour)) for neighbour in crowd] == [1, 1, 0, 0, 0, 0]


def test_arrived_piece_lets_the_next_neighbour_start() -> None:
    harness = a_seed()
    crowd = [join(harness, number) for number in range(4)]
    crowd[0].send(Have(announced(crowd[0])[0]))
    assert [len(announced(neighbour)) for neighbour in crowd] == [1, 1, 1, 0]
    assert len({piece for neighbour in crowd for piece in announced(neighbour)}) == 3


def test_silent_neighbour_does_not_hold_up_others() -> None:
    harness = a_seed()
    crowd = [join(harness, number) for number in range(6)]
    harness.wait(10)
    assert all(announced(neighbour) for neighbour in crowd)


def test_piece_of_departed_neighbour_goes_to_another() -> None:
    strategy = made()
    first = set(strategy.advertiser.initial_bitfield(0, ALL))
    for key in (1, 2):
        strategy.advertiser.initial_bitfield(key, ALL)
    strategy.choker.allocate(view_of(neighbours("0 0 0")[1:], is_seed=True))
    given_later: set[int] = set()
    for now in range(1, 10):
        given_later |= {piece for _, piece in strategy.advertiser.due_haves(now)}
    assert first <= given_later


def test_all_is_announced_after_one_copy_each() -> None:
    harness = a_seed()
    crowd = [join(harness, number) for number in range(3)]
    for _ in range(40):
        for neighbour in crowd:
            for piece in announced(neighbour):
                neighbour.send(Have(piece))
            if neighbour.is_disconnected:
                break
        harness.wait(0.1)
        if all(len(announced(neighbour)) == 12 for neighbour in crowd):
            break
    assert [sorted(announced(neighbour)) for neighbour in crowd] == [list(range(12))] * 3


def test_unannounced_piece_is_served_until_next_round_only() -> None:
    strategy = made(seed_slots=1)
    crowd = neighbours("0 0")
    pieces = {key: set(strategy.advertiser.initial_bitfield(key, ALL)) for key in (0, 1)}
    now = 0
    while any(len(known) < 12 for known in pieces.values()):
        now += 5
        assert now < 500
        said = [said for piece in set(pieces[0]) for said in strategy.advertiser.answer_have(0, piece)]
        for key, piece in [*said, *strategy.advertiser.due_haves(now)]:
            pieces[key].add(piece)
    crowd[0] = replace(crowd[0], have_count=11)
    during = strategy.choker.allocate(view_of([replace(crowd[0], key=2), *crowd], Trigger.CHANGE, is_seed=True))
    assert during.grants[1].reason in {"one by one", "has least"}
    afterwards = strategy.choker.allocate(view_of([replace(crowd[1], key=2), *crowd], is_seed=True))
    assert len(afterwards.grants) == 1


def test_fewest_pieces_are_served_after_the_reveal() -> None:
    strategy = made(seed_slots=2)
    strategy.advertiser.initial_bitfield(0, Bitfield(12))
    candidates = [
        replace(each, have_count=count) for each, count in zip(neighbours("0 0 0 0"), (5, 1, 4, 2), strict=True)
    ]
    assert set(strategy.choker.allocate(view_of(candidates, is_seed=True)).grants) == {1, 3}


@pytest.mark.parametrize(("pieces", "slots"), [(0, 2), (1, 2), (2, 3), (8, 6), (100, 7)])
def test_slots_of_a_leech_grow_with_its_pieces(pieces: int, slots: int) -> None:
    view = replace(view_of(neighbours(" ".join(["0"] * 20))), have_count=pieces, piece_count=200)
    assert len(made().choker.allocate(view).grants) == slots


def test_leech_hides_nothing() -> None:
    advertiser = made().advertiser
    some = Bitfield(12)
    some.add(3)
    assert advertiser.initial_bitfield(1, some) == some
    assert list(advertiser.announce_to(5, [1, 2])) == [1, 2]
    assert advertiser.initial_bitfield(2, ALL) == ALL


@pytest.mark.parametrize("parameter", ["first_slots", "pieces_a_slot", "seed_slots"])
def test_invalid_parameters_are_refused(parameter: str) -> None:
    with pytest.raises(StrategyError, match=f"{parameter}: expected a whole number, 1 or more, found 0"):
        made(**{parameter: 0})


EVENTS = st.lists(st.tuples(st.sampled_from(["heard", "later", "gone"]), st.integers(0, 4), st.integers(0, 11)))


@given(EVENTS)
def test_known_pieces_are_never_announced_again(events: list[tuple[str, int, int]]) -> None:
    strategy = made()
    present = set(range(5))
    known = {key: set(strategy.advertiser.initial_bitfield(key, ALL)) for key in range(5)}
    crowd = neighbours("0 0 0 0 0")
    for now, (what, key, index) in enumerate(events):
        if what == "gone":
            present.discard(key)
            strategy.choker.allocate(
                view_of([each for each in crowd if each.key in present], Trigger.CHANGE, is_seed=True)
            )
            continue
        if what == "heard" and key not in present:
            continue
        if what == "heard":
            known[key].add(index)
        for to, piece in (
            strategy.advertiser.answer_have(key, index) if what == "heard" else strategy.advertiser.due_haves(now * 2)
        ):
            assert to in present
            assert piece not in known[to]
            known[to].add(piece)


def ratio(seed: str, leech: str, *, profile: str, n: int = 12) -> float:
    """Distribute a file; return the time over the bound."""
    swarm = VirtualSwarm(virtual_torrent(64, 32 << 10), profile=PROFILES[profile].scaled(10), latency=0.002)
    swarm.add("seed", up=1e6, is_seed=True, strategy=seed)
    for number in range(n):
        swarm.add(f"leech {number}", up=5e5, down=1.5e6, strategy=leech)
    took, length = swarm.run_until_all_complete(), swarm.info.length
    return took / max(length / 1e6, n * length / (1e6 + n * 5e5))


@pytest.mark.parametrize("profile", ["course", "libtorrent", "testbed"])
def test_swift_seed_is_nearer_to_the_bound(profile: str) -> None:
    standard = ratio("tit-for-tat", "tit-for-tat", profile=profile)
    assert ratio("swift", "tit-for-tat", profile=profile) < standard
    assert ratio("swift", "swift", profile=profile) < standard


def test_every_piece_is_sent_once_before_any_twice() -> None:
    swarm = VirtualSwarm(virtual_torrent(64, 64 << 10), profile="testbed", latency=0.002)
    source = swarm.add("seed", up=1e6, is_seed=True, strategy="swift")
    for number in range(10):
        swarm.add(f"leech {number}", up=5e5)
    gone_by = 64 * (64 << 10) / 1e6
    swarm.run(gone_by + 1)
    here = Bitfield(64)
    for peer in swarm.peers.values():
        for index in (peer.session.have or ()) if peer is not source else ():
            here.add(index)
    assert here.is_full
