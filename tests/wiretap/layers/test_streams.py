"""scapy's TCPSession gives whole messages, however a connection was cut into segments and captured."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet, Raw
from scapy.utils import rdpcap

from testbed.wiretap.layers import (
    AnnounceAnswer,
    Choke,
    Handshake,
    Have,
    HttpAnnounce,
    HttpAnswer,
    Interested,
    OtherMessage,
    PeerWire,
    PeerWireMessage,
    Piece,
    Request,
    TrackerHTTP,
    Unchoke,
    bind_peer_port,
)
from tests.peer.bittorrent.wire.values import NUMBERS
from tests.wiretap.layers.values import (
    MESSAGES,
    answer,
    captured,
    cut,
    held,
    messages_of,
    names_of,
    raw_of,
    reassembled,
    segment,
)

UNKNOWN_PORT = 23_456
HANDSHAKE = bytes(Handshake(info_hash=b"h" * 20, peer_id=b"-TB0100-123456789012"))
MESSAGES_SENT = [Interested(), Piece(index=1, begin=16384, block=b"\1\2\3\4" * 300), Have(index=4), Unchoke()]
NAMES_SENT = ["interested", "piece", "have", "unchoke"]
STREAM = HANDSHAKE + b"".join(map(bytes, MESSAGES_SENT))
ANNOUNCE = bytes(HttpAnnounce(info_hash=b"h" * 20, peer_id=b"p" * 20, port=6881, left=1, headers=[(b"Host", b"x")]))
ANSWER = AnnounceAnswer(interval=1800, peers=[("198.18.0.9", 6881)])


@pytest.mark.parametrize("size", [1, 7, 100, 68, 1448, 65_000])
@pytest.mark.parametrize("port", [6881, UNKNOWN_PORT])
def test_messages_are_whole_whatever_the_segments(tmp_path: Path, size: int, port: int) -> None:
    read = reassembled(captured(tmp_path / "c.pcap", cut(STREAM, size, dport=port)))
    assert names_of(read) == ["handshake", *NAMES_SENT]
    assert b"".join(map(bytes, messages_of(read))) == STREAM


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(MESSAGES, max_size=6), st.integers(20, 400), st.randoms(use_true_random=False), NUMBERS)
def test_reordering_and_repetition_change_nothing(
    tmp_path: Path, sent: list[Packet], size: int, random: Random, isn: int
) -> None:
    stream = HANDSHAKE + b"".join(map(bytes, sent))
    first, *others = cut(stream, size, isn=isn)
    others += random.sample(others, len(others) // 2)
    random.shuffle(others)
    read = messages_of(reassembled(captured(tmp_path / "c.pcap", [first, *others])))
    assert [held(message) for message in read[1:]] == [held(PeerWireMessage(bytes(message))) for message in sent]


def test_both_directions_and_many_connections_are_kept_apart(tmp_path: Path) -> None:
    ours, theirs = cut(STREAM, 500), HANDSHAKE + bytes(Choke())
    other = cut(STREAM, 700, sport=50_000, isn=77)
    mixed = [
        ours[0],
        answer(0, theirs[:70]),
        other[0],
        ours[1],
        other[1],
        answer(70, theirs[70:]),
        *other[2:],
        *ours[2:],
    ]
    read = reassembled(captured(tmp_path / "c.pcap", mixed))
    assert [names_of(packet for packet in read if packet[TCP].sport == sport) for sport in (40_000, 50_000, 6881)] == [
        ["handshake", *NAMES_SENT],
        ["handshake", *NAMES_SENT],
        ["handshake", "choke"],
    ]


def test_messages_over_ipv6_are_read(tmp_path: Path) -> None:
    packet = IPv6(src="2001:db8::1", dst="2001:db8::2") / TCP(sport=1, dport=UNKNOWN_PORT, flags="PA") / Raw(STREAM)
    assert names_of(reassembled(captured(tmp_path / "c.pcap", [packet]))) == ["handshake", *NAMES_SENT]


def test_a_segment_that_completes_nothing_gives_no_packet(tmp_path: Path) -> None:
    read = reassembled(captured(tmp_path / "c.pcap", cut(STREAM, 1000)))
    assert [names_of([packet]) for packet in read] == [["handshake", "interested"], ["piece", "have", "unchoke"]]


def test_a_message_has_the_time_of_the_segment_that_completes_it(tmp_path: Path) -> None:
    segments = cut(HANDSHAKE, 40)
    for number, packet in enumerate(segments):
        packet.time = 100 + number
    (read,) = reassembled(captured(tmp_path / "c.pcap", segments))
    assert float(read.time) == 101


def test_only_headers_of_blocks_suffice(tmp_path: Path) -> None:
    """A snaplen cuts each segment behind its first bytes."""
    blocks = [Piece(index=n, begin=0, block=bytes([n + 1]) * 16384) for n in range(3)]
    segments = [segment(0, HANDSHAKE)]
    at = len(HANDSHAKE)
    for data in map(bytes, blocks):
        segments += [segment(at + n, data[n : n + 1448]) for n in range(0, len(data), 1448)]
        at += len(data)
    segments.append(segment(at, bytes(Have(index=9))))
    read = reassembled(with_snaplen(tmp_path / "c.pcap", segments, 40 + 96))
    assert names_of(read) == ["handshake", "piece", "piece", "piece", "have"]
    pieces = [message for message in messages_of(read) if isinstance(message, Piece)]
    assert [(piece.index, piece.length, piece.is_cut) for piece in pieces] == [(n, 16384, True) for n in range(3)]
    assert raw_of(read) == b""


def test_a_message_whose_beginning_was_cut_off_is_lost_until_a_segment_begins_with_one(tmp_path: Path) -> None:
    lost = bytes(Piece(index=0, begin=0, block=b"x" * 200)) + bytes(Request(index=1))
    stream = [HANDSHAKE, lost, bytes(Have(index=2))]
    segments = [segment(len(b"".join(stream[:n])), data) for n, data in enumerate(stream)]
    read = reassembled(with_snaplen(tmp_path / "c.pcap", segments, 40 + 96))
    assert names_of(read) == ["handshake", "piece", "have"]


def test_a_hole_is_never_read_as_keep_alives(tmp_path: Path) -> None:
    segments = [segment(0, HANDSHAKE), *(segment(68 + 5 * n, bytes(Interested())) for n in range(1200))]
    read = reassembled(captured(tmp_path / "c.pcap", [*segments[:20], *segments[25:]]))
    assert names_of(read) == ["handshake", *["interested"] * 1195]


def test_what_waits_behind_a_hole_is_given_when_the_receiver_has_acknowledged_the_hole(tmp_path: Path) -> None:
    sent = [segment(0, HANDSHAKE), *(segment(68 + 9 * n, bytes(Have(index=n))) for n in range(4))]
    reply = answer(0, HANDSHAKE)
    reply[TCP].ack = sent[3].seq
    read = reassembled(captured(tmp_path / "c.pcap", [*sent[:2], reply, *sent[3:]]))
    assert names_of(read) == ["handshake", "have", "handshake", "have", "have"]


def test_a_capture_that_begins_in_a_connection_is_read_from_a_message_on(tmp_path: Path) -> None:
    segments = [segment(0, b"block" * 200), segment(1000, bytes(Have(index=1))), segment(1009, bytes(Have(index=2)))]
    read = reassembled(captured(tmp_path / "c.pcap", segments))
    assert names_of(read) == ["have", "have"]
    assert raw_of(read) == b"block" * 200


def test_a_new_connection_between_the_same_ports_is_read(tmp_path: Path) -> None:
    both = [*cut(STREAM, 900, dport=UNKNOWN_PORT), *cut(STREAM, 900, dport=UNKNOWN_PORT, isn=2**30)]
    assert names_of(reassembled(captured(tmp_path / "c.pcap", both))) == 2 * ["handshake", *NAMES_SENT]


def test_other_connections_stay_as_they_are(tmp_path: Path) -> None:
    segments = cut(b"neither a handshake nor a request" * 9, 50, dport=UNKNOWN_PORT)
    read = reassembled(captured(tmp_path / "c.pcap", segments))
    assert [packet[Raw].load for packet in read] == [packet[Raw].load for packet in segments]


def test_a_length_of_4_gib_ends_the_reading(tmp_path: Path) -> None:
    stream = HANDSHAKE + bytes(Interested()) + b"\xff\xff\xff\xff\x07" + b"x" * 5000
    read = reassembled(captured(tmp_path / "c.pcap", cut(stream, 1000)))
    assert names_of(read) == ["handshake", "interested"]
    assert raw_of(read) == stream[len(HANDSHAKE) + 5 :]


def test_an_unknown_message_does_not_disturb_others(tmp_path: Path) -> None:
    stream = HANDSHAKE + bytes(OtherMessage(id=21, body=b"hashes")) + bytes(Have(index=1))
    assert names_of(reassembled(captured(tmp_path / "c.pcap", cut(stream, 30)))) == [
        "handshake",
        "other message",
        "have",
    ]


@pytest.mark.parametrize("size", [1, 50, 10_000])
@pytest.mark.parametrize("port", [6969, UNKNOWN_PORT])
def test_announcements_over_several_segments_are_whole(tmp_path: Path, size: int, port: int) -> None:
    back = bytes(HttpAnswer() / ANSWER)
    replies = [answer(at, back[at : at + size], sport=port) for at in range(0, len(back), size)]
    read = reassembled(captured(tmp_path / "c.pcap", [*cut(ANNOUNCE, size, dport=port), *replies]))
    assert names_of(read) == ["HTTP announce", "HTTP answer"]
    assert messages_of(read)[0].left == 1
    assert messages_of(read)[1].payload.peers == [("198.18.0.9", 6881)]


def test_an_answer_without_a_length_lasts_to_the_end_of_the_connection(tmp_path: Path) -> None:
    back = bytes(HttpAnswer(headers=[(b"Connection", b"close")]) / ANSWER)
    replies = [answer(at, back[at : at + 30], sport=6969) for at in range(0, len(back), 30)]
    end = answer(len(back), b"", sport=6969, flags="FA")
    read = reassembled(captured(tmp_path / "c.pcap", [*cut(ANNOUNCE, 99, dport=6969), *replies, end]))
    assert names_of(read) == ["HTTP announce", "HTTP answer"]
    assert messages_of(read)[1].payload.interval == 1800


def test_other_http_is_left_alone(tmp_path: Path) -> None:
    request, reply = b"GET /file HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nd8:intervali1ee"
    segments = [segment(0, request, dport=UNKNOWN_PORT), answer(0, reply, sport=UNKNOWN_PORT)]
    read = reassembled(captured(tmp_path / "c.pcap", segments))
    assert [packet[Raw].load for packet in read] == [request, reply]


def test_packet_by_packet_shows_what_begins_with_a_message(tmp_path: Path) -> None:
    segments = [segment(0, HANDSHAKE, dport=UNKNOWN_PORT), segment(68, bytes(Have(index=1))), segment(77, b"block" * 9)]
    shaken, have, block = rdpcap(str(captured(tmp_path / "c.pcap", segments)))
    assert Handshake in shaken
    assert have[Have].index == 1
    assert PeerWire not in block


def test_a_user_adds_a_port_of_peers() -> None:
    sent = bytes(IP(src="198.18.0.2", dst="198.18.0.3") / TCP(dport=4712, sport=1) / PeerWire(messages=[Have(index=1)]))
    assert Have not in IP(sent)
    bind_peer_port(4712)
    assert IP(sent)[Have].index == 1


def test_layers_are_stacked_with_their_usual_ports() -> None:
    assert (TCP() / PeerWire()).dport == 6881
    assert (TCP() / TrackerHTTP()).dport == 6969


def with_snaplen(file: Path, segments: list[Packet], snaplen: int) -> Path:
    """Write a capture of which each packet was cut."""
    built = [IP(bytes(packet)[:snaplen]) for packet in segments]
    return captured(file, built)
