"""Frames of Napster: what is written is read, byte for byte as published, and nothing else is accepted."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.errors import WireError
from peer.net.address import Address
from peer.overlays.napster import messages as said
from peer.overlays.napster.text import host_number, host_of, is_sayable
from peer.overlays.napster.wire import Decoder, Malformed, Unknown, encode, read, size

names = st.text(st.characters(blacklist_characters='"', blacklist_categories=["Cs"]), min_size=1, max_size=40)
nicks = st.text("abcXYZ019_[]{}-@^!$", min_size=1, max_size=12)
numbers = st.integers(0, 0xFFFFFFFF)
speeds = st.integers(0, 10)
hosts = st.integers(0, 0xFFFFFFFF).map(lambda number: host_of(str(number)))
ports = st.integers(0, 0xFFFF)
plain = st.text(st.characters(blacklist_categories=["Cs"]), max_size=40)
messages = st.one_of(
    st.builds(said.Refusal, plain),
    st.builds(said.Login, nicks, nicks, ports, names, speeds),
    st.builds(said.LoginAccepted, plain),
    st.builds(said.Share, names, numbers, numbers, numbers, numbers),
    st.builds(said.Search, names, numbers),
    st.builds(said.Result, names, numbers, nicks, hosts, speeds, numbers, numbers, numbers),
    st.just(said.EndOfResults()),
    st.builds(said.DownloadRequest, nicks, names),
    st.builds(said.DownloadFrom, nicks, st.builds(Address, hosts, ports), names, speeds),
    st.builds(said.DownloadRefused, nicks, names),
)


@given(st.lists(messages, max_size=5), st.lists(st.integers(0, 400), max_size=8))
def test_what_is_written_is_read_however_the_stream_is_cut(sent: list[said.Said], cuts: list[int]) -> None:
    stream = b"".join(map(encode, sent))
    decoder, places = Decoder(), sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    found = [each for begin, end in pairwise(places) for each in decoder.feed(stream[begin:end])]
    assert found == sent


@given(messages)
def test_the_size_is_that_of_the_bytes(message: said.Said) -> None:
    assert size(message) == len(encode(message))


PUBLISHED = [
    (2, 'foo badpass 6699 "nap v0.8" 3', said.Login("foo", "badpass", 6699, "nap v0.8", 3)),
    (
        100,
        '"generic band - generic song.mp3" b92870e0d41bc8e698cf2f0a1ddfeac7 443332 128 44100 60',
        said.Share("generic band - generic song.mp3", 443_332, 128, 44_100, 60),
    ),
    (
        200,
        'FILENAME CONTAINS "Sneaker Pimps" MAX_RESULTS 75 FILENAME CONTAINS "tesko suicide" BITRATE "AT LEAST" "128"',
        said.Search("Sneaker Pimps tesko suicide", 75),
    ),
    (
        200,
        'MAX_RESULTS 100 FILENAME CONTAINS "Ventolin" LINESPEED "EQUAL TO" 10',
        said.Search("Ventolin", 100),
    ),
    (
        201,
        '"random band - random song.mp3" 7d733c1e7419674744768db71bff8bcd 2558199 128 44100 159 lefty 3437166285 4',
        said.Result("random band - random song.mp3", 2_558_199, "lefty", host_of("3437166285"), 4, 128, 44_100, 159),
    ),
    (
        203,
        r'mred "C:\Program Files\Napster\generic cowboy song.mp3"',
        said.DownloadRequest("mred", r"C:\Program Files\Napster\generic cowboy song.mp3"),
    ),
    (206, 'mred "a song.mp3"', said.DownloadRefused("mred", "a song.mp3")),
]


@pytest.mark.parametrize(("kind", "text", "message"), PUBLISHED)
def test_the_published_examples_are_read(kind: int, text: str, message: said.Said) -> None:
    assert read(kind, text.encode()) == message


def test_a_frame_has_its_length_then_its_type_little_endian() -> None:
    assert encode(said.Login("foo", "badpass", 6699, "nap v0.8", 3)) == (
        b"\x1d\x00\x02\x00" + b'foo badpass 6699 "nap v0.8" 3'
    )
    assert encode(said.EndOfResults()) == b"\x00\x00\xca\x00"


def test_the_first_byte_of_an_address_is_the_lowest_of_its_number() -> None:
    assert host_number("198.18.0.1") == 198 + (18 << 8) + (1 << 24)


MALFORMED = [
    (2, "foo badpass 6699"),
    (2, 'foo badpass port "nap" 3'),
    (2, 'foo badpass 66000 "nap" 3'),
    (2, 'foo badpass 6699 "nap" 11'),
    (100, '"a song" 0 many 128 44100 60'),
    (100, '"a song"'),
    (200, 'MAX_RESULTS 5 LINESPEED "EQUAL TO" 10'),
    (200, 'FILENAME CONTAINS "a" MAX_RESULTS ten'),
    (201, '"a" 0 1 2 3 4 nick 4294967296 4'),
    (201, '"a" 0 1 2 3 4 nick'),
    (203, "nick"),
    (204, 'nick 1 70000 "a" 0 3'),
    (206, ""),
]


@pytest.mark.parametrize(("kind", "text"), MALFORMED)
def test_a_wrong_text_is_malformed_and_the_stream_goes_on(kind: int, text: str) -> None:
    data = len(text).to_bytes(2, "little") + kind.to_bytes(2, "little") + text.encode()
    first, second = Decoder().feed(data + encode(said.EndOfResults()))
    assert isinstance(first, Malformed)
    assert first.kind == kind
    assert second == said.EndOfResults()


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    for message in Decoder().feed(data):
        assert isinstance(message, said.Said | Unknown | Malformed)


def test_types_that_are_not_known_are_told_apart() -> None:
    assert list(Decoder().feed(b"\x02\x00\x6d\x02hi")) == [Unknown(0x26D)]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(WireError, match="double quote"):
        encode(said.DownloadRequest("nick", 'a "song"'))
    with pytest.raises(WireError, match="at most 65535"):
        encode(said.Refusal("a" * 70_000))
    assert not is_sayable('a "song"')
