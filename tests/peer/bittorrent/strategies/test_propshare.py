"""PropShare divides our upload by what each neighbour sent in the last round; a fifth is for newcomers."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import (
    Allocation,
    Candidate,
    ChokingView,
    Trigger,
)
from peer.bittorrent.strategies.registry import StrategyError, make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from peer.simulation.swarm import VirtualSwarm, virtual_torrent
from tests.peer.bittorrent.strategies.candidates import Neighbourhood, neighbours, view_of

KB = 1_000
COURSE = PROFILES["course"]
CAPACITY = 100 * KB


def made(**parameters: object):
    return make_strategy("propshare", COURSE, Random(1), parameters)


def a_view(candidates: Iterable[Candidate], trigger: Trigger = Trigger.ROUND, *, now: float = 0) -> ChokingView:
    return replace(view_of(candidates, trigger, now=now), capacity=CAPACITY)


def givers(gifts: Sequence[float], **fields: object) -> list[Candidate]:
    """Interested neighbours that have sent so many kB in all."""
    return [
        replace(Candidate(key=key, is_interested=True, received=round(gift * KB)), **fields)  # type: ignore[arg-type]
        for key, gift in enumerate(gifts)
    ]


def rates(allocation: Allocation, reason: str) -> dict[int, float]:
    return {key: grant.rate or 0 for key, grant in allocation.grants.items() if grant.reason == reason}


def test_shares_are_proportional_and_newcomers_get_a_fifth() -> None:
    allocation = made().choker.allocate(a_view(givers([400, 200, 200, 0, 0])))
    assert rates(allocation, "share") == pytest.approx({0: 40 * KB, 1: 20 * KB, 2: 20 * KB})
    (newcomer,) = rates(allocation, "newcomer").items()
    assert newcomer in {(3, 20 * KB), (4, 20 * KB)}
    assert list(allocation.refusals.values()) == ["waiting"]


def test_only_the_last_round_counts() -> None:
    choker = made(reserve=0).choker
    choker.allocate(a_view(givers([900, 100])))
    second = choker.allocate(a_view(givers([1_000, 400]), now=10))
    assert rates(second, "share") == pytest.approx({0: 25 * KB, 1: 75 * KB})


def test_changes_use_the_gifts_of_the_last_round() -> None:
    choker = made(reserve=0).choker
    choker.allocate(a_view(givers([300, 100, 100])))
    gone = choker.allocate(a_view(givers([350, 900]), Trigger.CHANGE, now=4))
    assert rates(gone, "share") == pytest.approx({0: 75 * KB, 1: 25 * KB})


def test_newcomers_split_all_while_none_gives() -> None:
    allocation = made().choker.allocate(a_view(givers([0] * 8)))
    assert list(rates(allocation, "newcomer").values()) == pytest.approx([20 * KB] * 5)


def test_givers_get_the_reserve_without_newcomers() -> None:
    allocation = made().choker.allocate(a_view(givers([300, 100])))
    assert rates(allocation, "share") == pytest.approx({0: 75 * KB, 1: 25 * KB})


def test_newcomer_turns_last_30_seconds() -> None:
    choker, seen = made().choker, []
    people = givers([0] * 4)
    for number in range(60):
        giver = Candidate(key=9, is_interested=True, received=1 + number)
        seen.append(min(rates(choker.allocate(a_view([*people, giver], now=10.0 * number)), "newcomer")))
    assert [number for number in range(1, 60) if seen[number] != seen[number - 1]] == list(range(3, 60, 3))
    assert set(seen) == {0, 1, 2, 3}


def test_share_below_one_block_goes_to_others() -> None:
    allocation = made(reserve=0).choker.allocate(a_view(givers([600, 400, 8])))
    assert COURSE.block_length / COURSE.rate_window > CAPACITY * 8 / 1_008
    assert rates(allocation, "share") == pytest.approx({0: 60 * KB, 1: 40 * KB})
    assert allocation.refusals == {2: "gave too little"}


def test_uninterested_giver_is_kept_ready() -> None:
    allocation = made().choker.allocate(a_view(givers([300], is_interested=False)))
    assert [grant.reason for grant in allocation.grants.values()] == ["ready"]


def test_acts_as_standard_client_without_capacity() -> None:
    here = Neighbourhood(made().choker, neighbours("15 12 10 9 8 3"))
    here.round(after=10)
    assert here.given("reciprocates") == {0, 1, 2, 3}


def test_seed_serves_as_the_profile_says() -> None:
    here = Neighbourhood(made().choker, neighbours("0 0 0 0 0 0"), is_seed=True)
    here.round(after=10)
    assert here.given("on trial") == here.served
    assert len(here.served) == 5


@pytest.mark.parametrize("reserve", [-0.1, 1.5, "much", True])
def test_invalid_reserve_is_refused(reserve: object) -> None:
    with pytest.raises(StrategyError, match=r"^strategy propshare: reserve: expected .*, found .*$"):
        made(reserve=reserve)


CANDIDATE = st.builds(
    Candidate,
    key=st.integers(0, 30),
    is_interested=st.booleans(),
    is_unchoked=st.booleans(),
    is_seed=st.booleans(),
    received=st.integers(0, 10**7),
)
MOMENT = st.tuples(st.sampled_from(Trigger), st.lists(CANDIDATE, max_size=12, unique_by=lambda each: each.key))


@given(st.lists(MOMENT, max_size=6), st.floats(0, 1))
def test_grants_add_up_to_the_whole_capacity(moments, reserve) -> None:
    choker = made(reserve=reserve).choker
    for number, (trigger, candidates) in enumerate(moments):
        grants = choker.allocate(a_view(candidates, trigger, now=10.0 * number)).grants
        shares = [grants[each.key].rate or 0 for each in candidates if each.is_interested and each.key in grants]
        assert sum(shares) <= CAPACITY * (1 + 1e-6)
        if any(each.is_interested for each in candidates) and reserve < 1:
            assert sum(shares) >= CAPACITY * (1 - reserve) * (1 - 1e-6)


def test_peers_that_upload_more_get_more() -> None:
    """All peers use PropShare and start with a random half: those that upload twice as much receive more."""
    pieces, rng = 2_000, Random(7)
    swarm = VirtualSwarm(virtual_torrent(pieces), profile=COURSE)
    swarm.add("seed", up=1, is_seed=True)
    got = {}
    for up in (20 * KB, 40 * KB, 80 * KB):
        halves = [a_half(rng, pieces), a_half(rng, pieces)]
        got[up] = [swarm.add(f"{up} {n}", up=up, strategy="propshare", have=half) for n, half in enumerate(halves)]
    swarm.run(120)
    low, middle, high = (sum(peer.session.received_bytes for peer in peers) for peers in got.values())
    assert low * 1.2 < middle
    assert middle * 1.2 < high


def a_half(rng: Random, pieces: int) -> Bitfield:
    have = Bitfield(pieces)
    for index in rng.sample(range(pieces), pieces // 2):
        have.add(index)
    return have
