"""Only canonical bencoding is read; errors name the place and the reason; bombs are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bencode.codec import (
    BencodeError,
    Limits,
    Raw,
    Value,
    decode,
    decode_leniently,
    decode_prefix,
    decode_whole,
    encode,
)
from peer.errors import WireError
from tests.peer.bittorrent.wire.values import BENCODED

SPECIFICATION: list[tuple[bytes, Value]] = [
    (b"4:spam", b"spam"),
    (b"0:", b""),
    (b"i3e", 3),
    (b"i-3e", -3),
    (b"i0e", 0),
    (b"l4:spam4:eggse", [b"spam", b"eggs"]),
    (b"d3:cow3:moo4:spam4:eggse", {b"cow": b"moo", b"spam": b"eggs"}),
    (b"d4:spaml1:a1:bee", {b"spam": [b"a", b"b"]}),
    (b"le", []),
    (b"de", {}),
]


@pytest.mark.parametrize(("encoded", "value"), SPECIFICATION)
def test_examples_of_specification_are_read_and_written(encoded: bytes, value: Value) -> None:
    assert decode(encoded) == value
    assert encode(value) == encoded


@given(BENCODED)
def test_value_survives_round_trip(value: Value) -> None:
    assert decode(encode(value)) == value


@given(st.binary(max_size=60) | st.text("ilde0123456789:-", max_size=30).map(str.encode))
def test_accepted_bytes_are_canonical(data: bytes) -> None:
    assert is_refused(data) or encode(decode(data)) == data


@given(BENCODED, st.data())
def test_damaged_encoding_is_refused_or_canonical(value: Value, data: st.DataObject) -> None:
    encoded = bytearray(encode(value))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(encoded)
    assert is_refused(damaged) or encode(decode(damaged)) == damaged


def is_refused(data: bytes) -> bool:
    try:
        decode(data)
    except WireError:
        return True
    return False


@pytest.mark.parametrize(
    ("data", "offset", "problem"),
    [
        (b"", 0, "expected a value (a digit, i, l or d), found the end of the data"),
        (b"x", 0, "expected a value (a digit, i, l or d), found 'x'"),
        (b"i03e", 0, "without a leading zero"),
        (b"i-0e", 0, "without a leading zero"),
        (b"i00e", 0, "without a leading zero"),
        (b"ie", 0, "expected i, digits"),
        (b"i-e", 0, "expected i, digits"),
        (b"i+1e", 0, "expected i, digits"),
        (b"i 1e", 0, "expected i, digits"),
        (b"i12", 0, "the data ends inside an integer"),
        (b"li1ei2x", 4, "expected i, digits"),
        (b"04:spam", 0, "expected a value"),
        (b"4spam", 0, "expected a value"),
        (b"-1:a", 0, "expected a value"),
        (b"5:spam", 0, "a string of 5 bytes, but only 4 bytes follow"),
        (b"99999999999:", 0, "a string of 99999999999 bytes, but only 0 bytes follow"),
        (b"l4:spam", 7, "found the end of the data"),
        (b"d3:cow", 6, "found the end of the data"),
        (b"di1ei2ee", 1, "expected a key (a string) or e, found 'i1ei2ee'"),
        (b"d1:bi1e1:ai2ee", 7, "the key 'a' behind 'b', expected sorted keys"),
        (b"d1:ai1e1:ai2ee", 7, "the key 'a' stands twice"),
        (b"i1ei2e", 3, "expected the end of the data, found 'i2e'"),
    ],
)
def test_error_names_offset_and_expectation(data: bytes, offset: int, problem: str) -> None:
    with pytest.raises(BencodeError) as refusal:
        decode(data)
    assert problem in str(refusal.value)
    assert refusal.value.offset == offset
    assert f"byte {offset}" in str(refusal.value)


@pytest.mark.parametrize(
    ("bomb", "problem"),
    [
        (b"l" * 1_000_000, "more than 32 lists and dictionaries inside each other"),
        (b"d1:a" * 250_000, "more than 32 lists and dictionaries inside each other"),
        (b"i" + b"9" * 1_000_000 + b"e", "more than 20 digits"),
        (b"i-" + b"9" * 22 + b"e", "more than 20 digits"),
        (b"9" * 1_000_000 + b":", "expected a value"),
        (b"l" + b"le" * 500 + b"e", "more than 100 values"),
        (b"1000000:" + bytes(1_000_000), "expected at most 1000007"),
    ],
)
def test_bombs_are_refused_early(bomb: bytes, problem: str) -> None:
    with pytest.raises(BencodeError, match=problem):
        decode(bomb, Limits(size=1_000_007, values=100))


def test_values_at_the_limits_are_read() -> None:
    assert decode(b"i18446744073709551615e") == 2**64 - 1
    assert decode(b"i-18446744073709551615e") == -(2**64) + 1
    decode(b"l" * 32 + b"e" * 32)


def test_top_level_entries_have_spans() -> None:
    data = b"d4:infod6:lengthi1e4:name1:xe4:spaml1:a1:bee"
    spans = decode_whole(data).spans
    assert data[spans[b"info"]] == b"d6:lengthi1e4:name1:xe"
    assert data[spans[b"spam"]] == b"l1:a1:be"
    assert set(spans) == {b"info", b"spam"}


def test_raw_value_is_written_unchanged() -> None:
    assert encode({b"info": Raw(b"d1:b0:1:a0:e")}) == b"d4:infod1:b0:1:a0:ee"


def test_prefix_ends_where_value_ends() -> None:
    assert decode_prefix(b"i1exyz")[:2] == (1, 3)


@pytest.mark.parametrize("answer", [b"d1:bi1e1:ai2ee", b"d1:ai2e1:bi1ee\r\n"])
def test_lenient_decoding_ignores_key_order_and_trailer(answer: bytes) -> None:
    assert decode_leniently(answer) == {b"a": 2, b"b": 1}
    with pytest.raises(BencodeError):
        decode(answer)


@pytest.mark.parametrize("answer", [b"d1:ai1e1:ai2ee", b"i03e", b"l"])
def test_lenient_decoding_is_otherwise_strict(answer: bytes) -> None:
    with pytest.raises(BencodeError):
        decode_leniently(answer)
