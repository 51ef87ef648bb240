"""Chord's datagrams: what is written is read back, and nothing else is read."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.errors import WireError
from peer.net.address import Address
from peer.overlays.chord.messages import (
    AskNeighbours,
    Done,
    FindNext,
    Leave,
    Message,
    Neighbours,
    Next,
    Notify,
    Pair,
    Ping,
    Retrieve,
    Route,
    Routed,
    Store,
    Values,
)
from peer.overlays.chord.wire import decode, encode, size

SEARCH = "00112233445566778899aabbccddeeff"
tokens = st.integers(0, 2**32 - 1)
places = st.integers(0, 2**160 - 1)
octets = st.integers(0, 255)
ports = st.integers(1, 65_535)
addresses = st.builds(lambda a, b, port: Address(f"198.18.{a}.{b}", port), octets, octets, ports)
lists = st.lists(addresses, max_size=20).map(tuple)
searches = st.just("") | st.binary(min_size=16, max_size=16).map(bytes.hex)
keys = st.binary(min_size=20, max_size=20)
values = st.binary(max_size=40)
shorts = st.integers(0, 65_535)
pairs = st.lists(st.builds(Pair, keys, values, shorts), max_size=8).map(tuple)
common = {"token": tokens, "search": searches}
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(FindNext, target=places, dead=lists, **common),
    st.builds(Next, is_final=st.booleans(), nodes=lists, **common),
    st.builds(Route, target=places, origin=addresses, question=tokens, hops=octets, **common),
    st.builds(Routed, hops=octets, nodes=lists, **common),
    st.builds(AskNeighbours, **common),
    st.builds(Neighbours, predecessor=st.none() | addresses, successors=lists, **common),
    st.builds(Notify, **common),
    st.builds(Leave, predecessor=st.none() | addresses, successors=lists, **common),
    st.builds(Ping, **common),
    st.builds(Done, **common),
    st.builds(Store, is_copy=st.booleans(), pairs=pairs, moves=octets, **common),
    st.builds(Retrieve, key=keys, first=shorts, most=shorts, **common),
    st.builds(Values, total=shorts, values=st.lists(values, max_size=8).map(tuple), **common),
)


@given(messages)
def test_a_message_is_read_as_it_was_written_and_has_the_size_that_was_foretold(message: Message) -> None:
    data = encode(message)
    assert decode(data) == message
    assert size(message) == len(data)


@given(messages, st.data())
def test_a_message_that_is_cut_is_refused(message: Message, data: st.DataObject) -> None:
    whole = encode(message)
    with pytest.raises(WireError):
        decode(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(st.binary(max_size=200), st.sampled_from(range(14)))
def test_any_bytes_give_a_message_or_a_reason(data: bytes, kind: int) -> None:
    for candidate in (data, bytes([ord("C"), kind]) + data):
        try:
            message = decode(candidate)
        except WireError:
            continue
        assert encode(message) == candidate


def test_the_bytes_are_those_of_the_documentation() -> None:
    ping = Ping(0x01020304, SEARCH)
    assert encode(ping).hex() == "43" + "89" + "01020304" + SEARCH
    asked = FindNext(7, 1, (Address("198.18.0.5", 4000),))
    assert encode(asked).hex() == "4301" + "00000007" + "00" * 19 + "01" + "01" + "c61200050fa0"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda data: b"X" + data[1:], "does not begin with 'C'"),
        (lambda data: data[:1] + b"\x7f" + data[2:], "kind 127 is unknown"),
        (lambda data: data + b"\0", "1 bytes too many"),
        (lambda data: data[:6] + b"\2" + data[7:], "expected 0 or 1, found 2"),
        (lambda data: data[:-2] + b"\0\0", "an address has port 0"),
        (lambda data: data + bytes(1_400), "expected at most 1400 bytes"),
    ],
)
def test_what_is_wrong_is_said(spoil: Callable[[bytes], bytes], reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        decode(spoil(encode(Next(1, is_final=True, nodes=(Address("198.18.0.5", 4000),)))))


def test_a_value_that_no_datagram_carries_is_refused() -> None:
    with pytest.raises(WireError, match="at most 1000 bytes"):
        decode(encode(Values(1, 1, (bytes(1_001),))))
