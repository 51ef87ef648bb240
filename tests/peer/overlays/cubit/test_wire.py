"""Cubit's datagrams: what is written is read back, and nothing else is read."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.errors import WireError
from peer.net.address import Address
from peer.overlays.cubit.messages import (
    Contact,
    Done,
    FindItems,
    FindNodes,
    Gossip,
    Items,
    Keep,
    Kept,
    Leave,
    Message,
    Nodes,
)
from peer.overlays.cubit.wire import decode, encode, size
from peer.overlays.parts.entry import Entry

octets = st.integers(0, 255)
shorts = st.integers(0, 65_535)
words = st.text(max_size=16)
addresses = st.builds(lambda a, port: Address(f"198.18.0.{a}", port), octets, st.integers(1, 65_535))
contacts = st.lists(st.builds(Contact, words, addresses), max_size=8).map(tuple)
entries = st.builds(Entry, addresses, st.text(min_size=1, max_size=20))
kept = st.lists(st.builds(Kept, words, entries, shorts), max_size=6).map(tuple)
common = {
    "token": st.integers(0, 2**32 - 1),
    "search": st.just("") | st.binary(min_size=16, max_size=16).map(bytes.hex),
}
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(FindNodes, word=words, most=octets, asker=words, **common),
    st.builds(Gossip, asker=words, nodes=contacts, **common),
    st.builds(Nodes, own=words, nodes=contacts, **common),
    st.builds(FindItems, word=words, edits=octets, first=shorts, **common),
    st.builds(Items, total=shorts, entries=st.lists(entries, max_size=6).map(tuple), **common),
    st.builds(Keep, entries=kept, **common),
    st.builds(Done, **common),
    st.builds(Leave, **common),
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


@given(st.binary(max_size=200), st.sampled_from(range(9)))
def test_any_bytes_give_a_message_or_a_reason(data: bytes, kind: int) -> None:
    try:
        message = decode(bytes([ord("Q"), kind]) + data)
    except WireError:
        return
    assert encode(message) == bytes([ord("Q"), kind]) + data


def test_the_bytes_are_those_of_the_documentation() -> None:
    assert encode(FindNodes(7, "moon", 8, "noon")).hex() == "510100000007" + "00046d6f6f6e" + "08" + "00046e6f6f6e"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda data: b"C" + data[1:], "does not begin with 'Q'"),
        (lambda data: data[:1] + b"\x63" + data[2:], "kind 99 is unknown"),
        (lambda data: data + b"\0", "1 bytes too many"),
        (lambda data: data[:6] + b"\0\xff" + data[8:], "at most 64 bytes"),
        (lambda data: data[:8] + b"\xff" + data[9:], "UTF-8"),
    ],
)
def test_what_is_wrong_is_said(spoil: Callable[[bytes], bytes], reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        decode(spoil(encode(FindNodes(1, "moon", 8, "noon"))))
