"""In captures of our peer, libtorrent and Transmission the same messages are found as by tshark."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from testbed.network import sandbox
from testbed.wiretap.files.opening import opened_capture
from testbed.wiretap.messages import Message
from tests.peer.bittorrent.conformance.contents import one_file
from tests.peer.bittorrent.conformance.swarms import Client, Swarm, Tracker
from tests.wiretap.captures import pcap, read_bytes, read_file
from tests.wiretap.comparison import Comparison, compare
from tests.wiretap.swarms import capture_swarms

pytestmark = pytest.mark.kernel

OURS, LIBTORRENT, TRANSMISSION = Client.OURS, Client.LIBTORRENT, Client.TRANSMISSION
KIB = 1024


def swarm(name: str, tracker: Tracker, seed: Client, leeches: list[Client], *, by_magnet: bool = False) -> Swarm:
    content = one_file(f"{name}.bin", 4 * KIB * KIB + 12_345, 64 * KIB)
    return Swarm(name, tracker, [seed], leeches, content, by_magnet, megabits=8)


SWARMS = [
    swarm("from-us", Tracker.OURS_HTTP, OURS, [LIBTORRENT, TRANSMISSION, OURS]),
    swarm("from-libtorrent", Tracker.OURS_UDP, LIBTORRENT, [OURS, TRANSMISSION]),
    swarm("from-transmission", Tracker.OPENTRACKER_HTTP, TRANSMISSION, [OURS, LIBTORRENT], by_magnet=True),
]
each_swarm = pytest.mark.parametrize("name", [swarm.name for swarm in SWARMS])


@dataclass(frozen=True)
class Captured:
    """The capture of one host."""

    file: Path
    comparisons: list[Comparison]


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Captured]]:
    folder = tmp_path_factory.mktemp("swarms")
    files = sandbox.run(lambda: capture_swarms(SWARMS, folder))
    return {name: [Captured(file, compare(file)) for file in of_swarm] for name, of_swarm in files.items()}


def lost_by_tshark(captured: list[Captured]) -> Iterator[tuple[Comparison, Any]]:
    for each in captured:
        for comparison in each.comparisons:
            for run in comparison.losses():
                yield comparison, run


@each_swarm
def test_both_see_the_same_messages_in_the_same_order(captures: dict[str, list[Captured]], name: str) -> None:
    messages = sum(len(comparison.ours) for each in captures[name] for comparison in each.comparisons)
    lost = list(lost_by_tshark(captures[name]))
    assert messages > 1000
    assert [run for comparison, run in lost if not comparison.is_explained(run)] == []
    alike = [not list(comparison.losses()) for each in captures[name] for comparison in each.comparisons]
    assert sum(alike) > len(alike) / 2


@each_swarm
def test_nothing_of_a_whole_capture_is_unreadable(captures: dict[str, list[Captured]], name: str) -> None:
    for each in captures[name]:
        losses = read_file(each.file).reading.losses
        assert (losses.packets, losses.fragments, losses.unreadable_bytes, losses.missing_bytes) == (0, 0, 0, 0)


@each_swarm
def test_announcements_and_metadata_are_read(captures: dict[str, list[Captured]], name: str) -> None:
    of_swarm = next(swarm for swarm in SWARMS if swarm.name == name)
    result = read_file(captures[name][-1].file)
    asked = [each for each in result.messages if each.kind == "announce"]
    assert {each.fields["info_hash"] for each in asked} == {of_swarm.content.info.info_hash.hex()}
    assert "started" in [each.fields.get("event") for each in asked]
    assert result.counts["announce answer"] == len(asked)
    named = Counter(each.fields.get("name") for each in result.messages if each.kind == "extended")
    assert named["handshake"] >= 2
    assert (named["ut_metadata"] > 0) == of_swarm.by_magnet


@each_swarm
@pytest.mark.parametrize("snaplen", [96, 128, 200])
def test_a_cut_capture_leads_to_no_message_that_was_not_sent(
    captures: dict[str, list[Captured]], name: str, snaplen: int, tmp_path: Path
) -> None:
    for each in captures[name]:
        frames = read_frames(each.file)
        found = read_bytes(pcap(frames, snaplen=snaplen), tmp_path)
        assert invented(found.messages, read_file(each.file).messages) == []
        assert len(found.messages) > 20


@each_swarm
def test_packets_that_lack_lead_to_no_message_that_was_not_sent(
    captures: dict[str, list[Captured]], name: str, tmp_path: Path
) -> None:
    rng = Random(name)
    for each in captures[name]:
        whole, frames = read_file(each.file), read_frames(each.file)
        found = read_bytes(pcap([frame for frame in frames if rng.random() > 0.02]), tmp_path)
        assert invented(found.messages, whole.messages) == []
        assert found.reading.losses.missing_bytes > 0
        assert len(found.messages) > len(whole.messages) / 2


def read_frames(file: Path) -> list[tuple[int, bytes]]:
    with opened_capture(file) as frames:
        return [(time, data[start:end]) for time, data, start, end, _, _ in frames]


def invented(found: list[Message], true: list[Message]) -> list[Message]:
    """Return the messages of which the whole capture does not have as many: a place can be off by small messages.

    That an answer is a tracker's may have been cut off.
    """
    left = Counter(map(identity, true))
    return [message for message in found if message.kind != "http answer" and not _take(left, message)]


def identity(message: Message) -> tuple[object, ...]:
    index, begin = (message.fields.get(name) for name in ("index", "begin"))
    return message.source, message.destination, message.kind, message.length, index, begin


def _take(left: Counter[tuple[object, ...]], message: Message) -> bool:
    """Remove a message; one whose fields were cut off matches any of its kind and length."""
    if message.kind in {"request", "piece", "have", "cancel", "reject request"} and "begin" not in message.fields:
        return any(key[:4] == identity(message)[:4] for key in left)
    left[identity(message)] -= 1
    return left[identity(message)] >= 0
