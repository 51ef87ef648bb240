"""Capture files of all formats give the same packets, and what is no capture is refused with a reason."""

import gzip
import struct
from pathlib import Path

import pytest

from testbed.errors import ExplainedError
from testbed.wiretap import read_capture
from tests.wiretap.captures import (
    BEGAN,
    ETHERNET,
    NULL,
    RAW,
    SECOND,
    SLL,
    SLL2,
    THEM,
    US,
    Pcapng,
    Talk,
    as_link,
    ethernet,
    handshake,
    message,
    packed,
    pcap,
    read_bytes,
    tcp,
)

TALK = Talk().open().say(0, handshake()).say(1, handshake()).say(0, message(2)).say(1, message(1)).close()
SAID = ["handshake", "handshake", "interested", "unchoke"]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("unit", [1, 1000])
@pytest.mark.parametrize("is_packed", [False, True])
def test_pcap_is_read_in_both_orders_and_units(order: str, unit: int, is_packed: bool, tmp_path: Path) -> None:
    data = pcap(TALK.frames, order=order, unit=unit)
    result = read_bytes(packed(data) if is_packed else data, tmp_path)
    assert result.kinds == SAID
    assert result.messages[0].time == BEGAN + 3 * SECOND // 1000
    assert result.messages[0].packet == 4
    assert (result.reading.packets, result.reading.damage) == (len(TALK.frames), "")


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("resolution", [b"", b"\x09", b"\x8a"])
def test_pcapng_is_read_in_both_orders_and_any_unit(order: str, resolution: bytes, tmp_path: Path) -> None:
    units = {b"": 10**6, b"\x09": 10**9, b"\x8a": 1 << 10}[resolution]
    file = Pcapng(order).section("trial 3").interface(ETHERNET, 0, *[(9, resolution)] * bool(resolution))
    file.names(homes1=US, homes2="2001:db8::2")
    for time, frame in TALK.frames:
        file.packet(frame, time * units // SECOND)
    result = read_bytes(packed(file.data), tmp_path)
    assert result.kinds == SAID
    assert abs(result.messages[0].time - TALK.frames[3][0]) <= SECOND // units
    assert result.reading.comment == "trial 3"
    assert result.reading.names == {US: "homes1", "2001:db8::2": "homes2"}


def test_names_and_comment_are_known_before_messages_are_read(tmp_path: Path) -> None:
    file = Pcapng().section("a comment").interface().names(homes1=US).packet(TALK.frames[0][1], 0)
    (tmp_path / "capture").write_bytes(file.data)
    reading = read_capture(tmp_path / "capture")
    assert (reading.comment, reading.names) == ("a comment", {US: "homes1"})


def test_sections_and_interfaces_have_their_own_links_orders_and_times(tmp_path: Path) -> None:
    big = Pcapng(">").section().interface(SLL).interface(RAW, 0, (14, struct.pack(">q", 100)))
    first, second, *rest = [frame[14:] for _, frame in TALK.frames]
    big.packet(as_link(first, SLL), 0).packet(as_link(second, RAW), 5, interface=1)
    little = Pcapng("<").section().interface()
    for frame in rest:
        little.packet(ethernet(frame), 200 * 10**6)
    result = read_bytes(big.data + little.data, tmp_path)
    assert result.kinds == SAID
    assert result.reading.connections[0].began == 0
    assert result.messages[0].time == 200 * SECOND


def test_packets_without_a_time_are_read(tmp_path: Path) -> None:
    file = Pcapng().section().interface()
    for _, frame in TALK.frames:
        file.simple_packet(frame)
    assert read_bytes(file.data, tmp_path).kinds == SAID


@pytest.mark.parametrize("link", [ETHERNET, RAW, NULL, SLL, SLL2])
@pytest.mark.parametrize("ends", [(US, THEM), ("2001:db8::1", "2001:db8::2")])
def test_all_link_types_carry_both_kinds_of_ip(link: int, ends: tuple[str, str], tmp_path: Path) -> None:
    talk = Talk(ends).open().say(0, handshake()).say(1, handshake()).say(0, message(2)).say(1, message(1))
    frames = [(time, as_link(frame[14:], link)) for time, frame in talk.frames]
    result = read_bytes(pcap(frames, link=link), tmp_path)
    assert result.kinds == SAID
    assert result.messages[0].source == (ends[0], 40_000)


def test_tags_of_virtual_lans_are_skipped(tmp_path: Path) -> None:
    tags = b"\x88\xa8\0\x05\x81\0\0\x07"
    frames = [(time, ethernet(frame[14:], tags)) for time, frame in TALK.frames]
    assert read_bytes(pcap(frames), tmp_path).kinds == SAID


def test_a_file_that_ends_within_a_frame_is_read_so_far(tmp_path: Path) -> None:
    data = pcap(TALK.frames[:5])
    result = read_bytes(data[:-10], tmp_path)
    assert result.kinds == ["handshake"]
    assert result.reading.losses.unread_bytes == len(data) - len(pcap(TALK.frames[:4])) - 10
    assert "ends within a frame" in result.reading.damage


def test_a_packed_file_that_ends_too_early_is_read_so_far(tmp_path: Path) -> None:
    data = gzip.compress(pcap(TALK.frames), 0)
    result = read_bytes(data[:-300], tmp_path)
    assert result.kinds[:1] == ["handshake"]
    assert "ends too early" in result.reading.damage


def test_a_damaged_block_ends_the_reading(tmp_path: Path) -> None:
    file = Pcapng().section().interface()
    for _, frame in TALK.frames[:4]:
        file.packet(frame, 0)
    result = read_bytes(file.data + b"\x06\0\0\0\x03\0\0\0" * 4, tmp_path)
    assert result.kinds == ["handshake"]
    assert "damaged" in result.reading.damage
    assert result.reading.losses.unread_bytes == 32


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b"PK\x03\x04" + bytes(30), "ZIP"),
        (b"time,from,to\n1,2,3\n", "a text that begins with 'time,from,to"),
        (bytes(range(128, 168)), "begins with the bytes 80 81"),
        (pcap([])[:20], "ends within its head, after 20 bytes"),
        (pcap([], link=105), "link type 105"),
        (gzip.compress(b"no capture at all, but text"), "a text that begins with 'no capture"),
        (b"\x1f\x8b\x08\x00" + b"\xff" * 30, "damaged"),
        (b"\x0a\x0d\x0d\x0a" + bytes(40), "a damaged pcapng file"),
    ],
)
def test_what_is_no_capture_is_refused_with_a_reason(data: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(ExplainedError, match=f"file.*{reason}"):
        read_capture(tmp_path / "file")


def test_a_missing_file_is_an_explained_error(tmp_path: Path) -> None:
    with pytest.raises(ExplainedError, match="No such file"):
        read_capture(tmp_path / "none")
    with pytest.raises(ExplainedError, match="Is a directory"):
        read_capture(tmp_path)


def test_frames_that_are_no_segments_are_counted_or_passed(tmp_path: Path) -> None:
    whole = tcp(US, THEM, (1, 2), 3)
    fragment = bytearray(whole)
    fragment[6] = 0x20
    frames = [
        ethernet(whole[:30]),
        ethernet(bytes(fragment)),
        bytes(12) + b"\x08\x06" + bytes(28),
        b"",
        ethernet(whole),
    ]
    reading = read_bytes(pcap([(0, frame) for frame in frames]), tmp_path).reading
    assert (reading.losses.packets, reading.losses.fragments, len(reading.connections)) == (1, 1, 1)
