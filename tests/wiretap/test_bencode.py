"""Bencoding is read as it was written, as our peer's own code writes it, and hostile input is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bencode.codec import BencodeError as OurError
from peer.bencode.codec import Value
from peer.bencode.codec import decode_prefix as our_decode_prefix
from peer.bencode.codec import encode as our_encode
from testbed.wiretap.bencode import DEPTH, VALUES, BencodeError, decode_prefix, encode
from tests.peer.bittorrent.wire.values import BENCODED

LIKELY = st.text("ilde0123456789:-", max_size=30).map(str.encode)


@given(BENCODED, st.binary(max_size=5))
def test_values_are_read_as_they_were_written(value: Value, rest: bytes) -> None:
    written = encode(value)
    assert written == our_encode(value)
    assert decode_prefix(written + rest) == (value, len(written))


@given(st.binary(max_size=40) | LIKELY)
def test_any_bytes_are_read_as_our_peer_reads_them_or_refused(data: bytes) -> None:
    expected = None
    with suppress(OurError):
        expected = our_decode_prefix(data, any_order=True)[:2]
    found = None
    with suppress(BencodeError):
        found = decode_prefix(data)
    assert found == expected


@pytest.mark.parametrize(
    "data",
    [
        b"l" * 100_000,
        b"d1:a" * 100_000,
        b"l" * (DEPTH + 1) + b"e" * (DEPTH + 1),
        b"l" + b"0:" * VALUES + b"e",
        b"9999999999:x",
        b"i" + b"9" * 100_000 + b"e",
        b"1" * 100_000 + b":",
        b"d1:ai1e1:ai2ee",
        b"i-0e",
        b"i01e",
        b"",
    ],
    ids=["lists", "dictionaries", "depth", "values", "string", "digits", "length", "twice", "-0", "01", "nothing"],
)
def test_what_is_malformed_or_excessive_is_refused(data: bytes) -> None:
    with pytest.raises(BencodeError):
        decode_prefix(data)
