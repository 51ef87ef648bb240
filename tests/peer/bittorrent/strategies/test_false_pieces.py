"""False pieces: false claims, and what is sent instead of those pieces."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.events import Banned, PieceFailed
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import Garbage, Strategy
from peer.bittorrent.strategies.registry import StrategyError, make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.messages import (
    HaveAll,
    HaveBitfield,
    HaveNone,
    Interested,
    RejectRequest,
    Request,
    Unchoke,
)
from tests.peer.bittorrent.engine.scripted import SessionHarness
from tests.peer.bittorrent.strategies.candidates import neighbours, view_of
from tests.peer.bittorrent.strategies.crowds import Crowd

COURSE = PROFILES["course"]
PIECES = 16


def liar(**parameters: object) -> Strategy:
    return make_strategy("false-pieces", COURSE, Random(1), parameters)


def having(pieces: set[int]) -> Bitfield:
    have = Bitfield(PIECES)
    for index in pieces:
        have.add(index)
    return have


@given(st.sets(st.integers(0, PIECES - 1)), st.floats(0.01, 1))
def test_claims_a_share_of_missing_pieces(pieces: set[int], share: float) -> None:
    have = having(pieces)
    claimed = liar(share=share).advertiser.initial_bitfield(1, have)
    assert pieces <= set(claimed)
    assert len(set(claimed) - pieces) == round(share * (PIECES - len(pieces)))
    assert set(have) == pieces


@given(st.sets(st.integers(0, PIECES - 1)))
def test_claims_are_the_same_for_all_neighbours(pieces: set[int]) -> None:
    advertiser = liar().advertiser
    assert advertiser.initial_bitfield(1, having(set())) == advertiser.initial_bitfield(2, having(set()))
    first = set(advertiser.initial_bitfield(3, having(set())))
    assert set(advertiser.initial_bitfield(4, having(pieces))) == first | pieces


def test_new_piece_is_announced_unless_claimed_before() -> None:
    advertiser = liar().advertiser
    claimed = advertiser.initial_bitfield(1, having(set()))
    for index in range(PIECES):
        assert list(advertiser.announce_to(index, [1, 2])) == ([] if index in claimed else [1, 2])


def test_serves_like_the_standard_client_with_garbage() -> None:
    view = view_of(neighbours("9 8 7 6 5 4 3 2"))
    standard = make_strategy("tit-for-tat", COURSE, Random(1), {}).choker.allocate(view).grants
    for answer, garbage in (("garbage", Garbage.MISSING), ("nothing", Garbage.NEVER)):
        grants = liar(answer=answer).choker.allocate(view).grants
        assert grants.keys() == standard.keys()
        assert {grant.garbage for grant in grants.values()} == {garbage}


def test_request_for_false_piece_gets_garbage_or_reject() -> None:
    for answer in ("garbage", "nothing"):
        harness = SessionHarness(strategy=liar(answer=answer))
        neighbour = harness.add_neighbour(HaveNone(), Interested())
        (claim,) = [word for word in neighbour.received() if isinstance(word, HaveBitfield | HaveAll)]
        assert isinstance(claim, HaveBitfield)
        index = next(iter(Bitfield.from_wire(claim.bits, harness.info.piece_count)))
        harness.wait(1)
        assert Unchoke() in neighbour.received()
        said = neighbour.send(Request(index, 0, 16 << 10))
        shipment = harness.session.next_block(neighbour.key, harness.now)
        if answer == "garbage":
            assert shipment is not None
            assert shipment.is_garbage
        else:
            assert shipment is None
            assert [word for word in said if isinstance(word, RejectRequest)]


def test_spoils_pieces_until_banned() -> None:
    crowd = Crowd("false-pieces")
    crowd.swarm.run(60)
    assert sum(len(list(peer.events_of(PieceFailed))) for peer in crowd.others) > 0
    banned = {fact.host for peer in crowd.others for fact in peer.events_of(Banned)}
    assert banned == {crowd.lone.address.host}


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        ({"share": 0}, "share: expected a number above 0, found 0"),
        ({"share": 1.5}, "share: expected at most 1, found 1.5"),
        ({"answer": "no"}, "answer: expected garbage or nothing, found 'no'"),
    ],
)
def test_invalid_parameters_are_refused(parameters: dict[str, object], refusal: str) -> None:
    with pytest.raises(StrategyError, match=f"^strategy false-pieces: {refusal}$"):
        liar(**parameters)
