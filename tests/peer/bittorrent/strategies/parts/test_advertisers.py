"""An honest advertiser says what is so, to everybody, at once."""

from peer.bittorrent.strategies.parts.advertisers import Honest
from peer.bittorrent.wire.bitfield import Bitfield


def test_it_claims_what_is_here_and_tells_everybody_of_what_is_new() -> None:
    have = Bitfield(9)
    have.add(3)
    assert Honest().initial_bitfield(neighbour=1, have=have) == have
    assert list(Honest().completed(3, [5, 1, 7])) == [5, 1, 7]


def test_it_has_nothing_to_add() -> None:
    assert list(Honest().due_haves(now=10)) == []
    assert list(Honest().answer_have(neighbour=1, index=3)) == []
