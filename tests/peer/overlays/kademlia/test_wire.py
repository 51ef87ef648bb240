"""Messages of krpc: the published bytes, round trips, lengths, and everything that is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.errors import WireError
from peer.net.address import Address
from peer.overlays.kademlia.wire import decode, encode, size
from peer.overlays.kademlia.wire.messages import (
    AnnouncePeer,
    Answer,
    FindNode,
    GetPeers,
    Message,
    NodeInfo,
    Ping,
    Refusal,
    UnknownQuery,
)
from peer.overlays.kademlia.wire.reading import transaction_of


def number(text: bytes) -> int:
    return int.from_bytes(text, "big")


THEM, US = number(b"abcdefghij0123456789"), number(b"mnopqrstuvwxyz123456")
PEERS = (Address("97.120.106.101", 0x2E75), Address("105.100.104.116", 0x6E6D))
PUBLISHED: list[tuple[bytes, Message]] = [
    (b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe", Ping(b"aa", THEM, version=None)),
    (b"d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re", Answer(b"aa", US, version=None)),
    (
        b"d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe",
        FindNode(b"aa", THEM, US, version=None),
    ),
    (
        b"d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe",
        GetPeers(b"aa", THEM, US, version=None),
    ),
    (
        b"d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re",
        Answer(b"aa", THEM, values=PEERS, token=b"aoeusnth", version=None),
    ),
    (
        (
            b"d1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e"
            b"5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe"
        ),
        AnnouncePeer(b"aa", THEM, US, 6881, b"aoeusnth", has_implied_port=True, version=None),
    ),
    (
        b"d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee",
        Refusal(b"aa", 201, "A Generic Error Ocurred", version=None),
    ),
]


@pytest.mark.parametrize(("data", "message"), PUBLISHED)
def test_published_examples_are_read_and_written(data: bytes, message: Message) -> None:
    assert decode(data) == message
    assert encode(message) == data


IDS = st.integers(0, 2**160 - 1)
PORTS = st.integers(1, 65_535)
ADDRESSES = st.builds(Address, st.ip_addresses(v=4).map(str), PORTS)
TRANSACTIONS = st.binary(max_size=8)
VERSIONS = st.none() | st.binary(min_size=4, max_size=4)
NODES = st.lists(st.builds(NodeInfo, IDS, ADDRESSES), max_size=20).map(tuple)
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(Ping, TRANSACTIONS, IDS, st.booleans(), VERSIONS),
    st.builds(FindNode, TRANSACTIONS, IDS, IDS, st.booleans(), VERSIONS),
    st.builds(GetPeers, TRANSACTIONS, IDS, IDS, st.booleans(), VERSIONS),
    st.builds(
        AnnouncePeer, TRANSACTIONS, IDS, IDS, PORTS, st.binary(max_size=20), st.booleans(), st.booleans(), VERSIONS
    ),
    st.builds(
        Answer,
        TRANSACTIONS,
        IDS,
        st.none() | NODES,
        st.none() | st.lists(ADDRESSES, max_size=100).map(tuple),
        st.none() | st.binary(max_size=20),
        st.none() | ADDRESSES,
        VERSIONS,
    ),
    st.builds(Refusal, TRANSACTIONS, st.integers(201, 204), st.text(max_size=20), VERSIONS),
)


@given(MESSAGES)
def test_messages_survive_a_round_trip(message: Message) -> None:
    assert decode(encode(message)) == message


@given(MESSAGES)
def test_size_is_the_length_that_is_written(message: Message) -> None:
    assert size(message) == len(encode(message))


@given(st.binary(max_size=80) | MESSAGES.map(encode), st.data())
def test_damaged_bytes_are_refused_or_read(data: bytes, drawn: st.DataObject) -> None:
    damaged = bytearray(data)
    if damaged:
        damaged[drawn.draw(st.integers(0, len(damaged) - 1))] = drawn.draw(st.integers(0, 255))
    with suppress(WireError):
        encode(decode(bytes(damaged)))


ID = b"2:id20:abcdefghij0123456789"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "expected a value"),
        (b"hello", "expected a value"),
        (b"i5e", "expected a dictionary, found an integer"),
        (b"d1:y1:qe", "expected an entry 't'"),
        (b"d1:t2:aae", "expected an entry 'y'"),
        (b"d1:ti5e1:y1:qe", "'t': expected a string"),
        (b"d1:t65:" + b"x" * 65 + b"1:y1:qe", "'t': expected at most 64 bytes"),
        (b"d1:t2:aa1:y1:xe", "'y': expected q, r or e"),
        (b"d1:t2:aa1:y1:qe", "expected an entry 'q'"),
        (b"d1:q4:ping1:t2:aa1:y1:qe", "expected an entry 'a'"),
        (b"d1:ale1:q4:ping1:t2:aa1:y1:qe", "krpc, ping: expected a dictionary, found a list"),
        (b"d1:ade1:q4:ping1:t2:aa1:y1:qe", "krpc, ping: expected an entry 'id'"),
        (b"d1:ad2:id3:abce1:q4:ping1:t2:aa1:y1:qe", "'id': expected 20 bytes, found 3"),
        (b"d1:ad" + ID + b"e1:q9:find_node1:t2:aa1:y1:qe", "find_node: expected an entry 'target'"),
        (b"d1:ad" + ID + b"e1:q9:get_peers1:t2:aa1:y1:qe", "get_peers: expected an entry 'info_hash'"),
        (b"d1:ad" + ID + b"e1:q13:announce_peer1:t2:aa1:y1:qe", "announce_peer: expected an entry 'port'"),
        (b"d1:ad" + ID + b"4:porti0ee1:q13:announce_peer1:t2:aa1:y1:qe", "expected 1 to 65535, found 0"),
        (b"d1:ad" + ID + b"4:porti70000ee1:q13:announce_peer1:t2:aa1:y1:qe", "expected 1 to 65535, found 70000"),
        (b"d1:ad" + ID + b"4:porti1ee1:q13:announce_peer1:t2:aa1:y1:qe", "expected an entry 'token'"),
        (b"d1:t2:aa1:y1:re", "expected an entry 'r'"),
        (b"d1:rd" + ID + b"5:nodes9:def456...e1:t2:aa1:y1:re", "expected a multiple of 26 bytes, found 9"),
        (b"d1:rd" + ID + b"6:valuesi1ee1:t2:aa1:y1:re", "'values': expected a list"),
        (b"d1:rd" + ID + b"6:valuesli1eee1:t2:aa1:y1:re", "expected strings only"),
        (b"d1:rd" + ID + b"5:tokeni1ee1:t2:aa1:y1:re", "'token': expected a string"),
        (b"d1:t2:aa1:y1:ee", "expected an entry 'e'"),
        (b"d1:eli201ee1:t2:aa1:y1:ee", "expected a number and a text"),
        (b"d1:ad" + ID + b"e1:q4:ping1:t2:aa1:y1:qeX", "expected the end of the datagram"),
        (b"d1:t2:aa1:t2:bb1:y1:qe", "stands twice"),
        (b"l" * 40 + b"e" * 40, "inside each other"),
    ],
)
def test_what_breaks_the_protocol_is_refused_with_a_reason(data: bytes, problem: str) -> None:
    with pytest.raises(WireError, match=problem.replace("(", r"\(")):
        decode(data)


def test_unknown_methods_keep_their_transaction() -> None:
    assert decode(b"d1:ade1:q3:get1:t2:zz1:y1:qe") == UnknownQuery(b"zz", b"get")


def test_keys_may_come_in_any_order_and_unknown_ones_are_ignored() -> None:
    data = b"d1:y1:q1:t2:aa1:q4:ping1:ad" + ID + b"4:wantl2:n4ee2:zz1:?e"
    assert decode(data) == Ping(b"aa", THEM, version=None)


def test_addresses_that_are_not_of_this_network_are_ignored() -> None:
    values = b"6:valuesl18:" + b"6" * 18 + b"6:\x01\x02\x03\x04\x00\x006:\x01\x02\x03\x04\x00\x05e"
    assert decode(b"d1:rd" + ID + values + b"e1:t2:aa1:y1:re") == Answer(
        b"aa", THEM, values=(Address("1.2.3.4", 5),), version=None
    )


def test_implied_port_needs_no_port() -> None:
    data = b"d1:ad" + ID + b"12:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234565:token1:xe"
    message = decode(data + b"1:q13:announce_peer1:t2:aa1:y1:qe")
    assert isinstance(message, AnnouncePeer)
    assert message.has_implied_port


def test_only_questions_can_be_told_what_is_wrong_with_them() -> None:
    assert transaction_of(b"d1:q4:ping1:t2:ab1:y1:qe") == b"ab"
    assert transaction_of(b"d1:t2:ab1:y1:re") is None
    assert transaction_of(b"rubbish") is None
