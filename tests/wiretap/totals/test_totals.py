"""Messages added up: pieces by their blocks, who unchokes whom, who talks to whom."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from testbed.wiretap.messages import ConnectionSummary, Direction, Endpoint, Message
from testbed.wiretap.totals.chokes import Chokes, Period, seconds
from testbed.wiretap.totals.conversations import Conversations, middle
from testbed.wiretap.totals.pieces import Blocks, Download

ONE, TWO = Endpoint("198.18.0.1", 40_000), Endpoint("198.18.0.2", 6881)


def said(kind: str, time: int, *, back: bool = False, length: int = 5, **fields: Any) -> Message:
    ends = (TWO, ONE) if back else (ONE, TWO)
    return Message(time, 1, 0, *ends, kind, 0, length, fields)


@given(st.integers(1, 200), st.lists(st.tuples(st.integers(-20, 220), st.integers(-5, 100)), max_size=30))
def test_bytes_of_piece_are_counted_once(size: int, added: list[tuple[int, int]]) -> None:
    blocks, there = Blocks(size), set[int]()
    for begin, length in added:
        new = set(range(max(begin, 0), min(begin + length, size)))
        assert blocks.add(begin, length) == len(new - there)
        there |= new
    assert blocks.count == len(there)
    assert blocks.is_full is (len(there) == size)


@given(st.permutations([(index, begin) for index in range(5) for begin in range(0, 10 if index < 4 else 6, 2)]))
def test_download_is_complete_with_its_last_block(order: list[tuple[int, int]]) -> None:
    download = Download(length=46, piece_length=10)
    for time, (index, begin) in enumerate(order):
        assert download.completed is None
        download.received(index, begin, 2, time)
    assert download.completed == len(order) - 1
    assert (download.needed, download.wasted) == (46, 0)


def test_block_beyond_the_torrent_is_wasted() -> None:
    download = Download(length=46, piece_length=10)
    download.received(99, 0, 8, 1)
    download.received(-1, 0, 8, 1)
    assert (download.needed, download.wasted) == (0, 16)


def test_unchoked_until_choke_end_or_new_connection() -> None:
    chokes = Chokes()
    for message in (said("unchoke", 10), said("unchoke", 11), said("choke", 30), said("choke", 31)):
        chokes.add("a", "b", message)
    chokes.add("a", "b", said("unchoke", 40))
    chokes.add("a", "b", said("handshake", 50))
    chokes.add("b", "a", said("unchoke", 60, back=True))
    chokes.connection_ended(ONE, TWO, 70)
    chokes.add("b", "a", said("unchoke", 80, back=True))
    assert list(chokes.all_periods()) == [
        ("a", "b", [Period(10, 30), Period(40, 50)]),
        ("b", "a", [Period(60, 70), Period(80, None)]),
    ]
    assert seconds([Period(0, 10**9), Period(2 * 10**9, None)], 3 * 10**9) == 2.0


def test_pair_has_its_messages_blocks_and_retransmissions() -> None:
    talk = Conversations()
    for time in (10**9, 2 * 10**9, 3 * 10**9):
        talk.add("a", "b", said("piece", time, length=13 + 1000))
    talk.add("b", "a", said("request", 10**9, back=True, length=17))
    connection = ConnectionSummary(
        0, "tcp", ONE, TWO, 0, 1, True, "closed", "peer wire", Direction(5, 3039, 100), Direction()
    )
    connection.rtts = [3, 1, 2]
    talk.add_connection("a", "b", connection)
    there = talk.pairs["a", "b"]
    assert (there.blocks, there.goodput, there.payload, there.retransmitted) == (3000, 1500.0, 3039, 100)
    assert (talk.kinds["piece"], talk.bytes_by_kind["request"], middle(there.rtts)) == (3, 17, 2)
    assert talk.pairs["b", "a"].goodput is None
    assert middle([]) is None
