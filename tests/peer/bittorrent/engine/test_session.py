"""One session with scripted neighbours: handshakes, requests, limits, and neighbours that break the rules."""

from dataclasses import replace
from functools import partial
from random import Random

import pytest

from contract.events import (
    Banned,
    Disconnected,
    Handshaken,
    Left,
    Opened,
)
from peer.bittorrent.engine import actions
from peer.bittorrent.engine.actions import Action
from peer.bittorrent.engine.download.block_reception import Placement
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import (
    Allocation,
    ChokingView,
    Garbage,
    Grant,
    TransferTotals,
)
from peer.bittorrent.engine.upload.upload import QueuedBlock
from peer.bittorrent.strategies.parts.advertisers import Honest
from peer.bittorrent.strategies.registry import make_strategy
from peer.bittorrent.wire import messages
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.extensions import (
    ExtensionHandshake,
    MetadataData,
    MetadataRequest,
    PeerExchange,
    PexPeer,
    decode_extension_handshake,
    decode_metadata,
    decode_pex,
)
from peer.bittorrent.wire.messages import (
    AllowedFast,
    Cancel,
    Choke,
    Extended,
    Have,
    HaveAll,
    HaveBitfield,
    HaveNone,
    Interested,
    KeepAlive,
    NotInterested,
    PieceHeader,
    RejectRequest,
    Request,
    Unchoke,
)
from peer.bittorrent.wire.tracker.messages import AnnounceResponse, Event
from peer.net.address import Address
from peer.simulation.swarm import TRACKER, virtual_torrent
from tests.peer.bittorrent.engine.scripted import (
    ALL,
    FAST,
    OUR_ID,
    PLAIN,
    Mind,
    Them,
    everything,
)

BLOCK = 16 << 10
INFO = virtual_torrent(8, 64 << 10)


MANY_AT_A_TIME = replace(PROFILES["course"], most_half_open=100)


def a_seed(**options: object) -> Mind:
    return Mind(INFO, have=everything(INFO), **options)


def dials(done: list[Action]) -> list[Address]:
    return [each.address for each in done if isinstance(each, actions.Dial)]


def handed_out(mind: Mind, them: Them) -> list[Request]:
    """The queued blocks without garbage."""
    shipments = list(iter(lambda: mind.session.next_block(them.key, mind.now), None))
    assert not any(shipment.is_garbage for shipment in shipments)
    return [shipment.request for shipment in shipments]


class Serves:
    """Grants the same to every neighbour."""

    def __init__(self, grant: Grant) -> None:
        self._grant = grant

    def allocate(self, view: ChokingView) -> Allocation:
        return Allocation({each.key: self._grant for each in view.candidates})


# Shaking hands


def test_dialler_greets_first_and_the_other_answers() -> None:
    mind = Mind()
    called = mind.connect(host="198.18.0.8")
    assert not any(isinstance(each, actions.Greet) for each in mind.done)
    called.shake_hands(name="caller")
    assert isinstance(next(each for each in mind.done if getattr(each, "neighbour", 0) == called.key), actions.Greet)
    dialled = mind.connect(host="198.18.0.7", is_outgoing=True)
    assert isinstance(mind.done[-1], actions.Greet)
    assert mind.done[-1].neighbour == dialled.key


def test_stranger_to_our_torrent_is_closed_by_name() -> None:
    mind = Mind()
    them = mind.connect()
    them.shake_hands(info_hash=b"x" * 20)
    assert them.is_gone
    assert them.why_gone == f"handshake: expected our info-hash, found {(b'x' * 20).hex()}"
    assert mind.errors == [them.why_gone]


def test_client_never_redials_itself() -> None:
    mind = Mind(known=[Address("198.18.0.9", 6881)])
    assert actions.Dial(Address("198.18.0.9", 6881)) in mind.done
    them = mind.connect(is_outgoing=True)
    them.shake_hands(peer_id=OUR_ID)
    assert them.why_gone == "it is ourselves"
    assert not [each for each in mind.wait(4_000) if isinstance(each, actions.Dial)]


def test_silent_connection_is_closed_after_the_timeout() -> None:
    mind = Mind()
    them = mind.connect()
    mind.wait(19)
    assert not them.is_gone
    mind.wait(3)
    assert them.why_gone == "expected a handshake within 20 s, found none"


@pytest.mark.parametrize("name", ["a lesser id", "~ a greater id"], ids=["lesser", "greater"])
@pytest.mark.parametrize("outgoing_first", [True, False])
def test_crossed_connections_keep_the_greater_ids(name: str, outgoing_first: bool) -> None:
    mind = Mind()
    first = mind.meet(is_outgoing=outgoing_first, name=name)
    second = mind.meet(is_outgoing=not outgoing_first, name=name)
    ours_is_greater = name.encode().ljust(20, b".") < OUR_ID
    kept, dropped = (first, second) if outgoing_first == ours_is_greater else (second, first)
    assert dropped.why_gone == "connected twice"
    assert not kept.is_gone


def test_a_second_connection_of_the_same_kind_goes() -> None:
    mind = Mind()
    first, second = mind.meet(name="one"), mind.meet(name="one")
    assert second.is_gone
    assert not first.is_gone


def test_no_more_neighbours_than_the_profile_allows() -> None:
    mind = Mind(profile=replace(PROFILES["course"], most_neighbours=3))
    for number in range(3):
        mind.meet(host=f"198.18.0.{number + 2}", name=f"peer {number}")
    assert mind.session.connected(Address("198.18.0.99", 1), mind.now, is_outgoing=False) is None


def test_idle_connection_is_kept_alive_or_closed() -> None:
    mind = Mind()
    them = mind.meet()
    assert them.hears_in(119) == []
    assert them.hears_in(2) == [KeepAlive()]
    mind.wait(120)
    assert them.why_gone == "silent for 240 s"


# The first messages


def test_first_message_is_the_shortest_understood() -> None:
    some = Bitfield(8)
    some.add(3)
    assert a_seed().meet(reserved=FAST).hears() == [HaveAll()]
    assert a_seed().meet(reserved=PLAIN).hears() == [HaveBitfield(b"\xff")]
    assert Mind(INFO, have=some).meet(reserved=FAST).hears() == [HaveBitfield(b"\x10")]
    assert Mind(INFO).meet(reserved=FAST).hears() == [HaveNone()]
    assert Mind(INFO).meet(reserved=PLAIN).hears() == []


def test_extension_handshake_describes_us() -> None:
    (said,) = [each for each in a_seed().meet().hears() if isinstance(each, Extended)]
    ours = decode_extension_handshake(said.payload)
    assert said.extension == 0
    assert ours.m == {"ut_pex": 1, "ut_metadata": 2}
    assert ours.v == "Testbed 0.1.0"
    assert (ours.p, ours.reqq, ours.yourip) == (6881, 500, "198.18.0.9")
    assert ours.metadata_size == len(INFO.raw)
    assert ours.upload_only


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ([HaveBitfield(b"\xff\x00")], "bitfield: expected 1 bytes for 8 pieces, found 2"),
        ([HaveBitfield(b"")], "bitfield: expected 1 bytes for 8 pieces, found 0"),
        ([HaveBitfield(b"\x80"), HaveBitfield(b"\xff")], "bitfield: expected it once, before any have"),
        ([Have(1), HaveAll()], "bitfield: expected it once, before any have"),
        ([Have(8)], "piece 8: expected an index below 8"),
        ([Have(0xFFFFFFFF)], "piece 4294967295: expected an index below 8"),
    ],
)
def test_invalid_claim_ends_the_connection(said: list[messages.Message], problem: str) -> None:
    mind = Mind()
    them = mind.meet(*said)
    assert them.why_gone == problem
    assert mind.errors == [problem]


@pytest.mark.parametrize("message", [HaveAll(), HaveNone(), RejectRequest(0, 0, BLOCK), AllowedFast(1)], ids=str)
def test_fast_messages_need_the_fast_extension(message: messages.Message) -> None:
    them = Mind().meet(message, reserved=PLAIN)
    assert them.why_gone == "expected no message of the fast extension, which was not agreed on"


# Upload


def unchoked_by(mind: Mind, **options: object):
    them = mind.meet(Interested(), **options)
    mind.wait(0.1)
    assert Unchoke() in them.hears()
    return them


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (Request(0, 0, 1 << 20), "request: expected 1 to 131072 bytes, found 1048576"),
        (Request(0, 0, 0), "request: expected 1 to 131072 bytes, found 0"),
        (Request(8, 0, BLOCK), "request: expected a block within piece 8, found 16384 bytes from 0"),
        (Request(0, 64 << 10, 1), "request: expected a block within piece 0, found 1 bytes from 65536"),
        (
            Request(0xFFFFFFFF, 0xFFFFFFFF, BLOCK),
            "request: expected a block within piece 4294967295, found 16384 bytes from 4294967295",
        ),
    ],
)
def test_dishonest_request_ends_the_connection(request_: Request, problem: str) -> None:
    them = unchoked_by(a_seed())
    them.say(request_)
    assert them.why_gone == problem


def test_requests_are_served_in_order() -> None:
    mind = a_seed()
    them = unchoked_by(mind)
    wanted = [Request(1, 0, BLOCK), Request(0, BLOCK, BLOCK), Request(7, 100, 5)]
    for request in wanted:
        them.say(request)
    assert [each for each in mind.done if isinstance(each, actions.OfferBlocks)] == [actions.OfferBlocks(them.key)]
    assert handed_out(mind, them) == wanted


def test_choke_drops_the_queue_and_rejects_if_fast() -> None:
    for reserved, expected in (
        (FAST, [Choke(), RejectRequest(1, 0, BLOCK), RejectRequest(2, 0, BLOCK)]),
        (PLAIN, [Choke()]),
    ):
        mind = a_seed()
        them = unchoked_by(mind, reserved=reserved)
        them.say(Request(1, 0, BLOCK))
        them.say(Request(2, 0, BLOCK))
        for number in range(5):
            mind.meet(Interested(), host=f"198.18.0.{number + 20}", name=f"another {number}")
        them.say(NotInterested())
        assert them.hears_in(0.1) == expected
        assert mind.session.next_block(them.key, mind.now) is None


def test_cancelled_request_is_dropped_and_answered_if_fast() -> None:
    mind = a_seed()
    them = unchoked_by(mind)
    them.say(Request(1, 0, BLOCK))
    assert them.say(Cancel(1, 0, BLOCK)) == [RejectRequest(1, 0, BLOCK)]
    assert them.say(Cancel(1, 0, BLOCK)) == []
    assert mind.session.next_block(them.key, mind.now) is None


def test_too_many_requests_while_choked_end_the_connection() -> None:
    them = a_seed().meet()
    for _ in range(1_000):
        assert them.say(Request(1, 0, BLOCK)) == [RejectRequest(1, 0, BLOCK)]
    them.say(Request(1, 0, BLOCK))
    assert them.why_gone == "expected no requests while choked, found 1001"


def test_no_more_requests_are_kept_than_we_said() -> None:
    them = unchoked_by(a_seed())
    for _ in range(500):
        assert them.say(Request(1, 0, BLOCK)) == []
    assert them.say(Request(1, 0, BLOCK)) == [RejectRequest(1, 0, BLOCK)]


def test_a_piece_that_we_lack_is_refused() -> None:
    some = Bitfield(8)
    some.add(3)
    them = unchoked_by(Mind(INFO, have=some))
    assert them.say(Request(1, 0, BLOCK)) == [RejectRequest(1, 0, BLOCK)]


@pytest.mark.parametrize(
    ("garbage", "expected"),
    [
        (Garbage.MISSING, [QueuedBlock(Request(3, 0, BLOCK), False), QueuedBlock(Request(1, 0, BLOCK), True)]),
        (Garbage.ALWAYS, [QueuedBlock(Request(3, 0, BLOCK), True), QueuedBlock(Request(1, 0, BLOCK), True)]),
    ],
)
def test_a_strategy_may_serve_garbage(garbage: Garbage, expected: list[QueuedBlock]) -> None:
    some = Bitfield(8)
    some.add(3)
    standard = make_strategy("tit-for-tat", PROFILES["course"], Random(1), {})
    strategy = replace(standard, choker=Serves(Grant("of a kind", garbage=garbage)))
    mind = Mind(INFO, have=some, strategy=strategy)
    them = unchoked_by(mind)
    for index in (3, 1):
        assert them.say(Request(index, 0, BLOCK)) == []
    assert [mind.session.next_block(them.key, mind.now) for _ in range(2)] == expected


def test_a_strategy_may_tell_trackers_what_it_likes() -> None:
    class ExaggeratesUploads(Honest):
        def reported_totals(self, true: TransferTotals) -> TransferTotals:
            return true._replace(uploaded=10**9, left=0)

    standard = make_strategy("tit-for-tat", PROFILES["course"], Random(1), {})
    mind = Mind(INFO, strategy=replace(standard, advertiser=ExaggeratesUploads()), trackers=((TRACKER,),))
    (announce,) = (each.request for each in mind.done if isinstance(each, actions.Announce))
    assert (announce.uploaded, announce.downloaded, announce.left) == (10**9, 0, 0)


def test_allowed_fast_pieces_are_served_despite_choke() -> None:
    mind = a_seed(profile=replace(PROFILES["course"], allowed_fast=2))
    them = mind.meet()
    free = [each.index for each in them.hears() if isinstance(each, AllowedFast)]
    assert len(free) == 2
    assert them.say(Request(free[0], 0, BLOCK)) == []
    assert handed_out(mind, them) == [Request(free[0], 0, BLOCK)]


# Download


def test_interest_comes_first_and_requests_after_unchoke() -> None:
    mind = Mind()
    them = mind.meet(HaveNone())
    assert them.say(Have(2)) == [Interested()]
    asked = them.say(Unchoke())
    assert asked
    assert {each.index for each in asked if isinstance(each, Request)} == {2}


def arrives(mind: Mind, key: int, header: PieceHeader) -> bool:
    needed = False

    def come() -> None:
        nonlocal needed
        mind.session.block_began(key, header, mind.now)
        needed = mind.session.block_received(key, header, mind.now)

    mind.does(come)
    return needed


def fetch_everything(mind: Mind, them) -> None:
    for _ in range(200):
        asked = [each for each in them.hears() if isinstance(each, Request)]
        for request in asked:
            header = PieceHeader(request.index, request.begin, request.length)
            if mind.session.block_began(them.key, header, mind.now) is not Placement.NOWHERE:
                arrives(mind, them.key, header)
        for action in [each for each in mind.done if isinstance(each, actions.Verify)]:
            if action.index not in mind.session.have:
                mind.does(lambda index=action.index: mind.session.piece_checked(index, True, mind.now))
        if mind.session.is_complete:
            return
    raise AssertionError("the torrent did not come")


def test_whole_torrent_from_one_neighbour_then_seeds_part() -> None:
    mind = Mind(parameters={"departure": "stay"})
    them = mind.meet(HaveAll(), Unchoke())
    fetch_everything(mind, them)
    assert mind.session.received_bytes == INFO.length
    assert mind.session.wasted_bytes == 0
    assert them.why_gone == "both have everything"


def test_impossible_block_ends_the_connection() -> None:
    mind = Mind()
    them = mind.meet(HaveAll(), Unchoke())
    assert mind.session.block_began(them.key, PieceHeader(0, 1, BLOCK), mind.now) is Placement.NOWHERE
    assert them.why_gone == "piece: expected the beginning of a block, found piece 0, byte 1"


def test_repeated_blocks_finally_end_the_connection() -> None:
    mind = Mind()
    them = mind.meet(HaveAll())
    again = PieceHeader(0, 0, BLOCK)
    assert arrives(mind, them.key, again)
    for _ in range(1_024):
        assert not arrives(mind, them.key, again)
    assert not them.is_gone
    arrives(mind, them.key, again)
    assert them.why_gone == f"expected blocks that we asked for, found {1_025 * BLOCK} bytes of others"


def test_a_peer_with_departure_at_completion_leaves_politely() -> None:
    mind = Mind(parameters={"departure": "at-completion"}, trackers=(("http://t/announce",),))
    mind.does(lambda: mind.session.tracker_answered("http://t/announce", AnnounceResponse(interval=1_800), mind.now))
    fetch_everything(mind, mind.meet(HaveAll(), Unchoke()))
    mind.wait(2)
    (left,) = mind.events_of(Left)
    assert left.have_count == 8
    events = [each.request.event for each in mind.done if isinstance(each, actions.Announce)]
    assert events[0] is Event.STARTED
    assert events[-1] is Event.STOPPED
    assert isinstance(mind.done[-1], actions.Leave)
    assert mind.session.next_deadline() == float("inf")


def test_leaving_closes_everything_and_nothing_happens_afterwards() -> None:
    mind = a_seed()
    them = mind.meet()
    mind.does(lambda: mind.session.leave("asked to", mind.now))
    assert them.why_gone == "asked to"
    assert mind.session.connected(Address("198.18.0.2", 1), mind.now, is_outgoing=False) is None
    assert mind.wait(100) == []


# Extensions


def test_magnet_link_opens_the_torrent_and_replays_messages() -> None:
    mind = Mind(is_magnet=True)
    them = mind.meet(HaveAll(), Unchoke())
    assert HaveNone() in them.hears()
    asked = them.say(Extended(0, ExtensionHandshake(m={"ut_metadata": 7}, metadata_size=len(INFO.raw)).encode()))
    assert [(each.extension, decode_metadata(each.payload)) for each in asked] == [(7, MetadataRequest(0))]
    them.say(Extended(2, MetadataData(0, len(INFO.raw), INFO.raw).encode()))
    (opened,) = [each for each in mind.done if isinstance(each, actions.Open)]
    assert opened.info == INFO
    done = mind.does(lambda: mind.session.torrent_opened(opened.info, Bitfield(8), mind.now))
    assert actions.Send(them.key, Interested()) in done
    assert mind.events_of(Opened)[0].piece_count == 8
    assert any(isinstance(each, actions.Send) and isinstance(each.message, Request) for each in done)


def test_false_info_dictionary_bans_the_neighbour() -> None:
    mind = Mind(is_magnet=True)
    them = mind.meet()
    false = b"d6:lengthi1ee"
    them.say(Extended(0, ExtensionHandshake(m={"ut_metadata": 7}, metadata_size=len(false)).encode()))
    them.say(Extended(2, MetadataData(0, len(false), false).encode()))
    assert them.is_gone
    assert [fact.host for fact in mind.events_of(Banned)] == ["198.18.0.9"]


def test_info_dictionary_is_sent_on_request() -> None:
    them = a_seed().meet(Extended(0, ExtensionHandshake(m={"ut_metadata": 9}).encode()))
    (answer,) = them.say(Extended(2, MetadataRequest(0).encode()))
    assert answer == Extended(9, MetadataData(0, len(INFO.raw), INFO.raw).encode())


def test_neighbours_hear_of_each_other() -> None:
    mind = Mind()
    wants_pex = Extended(0, ExtensionHandshake(m={"ut_pex": 4}, p=7_000).encode())
    first = mind.meet(wants_pex, host="198.18.0.2", name="first")
    mind.meet(wants_pex, host="198.18.0.3", name="second")
    (said,) = [each for each in first.hears_in(5) if isinstance(each, Extended)]
    assert [peer.address for peer in decode_pex(said.payload).added] == [Address("198.18.0.3", 7_000)]


def test_addresses_from_neighbours_are_dialled() -> None:
    mind = Mind()
    named = Address("198.18.0.77", 6_881)
    mind.meet(Extended(1, PeerExchange((PexPeer(named),)).encode()))
    assert actions.Dial(named) in mind.wait(2)


def test_seed_does_not_dial_addresses_from_neighbours() -> None:
    mind = a_seed()
    mind.meet(Extended(1, PeerExchange((PexPeer(Address("198.18.0.77", 6_881)),)).encode()))
    assert not [each for each in mind.wait(2) if isinstance(each, actions.Dial)]


def test_leech_dials_all_and_seed_one_by_one() -> None:
    known = [Address(f"198.18.0.{number}", 6_881) for number in range(1, 60)]
    leech, seed = (Mind(INFO, have=have, known=known, profile=MANY_AT_A_TIME) for have in (None, everything(INFO)))
    assert len(dials(leech.done)) == 40
    (address,) = dials(seed.done)
    for _ in range(20):
        seed.does(partial(seed.session.connected, address, seed.now, is_outgoing=True))
        found = dials(seed.wait(1))
        address = found[0] if found else address
    assert len(dials(seed.done)) == 10


def test_messages_before_the_torrent_is_known_are_bounded() -> None:
    mind = Mind(is_magnet=True)
    them = mind.meet()
    for _ in range(20_001):
        them.say(Have(1))
    assert "before the torrent is known" in them.why_gone


def test_failed_tracker_is_traced_and_asked_again() -> None:
    mind = Mind(trackers=(("http://t/announce",),))
    mind.does(lambda: mind.session.tracker_failed("http://t/announce", "connection refused", mind.now))
    assert mind.errors == ["tracker http://t/announce: connection refused"]
    assert [each for each in mind.wait(60) if isinstance(each, actions.Announce)]


def test_messages_to_a_closed_connection_are_ignored() -> None:
    mind = Mind()
    them = mind.meet(Have(99))
    assert them.is_gone
    assert them.say(Have(1)) == []
    assert mind.session.block_began(them.key, PieceHeader(0, 0, BLOCK), mind.now) is Placement.NOWHERE


def test_the_trace_knows_each_neighbour_by_its_client() -> None:
    mind = Mind()
    mind.meet(name="-LT2110-abcdefghijkl")
    (shaken,) = mind.events_of(Handshaken)
    assert shaken.client == "libtorrent 2.1.1.0"
    assert not mind.events_of(Disconnected)
    assert make_strategy("tit-for-tat", PROFILES["course"], Random(1), {}).name == "tit-for-tat"
    assert ALL
