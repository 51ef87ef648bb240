"""An honest advertiser announces the pieces that we have, to all neighbours, at once."""

from peer.bittorrent.strategies.parts.advertisers import Honest
from peer.bittorrent.wire.bitfield import Bitfield


def test_honest_advertiser_announces_all_pieces_to_all() -> None:
    have = Bitfield(9)
    have.add(3)
    assert Honest().initial_bitfield(neighbour=1, have=have) == have
    assert list(Honest().announce_to(3, [5, 1, 7])) == [5, 1, 7]


def test_honest_advertiser_sends_no_later_haves() -> None:
    assert list(Honest().due_haves(now=10)) == []
    assert list(Honest().answer_have(neighbour=1, index=3)) == []
