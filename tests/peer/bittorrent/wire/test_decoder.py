"""A stream gives the same messages however it is cut, blocks go to their places, and violations end it early."""

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
    """Return a block whose bytes depend on its piece and position."""
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
    """Gives each block memory of its own, in the order of arrival."""

    def __init__(self) -> None:
        self.blocks: list[bytearray] = []

    def give(self, decoder: Decoder, event: Event) -> None:
        if isinstance(event, PieceHeader):
            self.blocks.append(bytearray(event.length))
            decoder.place_block(memoryview(self.blocks[-1]))


def fed(decoder: Decoder, stream: bytes, cuts: list[int], take: Callable[[Decoder, Event], None]) -> list[Event]:
    """Feed the stream in parts of these sizes, repeatedly, through one buffer that is overwritten each time."""
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
    """Receive as from a socket: the bytes of a block go straight to their place, those after it to the buffer."""
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
def test_messages_do_not_depend_on_stream_cuts(handshake: Handshake, messages: list[Message], cuts: list[int]) -> None:
    stream = handshake.encode() + written(messages)
    blocks = [block_of(m) for m in messages if isinstance(m, PieceHeader)]
    for deliver in (fed, received):
        places = Places()
        decoder = Decoder()
        events = deliver(decoder, stream, cuts, places.give)
        assert events == [handshake, *expected(messages, is_placed=True)]
        assert places.blocks == blocks
        assert decoder.payload_bytes == sum(map(len, blocks))


@given(st.lists(BLOCKLESS | PIECES, max_size=6), CUTS)
def test_only_blocks_without_place_are_dropped(messages: list[Message], cuts: list[int]) -> None:
    events = fed(Decoder(has_handshake=False), written(messages), cuts, lambda *_: None)
    assert events == expected(messages, is_placed=False)


@given(st.lists(BLOCKLESS | PIECES, min_size=1, max_size=4), CUTS, st.data())
def test_damaged_stream_raises_only_wire_errors(messages: list[Message], cuts: list[int], data: st.DataObject) -> None:
    stream = bytearray(written(messages))
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    try:
        received(Decoder(has_handshake=False), bytes(stream), cuts, Places().give)
    except WireError:
        return


@given(st.binary(max_size=200), CUTS, st.booleans())
def test_garbage_raises_only_wire_errors(garbage: bytes, cuts: list[int], has_handshake: bool) -> None:
    try:
        fed(Decoder(has_handshake=has_handshake), garbage, cuts, Places().give)
    except WireError:
        return


def test_piece_header_is_complete_after_13_bytes() -> None:
    decoder = Decoder(has_handshake=False)
    header = PieceHeader(1, 0, 4)
    assert list(decoder.feed(encode(header)[:12])) == []
    assert list(decoder.feed(encode(header)[12:])) == [header]


def test_place_receives_rest_of_block() -> None:
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


def test_misuse_of_places_raises() -> None:
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


def test_partly_dropped_block_cannot_be_placed() -> None:
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
def test_impossible_length_is_refused_early(stream: str, problem: str) -> None:
    data = bytes.fromhex(stream)
    decoder = Decoder(has_handshake=False)
    for at in range(len(data) - 1):
        assert list(decoder.feed(data[at : at + 1])) == []
    with pytest.raises(MessageError, match=problem):
        list(decoder.feed(data[-1:]))


def test_limits_are_set_by_caller() -> None:
    assert list(Decoder(has_handshake=False, max_block=1 << 17).feed(encode(PieceHeader(0, 0, 1 << 17))))
    with pytest.raises(MessageError, match="extended: expected length 100 or less, found 102"):
        list(Decoder(has_handshake=False, max_message=100).feed(encode(Extended(1, bytes(100)))))


@pytest.mark.parametrize("length", [1, 3])
def test_known_piece_count_checks_bitfield_length(length: int) -> None:
    wrong = encode(HaveBitfield(bytes(length)))
    decoder = Decoder(has_handshake=False)
    assert list(decoder.feed(wrong)) == [HaveBitfield(bytes(length))]
    decoder.piece_count = 10
    assert list(decoder.feed(encode(HaveBitfield(bytes(2))))) == [HaveBitfield(bytes(2))]
    with pytest.raises(MessageError, match="bitfield: expected length 3"):
        list(decoder.feed(wrong))


def test_wrong_protocol_is_refused_at_first_byte() -> None:
    decoder = Decoder()
    assert list(decoder.feed(b"\x13Bit")) == []
    with pytest.raises(HandshakeError):
        list(decoder.feed(b"C"))


def test_message_order_is_kept_with_keep_alives() -> None:
    stream = encode(KeepAlive()) * 2 + encode(Have(1)) + encode(KeepAlive())
    decoder = Decoder(has_handshake=False)
    assert list(decoder.feed(stream)) == [KeepAlive(), KeepAlive(), Have(1), KeepAlive()]
