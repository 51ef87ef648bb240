"""A torrent keeps its info-hash; one that is inconsistent or would write outside its folder is refused."""

from dataclasses import replace
from hashlib import sha1

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bencode.codec import Encodable, decode, encode
from peer.bittorrent.wire.errors import MetainfoError
from peer.bittorrent.wire.metainfo.magnet import Magnet, decode_magnet
from peer.bittorrent.wire.metainfo.metainfo import (
    File,
    Info,
    Metainfo,
    decode_info,
    decode_metainfo,
    make_info,
    usual_piece_length,
)
from peer.errors import WireError
from peer.net.address import Address
from tests.peer.bittorrent.wire.values import (
    HASHES,
    IPV4_ADDRESSES,
    IPV6_ADDRESSES,
    TEXTS,
)

NAMES = TEXTS.filter(lambda name: name not in {".", ".."} and not set(name) & set("/\\\0"))
SMALLEST = b"4:infod6:lengthi1e4:name1:f12:piece lengthi1e6:pieces20:" + bytes(20) + b"ee"
SPEC_HASH = bytes.fromhex("d0d14c926e6e99761a2fdcff27b403d96376eff6")


@st.composite
def infos(draw: st.DrawFn) -> Info:
    piece_length = draw(st.sampled_from([1, 1000, 1 << 14, 1 << 18]))
    files: int | list[File]
    if draw(st.booleans()):
        length = files = draw(st.integers(1, piece_length * 20))
    else:
        lengths = draw(st.lists(st.integers(0, piece_length * 4), min_size=1, max_size=4).filter(any))
        folder = draw(NAMES)
        files = [File((folder, f"{number}"), length, number == 2) for number, length in enumerate(lengths)]
        length = sum(lengths)
    hashes = [draw(HASHES)] * -(-length // piece_length)
    return make_info(draw(NAMES), files, piece_length, hashes, is_private=draw(st.booleans()))


METAINFOS = st.builds(
    Metainfo,
    infos(),
    announce=st.none() | TEXTS,
    announce_list=st.lists(st.lists(TEXTS, min_size=1, max_size=2).map(tuple), max_size=2).map(tuple),
    comment=st.none() | TEXTS,
    created_by=st.none() | TEXTS,
    creation_date=st.none() | st.integers(0, 2**40),
    nodes=st.lists(IPV4_ADDRESSES.filter(lambda address: address.port > 0), max_size=3).map(tuple),
)


@given(METAINFOS)
def test_torrent_survives_round_trip(metainfo: Metainfo) -> None:
    assert decode_metainfo(metainfo.encode()) == metainfo
    assert decode_info(metainfo.info.raw) == metainfo.info


def test_of_the_nodes_that_a_torrent_names_those_that_can_be_asked_are_used() -> None:
    good = b"l9:127.0.0.1i6881eel11:dht.examplei1ee"
    bad = b"l4:hosti0eel4:hosti65536eel4:hostei7el1: i7ee"
    torrent = b"d" + SMALLEST[:-1] + b"5:nodesl" + good + bad + b"ee"
    assert decode_metainfo(torrent).nodes == (Address("127.0.0.1", 6881), Address("dht.example", 1))
    assert decode_metainfo(b"d" + SMALLEST[:-1] + b"5:nodesi1ee").nodes == ()


@given(infos())
def test_pieces_cover_the_torrent_exactly(info: Info) -> None:
    assert sum(info.piece_size(index) for index in range(info.piece_count)) == info.length
    assert b"".join(info.piece_hash(index) for index in range(info.piece_count)) == info.pieces


def test_info_hash_covers_original_bytes() -> None:
    raw = b"d6:lengthi5e4:name1:f12:piece lengthi4e6:pieces40:" + bytes(40) + b"7:x_other4:spame"
    info = decode_metainfo(b"d4:info" + raw + b"e").info
    assert info.raw == raw
    assert info.info_hash == sha1(raw, usedforsecurity=False).digest()
    assert Metainfo(info).encode() == b"d4:info" + raw + b"e"


def test_single_file_torrent_is_read() -> None:
    info = make_info("f.iso", 5, 4, [b"a" * 20, b"b" * 20])
    assert info.files == (File(("f.iso",), 5),)
    assert not info.is_folder
    assert (info.piece_count, info.piece_size(0), info.piece_size(1)) == (2, 4, 1)
    assert info.piece_hash(1) == b"b" * 20


def test_files_keep_their_order() -> None:
    files = [File(("b",), 3), File(("sub", "a"), 0), File(("sub", "c"), 2)]
    info = make_info("folder", files, 4, [bytes(20)] * 2)
    assert info.files == tuple(files)
    assert info.is_folder
    assert info.length == 5


@pytest.mark.parametrize(
    ("metainfo", "tiers"),
    [
        ({}, ()),
        ({"announce": "a"}, (("a",),)),
        ({"announce": "a", "announce_list": (("b", "c"), ("d",))}, (("b", "c"), ("d",))),
    ],
)
def test_announce_counts_only_without_announce_list(
    metainfo: dict[str, str | tuple[tuple[str, ...], ...]], tiers: tuple[tuple[str, ...], ...]
) -> None:
    plain = Metainfo(make_info("f", 1, 1, [bytes(20)]))
    assert replace(plain, **metainfo).tiers == tiers  # type: ignore[arg-type]


GOOD: dict[bytes, Encodable] = {b"name": b"f", b"piece length": 4, b"pieces": bytes(40), b"length": 5}


def file_at(*path: bytes, length: int = 1) -> dict[bytes, Encodable]:
    return {b"length": length, b"path": [*path]}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({b"pieces": bytes(20)}, "'pieces': expected 2 hashes, 40 bytes, for 5 bytes of files; found 20 bytes"),
        ({b"pieces": bytes(41)}, "'pieces': expected 2 hashes, 40 bytes, for 5 bytes of files; found 41 bytes"),
        ({b"pieces": None}, "expected an entry 'pieces', found none"),
        ({b"pieces": None, b"file tree": {}}, "a torrent of version 2 alone is not supported"),
        ({b"piece length": 0}, "'piece length': expected 1 to 2147483648, found 0"),
        ({b"piece length": -4}, "'piece length': expected 1"),
        ({b"piece length": b"4"}, "'piece length': expected an integer, found a string"),
        ({b"length": 2**49, b"piece length": 1}, "'piece length': expected at most 4194304 pieces"),
        ({b"length": 0, b"pieces": b""}, "expected 1 to 1125899906842624 bytes of files, found 0"),
        ({b"length": -1}, "'length': expected 0"),
        ({b"length": None}, "expected an entry 'length', found none"),
        ({b"files": [file_at(b"a")]}, "expected one of 'length' and 'files', found both"),
        ({b"name": b"../f"}, "'name': expected a plain file name, found '../f'"),
        ({b"name": b".."}, "'name': expected a plain file name"),
        ({b"name": b""}, "'name': expected a plain file name"),
        ({b"name": b"\xff"}, "'name': expected UTF-8 text"),
    ],
)
def test_inconsistent_info_dictionary_is_refused(change: dict[bytes, Encodable | None], problem: str) -> None:
    entries = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(MetainfoError, match=problem):
        decode_metainfo(encode({b"info": entries}))


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ([file_at(b"..", b"f")], "file 0, 'path': expected a plain file name, found '..'"),
        ([file_at(b"a"), file_at(b"/etc/passwd")], "file 1, 'path': expected a plain file name"),
        ([file_at(b"a", b"")], "expected a plain file name, found ''"),
        ([file_at(b".")], "expected a plain file name"),
        ([file_at(b"a\\b")], "expected a plain file name"),
        ([file_at(b"a\0")], "expected a plain file name"),
        ([file_at()], "'path': expected at least one name, found none"),
        ([file_at(b"a"), file_at(b"a")], "two files need the path 'a'"),
        ([file_at(b"a"), file_at(b"a", b"b")], "two files need the path 'a/b'"),
        ([file_at(b"a", b"b"), file_at(b"a")], "two files need the path 'a'"),
        ([7], "file 0: expected a dictionary, found an integer"),
        ([file_at(b"a", length=-1)], "file 0, 'length': expected 0"),
        ([], "expected 1 to 1125899906842624 bytes of files, found 0"),
    ],
)
def test_unsafe_path_is_refused(files: list[Encodable], problem: str) -> None:
    entries: dict[bytes, Encodable] = {key: value for key, value in GOOD.items() if key != b"length"}
    with pytest.raises(MetainfoError, match=problem):
        decode_metainfo(encode({b"info": {**entries, b"files": files}}))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"le", "torrent: expected a dictionary, found a list"),
        (b"de", "torrent: expected an entry 'info', found none"),
        (b"d4:infoi1ee", "torrent, info: expected a dictionary, found an integer"),
        (b"<html>", "bencoding, byte 0: expected a value"),
        (b"d8:announcei1e" + SMALLEST, "'announce': expected a string, found an integer"),
        (b"d13:announce-listi1e" + SMALLEST, "'announce-list': expected a list, found an integer"),
        (b"d13:announce-listl1:ae" + SMALLEST, "'announce-list': expected a list of lists of URLs"),
        (b"d13:announce-listlli1eee" + SMALLEST, "'announce-list': expected a string, found an integer"),
    ],
)
def test_non_torrent_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(WireError, match=problem):
        decode_metainfo(data)


@given(st.binary(max_size=80), st.data())
def test_damaged_torrent_raises_only_wire_errors(garbage: bytes, data: st.DataObject) -> None:
    torrent = bytearray(Metainfo(make_info("f", 5, 4, [bytes(20)] * 2), announce="http://t/announce").encode())
    at = data.draw(st.integers(0, len(torrent)))
    torrent[at : at + len(garbage)] = garbage
    try:
        decode_metainfo(bytes(torrent))
    except WireError:
        return


def test_empty_tier_is_left_out() -> None:
    assert decode_metainfo(b"d13:announce-listllel1:aee" + SMALLEST).announce_list == (("a",),)


def test_piece_length_grows_with_torrent() -> None:
    assert usual_piece_length(1) == 16 << 10
    assert usual_piece_length(1 << 30) == 1 << 20
    assert usual_piece_length(1 << 50) == 16 << 20


MAGNETS = st.builds(
    Magnet,
    HASHES,
    st.none() | TEXTS,
    st.lists(TEXTS, max_size=2).map(tuple),
    st.lists((IPV4_ADDRESSES | IPV6_ADDRESSES).filter(lambda a: a.port > 0), max_size=2).map(tuple),
)


@given(MAGNETS)
def test_magnet_link_survives_round_trip(magnet: Magnet) -> None:
    assert decode_magnet(magnet.encode()) == magnet


@pytest.mark.parametrize(
    "link",
    [
        "magnet:?xt=urn:btih:d0d14c926e6e99761a2fdcff27b403d96376eff6",
        "MAGNET:?xt=urn:BTIH:D0D14C926E6E99761A2FDCFF27B403D96376EFF6",
        "magnet:?xt=urn:btih:2DIUZETON2MXMGRP3T7SPNAD3FRXN37W",
        "magnet:?xt.1=urn:btmh:1220aa&xt.2=urn:btih:2diuzeton2mxmgrp3t7spnad3frxn37w&as=x",
    ],
)
def test_info_hash_may_be_hex_or_base32(link: str) -> None:
    assert decode_magnet(link) == Magnet(SPEC_HASH)


def test_all_fields_of_magnet_link_are_read() -> None:
    link = (
        f"magnet:?xt=urn:btih:{SPEC_HASH.hex()}&dn=a+b%26c&tr=http%3A%2F%2Ft%2Fannounce%3Fk%3D1&tr=udp%3A%2F%2Ft%3A6969"
        "&x.pe=198.18.0.5:6881&x.pe=peer.example:1&x.pe=[2001:db8::1]:6881"
    )
    peers = (Address("198.18.0.5", 6881), Address("peer.example", 1), Address("2001:db8::1", 6881))
    assert decode_magnet(link) == Magnet(SPEC_HASH, "a b&c", ("http://t/announce?k=1", "udp://t:6969"), peers)


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("http://x", "expected 'magnet:[?]' in front, found 'http://x'"),
        ("magnet:?dn=x", "expected xt=urn:btih:<info-hash>, found none"),
        ("magnet:?xt=urn:btmh:1220", "a torrent of version 2 alone is not supported"),
        ("magnet:?xt=urn:sha1:1220", "expected xt=urn:btih:<info-hash>, found urn:sha1:1220"),
        ("magnet:?xt=urn:btih:abc", "expected an info-hash of 40 hex or 32 base32 digits, found 'abc'"),
        (f"magnet:?xt=urn:btih:{'0' * 40}&x.pe=nowhere", "expected host:port"),
        (f"magnet:?xt=urn:btih:{'0' * 40}&dn=%ff", "expected UTF-8 text"),
        ("magnet:?" + "tr=x&" * 1001, "at most 1000 fields"),
    ],
)
def test_unusable_magnet_link_is_described(link: str, problem: str) -> None:
    with pytest.raises(WireError, match=problem):
        decode_magnet(link)


@given(st.text(max_size=60))
def test_any_text_is_magnet_link_or_refused(text: str) -> None:
    for link in (text, f"magnet:?xt=urn:btih:{text}", f"magnet:?xt=urn:btih:{SPEC_HASH.hex()}&{text}"):
        try:
            decode_magnet(link)
        except WireError:
            continue


def test_encoded_torrents_are_canonical() -> None:
    encoded = Metainfo(make_info("f", 5, 4, [bytes(20)] * 2), "http://t", (("a", "b"),), "c", "d", 1).encode()
    assert encode(decode(encoded)) == encoded
