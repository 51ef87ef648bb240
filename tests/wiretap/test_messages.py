"""What is said in messages of the peer wire and of trackers."""

import struct
from pathlib import Path

import pytest

from tests.wiretap.captures import (
    BEGAN,
    HASH,
    PEER,
    RESERVED,
    THEM,
    US,
    Talk,
    block,
    ethernet,
    extended,
    handshake,
    message,
    piece,
    read_frames,
    udp,
)

OPENED = Talk().open().say(0, handshake()).say(1, handshake(b"-LT2100-abcdefghijkl"))
MESSAGES = [
    (bytes(4), "keep-alive", {}),
    (message(0), "choke", {}),
    (message(1), "unchoke", {}),
    (message(2), "interested", {}),
    (message(3), "not interested", {}),
    (block(4, 7), "have", {"index": 7}),
    (message(5, b"\xff\x80"), "bitfield", {"bytes": 2, "count": 9, "bits": "ff80"}),
    (message(5, b"\x0f" * 100), "bitfield", {"bytes": 100, "count": 400}),
    (block(6, 1, 2, 3), "request", {"index": 1, "begin": 2, "length": 3}),
    (piece(4, 5, 6), "piece", {"index": 4, "begin": 5, "length": 6}),
    (block(8, 1, 2, 3), "cancel", {"index": 1, "begin": 2, "length": 3}),
    (message(9, b"\x1a\xe1"), "port", {"port": 6881}),
    (block(13, 5), "suggest piece", {"index": 5}),
    (message(14), "have all", {}),
    (message(15), "have none", {}),
    (block(16, 1, 2, 3), "reject request", {"index": 1, "begin": 2, "length": 3}),
    (block(17, 5), "allowed fast", {"index": 5}),
    (message(21, bytes(48)), "unknown 21", {}),
]


@pytest.mark.parametrize(("said", "kind", "fields"), MESSAGES)
@pytest.mark.parametrize("most", [3, 2000])
def test_each_message_has_its_kind_and_fields(
    said: bytes, kind: str, fields: dict[str, object], most: int, tmp_path: Path
) -> None:
    result = read_frames(Talk().open().say(0, handshake()).say(0, said + message(2), most).frames, tmp_path)
    found = result.messages[1]
    assert (found.kind, found.length, dict(found.fields)) == (kind, len(said), fields)
    assert result.kinds[2:] == ["interested"]


def test_a_handshake_names_torrent_peer_and_extensions(tmp_path: Path) -> None:
    first = read_frames(OPENED.frames, tmp_path).messages[0]
    assert first.fields == {"reserved": RESERVED.hex(), "info_hash": HASH.hex(), "peer_id": PEER.hex()}


def test_extensions_have_the_names_that_the_receiver_gave_them(tmp_path: Path) -> None:
    talk = Talk().open().say(0, handshake()).say(1, handshake())
    talk.say(0, extended(0, b"d1:md11:ut_metadatai9e6:ut_pexi4ee13:metadata_sizei123e4:reqqi250e1:v6:clientee"))
    talk.say(1, extended(0, b"d1:md11:ut_metadatai3e6:ut_pexi1eee"))
    talk.say(0, extended(3, b"d8:msg_typei0e5:piecei2ee"))
    talk.say(1, extended(9, b"d8:msg_typei1e5:piecei2e10:total_sizei123ee" + bytes(123)))
    talk.say(1, extended(4, b"d5:added12:abcdefabcdef7:dropped6:abcdefe"))
    talk.say(0, extended(200, b"d1:xi1ee"))
    result = read_frames(talk.frames, tmp_path)
    said = [dict(each.fields) for each in result.messages if each.kind == "extended"]
    assert said == [
        {
            "id": 0,
            "name": "handshake",
            "m": {"ut_metadata": 9, "ut_pex": 4},
            "metadata_size": 123,
            "reqq": 250,
            "v": "client",
        },
        {"id": 0, "name": "handshake", "m": {"ut_metadata": 3, "ut_pex": 1}},
        {"id": 3, "name": "ut_metadata", "msg_type": 0, "piece": 2},
        {"id": 9, "name": "ut_metadata", "msg_type": 1, "piece": 2, "total_size": 123},
        {"id": 4, "name": "ut_pex", "added": 2, "dropped": 1},
        {"id": 200},
    ]


def test_malformed_bencoding_leaves_fields_out(tmp_path: Path) -> None:
    talk = Talk().open().say(0, handshake())
    for said in (b"d1:m", b"i5e", b"d1:md1:ai999eee", b"d1:v99:xe", b"l" * 500, b"d1:mi5e4:reqq1:xe", b""):
        talk.say(0, extended(0, said))
    result = read_frames(talk.frames, tmp_path)
    assert result.counts == {"handshake": 1, "extended": 7}


def test_announcements_over_http_are_read(tmp_path: Path) -> None:
    ask = (
        b"GET /announce?info_hash=" + b"".join(b"%%%02x" % byte for byte in HASH) + b"&peer_id=" + PEER + b"&port=6881"
        b"&uploaded=1&downloaded=2&left=3&event=started&numwant=50&compact=1 HTTP/1.1\r\nHost: t\r\n\r\n"
    )
    body = b"d8:completei1e10:incompletei2e8:intervali1800e5:peers12:abcdefabcdefe"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    again = b"HTTP/1.1 200 OK\r\n\r\nd14:failure reason4:gonee"
    talk = Talk(ports=(40_000, 6969)).open().say(0, ask, 50).say(1, answer, 30).say(0, ask).say(1, again).close()
    result = read_frames(talk.frames, tmp_path)
    assert result.kinds == ["announce", "announce answer"] * 2
    assert result.messages[0].fields == {
        "info_hash": HASH.hex(),
        "peer_id": PEER.hex(),
        "event": "started",
        "port": 6881,
        "uploaded": 1,
        "downloaded": 2,
        "left": 3,
        "numwant": 50,
        "compact": 1,
    }
    assert result.messages[1].fields == {"status": 200, "interval": 1800, "complete": 1, "incomplete": 2, "peers": 2}
    assert result.messages[3].fields == {"status": 200, "failure": "gone"}
    assert result.reading.connections[0].application == "http tracker"


def test_other_http_is_told_from_trackers(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 206 Partial Content\r\ncontent-length: 100000\r\n\r\n" + bytes(100_000)
    talk = Talk().open().say(0, b"GET /file HTTP/1.1\r\n\r\n").say(1, answer).say(0, b"GET /more HTTP/1.1\r\n\r\n")
    result = read_frames(talk.frames, tmp_path)
    assert result.kinds == ["http request", "http answer", "http request"]
    assert result.messages[1].fields == {"status": 206, "length": 100_000}
    assert result.reading.connections[0].application == "http"


def test_exchanges_with_udp_trackers_are_read(tmp_path: Path) -> None:
    ours, theirs, identity = (5000, 6969), (6969, 5000), b"identity"
    ask = identity + struct.pack(">II", 1, 8) + HASH + PEER + struct.pack(">QQQIIIiH", 1, 2, 3, 2, 0, 0, -1, 6881)
    datagrams = [
        udp(US, THEM, ours, struct.pack(">QII", 0x41727101980, 0, 7)),
        udp(THEM, US, theirs, struct.pack(">II", 0, 7) + identity),
        udp(US, THEM, ours, ask),
        udp(THEM, US, theirs, struct.pack(">IIIII", 1, 8, 1800, 4, 5) + bytes(18)),
        udp(US, THEM, ours, identity + struct.pack(">II", 2, 9) + HASH),
        udp(THEM, US, theirs, struct.pack(">II", 3, 9) + b"not here"),
        udp(US, THEM, ours, b"something else"),
        udp(US, THEM, (1, 53), bytes(98)),
    ]
    result = read_frames([(BEGAN, ethernet(each)) for each in datagrams], tmp_path)
    assert result.kinds == ["connect", "connect answer", "announce", "announce answer", "scrape", "error"]
    assert result.messages[2].fields == {
        "info_hash": HASH.hex(),
        "peer_id": PEER.hex(),
        "downloaded": 1,
        "left": 2,
        "uploaded": 3,
        "event": "started",
        "numwant": -1,
        "port": 6881,
    }
    assert result.messages[3].fields == {"interval": 1800, "incomplete": 4, "complete": 5, "peers": 3}
    assert result.messages[5].fields == {"failure": "not here"}
    assert [each.application for each in result.reading.connections] == ["udp tracker"]
    assert result.reading.losses.unreadable_bytes == len(b"something else")


def test_what_is_encrypted_is_counted(tmp_path: Path) -> None:
    talk = Talk().open().say(0, bytes(range(7, 207))).say(1, bytes(range(9, 109)))
    reading = read_frames(talk.frames, tmp_path).reading
    assert (reading.connections[0].application, reading.losses.unreadable_bytes) == ("unknown", 300)
