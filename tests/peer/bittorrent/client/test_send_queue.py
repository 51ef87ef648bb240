"""What is sent to a neighbour first: the rest of a block, then messages, then other blocks."""

from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.client.connections.send_queue import SendQueue
from peer.bittorrent.wire.messages import (
    Choke,
    Have,
    PieceHeader,
    Request,
    encode,
)

CHOKE = encode(Choke())


def block(index: int, length: int = 5) -> tuple[Request, memoryview]:
    return Request(index, 0, length), memoryview(bytes([index]) * length)


def on_the_wire(index: int, length: int = 5) -> bytes:
    return encode(PieceHeader(index, 0, length)) + bytes([index]) * length


def send(outgoing: SendQueue, count: int) -> bytes:
    """Let a socket take `count` bytes."""
    taken = b"".join(outgoing.buffers())[:count]
    outgoing.sent(len(taken))
    return taken


def test_message_goes_ahead_of_blocks_not_begun() -> None:
    outgoing = SendQueue()
    outgoing.add_block(*block(1))
    outgoing.add_block(*block(2))
    outgoing.add_message(CHOKE)
    assert send(outgoing, 1000) == CHOKE + on_the_wire(1) + on_the_wire(2)
    assert not outgoing


def test_begun_block_is_finished_before_messages() -> None:
    for gone in (1, 12, 13, 14, 17):
        outgoing = SendQueue()
        outgoing.add_block(*block(1))
        outgoing.add_block(*block(2))
        front = send(outgoing, gone)
        outgoing.add_message(CHOKE)
        assert front + send(outgoing, 1000) == on_the_wire(1) + CHOKE + on_the_wire(2)


def test_blocks_dropped_are_those_that_have_not_begun() -> None:
    outgoing = SendQueue()
    outgoing.add_block(*block(1))
    outgoing.add_block(*block(2))
    front = send(outgoing, 15)
    outgoing.drop_blocks()
    assert outgoing.block_bytes == 3
    assert front + send(outgoing, 1000) == on_the_wire(1)


def test_block_counts_as_sent_with_its_last_byte() -> None:
    outgoing = SendQueue()
    outgoing.add_block(*block(1))
    outgoing.add_block(*block(2))
    assert outgoing.sent(17) == []
    assert outgoing.sent(1 + 18) == [Request(1, 0, 5), Request(2, 0, 5)]


def test_a_block_is_not_copied() -> None:
    place = bytearray(5)
    outgoing = SendQueue()
    outgoing.add_block(Request(0, 0, 5), memoryview(place))
    place[:] = b"later"
    assert send(outgoing, 1000).endswith(b"later")


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("message"), st.integers(0, 255)),
        st.tuples(st.just("block"), st.integers(1, 40)),
        st.tuples(st.just("went"), st.integers(0, 100)),
    ),
    max_size=40,
)


@given(STEPS)
def test_every_unit_is_sent_whole_and_in_order(steps: list[tuple[str, int]]) -> None:
    outgoing, stream = SendQueue(), b""
    messages, blocks, done = [], [], []
    for kind, number in steps:
        if kind == "message":
            messages.append(encode(Have(number)))
            outgoing.add_message(messages[-1])
        elif kind == "block":
            blocks.append(on_the_wire(len(blocks), number))
            outgoing.add_block(*block(len(blocks) - 1, number))
        else:
            taken = b"".join(outgoing.buffers())[:number]
            stream += taken
            done += outgoing.sent(len(taken))
        assert bool(outgoing) == any(outgoing.buffers())
    stream += b"".join(outgoing.buffers())
    done += outgoing.sent(len(b"".join(outgoing.buffers())))
    assert (outgoing.block_bytes, outgoing.message_bytes) == (0, 0)
    assert [request.index for request in done] == list(range(len(blocks)))
    assert units(stream) == (messages, blocks)


def units(stream: bytes) -> tuple[list[bytes], list[bytes]]:
    """Cut a stream into its messages and its blocks."""
    messages, blocks = [], []
    while stream:
        size = 4 + int.from_bytes(stream[:4], "big")
        (blocks if stream[4] == 7 else messages).append(stream[:size])
        stream = stream[size:]
    return messages, blocks
