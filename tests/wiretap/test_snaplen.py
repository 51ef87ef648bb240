"""Captures that keep only the first bytes of each packet."""

from pathlib import Path

import pytest

from tests.wiretap.captures import Talk, block, handshake, message, pcap, piece, read_bytes

HEADERS = 14 + 20 + 32
BLOCKS = 40


@pytest.mark.parametrize("kept", [13, 60, 96])
def test_pieces_at_the_beginning_of_segments_are_all_found(kept: int, tmp_path: Path) -> None:
    talk = Talk().open().say(0, handshake())
    for index in range(BLOCKS):
        talk.say(0, piece(index, 0))
    result = read_bytes(pcap(talk.frames, snaplen=HEADERS + kept), tmp_path)
    assert [each.fields["index"] for each in result.messages[1:]] == list(range(BLOCKS))
    assert result.reading.losses.unreadable_bytes == 0


def test_a_handshake_that_is_cut_keeps_the_fields_that_are_there(tmp_path: Path) -> None:
    talk = Talk().open().say(0, handshake()).say(0, message(2))
    result = read_bytes(pcap(talk.frames, snaplen=HEADERS + 60), tmp_path)
    assert result.kinds == ["handshake", "interested"]
    assert sorted(result.messages[0].fields) == ["info_hash", "reserved"]
    assert result.reading.losses.cut_messages == 1


def test_blocks_behind_cut_heads_follow_from_the_requests(tmp_path: Path) -> None:
    """Sent in one stream, hardly any head of a piece is at the beginning of a segment."""
    talk = Talk().open().say(0, handshake()).say(1, handshake())
    for index in range(BLOCKS):
        talk.say(1, block(6, index, 0, 16384))
    talk.say(0, b"".join(piece(index, 0) for index in range(BLOCKS)))
    result = read_bytes(pcap(talk.frames, snaplen=HEADERS + 60), tmp_path)
    pieces = [each for each in result.messages if each.kind == "piece"]
    inferred = [each for each in pieces if "inferred" in each.fields]
    assert len(pieces) > len(inferred) > 20
    assert [each.fields["index"] for each in pieces] == list(range(len(pieces)))
    whole = read_bytes(pcap(talk.frames), tmp_path)
    true = [(each.time, each.packet, each.offset, each.length) for each in whole.messages if each.kind == "piece"]
    assert [(each.time, each.packet, each.offset, each.length) for each in pieces] == true[: len(pieces)]
    stream = result.reading.connections[0].forward.payload
    assert result.reading.losses.unreadable_bytes == stream - 68 - 16397 * len(pieces)


def test_a_block_that_was_never_sent_is_not_inferred(tmp_path: Path) -> None:
    talk = Talk().open().say(0, handshake()).say(1, handshake())
    for index in range(BLOCKS):
        talk.say(1, block(6, index, 0, 16384))
    sent = [index for index in range(BLOCKS) if index != 7]
    talk.say(0, b"".join(piece(index, 0) for index in sent))
    result = read_bytes(pcap(talk.frames, snaplen=HEADERS + 60), tmp_path)
    assert all(each.fields["index"] in sent for each in result.messages if each.kind == "piece")


def test_requests_that_were_cut_are_found_again_in_the_next_segment(tmp_path: Path) -> None:
    requests = [block(6, index, 0, 16384) for index in range(40)]
    talk = Talk().open().say(0, handshake())
    for at in range(0, 40, 8):
        talk.say(0, b"".join(requests[at : at + 8]))
    result = read_bytes(pcap(talk.frames, snaplen=HEADERS + 60), tmp_path)
    found = [each.fields.get("index") for each in result.messages if each.kind == "request"]
    # Three of eight are whole, and of the fourth the index is left.
    assert found == [index for index in range(40) if index % 8 < 4]
    losses = result.reading.losses
    # The handshake, too.
    assert (losses.cut_messages, losses.unreadable_bytes) == (6, 5 * 4 * 17)
