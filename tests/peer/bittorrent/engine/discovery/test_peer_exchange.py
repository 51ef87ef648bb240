"""Peer exchange: each neighbour gets each change once, and its own messages are taken within limits."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.engine.discovery.peer_exchange import (
    FIRST_AFTER,
    MOST_SENT,
    MOST_TAKEN,
    TOLERANCE,
    PexPartners,
    pex_entry,
)
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.wire.extensions import PeerExchange, PexFlags, PexPeer
from peer.net.address import Address

COURSE = PROFILES["course"]
PERIOD = COURSE.exchange_period


def peer(number: int) -> PexPeer:
    return PexPeer(Address(f"198.18.{number // 250}.{number % 250 + 1}", 6881))


def present(*numbers: int) -> dict[int, PexPeer]:
    return {number: peer(number) for number in numbers}


def exchange_with(*keys: int) -> PexPartners:
    made = PexPartners(COURSE)
    for key in keys:
        made.add(key, 0)
    return made


def added(message: PeerExchange) -> list[Address]:
    return [each.address for each in message.added]


def test_first_message_comes_soon_and_omits_its_receiver() -> None:
    made = exchange_with(1)
    assert made.next_deadline() == FIRST_AFTER
    assert made.due(present(1, 2, 3), FIRST_AFTER - 0.1) == []
    ((key, message),) = made.due(present(1, 2, 3), FIRST_AFTER)
    assert key == 1
    assert message == PeerExchange((peer(2), peer(3)))


def test_later_messages_are_differences_one_period_apart() -> None:
    made = exchange_with(1)
    made.due(present(1, 2, 3), FIRST_AFTER)
    assert made.due(present(1, 3, 4), FIRST_AFTER + PERIOD - 1) == []
    ((_, message),) = made.due(present(1, 3, 4), FIRST_AFTER + PERIOD)
    assert message == PeerExchange((peer(4),), (peer(2).address,))


def test_no_news_is_no_message() -> None:
    made = exchange_with(1)
    made.due(present(1, 2), FIRST_AFTER)
    assert made.due(present(1, 2), FIRST_AFTER + PERIOD) == []
    assert made.next_deadline() == FIRST_AFTER + 2 * PERIOD


def test_short_visits_between_messages_are_not_listed() -> None:
    made = exchange_with(1)
    made.due(present(1, 2), FIRST_AFTER)
    assert made.due(present(1, 2, 3), FIRST_AFTER + 1) == []
    assert made.due(present(1, 2), FIRST_AFTER + PERIOD) == []


def test_second_connection_of_the_receiver_is_omitted() -> None:
    made = exchange_with(1)
    twice = {1: peer(1), 2: peer(1)}
    assert made.due(twice, FIRST_AFTER) == []


def test_unreachable_receiver_gets_the_others() -> None:
    made = exchange_with(1)
    ((_, message),) = made.due(present(2), FIRST_AFTER)
    assert added(message) == [peer(2).address]


def test_long_message_is_cut_and_the_rest_follows() -> None:
    made = exchange_with(0)
    everybody = present(*range(121))
    told: list[Address] = []
    for number in range(3):
        ((_, message),) = made.due(everybody, FIRST_AFTER + number * PERIOD)
        assert len(message.added) <= MOST_SENT
        told += added(message)
    assert sorted(told) == sorted(peer(number).address for number in range(1, 121))
    dropped: list[Address] = []
    for number in range(3, 6):
        ((_, message),) = made.due(present(0), FIRST_AFTER + number * PERIOD)
        assert len(message.dropped) <= MOST_SENT
        dropped += message.dropped
    assert sorted(dropped) == sorted(told)


def test_departed_neighbour_gets_no_message() -> None:
    made = exchange_with(1, 2)
    made.neighbour_left(1)
    assert [key for key, _ in made.due(present(3), FIRST_AFTER)] == [2]


def test_repeated_extension_handshake_does_not_restart() -> None:
    made = exchange_with(1)
    made.due(present(2), FIRST_AFTER)
    made.add(1, 10)
    assert made.due(present(2), FIRST_AFTER + PERIOD) == []


def test_a_private_torrent_has_no_exchange() -> None:
    made = exchange_with(1)
    made.is_private = True
    assert made.due(present(2), 1_000) == []
    assert made.next_deadline() == inf
    assert made.received(1, PeerExchange((peer(3),)), 0) == []


def test_flags_mark_seeds_and_reachable_peers() -> None:
    address = peer(1).address
    assert pex_entry(None, is_outgoing=False, is_seed=True) is None
    assert pex_entry(address, is_outgoing=False, is_seed=False) == PexPeer(address)
    known = pex_entry(address, is_outgoing=True, is_seed=True)
    assert known == PexPeer(address, PexFlags.REACHABLE | PexFlags.UPLOAD_ONLY)


def test_received_addresses_are_returned() -> None:
    assert PexPartners(COURSE).received(1, PeerExchange((peer(2), peer(3)), (peer(4).address,)), 0) == [
        peer(2).address,
        peer(3).address,
    ]


def test_too_frequent_or_long_messages_are_cut_off() -> None:
    made = PexPartners(COURSE)
    flood = PeerExchange(tuple(peer(number) for number in range(2_000)))
    assert len(made.received(1, flood, 0)) == MOST_TAKEN
    assert made.received(1, flood, TOLERANCE * PERIOD - 1) == []
    assert made.received(2, PeerExchange((peer(3),)), 1) == [peer(3).address]
    assert len(made.received(1, flood, TOLERANCE * PERIOD)) == MOST_TAKEN


@given(st.lists(st.sets(st.integers(1, 70)), min_size=1, max_size=8))
def test_all_messages_together_give_the_present_peers(history: list[set[int]]) -> None:
    made, believed = exchange_with(0), set[Address]()
    for number in range(len(history) + 2):
        now_here = present(*sorted(history[min(number, len(history) - 1)]))
        for _, message in made.due(now_here, FIRST_AFTER + number * PERIOD):
            assert believed.isdisjoint(added(message))
            assert believed.issuperset(message.dropped)
            believed |= set(added(message))
            believed -= set(message.dropped)
    assert believed == {each.address for each in now_here.values()}
