"""A stream gives the same messages however it is cut, its blocks land in their places, and lies end it early."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.wire.decoder import BlockReceived, Decoder, Event
from peer.bittorrent.wire.errors import HandshakeError, MessageError
from peer.bittorrent.wire.handshake import Handshake
from peer.bittorrent.wire.messages import (
    Extended,
    Have,
    HaveBitfield,
    KeepAlive,
    Message,
    PieceHeader,
    Unchoke,
    encode,
)
from peer.errors import WireError
from tests.peer.bittorrent.wire.values import BLOCKLESS, HANDSHAKES, PIECES

CUTS = st.lists(st.integers(1, 60), min_size=1, max_size=10)


def block_of(piece: PieceHeader) -> bytes:
    """A block that tells whose it is, and which byte of it."""
    return bytes((piece.index + piece.begin + n) % 251 for n in range(piece.length))


def written(messages: list[Message]) -> bytes:
    return b"".join(encode(m) + (block_of(m) if isinstance(m, PieceHeader) else b"") for m in messages)


def expected(messages: list[Message], *, is_placed: bool) -> list[Event]:
    events: list[Event] = []
    for message in messages:
        events.append(message)
        if isinstance(message, PieceHeader):
            events.append(BlockReceived(message, is_placed))
    return events


class Places:
    """Gives each block memory of its own, in the order of their coming."""

    def __init__(self) -> None:
        self.blocks: list[bytearray] = []

    def give(self, decoder: Decoder, event: Event) -> None:
        if isinstance(event, PieceHeader):
            self.blocks.append(bytearray(event.length))
            decoder.place_block(memoryview(self.blocks[-1]))


def fed(decoder: Decoder, stream: bytes, cuts: list[int], take: Callable[[Decoder, Event], None]) -> list[Event]:
    """Feed everything, cut as asked again and again, through one buffer that is overwritten each time."""
    events: list[Event] = []
    shared = bytearray(max(cuts))
    while stream:
        for cut in cuts:
            front, stream = stream[:cut], stream[cut:]
            shared[: len(front)] = front
            for event in decoder.feed(memoryview(shared)[: len(front)]):
                events.append(event)
                take(decoder, event)
            shared[:] = bytes(len(shared))
    return events


def received(decoder: Decoder, stream: bytes, cuts: list[int], take: Callable[[Decoder, Event], None]) -> list[Event]:
    """As a socket would: the bytes of a block go to their space, what is behind it to the shared buffer."""
    events: list[Event] = []
    while stream:
        for cut in cuts:
            front, stream = stream[:cut], stream[cut:]
            space = decoder.space()
            here = min(len(front), len(space))
            space[:here] = front[:here]
            if here and (block := decoder.received(here)):
                events.append(block)
            for event in decoder.feed(front[here:]):
                events.append(event)
                take(decoder, event)
    return events


@given(HANDSHAKES, st.lists(BLOCKLESS | PIECES, max_size=6), CUTS)
def test_the_same_messages_come_out_however_the_stream_is_cut(
    handshake: Handshake, messages: list[Message], cuts: list[int]
) -> None:
    stream = handshake.encode() + written(messages)
    blocks = [block_of(m) for m in messages if isinstance(m, PieceHeader)]
    for way in (fed, received):
        places = Places()
        decoder = Decoder()
        events = way(decoder, stream, cuts, places.give)
        assert events == [handshake, *expected(messages, is_placed=True)]
        assert places.blocks == blocks
        assert decoder.payload_bytes == sum(map(len, blocks))


@given(st.lists(BLOCKLESS | PIECES, max_size=6), CUTS)
def test_a_block_without_a_place_is_dropped_and_nothing_else(messages: list[Message], cuts: list[int]) -> None:
    events = fed(Decoder(has_handshake=False), written(messages), cuts, lambda *_: None)
    assert events == expected(messages, is_placed=False)


@given(st.lists(BLOCKLESS | PIECES, min_size=1, max_size=4), CUTS, st.data())
def test_a_damaged_stream_raises_nothing_but_wire_errors(
    messages: list[Message], cuts: list[int], data: st.DataObject
) -> None:
    stream = bytearray(written(messages))
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    try:
        received(Decoder(has_handshake=False), bytes(stream), cuts, Places().give)
    except WireError:
        return


@given(st.binary(max_size=200), CUTS, st.booleans())
def test_garbage_raises_nothing_but_wire_errors(garbage: bytes, cuts: list[int], has_handshake: bool) -> None:
    try:
        fed(Decoder(has_handshake=has_handshake), garbage, cuts, Places().give)
    except WireError:
        return


def test_a_header_comes_out_with_its_thirteenth_byte() -> None:
    decoder = Decoder(has_handshake=False)
    header = PieceHeader(1, 0, 4)
    assert list(decoder.feed(encode(header)[:12])) == []
    assert list(decoder.feed(encode(header)[12:])) == [header]


def test_a_block_can_be_placed_once_the_bytes_that_came_with_its_header_are_used_up() -> None:
    decoder = Decoder(has_handshake=False)
    place = bytearray(4)
    assert list(decoder.feed(encode(PieceHeader(1, 0, 4)))) == [PieceHeader(1, 0, 4)]
    assert len(decoder.space()) == 0
    decoder.place_block(memoryview(place))
    decoder.space()[:3] = b"abc"
    assert decoder.received(3) is None
    assert len(decoder.space()) == 1
    assert list(decoder.feed(b"d" + encode(Unchoke()))) == [BlockReceived(PieceHeader(1, 0, 4), True), Unchoke()]
    assert place == b"abcd"
    assert len(decoder.space()) == 0


def test_a_place_of_the_wrong_kind_or_at_the_wrong_time_is_a_mistake_of_the_caller() -> None:
    decoder = Decoder(has_handshake=False)
    with pytest.raises(RuntimeError, match="placed once"):
        decoder.place_block(memoryview(bytearray(4)))
    assert list(decoder.feed(encode(PieceHeader(1, 0, 4))))
    with pytest.raises(ValueError, match="expected 4 writable bytes, got 5"):
        decoder.place_block(memoryview(bytearray(5)))
    with pytest.raises(ValueError, match="writable"):
        decoder.place_block(memoryview(b"four"))
    decoder.place_block(memoryview(bytearray(4)))
    with pytest.raises(RuntimeError, match="placed once"):
        decoder.place_block(memoryview(bytearray(4)))
    with pytest.raises(RuntimeError, match="more bytes received"):
        decoder.received(5)


def test_a_block_that_began_to_be_dropped_cannot_be_placed() -> None:
    decoder = Decoder(has_handshake=False)
    assert list(decoder.feed(encode(PieceHeader(1, 0, 4)) + b"ab"))
    with pytest.raises(RuntimeError, match="placed once"):
        decoder.place_block(memoryview(bytearray(4)))
    assert list(decoder.feed(b"cd")) == [BlockReceived(PieceHeader(1, 0, 4), False)]


@pytest.mark.parametrize(
    ("stream", "problem"),
    [
        ("ffffffff", "length prefix: expected at most 1048576, found 4294967295"),
        ("00100001", "length prefix: expected at most 1048576, found 1048577"),
        ("00004010 07", "piece: expected length 16393 or less, found 16400"),
        ("00000009 07", "piece: expected length 10 or more, found 9"),
        ("00100000 04", "have: expected length 5, found 1048576"),
        ("00000002 00", "choke: expected length 1, found 2"),
    ],
)
def test_a_lying_length_is_refused_at_its_last_byte(stream: str, problem: str) -> None:
    data = bytes.fromhex(stream)
    decoder = Decoder(has_handshake=False)
    for at in range(len(data) - 1):
        assert list(decoder.feed(data[at : at + 1])) == []
    with pytest.raises(MessageError, match=problem):
        list(decoder.feed(data[-1:]))


def test_the_limits_are_the_callers() -> None:
    assert list(Decoder(has_handshake=False, max_block=1 << 17).feed(encode(PieceHeader(0, 0, 1 << 17))))
    with pytest.raises(MessageError, match="extended: expected length 100 or less, found 102"):
        list(Decoder(has_handshake=False, max_message=100).feed(encode(Extended(1, bytes(100)))))


@pytest.mark.parametrize("length", [1, 3])
def test_a_bitfield_of_the_wrong_length_is_refused_once_the_number_of_pieces_is_known(length: int) -> None:
    wrong = encode(HaveBitfield(bytes(length)))
    decoder = Decoder(has_handshake=False)
    assert list(decoder.feed(wrong)) == [HaveBitfield(bytes(length))]
    decoder.piece_count = 10
    assert list(decoder.feed(encode(HaveBitfield(bytes(2))))) == [HaveBitfield(bytes(2))]
    with pytest.raises(MessageError, match="bitfield: expected length 3"):
        list(decoder.feed(wrong))


def test_a_stranger_without_a_handshake_is_refused_at_the_first_wrong_byte() -> None:
    decoder = Decoder()
    assert list(decoder.feed(b"\x13Bit")) == []
    with pytest.raises(HandshakeError):
        list(decoder.feed(b"C"))


def test_messages_behind_each_other_come_in_order_and_keep_alives_too() -> None:
    stream = encode(KeepAlive()) * 2 + encode(Have(1)) + encode(KeepAlive())
    decoder = Decoder(has_handshake=False)
    assert list(decoder.feed(stream)) == [KeepAlive(), KeepAlive(), Have(1), KeepAlive()]
