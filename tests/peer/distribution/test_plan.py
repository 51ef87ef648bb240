"""Plans of the fluid scheme: which blocks each connection carries, and what is refused."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.distribution.fluid.plan import (
    SERVER,
    USUAL_BLOCK,
    Deal,
    Plan,
    PlanError,
    deal,
    encode_plan,
    fitting_block,
    parse_plan,
)
from peer.net.address import Address

RATE = st.just(0.0) | st.floats(1, 1e12)
RATES = st.lists(RATE, min_size=1, max_size=8).filter(any)
GIVEN: dict[str, Any] = {
    "length": 1000,
    "server": "198.18.0.1:7000",
    "peers": ["198.18.0.2:7000", "198.18.0.3:7000"],
    "relayed": [1e6, 5e5],
    "direct": 0,
}


def plan(relayed: tuple[float, ...], direct: float, *, length: int = 1000, block: int = 100) -> Plan:
    peers = tuple(Address("198.18.0.1", 8000 + number) for number in range(len(relayed)))
    return Plan(length, Address("198.18.0.1", 7000), peers, relayed, direct, block)


def blocks(relayed: tuple[float, ...], direct: float, **size: int) -> dict[tuple[int, int], list[int]]:
    """The blocks of each connection that carries any."""
    dealt, everybody = Deal(plan(relayed, direct, **size)), range(len(relayed) + 1)
    pairs = [(sender, receiver) for sender in everybody for receiver in everybody if sender != receiver]
    return {pair: list(dealt.blocks(*pair)) for pair in pairs if len(dealt.blocks(*pair))}


def test_equal_streams_alternate_and_are_relayed() -> None:
    assert blocks((1, 1), 0) == {
        (0, 1): [0, 2, 4, 6, 8],
        (0, 2): [1, 3, 5, 7, 9],
        (1, 2): [0, 2, 4, 6, 8],
        (2, 1): [1, 3, 5, 7, 9],
    }


def test_direct_stream_is_not_relayed() -> None:
    assert blocks((1, 1), 1) == {
        (0, 1): [0, 2, 3, 5, 6, 8, 9],
        (0, 2): [1, 2, 4, 5, 7, 8],
        (1, 2): [0, 3, 6, 9],
        (2, 1): [1, 4, 7],
    }


def test_peer_without_uplink_relays_nothing() -> None:
    assert blocks((0, 1), 0) == {(0, 2): list(range(10)), (2, 1): list(range(10))}


@given(relayed=RATES, direct=RATE, count=st.integers(1, 200))
def test_each_peer_gets_each_block_once(relayed: list[float], direct: float, count: int) -> None:
    dealt = Deal(plan(tuple(relayed), direct, length=count * 100 - 1))
    for receiver in range(1, len(relayed) + 1):
        senders = [sender for sender in range(len(relayed) + 1) if sender != receiver]
        assert sorted(index for sender in senders for index in dealt.blocks(sender, receiver)) == list(range(count))


@given(weights=RATES, count=st.integers(0, 300))
def test_dealing_stays_close_to_shares(weights: list[float], count: int) -> None:
    hands = deal(weights, count)
    for hand, weight in zip(hands, weights, strict=True):
        assert all(before < after for before, after in pairwise(hand))
        assert abs(len(hand) - count * weight / sum(weights)) <= len(weights)


def test_partial_block_counts_and_server_exceeds_rates() -> None:
    made = plan((1e6, 5e5), 1e5, length=1001)
    assert made.block_count == 11
    assert made.rate_to(2) == pytest.approx(6e5 * (1 + made.excess))
    assert made.others(SERVER) == [1, 2]


@pytest.mark.parametrize(
    ("length", "peers", "segments"),
    [(4 << 20, 30, 1), (4 << 20, 10, 2), (64 << 20, 30, 8), (8 << 20, 1, 8), (1000, 30, 1)],
)
def test_blocks_are_shorter_for_many_slow_streams(length: int, peers: int, segments: int) -> None:
    """The last block of a stream reaches its relay, which then sends it to all others at the stream's low rate."""
    assert fitting_block(length, [250_000 / peers] * peers, 0) == segments * 1448


def test_without_relaying_blocks_are_usual() -> None:
    assert fitting_block(1000, [0, 0], 10) == USUAL_BLOCK


def test_plan_round_trips() -> None:
    made = plan((1e6, 1.5), 1e5)
    assert parse_plan(encode_plan(made)) == made
    assert parse_plan(encode_plan(made)).digest == made.digest
    assert parse_plan(json.dumps(GIVEN)).digest != made.digest


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"length": 0}, "length: expected a whole number of bytes from 1 to"),
        ({"length": True}, "length: expected a whole number"),
        ({"block": 1 << 30}, "block: expected a whole number of bytes from 1 to 1048576, found 1073741824"),
        ({"length": 1 << 40, "block": 1}, "block: expected at most 16777216 blocks"),
        ({"server": "198.18.0.1"}, "server: expected host:port"),
        ({"server": 7}, "server: expected host:port"),
        ({"peers": []}, "peers: expected at least one"),
        ({"peers": "198.18.0.2:7000"}, "peers: expected a list"),
        ({"peers": ["198.18.0.1:7000", "198.18.0.3:7000"]}, "server, peers: expected an address of its own for each"),
        ({"relayed": [1]}, "relayed: expected a rate for each of 2 peers, found 1"),
        ({"relayed": [1, -1]}, "relayed: expected 0, or bytes/s from 1 to 1e+12, found -1"),
        ({"relayed": [1, float("inf")]}, "relayed: expected 0, or bytes/s from 1 to 1e+12, found inf"),
        ({"relayed": [0, 0]}, "relayed, direct: expected at least one rate above 0"),
        ({"direct": "8 Mbit/s"}, "direct: expected 0, or bytes/s from 1 to 1e+12, found '8 Mbit/s'"),
        ({"excess": None}, "excess: expected a number from 0 to 10, found None"),
        ({"blocks": 7}, "unknown keys: blocks; possible are length"),
    ],
)
def test_unusable_plan_is_explained(changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(PlanError) as refused:
        parse_plan(json.dumps({**GIVEN, **changed}))
    assert problem in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", "7", "\x00"])
def test_malformed_plan_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match="expected"):
        parse_plan(text)
