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
from peer.bittorrent.wire.handshake import Reserved
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
    ScriptedNeighbour,
    SessionHarness,
    everything,
)

BLOCK = 16 << 10
INFO = virtual_torrent(8, 64 << 10)


MANY_AT_A_TIME = replace(PROFILES["course"], most_half_open=100)


def a_seed(**options: object) -> SessionHarness:
    return SessionHarness(INFO, have=everything(INFO), **options)


def dials(done: list[Action]) -> list[Address]:
    return [each.address for each in done if isinstance(each, actions.Dial)]


def handed_out(harness: SessionHarness, neighbour: ScriptedNeighbour) -> list[Request]:
    """The queued blocks without garbage."""
    shipments = list(iter(lambda: harness.session.next_block(neighbour.key, harness.now), None))
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
    harness = SessionHarness()
    called = harness.connect(host="198.18.0.8")
    assert not any(isinstance(each, actions.Greet) for each in harness.actions)
    called.shake_hands(name="caller")
    assert isinstance(
        next(each for each in harness.actions if getattr(each, "neighbour", 0) == called.key), actions.Greet
    )
    dialled = harness.connect(host="198.18.0.7", is_outgoing=True)
    assert isinstance(harness.actions[-1], actions.Greet)
    assert harness.actions[-1].neighbour == dialled.key


def test_stranger_to_our_torrent_is_closed_by_name() -> None:
    harness = SessionHarness()
    neighbour = harness.connect()
    neighbour.shake_hands(info_hash=b"x" * 20)
    assert neighbour.is_disconnected
    assert neighbour.disconnect_reason == f"handshake: expected our info-hash, found {(b'x' * 20).hex()}"
    assert harness.errors == [neighbour.disconnect_reason]


def test_client_never_redials_itself() -> None:
    harness = SessionHarness(known=[Address("198.18.0.9", 6881)])
    assert actions.Dial(Address("198.18.0.9", 6881)) in harness.actions
    neighbour = harness.connect(is_outgoing=True)
    neighbour.shake_hands(peer_id=OUR_ID)
    assert neighbour.disconnect_reason == "it is ourselves"
    assert not [each for each in harness.wait(4_000) if isinstance(each, actions.Dial)]


def test_silent_connection_is_closed_after_the_timeout() -> None:
    harness = SessionHarness()
    neighbour = harness.connect()
    harness.wait(19)
    assert not neighbour.is_disconnected
    harness.wait(3)
    assert neighbour.disconnect_reason == "expected a handshake within 20 s, found none"


@pytest.mark.parametrize("name", ["a lesser id", "~ a greater id"], ids=["lesser", "greater"])
@pytest.mark.parametrize("outgoing_first", [True, False])
def test_crossed_connections_keep_the_greater_ids(name: str, outgoing_first: bool) -> None:
    harness = SessionHarness()
    first = harness.add_neighbour(is_outgoing=outgoing_first, name=name)
    second = harness.add_neighbour(is_outgoing=not outgoing_first, name=name)
    ours_is_greater = name.encode().ljust(20, b".") < OUR_ID
    kept, dropped = (first, second) if outgoing_first == ours_is_greater else (second, first)
    assert dropped.disconnect_reason == "connected twice"
    assert not kept.is_disconnected


def test_a_second_connection_of_the_same_kind_goes() -> None:
    harness = SessionHarness()
    first, second = harness.add_neighbour(name="one"), harness.add_neighbour(name="one")
    assert second.is_disconnected
    assert not first.is_disconnected


def test_no_more_neighbours_than_the_profile_allows() -> None:
    harness = SessionHarness(profile=replace(PROFILES["course"], most_neighbours=3))
    for number in range(3):
        harness.add_neighbour(host=f"198.18.0.{number + 2}", name=f"peer {number}")
    assert harness.session.connected(Address("198.18.0.99", 1), harness.now, is_outgoing=False) is None


def test_idle_connection_is_kept_alive_or_closed() -> None:
    harness = SessionHarness()
    neighbour = harness.add_neighbour()
    assert neighbour.received_within(119) == []
    assert neighbour.received_within(2) == [KeepAlive()]
    harness.wait(120)
    assert neighbour.disconnect_reason == "silent for 240 s"


# The first messages


def test_first_message_is_the_shortest_understood() -> None:
    some = Bitfield(8)
    some.add(3)
    assert a_seed().add_neighbour(reserved=FAST).received() == [HaveAll()]
    assert a_seed().add_neighbour(reserved=PLAIN).received() == [HaveBitfield(b"\xff")]
    assert SessionHarness(INFO, have=some).add_neighbour(reserved=FAST).received() == [HaveBitfield(b"\x10")]
    assert SessionHarness(INFO).add_neighbour(reserved=FAST).received() == [HaveNone()]
    assert SessionHarness(INFO).add_neighbour(reserved=PLAIN).received() == []


def test_extension_handshake_describes_us() -> None:
    (said,) = [each for each in a_seed().add_neighbour().received() if isinstance(each, Extended)]
    ours = decode_extension_handshake(said.payload)
    assert said.extension == 0
    assert ours.m == {"ut_pex": 1, "ut_metadata": 2}
    assert ours.v == "Testbed 0.1.0"
    assert (ours.p, ours.reqq, ours.yourip) == (6881, 500, "198.18.0.9")
    assert ours.metadata_size == len(INFO.raw)
    assert ours.upload_only


@pytest.mark.parametrize(
    ("strategy", "parameters", "have", "is_upload_only"),
    [
        ("tit-for-tat", {}, Bitfield.full(8), True),
        ("tit-for-tat", {}, None, False),
        ("under-report", {}, Bitfield.full(8), True),
        ("super-seeding", {}, Bitfield.full(8), False),
        ("swift", {}, Bitfield.full(8), False),
        ("bitthief", {}, Bitfield.full(8), False),
        ("false-pieces", {"share": 1}, None, False),
    ],
)
def test_only_who_shows_all_its_pieces_says_upload_only(
    strategy: str, parameters: dict[str, object], have: Bitfield | None, is_upload_only: bool
) -> None:
    made = make_strategy(strategy, PROFILES["course"], Random(1), parameters)
    neighbour = SessionHarness(INFO, have=have, strategy=made).add_neighbour()
    (said,) = [each for each in neighbour.received() if isinstance(each, Extended)]
    assert decode_extension_handshake(said.payload).upload_only == is_upload_only


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ([HaveBitfield(b"\xff\x00")], "bitfield: expected 1 byte for 8 pieces, found 2"),
        ([HaveBitfield(b"")], "bitfield: expected 1 byte for 8 pieces, found 0"),
        ([Have(8)], "piece 8: expected an index below 8"),
        ([Have(0xFFFFFFFF)], "piece 4294967295: expected an index below 8"),
    ],
)
def test_invalid_claim_ends_the_connection(said: list[messages.Message], problem: str) -> None:
    harness = SessionHarness()
    neighbour = harness.add_neighbour(*said)
    assert neighbour.disconnect_reason == problem
    assert harness.errors == [problem]


@pytest.mark.parametrize(
    "said",
    [
        [Have(1), HaveBitfield(b"\xff")],
        [HaveBitfield(b"\x80"), HaveBitfield(b"\xff")],
        [Have(1), HaveAll()],
        [HaveNone(), HaveNone(), HaveAll(), HaveBitfield(b"\x80"), HaveNone()],
        [*map(Have, range(8)), *map(Have, range(8))],
        [Have(7), Extended(0, ExtensionHandshake().encode()), HaveBitfield(b"\xfe")],
    ],
)
@pytest.mark.parametrize("reserved", [ALL, PLAIN], ids=["fast", "plain"])
def test_pieces_may_be_announced_late_and_twice(said: list[messages.Message], reserved: Reserved) -> None:
    leech = SessionHarness()
    neighbour = leech.add_neighbour(*said, Unchoke(), reserved=reserved)
    assert {each.index for each in neighbour.received() if isinstance(each, Request)}
    assert not leech.errors
    seed = a_seed()
    assert seed.add_neighbour(*said, reserved=reserved).disconnect_reason == "both have everything"


@pytest.mark.parametrize("message", [HaveAll(), HaveNone(), RejectRequest(0, 0, BLOCK), AllowedFast(1)], ids=str)
def test_fast_messages_do_no_harm_without_the_fast_extension(message: messages.Message) -> None:
    neighbour = SessionHarness().add_neighbour(message, reserved=PLAIN)
    assert not neighbour.is_disconnected


# Upload


def unchoked_by(harness: SessionHarness, **options: object):
    neighbour = harness.add_neighbour(Interested(), **options)
    harness.wait(0.1)
    assert Unchoke() in neighbour.received()
    return neighbour


@pytest.mark.parametrize(
    "request_",
    [
        Request(0, 0, 1 << 20),
        Request(0, 0, 0),
        Request(8, 0, BLOCK),
        Request(0, 64 << 10, 1),
        Request(0xFFFFFFFF, 0xFFFFFFFF, BLOCK),
    ],
)
def test_request_for_no_block_is_rejected(request_: Request) -> None:
    harness = a_seed()
    neighbour = unchoked_by(harness)
    answer = RejectRequest(request_.index, request_.begin, request_.length)
    for _ in range(1_000):
        assert neighbour.send(request_) == [answer]
    assert harness.session.next_block(neighbour.key, harness.now) is None
    neighbour.send(request_)
    assert neighbour.disconnect_reason == "expected no more requests that cannot be served, found 1001"
    assert unchoked_by(a_seed(), reserved=PLAIN).send(request_) == []


def test_requests_are_served_in_order() -> None:
    harness = a_seed()
    neighbour = unchoked_by(harness)
    wanted = [Request(1, 0, BLOCK), Request(0, BLOCK, BLOCK), Request(7, 100, 5)]
    for request in wanted:
        neighbour.send(request)
    assert [each for each in harness.actions if isinstance(each, actions.OfferBlocks)] == [
        actions.OfferBlocks(neighbour.key)
    ]
    assert handed_out(harness, neighbour) == wanted


def test_choke_drops_the_queue_and_rejects_if_fast() -> None:
    for reserved, expected in (
        (FAST, [Choke(), RejectRequest(1, 0, BLOCK), RejectRequest(2, 0, BLOCK)]),
        (PLAIN, [Choke()]),
    ):
        harness = a_seed()
        neighbour = unchoked_by(harness, reserved=reserved)
        neighbour.send(Request(1, 0, BLOCK))
        neighbour.send(Request(2, 0, BLOCK))
        for number in range(5):
            harness.add_neighbour(Interested(), host=f"198.18.0.{number + 20}", name=f"another {number}")
        neighbour.send(NotInterested())
        assert neighbour.received_within(0.1) == expected
        assert harness.session.next_block(neighbour.key, harness.now) is None


def test_cancelled_request_is_dropped_and_answered_if_fast() -> None:
    harness = a_seed()
    neighbour = unchoked_by(harness)
    neighbour.send(Request(1, 0, BLOCK))
    assert neighbour.send(Cancel(1, 0, BLOCK)) == [RejectRequest(1, 0, BLOCK)]
    assert neighbour.send(Cancel(1, 0, BLOCK)) == []
    assert harness.session.next_block(neighbour.key, harness.now) is None


def test_too_many_requests_while_choked_end_the_connection() -> None:
    neighbour = a_seed().add_neighbour()
    for _ in range(1_000):
        assert neighbour.send(Request(1, 0, BLOCK)) == [RejectRequest(1, 0, BLOCK)]
    neighbour.send(Request(1, 0, BLOCK))
    assert neighbour.disconnect_reason == "expected no more requests that cannot be served, found 1001"


def test_no_more_requests_are_kept_than_we_said() -> None:
    neighbour = unchoked_by(a_seed())
    for _ in range(500):
        assert neighbour.send(Request(1, 0, BLOCK)) == []
    assert neighbour.send(Request(1, 0, BLOCK)) == [RejectRequest(1, 0, BLOCK)]


def test_a_piece_that_we_lack_is_refused() -> None:
    some = Bitfield(8)
    some.add(3)
    neighbour = unchoked_by(SessionHarness(INFO, have=some))
    assert neighbour.send(Request(1, 0, BLOCK)) == [RejectRequest(1, 0, BLOCK)]


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
    harness = SessionHarness(INFO, have=some, strategy=strategy)
    neighbour = unchoked_by(harness)
    for index in (3, 1):
        assert neighbour.send(Request(index, 0, BLOCK)) == []
    assert [harness.session.next_block(neighbour.key, harness.now) for _ in range(2)] == expected


def test_a_strategy_may_tell_trackers_what_it_likes() -> None:
    class ExaggeratesUploads(Honest):
        def reported_totals(self, true: TransferTotals) -> TransferTotals:
            return true._replace(uploaded=10**9, left=0)

    standard = make_strategy("tit-for-tat", PROFILES["course"], Random(1), {})
    harness = SessionHarness(INFO, strategy=replace(standard, advertiser=ExaggeratesUploads()), trackers=((TRACKER,),))
    (announce,) = (each.request for each in harness.actions if isinstance(each, actions.Announce))
    assert (announce.uploaded, announce.downloaded, announce.left) == (10**9, 0, 0)


def test_allowed_fast_pieces_are_served_despite_choke() -> None:
    harness = a_seed(profile=replace(PROFILES["course"], allowed_fast=2))
    neighbour = harness.add_neighbour()
    free = [each.index for each in neighbour.received() if isinstance(each, AllowedFast)]
    assert len(free) == 2
    assert neighbour.send(Request(free[0], 0, BLOCK)) == []
    assert handed_out(harness, neighbour) == [Request(free[0], 0, BLOCK)]


# Download


def test_interest_comes_first_and_requests_after_unchoke() -> None:
    harness = SessionHarness()
    neighbour = harness.add_neighbour(HaveNone())
    assert neighbour.send(Have(2)) == [Interested()]
    asked = neighbour.send(Unchoke())
    assert asked
    assert {each.index for each in asked if isinstance(each, Request)} == {2}


def arrives(harness: SessionHarness, key: int, header: PieceHeader) -> bool:
    needed = False

    def come() -> None:
        nonlocal needed
        harness.session.block_began(key, header, harness.now)
        needed = harness.session.block_received(key, header, harness.now)

    harness.actions_after(come)
    return needed


def fetch_everything(harness: SessionHarness, neighbour) -> None:
    for _ in range(200):
        asked = [each for each in neighbour.received() if isinstance(each, Request)]
        for request in asked:
            header = PieceHeader(request.index, request.begin, request.length)
            if harness.session.block_began(neighbour.key, header, harness.now) is not Placement.NOWHERE:
                arrives(harness, neighbour.key, header)
        for action in [each for each in harness.actions if isinstance(each, actions.Verify)]:
            if action.index not in harness.session.have:
                harness.actions_after(
                    lambda index=action.index: harness.session.piece_checked(index, True, harness.now)
                )
        if harness.session.is_complete:
            return
    raise AssertionError("the torrent did not come")


def test_whole_torrent_from_one_neighbour_then_seeds_part() -> None:
    harness = SessionHarness(parameters={"departure": "stay"})
    neighbour = harness.add_neighbour(HaveAll(), Unchoke())
    fetch_everything(harness, neighbour)
    assert harness.session.received_bytes == INFO.length
    assert harness.session.wasted_bytes == 0
    assert neighbour.disconnect_reason == "both have everything"


@pytest.mark.parametrize("header", [PieceHeader(0, 1, BLOCK), PieceHeader(8, 0, BLOCK), PieceHeader(0, 0, 1)], ids=str)
def test_impossible_blocks_are_dropped_and_finally_end_the_connection(header: PieceHeader) -> None:
    harness = SessionHarness()
    neighbour = harness.add_neighbour(HaveAll(), Unchoke())
    assert harness.session.block_began(neighbour.key, header, harness.now) is Placement.NOWHERE
    for _ in range((16 << 20) // header.length if header.length > 1 else 9):
        assert not arrives(harness, neighbour.key, header)
    assert not neighbour.is_disconnected
    assert harness.session.wasted_bytes == harness.session.received_bytes
    if header.length > 1:
        arrives(harness, neighbour.key, header)
        assert (
            neighbour.disconnect_reason == f"expected blocks that we asked for, found {1_025 * BLOCK} bytes of others"
        )


def test_repeated_blocks_finally_end_the_connection() -> None:
    harness = SessionHarness()
    neighbour = harness.add_neighbour(HaveAll())
    again = PieceHeader(0, 0, BLOCK)
    assert arrives(harness, neighbour.key, again)
    for _ in range(1_024):
        assert not arrives(harness, neighbour.key, again)
    assert not neighbour.is_disconnected
    arrives(harness, neighbour.key, again)
    assert neighbour.disconnect_reason == f"expected blocks that we asked for, found {1_025 * BLOCK} bytes of others"


def test_a_peer_with_departure_at_completion_leaves_politely() -> None:
    harness = SessionHarness(parameters={"departure": "at-completion"}, trackers=(("http://t/announce",),))
    harness.actions_after(
        lambda: harness.session.tracker_answered("http://t/announce", AnnounceResponse(interval=1_800), harness.now)
    )
    fetch_everything(harness, harness.add_neighbour(HaveAll(), Unchoke()))
    harness.wait(2)
    (left,) = harness.events_of(Left)
    assert left.have_count == 8
    events = [each.request.event for each in harness.actions if isinstance(each, actions.Announce)]
    assert events[0] is Event.STARTED
    assert events[-1] is Event.STOPPED
    assert isinstance(harness.actions[-1], actions.Leave)
    assert harness.session.next_deadline() == float("inf")


def test_leaving_closes_everything_and_nothing_happens_afterwards() -> None:
    harness = a_seed()
    neighbour = harness.add_neighbour()
    harness.actions_after(lambda: harness.session.leave("asked to", harness.now))
    assert neighbour.disconnect_reason == "asked to"
    assert harness.session.connected(Address("198.18.0.2", 1), harness.now, is_outgoing=False) is None
    assert harness.wait(100) == []


# Extensions


def test_magnet_link_opens_the_torrent_and_replays_messages() -> None:
    harness = SessionHarness(is_magnet=True)
    neighbour = harness.add_neighbour(HaveAll(), Unchoke())
    assert HaveNone() in neighbour.received()
    asked = neighbour.send(Extended(0, ExtensionHandshake(m={"ut_metadata": 7}, metadata_size=len(INFO.raw)).encode()))
    assert [(each.extension, decode_metadata(each.payload)) for each in asked] == [(7, MetadataRequest(0))]
    neighbour.send(Extended(2, MetadataData(0, len(INFO.raw), INFO.raw).encode()))
    (opened,) = [each for each in harness.actions if isinstance(each, actions.Open)]
    assert opened.info == INFO
    done = harness.actions_after(lambda: harness.session.torrent_opened(opened.info, Bitfield(8), harness.now))
    assert actions.Send(neighbour.key, Interested()) in done
    assert harness.events_of(Opened)[0].piece_count == 8
    assert any(isinstance(each, actions.Send) and isinstance(each.message, Request) for each in done)


def test_false_info_dictionary_bans_the_neighbour() -> None:
    harness = SessionHarness(is_magnet=True)
    neighbour = harness.add_neighbour()
    false = b"d6:lengthi1ee"
    neighbour.send(Extended(0, ExtensionHandshake(m={"ut_metadata": 7}, metadata_size=len(false)).encode()))
    neighbour.send(Extended(2, MetadataData(0, len(false), false).encode()))
    assert neighbour.is_disconnected
    assert [fact.host for fact in harness.events_of(Banned)] == ["198.18.0.9"]


def test_info_dictionary_is_sent_on_request() -> None:
    neighbour = a_seed().add_neighbour(Extended(0, ExtensionHandshake(m={"ut_metadata": 9}).encode()))
    (answer,) = neighbour.send(Extended(2, MetadataRequest(0).encode()))
    assert answer == Extended(9, MetadataData(0, len(INFO.raw), INFO.raw).encode())


def test_neighbours_hear_of_each_other() -> None:
    harness = SessionHarness()
    wants_pex = Extended(0, ExtensionHandshake(m={"ut_pex": 4}, p=7_000).encode())
    first = harness.add_neighbour(wants_pex, host="198.18.0.2", name="first")
    harness.add_neighbour(wants_pex, host="198.18.0.3", name="second")
    (said,) = [each for each in first.received_within(5) if isinstance(each, Extended)]
    assert [peer.address for peer in decode_pex(said.payload).added] == [Address("198.18.0.3", 7_000)]


def test_addresses_from_neighbours_are_dialled() -> None:
    harness = SessionHarness()
    named = Address("198.18.0.77", 6_881)
    harness.add_neighbour(Extended(1, PeerExchange((PexPeer(named),)).encode()))
    assert actions.Dial(named) in harness.wait(2)


def test_seed_does_not_dial_addresses_from_neighbours() -> None:
    harness = a_seed()
    harness.add_neighbour(Extended(1, PeerExchange((PexPeer(Address("198.18.0.77", 6_881)),)).encode()))
    assert not [each for each in harness.wait(2) if isinstance(each, actions.Dial)]


def test_leech_dials_all_and_seed_one_by_one() -> None:
    known = [Address(f"198.18.0.{number}", 6_881) for number in range(1, 60)]
    leech, seed = (
        SessionHarness(INFO, have=have, known=known, profile=MANY_AT_A_TIME) for have in (None, everything(INFO))
    )
    assert len(dials(leech.actions)) == 40
    (address,) = dials(seed.actions)
    for _ in range(20):
        seed.actions_after(partial(seed.session.connected, address, seed.now, is_outgoing=True))
        found = dials(seed.wait(1))
        address = found[0] if found else address
    assert len(dials(seed.actions)) == 10


def test_messages_before_the_torrent_is_known_are_bounded() -> None:
    harness = SessionHarness(is_magnet=True)
    neighbour = harness.add_neighbour()
    for _ in range(20_001):
        neighbour.send(Have(1))
    assert "before the torrent is known" in neighbour.disconnect_reason


def test_early_bitfields_are_bounded_and_answers_are_not_kept() -> None:
    harness = SessionHarness(is_magnet=True)
    neighbour = harness.add_neighbour(*[messages.Unknown(99, bytes(1_000))] * 20_001, *[HaveBitfield(b"\xff")] * 4)
    assert not neighbour.is_disconnected
    neighbour.send(HaveBitfield(b"\xff"))
    assert neighbour.disconnect_reason == "expected at most 4 bitfields before the torrent is known"


def test_unreadable_extension_messages_are_ignored_up_to_ten() -> None:
    harness = SessionHarness()
    neighbour = harness.add_neighbour()
    for number in range(10):
        neighbour.send(Extended(number % 3, b"nonsense"))
    assert len(harness.errors) == 10
    assert all(error.endswith("the message is ignored") for error in harness.errors)
    assert not neighbour.is_disconnected
    neighbour.send(Extended(0, b"nonsense"))
    assert neighbour.is_disconnected


def test_failed_tracker_is_traced_and_asked_again() -> None:
    harness = SessionHarness(trackers=(("http://t/announce",),))
    harness.actions_after(
        lambda: harness.session.tracker_failed("http://t/announce", "connection refused", harness.now)
    )
    assert harness.errors == ["tracker http://t/announce: connection refused"]
    assert [each for each in harness.wait(60) if isinstance(each, actions.Announce)]


def test_messages_to_a_closed_connection_are_ignored() -> None:
    harness = SessionHarness()
    neighbour = harness.add_neighbour(Have(99))
    assert neighbour.is_disconnected
    assert neighbour.send(Have(1)) == []
    assert harness.session.block_began(neighbour.key, PieceHeader(0, 0, BLOCK), harness.now) is Placement.NOWHERE


def test_the_trace_knows_each_neighbour_by_its_client() -> None:
    harness = SessionHarness()
    harness.add_neighbour(name="-LT2110-abcdefghijkl")
    (shaken,) = harness.events_of(Handshaken)
    assert shaken.client == "libtorrent 2.1.1.0"
    assert not harness.events_of(Disconnected)
    assert make_strategy("tit-for-tat", PROFILES["course"], Random(1), {}).name == "tit-for-tat"
    assert ALL
