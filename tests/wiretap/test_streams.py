"""Streams are put together again, whatever happened to their packets, and what is missing is counted."""

import struct
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.wiretap.protocols.reader import Findings
from testbed.wiretap.streams.conversations import Conversations
from tests.wiretap.captures import (
    ACK,
    BEGAN,
    ETHERNET,
    FIN,
    RST,
    SECOND,
    SYN,
    THEM,
    US,
    Result,
    Talk,
    block,
    ethernet,
    handshake,
    ip,
    message,
    pcap,
    piece,
    read_bytes,
    read_frames,
    tcp,
)
from tests.wiretap.fuzz.mutations import FRAMES, Frames

HAVES = b"".join(block(4, index) for index in range(20))
STREAM = handshake() + message(2) + HAVES + piece(1, 0) + bytes(4) + block(6, 1, 2, 3) + piece(2, 16384) + message(0)
HIGHER = 1 << 20
KINDS = ["handshake", "interested", *["have"] * 20, "piece", "keep-alive", "request", "piece", "choke"]


def indexes(result: Result) -> list[int]:
    return [each.fields["index"] for each in result.messages if each.kind == "have"]


def test_messages_are_found_wherever_segments_begin(tmp_path: Path) -> None:
    for most in (1, 5, 68, 1448, 60_000):
        talk = Talk().open().say(0, STREAM, most)
        result = read_frames(talk.frames, tmp_path)
        assert result.kinds == KINDS
        assert result.reading.connections[0].forward.payload == len(STREAM)


def test_a_message_tells_where_it_stands(tmp_path: Path) -> None:
    result = read_frames(Talk().open().say(0, STREAM, 100).frames, tmp_path)
    assert [message.offset for message in result.messages[:3]] == [0, 68, 73]
    assert all(before.offset + before.length == after.offset for before, after in pairwise(result.messages))
    whole = result.messages[22]
    assert (whole.kind, whole.length) == ("piece", 13 + 16384)
    assert whole.fields == {"index": 1, "begin": 0, "length": 16384}
    # The packet that brought its last byte; the first three opened the connection.
    assert whole.packet == 3 + -(-(whole.offset + whole.length) // 100)
    assert whole.time == BEGAN + (whole.packet - 1) * SECOND // 1000


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(100, 3000), min_size=1, max_size=9),
    st.integers().map(Random),
)
def test_cut_reordered_and_repeated_segments_give_the_same_messages(start: int, sizes: list[int], rng: Random) -> None:
    """Sequence numbers wrap around where they will."""
    talk = Talk(sequences=[start, 7]).open()
    segments, at = [], 0
    while at < len(STREAM):
        size = sizes[len(segments) % len(sizes)]
        early = rng.choice((0, 0, 0, min(at, 50)))
        segments.append((at - early, STREAM[at - early : at + size]))
        at += size
    segments += rng.sample(segments, len(segments) // 4)
    rng.shuffle(segments)
    for offset, data in segments:
        talk.segment(0, talk.sequences[0] + offset, data)
    with TemporaryDirectory() as folder:
        result = read_frames(talk.frames, Path(folder))
    assert result.kinds == KINDS
    assert indexes(result) == list(range(20))
    direction, losses = result.reading.connections[0].forward, result.reading.losses
    assert direction.payload == len(STREAM)
    assert direction.retransmitted == sum(len(data) for _, data in segments) - len(STREAM)
    assert (losses.missing_bytes, losses.unreadable_bytes) == (0, 0)


def test_of_bytes_that_differ_the_first_copy_counts(tmp_path: Path) -> None:
    talk = Talk().open().say(0, handshake()).say(0, block(4, 1))
    talk.segment(0, talk.sequences[0] - 9, block(4, 2) + block(4, 3))
    result = read_frames(talk.frames, tmp_path)
    assert indexes(result) == [1, 3]
    assert result.reading.connections[0].forward.retransmitted == 9


def test_a_gap_within_a_block_hides_no_message(tmp_path: Path) -> None:
    talk = Talk().open().say(0, STREAM)
    at = next(k for k, (_, frame) in enumerate(talk.frames) if frame.endswith(b"\xa5" * 1448))
    talk.lose(at)
    result = read_frames(talk.packet(1).frames, tmp_path)
    assert result.kinds == KINDS
    assert result.reading.losses.missing_bytes == 1448
    assert [each.packet for each in result.messages] == sorted(each.packet for each in result.messages)


def test_after_a_gap_messages_are_found_again(tmp_path: Path) -> None:
    talk = Talk().open().say(0, handshake()).say(0, HAVES, 9)
    del talk.frames[8:11]
    result = read_frames(talk.packet(1).frames, tmp_path)
    assert indexes(result) == [0, 1, 2, 3, *range(7, 20)]
    assert result.reading.losses.missing_bytes == 27


def test_what_waits_is_read_once_the_other_end_has_had_all_of_it_for_a_while(tmp_path: Path) -> None:
    talk = Talk().open().say(0, handshake()).say(0, HAVES, 9).lose(8)
    acknowledged = len(talk.packet(1).frames)
    other = Talk(ports=(7, 8)).open().say(0, handshake())
    later = [(time + SECOND, frame) for time, frame in other.frames]
    again = (BEGAN + 2 * SECOND, ethernet(tcp(THEM, US, (6881, 40_000), talk.sequences[1], acknowledgement=HIGHER)))
    result = read_frames([*talk.frames, *later, again], tmp_path)
    haves = [each for each in result.messages if each.kind == "have"]
    assert len(haves) == 19
    # They have the packets that brought them, not the one that told that nothing is to come.
    assert all(each.packet < acknowledged for each in haves)
    assert result.messages[-1].connection == 1


def test_lost_in_random_bytes_nothing_is_made_up(tmp_path: Path) -> None:
    """A message too long for any client: from there on nothing is certain."""
    noise = Random(1).randbytes(200_000)
    result = read_frames(Talk().open().say(0, handshake() + b"\xff" * 8 + noise).frames, tmp_path)
    assert result.kinds == ["handshake"]
    assert result.reading.losses.unreadable_bytes == 8 + len(noise)


def test_zeros_are_no_proof_of_messages(tmp_path: Path) -> None:
    result = read_frames(Talk().say(0, bytes(100_000)).frames, tmp_path)
    assert result.kinds == []
    assert result.reading.losses.unreadable_bytes == 100_000


@pytest.mark.parametrize("skipped", [3, 5, 12, 20])
def test_a_capture_that_begins_mid_flow_finds_the_messages(skipped: int, tmp_path: Path) -> None:
    pieces = b"".join(piece(index, 0) for index in range(10))
    talk = Talk().open().say(0, handshake() + pieces)
    result = read_frames(talk.frames[skipped + 3 :], tmp_path)
    found = [each.fields["index"] for each in result.messages]
    assert found == list(range(found[0], 10))
    assert found[0] <= skipped * 1448 // 16384 + 1
    summary = result.reading.connections[0]
    assert (summary.application, summary.has_begin) == ("peer wire", False)
    assert result.reading.losses.unreadable_bytes == result.messages[0].offset


def test_mid_flow_offsets_count_from_the_first_captured_byte(tmp_path: Path) -> None:
    talk = Talk().open().say(0, handshake()).say(0, HAVES, 90)
    result = read_frames(talk.frames[5:], tmp_path)
    assert [each.offset for each in result.messages] == [9 * k for k in range(10)]


def test_ports_that_are_used_again_make_a_new_connection(tmp_path: Path) -> None:
    first = Talk().open().say(0, handshake()).close()
    second = Talk(sequences=[77_000, 88_000]).open().say(0, handshake() + message(2)).packet(1, RST)
    result = read_frames(first.frames + second.frames, tmp_path)
    assert [(each.connection, each.kind) for each in result.messages] == [
        (0, "handshake"),
        (1, "handshake"),
        (1, "interested"),
    ]
    assert [each.end for each in result.reading.connections] == ["closed", "reset"]


def test_a_repeated_syn_opens_no_other_connection(tmp_path: Path) -> None:
    talk = Talk().open()
    result = read_frames([talk.frames[0], *talk.say(0, handshake()).frames], tmp_path)
    assert len(result.reading.connections) == 1
    assert result.kinds == ["handshake"]


def test_the_opener_is_who_sent_the_syn_even_if_only_the_answer_was_captured(tmp_path: Path) -> None:
    result = read_frames(Talk().open().say(0, handshake()).frames[1:], tmp_path)
    summary = result.reading.connections[0]
    assert (summary.opener, summary.acceptor, summary.has_begin) == ((US, 40_000), (THEM, 6881), False)
    assert result.kinds == ["handshake"]


def test_round_trips_are_measured(tmp_path: Path) -> None:
    talk = Talk().open()
    for _ in range(4):
        talk.say(0, STREAM[:100]).packet(1)
    summary = read_frames(talk.frames, tmp_path).reading.connections[0]
    assert summary.handshake_rtt == 2 * SECOND // 1000
    assert summary.rtts == [SECOND // 1000] * 4


def test_samples_of_a_long_connection_stay_few(tmp_path: Path) -> None:
    talk = Talk().open()
    for _ in range(3000):
        talk.say(0, b"x").packet(1)
    assert 100 < len(read_frames(talk.frames, tmp_path).reading.connections[0].rtts) < 300


def test_retransmitted_and_reordered_packets_are_counted(tmp_path: Path) -> None:
    talk = Talk().open().say(0, handshake()).say(0, HAVES, 90)
    talk.segment(0, talk.sequences[0] - 90, HAVES[90:])
    talk.frames[4], talk.frames[5] = talk.frames[5], talk.frames[4]
    forward = read_frames(talk.frames, tmp_path).reading.connections[0].forward
    assert (forward.packets, forward.payload, forward.retransmitted, forward.out_of_order) == (6, 248, 90, 1)


def test_ipv6_extension_headers_are_skipped(tmp_path: Path) -> None:
    ends = ("2001:db8::1", "2001:db8::2")
    talk = Talk(ends).open().say(0, handshake())
    hop_by_hop, options, whole = b"\x3c" + bytes(7), b"\x2c\x01" + bytes(14), b"\x06" + bytes(7)
    frames = []
    for time, frame in talk.frames:
        who = ends if frame[14 + 23] == 1 else ends[::-1]
        frames.append((time, ethernet(ip(*who, 6, frame[54:], hop_by_hop + options + whole))))
    assert read_frames(frames, tmp_path).kinds == ["handshake"]


@pytest.mark.parametrize("ends", [(US, THEM), ("2001:db8::1", "2001:db8::2")])
def test_frames_longer_than_64_kib_have_the_length_of_the_frame(ends: tuple[str, str], tmp_path: Path) -> None:
    stream = handshake() + b"".join(piece(index, 0) for index in range(12))
    result = read_frames(Talk(ends).open().say(0, stream, 150_000).frames, tmp_path)
    assert result.counts == {"handshake": 1, "piece": 12}


def test_a_total_length_of_zero_is_that_of_the_frame(tmp_path: Path) -> None:
    talk = Talk().open().say(0, handshake() + HAVES)
    frames = [(time, frame[:16] + bytes(2) + frame[18:]) for time, frame in talk.frames]
    assert read_frames(frames, tmp_path).counts["have"] == 20


def test_padding_of_short_frames_is_no_payload(tmp_path: Path) -> None:
    talk = Talk().open().say(0, handshake()).packet(1)
    frames = [(time, frame + bytes(6)) for time, frame in talk.frames]
    assert read_frames(frames, tmp_path).reading.connections[0].back.payload == 0


def test_more_data_than_is_kept_behind_a_gap_gives_the_gap_up(tmp_path: Path) -> None:
    """In a capture of one direction nothing is acknowledged."""
    talk = Talk().open().say(0, handshake() + b"".join(piece(index, 0) for index in range(200))).lose(10)
    result = read_frames([frame for frame in talk.frames if frame[1][26:30] == talk.frames[0][1][26:30]], tmp_path)
    assert result.counts["piece"] == 200
    assert result.reading.losses.missing_bytes == 1448


def test_a_sequence_number_from_elsewhere_spoils_nothing(tmp_path: Path) -> None:
    talk = Talk().open().say(0, handshake())
    talk.segment(0, talk.sequences[0] + (1 << 30), b"astray").say(0, HAVES)
    result = read_frames(talk.frames, tmp_path)
    assert result.counts["have"] == 20
    assert result.reading.losses.missing_bytes == 0
    assert result.reading.losses.unreadable_bytes == len(b"astray")


def test_a_long_pause_of_the_capture_is_a_gap(tmp_path: Path) -> None:
    talk = Talk().open().say(0, handshake()).packet(1)
    talk.sequences[0] += 1 << 30
    talk.packet(1).say(0, HAVES, 90).packet(1)
    result = read_frames(talk.frames, tmp_path)
    assert result.counts["have"] == 20
    assert result.reading.losses.missing_bytes == 1 << 30


def test_what_was_acknowledged_and_never_captured_is_missing(tmp_path: Path) -> None:
    talk = Talk().open().say(0, handshake()).say(0, HAVES).lose(-1).packet(1).close()
    assert read_frames(talk.frames, tmp_path).reading.losses.missing_bytes == len(HAVES)


def test_a_damaged_header_length_is_counted(tmp_path: Path) -> None:
    frame = bytearray(ethernet(tcp(US, THEM, (1, 2), 3)))
    frame[46] = 0xF0
    assert read_bytes(pcap([(0, bytes(frame))]), tmp_path).reading.losses.packets == 1


def test_connections_beyond_a_limit_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testbed.wiretap.streams.conversations._MOST_CONNECTIONS", 3)
    frames = [(0, ethernet(tcp(US, THEM, (port, 2), 3, flags=SYN))) for port in range(1, 6)]
    reading = read_frames(frames, tmp_path).reading
    assert (len(reading.connections), reading.losses.connections) == (3, 2)


def test_the_end_of_a_connection_is_no_byte(tmp_path: Path) -> None:
    talk = Talk().open().say(0, handshake()).close()
    reading = read_frames(talk.frames, tmp_path).reading
    assert (reading.connections[0].end, reading.losses.missing_bytes) == ("closed", 0)
    assert struct.unpack_from(">B", talk.frames[-2][1], 47)[0] == FIN | ACK


@pytest.mark.parametrize("frames", FRAMES)
def test_all_memory_is_given_back(frames: Frames) -> None:
    """But for samples of round trips, which are kept."""
    findings = Findings()
    before = findings.allowance.left
    rng = Random(1)
    conversations = Conversations(findings)
    some = [frame for frame in frames if rng.random() < 0.8]
    list(conversations.read((time, data, 0, len(data), len(data), ETHERNET) for time, data in some))
    samples = sum(len(each.rtts) for each in conversations.summaries)
    assert before - findings.allowance.left == 40 * samples


def test_without_memory_less_is_read_and_that_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testbed.wiretap.protocols.reader.Allowance.take", lambda *_: False)
    talk = Talk().open().say(0, handshake()).say(0, message(5, b"\xff" * 3000), 1000).say(0, HAVES, 9).lose(-5)
    result = read_frames(talk.say(0, message(2)).frames, tmp_path)
    assert result.counts == {"handshake": 1, "bitfield": 1, "have": 19, "interested": 1}
    assert (result.reading.losses.cut_messages, result.reading.losses.missing_bytes) == (1, 9)
