"""A session with a DHT: when it announces, what it does with the peers found, and whose nodes it gets to know."""

from typing import Any

import pytest

from contract.events import Announced
from peer.bittorrent.engine.actions import Announce, AnnounceToDht, Dial, Greet, MeetDhtNode
from peer.bittorrent.engine.context import DhtUse
from peer.bittorrent.wire.handshake import Reserved, decode_handshake
from peer.bittorrent.wire.messages import HaveNone, Port
from peer.bittorrent.wire.metainfo.metainfo import make_info
from peer.net.address import Address
from tests.peer.bittorrent.engine.scripted import ALL, SessionHarness, everything

PERIOD = 900.0
WITH_DHT = ALL | Reserved.DHT
PEERS = [Address(f"198.18.0.{number}", 6881) for number in range(20, 50)]
PRIVATE = make_info("secret", 16384, 16384, [bytes(20)], is_private=True)


def a_session(**options: Any) -> SessionHarness:
    return SessionHarness(**({"dht": DhtUse(6999, PERIOD)} | options))


def a_seed() -> SessionHarness:
    harness = a_session()
    return a_session(info=harness.info, have=everything(harness.info))


def announcements(harness: SessionHarness) -> int:
    return sum(isinstance(each, AnnounceToDht) for each in harness.actions)


def ends(harness: SessionHarness, nodes: int = 8) -> None:
    harness.actions_after(lambda: harness.session.dht_ended(nodes, harness.now))


def finds(harness: SessionHarness, peers: list[Address]) -> list[Address]:
    """Let the DHT tell peers; return those that are dialled at once."""
    new = harness.actions_after(lambda: harness.session.peers_found(peers, harness.now))
    return [each.address for each in new if isinstance(each, Dial)]


def test_it_announces_the_port_where_it_listens_at_its_start() -> None:
    assert [each for each in a_session().actions if isinstance(each, AnnounceToDht)] == [AnnounceToDht(6881)]


def test_without_a_dht_nothing_is_announced_and_no_bit_set() -> None:
    harness = SessionHarness()
    neighbour = harness.add_neighbour(reserved=WITH_DHT)
    neighbour.send(Port(6881))
    assert Port(6881) not in neighbour.received()
    assert not any(isinstance(each, AnnounceToDht | MeetDhtNode) for each in harness.actions)
    assert Reserved.DHT not in reserved_sent(harness)


def test_tracker_and_dht_are_both_asked() -> None:
    harness = a_session(trackers=(("http://t/announce",),))
    assert {type(each) for each in harness.actions} >= {Announce, AnnounceToDht}


def test_peers_found_are_dialled_and_counted_in_the_trace() -> None:
    harness = a_session()
    assert set(finds(harness, PEERS[:2])) == set(PEERS[:2])
    finds(harness, PEERS[1:3])
    ends(harness)
    assert harness.events_of(Announced) == [Announced("dht", 3, None, None, PERIOD)]


def test_a_seed_announces_again_after_the_period_only() -> None:
    harness = a_seed()
    ends(harness)
    harness.wait(PERIOD - 2)
    assert announcements(harness) == 1
    harness.wait(4)
    assert announcements(harness) == 2


def test_a_seed_dials_what_the_dht_found() -> None:
    assert finds(a_seed(), PEERS) != []


def test_one_that_lacks_neighbours_announces_sooner_but_ever_less_often() -> None:
    harness = a_session()
    gaps = [gap_until_next(harness) for _ in range(10)]
    assert gaps[0] <= 3
    assert 30 <= gaps[-1] <= 62


def gap_until_next(harness: SessionHarness) -> float:
    ends(harness)
    begin, count = harness.now, announcements(harness)
    while announcements(harness) == count:
        harness.wait(0.5)
    return harness.now - begin


def test_while_no_node_answers_even_a_seed_tries_again_and_says_so() -> None:
    harness = a_seed()
    assert gap_after_silence(harness) <= 3
    assert harness.errors == ["DHT: no node answered"]


def gap_after_silence(harness: SessionHarness) -> float:
    ends(harness, nodes=0)
    begin = harness.now
    while announcements(harness) == 1:
        harness.wait(0.5)
    return harness.now - begin


def test_never_two_announcements_at_once() -> None:
    harness = a_session()
    harness.wait(10 * PERIOD)
    assert announcements(harness) == 1


@pytest.mark.parametrize("reserved", [WITH_DHT, ALL])
def test_a_neighbour_with_a_node_is_told_our_port_after_our_pieces(reserved: Reserved) -> None:
    neighbour = a_session().add_neighbour(reserved=reserved)
    received = neighbour.received()
    assert (Port(6999) in received) == (reserved is WITH_DHT)
    assert received[0] == HaveNone()


def reserved_sent(harness: SessionHarness) -> Reserved:
    (greeting,) = [each.handshake for each in harness.actions if isinstance(each, Greet)]
    return decode_handshake(greeting).reserved


def test_the_handshake_says_that_we_have_a_node() -> None:
    harness = a_session()
    harness.add_neighbour()
    assert Reserved.DHT in reserved_sent(harness)


def test_only_the_first_port_of_a_neighbour_counts() -> None:
    harness = a_session()
    neighbour = harness.add_neighbour(reserved=WITH_DHT)
    for port in (0, 7001, 7002):
        neighbour.send(Port(port))
    assert [each for each in harness.actions if isinstance(each, MeetDhtNode)] == [
        MeetDhtNode(Address("198.18.0.9", 7001))
    ]


def test_a_torrent_that_turns_out_to_be_private_leaves_the_dht() -> None:
    harness = a_session(info=PRIVATE, is_magnet=True)
    harness.actions_after(lambda: harness.session.torrent_opened(PRIVATE, everything(PRIVATE), harness.now))
    ends(harness)
    harness.wait(2 * PERIOD)
    assert announcements(harness) == 1
    assert finds(harness, PEERS) == []
    harness.add_neighbour(reserved=WITH_DHT).send(Port(7001))
    assert not any(isinstance(each, MeetDhtNode) for each in harness.actions)


def test_who_has_left_announces_no_more() -> None:
    harness = a_session()
    harness.actions_after(lambda: harness.session.leave("over", harness.now))
    ends(harness)
    harness.wait(2 * PERIOD)
    assert announcements(harness) == 1
    assert finds(harness, PEERS) == []
