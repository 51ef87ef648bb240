"""A bitfield is a set of pieces; one from a peer is checked to the last bit."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.wire.bitfield import Bitfield, wire_length
from peer.bittorrent.wire.errors import MessageError

SIZES = st.integers(0, 70)


@st.composite
def bitfields(draw: st.DrawFn, size: int | None = None) -> tuple[Bitfield, set[int]]:
    size = draw(SIZES) if size is None else size
    model = draw(st.sets(st.integers(0, size - 1))) if size else set()
    made = Bitfield(size)
    for index in model:
        made.add(index)
    return made, model


@given(bitfields())
def test_bitfield_behaves_like_set(pair: tuple[Bitfield, set[int]]) -> None:
    field, model = pair
    assert list(field) == sorted(model)
    assert len(field) == field.count == len(model)
    assert bool(field) == bool(model)
    assert field.is_full == (len(model) == field.size)
    assert list(field.missing()) == [index for index in range(field.size) if index not in model]
    assert all((index in field) == (index in model) for index in range(-9, field.size + 9))


@given(bitfields())
def test_bitfield_survives_round_trip(pair: tuple[Bitfield, set[int]]) -> None:
    field, _ = pair
    again = Bitfield.from_wire(field.to_wire(), field.size)
    assert again == field
    assert again.count == field.count


@given(st.data(), st.integers(1, 70))
def test_bitfields_are_compared_like_sets(data: st.DataObject, size: int) -> None:
    (ours, mine), (theirs, others) = data.draw(bitfields(size)), data.draw(bitfields(size))
    assert list(ours.missing_in(theirs)) == sorted(others - mine)


def test_piece_0_is_highest_bit() -> None:
    field = Bitfield(10)
    assert field.add(0)
    assert field.add(9)
    assert field.to_wire() == bytes([0b1000_0000, 0b0100_0000])


def test_add_returns_whether_piece_is_new() -> None:
    field = Bitfield(10)
    assert field.add(3)
    assert not field.add(3)
    assert field.count == 1


def test_copy_is_independent() -> None:
    field = Bitfield(10)
    copy = field.copy()
    field.add(1)
    assert list(copy) == []
    assert copy != field


@given(SIZES)
def test_full_bitfield_has_no_spare_bits(size: int) -> None:
    full = Bitfield.full(size)
    assert full.is_full
    assert full.count == size
    assert Bitfield.from_wire(full.to_wire(), size) == full


@given(st.binary(max_size=10), SIZES)
def test_accepted_payload_survives_round_trip(payload: bytes, size: int) -> None:
    try:
        field = Bitfield.from_wire(payload, size)
    except MessageError:
        return
    spare = len(payload) * 8 - size
    assert int.from_bytes(field.to_wire(), "big") == int.from_bytes(payload, "big") >> spare << spare


def test_spare_bits_are_ignored() -> None:
    assert Bitfield.from_wire(b"\xff\xff", 10) == Bitfield.full(10)
    assert Bitfield.from_wire(b"\x00\x01", 10) == Bitfield(10)


def test_a_set_can_be_added() -> None:
    some, others = Bitfield(10), Bitfield(10)
    some.add(1)
    others.add(9)
    some.update(others)
    assert list(some) == [1, 9]
    assert some.count == 2


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (bytes(1), "expected 2 bytes for 10 pieces, found 1"),
        (bytes(3), "expected 2 bytes for 10 pieces, found 3"),
    ],
)
def test_invalid_payload_is_described(payload: bytes, problem: str) -> None:
    with pytest.raises(MessageError, match=problem):
        Bitfield.from_wire(payload, 10)


@pytest.mark.parametrize("index", [10, 15, 16, 2**32 - 1, -1])
def test_piece_beyond_end_is_refused(index: int) -> None:
    with pytest.raises(MessageError, match=f"piece {index}: expected an index below 10"):
        Bitfield(10).add(index)


@pytest.mark.parametrize(("size", "length"), [(0, 0), (1, 1), (8, 1), (9, 2), (10_000, 1250)])
def test_wire_length_is_one_bit_per_piece(size: int, length: int) -> None:
    assert wire_length(size) == length


def test_bitfields_of_two_torrents_are_not_compared() -> None:
    with pytest.raises(ValueError, match="bitfields of 10 and 11 pieces"):
        Bitfield(10).missing_in(Bitfield(11))


def test_repr_shows_count() -> None:
    field = Bitfield(10)
    field.add(3)
    assert repr(field) == "<Bitfield: 1 of 10>"


@given(SIZES, st.floats(0, 1), st.randoms(use_true_random=False))
def test_drawn_share_is_rounded_to_pieces(size: int, share: float, rng: Random) -> None:
    assert Bitfield.drawn(size, share, rng).count == round(share * size)
