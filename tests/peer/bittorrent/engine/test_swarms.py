"""Whole swarms in virtual time: the parts of the engine together."""

from dataclasses import replace
from random import Random
from statistics import mean, pvariance

import pytest

from contract.events import (
    Banned,
    Choked,
    Completed,
    Disconnected,
    Joined,
    Left,
    Moved,
    Opened,
    PieceCompleted,
    PieceFailed,
    Snubbed,
    Unchoked,
)
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import Allocation, ChokingView
from peer.bittorrent.strategies.parts.advertisers import Honest
from peer.bittorrent.strategies.registry import make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from peer.simulation.swarm import VirtualPeer, VirtualSwarm, virtual_torrent

KIB = 1024
COURSE = PROFILES["course"]


class NeverUnchokes:
    """The choker of a free rider."""

    def allocate(self, _: ChokingView) -> Allocation:
        return Allocation()


def free_rider(seed: int = 1):
    return replace(make_strategy("tit-for-tat", COURSE, Random(seed), {}), name="free rider", choker=NeverUnchokes())


def flash_crowd(
    swarm: VirtualSwarm, leechers: int, *, seed_up: float = 512 * KIB, up: float = 128 * KIB, **options: object
) -> list[VirtualPeer]:
    swarm.add("seed", up=seed_up, is_seed=True)
    return [swarm.add(f"leech {number}", up=up, **options) for number in range(leechers)]


def test_fifty_peers_come_close_to_the_bound() -> None:
    profile = replace(PROFILES["testbed"], most_neighbours=20, dials_up_to=10)
    swarm = VirtualSwarm(virtual_torrent(1_000), profile=profile)
    flash_crowd(swarm, 50, seed_up=1024 * KIB, up=512 * KIB)
    took = swarm.run_until_all_complete()
    bound = 50 * swarm.info.length / (1024 * KIB + 50 * 512 * KIB)
    assert bound < took < 1.3 * bound


def test_same_seed_gives_the_same_trace() -> None:
    def traces(seed: int) -> bytes:
        swarm = VirtualSwarm(virtual_torrent(50), seed=seed)
        peers = flash_crowd(swarm, 8)
        swarm.run_until_all_complete()
        return b"".join(peer.trace() for peer in peers)

    assert traces(1) == traces(1)
    assert traces(1) != traces(2)


def test_seed_serves_all_for_the_same_time() -> None:
    profile = replace(PROFILES["libtorrent"], seed_turn=60, seed_turn_pieces=1)
    swarm = VirtualSwarm(virtual_torrent(2_000, 256 * KIB), profile=profile)
    leechers = flash_crowd(swarm, 20, seed_up=256 * KIB, up=1 * KIB)
    swarm.run(1_800)
    seed = swarm.peers["seed"]
    unchoked = times_unchoked(seed, 1_800)
    assert len(unchoked) == len(leechers)
    assert max(unchoked.values()) - min(unchoked.values()) <= profile.rechoke_period


def times_unchoked(peer: VirtualPeer, end: float) -> dict[int, float]:
    """For how long each neighbour was served."""
    since: dict[int, float] = {}
    total: dict[int, float] = {}
    for now, fact in peer.events:
        if isinstance(fact, Unchoked) and fact.by_us:
            since[fact.neighbour] = now
        elif isinstance(fact, Choked) and fact.by_us:
            total[fact.neighbour] = total.get(fact.neighbour, 0) + now - since.pop(fact.neighbour)
    for neighbour, began in since.items():
        total[neighbour] = total.get(neighbour, 0) + end - began
    return total


def test_a_free_rider_gets_about_the_optimistic_share() -> None:
    """Each of 24 gives a fifth of its upload to an optimistic unchoke: sometimes that is the free rider."""
    swarm = VirtualSwarm(virtual_torrent(4_000, 64 * KIB), profile=COURSE)
    swarm.add("seed", up=64 * KIB, is_seed=True)
    rng = Random(5)
    compliant = [swarm.add(f"leech {n}", up=64 * KIB, have=a_share(rng, 4_000, 1 / 3)) for n in range(24)]
    rider = swarm.add("rider", up=64 * KIB, strategy=free_rider(), have=a_share(rng, 4_000, 1 / 3))
    swarm.run(600)
    share = rider.session.received_bytes / mean(peer.session.received_bytes for peer in compliant)
    assert 0.12 < share < 0.36


def a_share(rng: Random, pieces: int, share: float) -> Bitfield:
    have = Bitfield(pieces)
    for index in rng.sample(range(pieces), int(pieces * share)):
        have.add(index)
    return have


def copies_half_way(strategy: str) -> list[int]:
    """How many of 20 leechers have each of 200 pieces when they have half of all; each began with a tenth."""
    rng, pieces = Random(3), 200
    swarm = VirtualSwarm(virtual_torrent(pieces, 64 * KIB))
    swarm.add("seed", up=256 * KIB, is_seed=True)
    for number in range(20):
        swarm.add(f"leech {number}", up=128 * KIB, strategy=strategy, have=a_share(rng, pieces, 1 / 10))
    leechers = [peer for name, peer in swarm.peers.items() if name != "seed"]
    swarm.run(1_000, stop=lambda: sum(peer.have_count for peer in leechers) >= len(leechers) * pieces // 2)
    return [sum(peer.has(index) for peer in leechers) for index in range(pieces)]


def test_only_rarest_first_spreads_copies_evenly() -> None:
    rarest, chance, sequential = map(copies_half_way, ["tit-for-tat", "random-order", "sequential"])
    assert pvariance(chance) > 1.5 * pvariance(rarest)
    assert pvariance(sequential) > 5 * pvariance(rarest)
    assert min(rarest) > max(min(chance), min(sequential))


def test_swarm_finishes_after_the_seed_leaves() -> None:
    swarm = VirtualSwarm(virtual_torrent(200))
    leechers = flash_crowd(swarm, 10)
    swarm.run(1_000, stop=lambda: all(any(peer.has(i) for peer in leechers) for i in range(200)))
    swarm.leave("seed")
    assert swarm.run_until_all_complete(2_000) < 2_000
    assert all(peer.session.is_complete for peer in leechers)


class ClaimsEverything(Honest):
    """The advertiser of a liar."""

    def initial_bitfield(self, _: int, have: Bitfield) -> Bitfield:
        return Bitfield.full(have.size)


def test_returning_peer_keeps_pieces_under_another_id() -> None:
    swarm = VirtualSwarm(virtual_torrent(40))
    flash_crowd(swarm, 3)
    traveller = swarm.add("traveller", up=64 * KIB, departure="at 50 % for 5 s")
    swarm.run(60)
    first, second = traveller.events_of(Joined)
    assert first.peer_id != second.peer_id
    (gone,) = traveller.events_of(Left)
    assert [opened.have_count for opened in traveller.events_of(Opened)] == [0, gone.have_count]
    assert traveller.session.is_complete


def test_lying_bitfield_stalls_no_peer() -> None:
    def time_with(liar: bool) -> float:
        swarm = VirtualSwarm(virtual_torrent(100))
        leechers = flash_crowd(swarm, 8)
        if liar:
            honest = make_strategy("tit-for-tat", COURSE, Random(1), {})
            swarm.add(
                "liar", up=512 * KIB, strategy=replace(honest, advertiser=ClaimsEverything()), have=None, down=1.0
            )
        swarm.run(1_000, stop=lambda: all(peer.session.is_complete for peer in leechers))
        return swarm.now

    assert time_with(liar=True) < 1.5 * time_with(liar=False)


def test_silent_neighbour_is_snubbed_and_replaced() -> None:
    swarm = VirtualSwarm(virtual_torrent(400))
    leechers = flash_crowd(swarm, 6, seed_up=64 * KIB)
    mute = swarm.add("mute", up=512 * KIB, is_seed=True)
    swarm.call_at(3.0, lambda: mute.set_upload(0.001))
    swarm.run(2_000, stop=lambda: all(peer.session.is_complete for peer in leechers))
    assert all(peer.session.is_complete for peer in leechers)
    assert any(list(peer.events_of(Snubbed)) for peer in leechers)


@pytest.mark.parametrize("poisoners", [1, 2])
def test_only_the_sender_of_wrong_blocks_is_banned(poisoners: int) -> None:
    swarm = VirtualSwarm(virtual_torrent(40, 256 * KIB))
    for number in range(5):
        swarm.add(f"seed {number}", up=256 * KIB, is_seed=True, corrupts=number < poisoners)
    leech = swarm.add("leech")
    swarm.run(1_000, stop=lambda: leech.session.is_complete)
    bad = {swarm.peers[f"seed {number}"].address.host for number in range(poisoners)}
    assert leech.session.is_complete
    assert {fact.host for fact in leech.events_of(Banned)} == bad
    assert list(leech.events_of(PieceFailed))


def test_bytes_of_each_second_add_up() -> None:
    swarm = VirtualSwarm(virtual_torrent(100))
    leechers = flash_crowd(swarm, 5)
    swarm.run_until_all_complete()
    for peer in leechers:
        moved = [triple for fact in peer.events_of(Moved) for triple in fact.bytes]
        ended = list(peer.events_of(Disconnected))
        for fact in ended:
            of_this_one = [triple for triple in moved if triple[0] == fact.neighbour]
            assert (sum(each[1] for each in of_this_one), sum(each[2] for each in of_this_one)) == (
                fact.received,
                fact.sent,
            )
        assert ended


def test_bytes_before_completion_are_exact_per_connection() -> None:
    swarm = VirtualSwarm(virtual_torrent(60))
    leechers = flash_crowd(swarm, 4)
    swarm.run_until_all_complete()
    for peer in leechers:
        facts = [fact for _, fact in peer.events]
        (whole,) = peer.events_of(Completed)
        moved = [triple for fact in facts[: facts.index(whole)] if isinstance(fact, Moved) for triple in fact.bytes]
        assert (sum(each[1] for each in moved), sum(each[2] for each in moved)) == (whole.received, whole.sent)


def test_blocks_are_not_fetched_twice_outside_the_endgame() -> None:
    swarm = VirtualSwarm(virtual_torrent(200))
    leechers = flash_crowd(swarm, 10)
    swarm.run_until_all_complete()
    for peer in leechers:
        assert peer.session.received_bytes - peer.session.wasted_bytes == swarm.info.length
        assert peer.session.wasted_bytes <= 0.05 * swarm.info.length
        assert len(list(peer.events_of(PieceCompleted))) == 200
