"""Captures of real clients on a loopback interface are read with scapy: our peer, libtorrent, both kinds of tracker."""

import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP
from scapy.packet import Packet, Raw
from scapy.utils import rdpcap

from testbed.network import sandbox
from testbed.wiretap.layers import (
    AnnounceAnswer,
    ExtensionHandshake,
    Handshake,
    HttpAnnounce,
    MetadataData,
    PeerWire,
    Piece,
    Request,
    UdpAnnounce,
    UdpAnnounceAnswer,
    UdpConnectAnswer,
)
from tests.peer.bittorrent.conformance.contents import one_file
from tests.peer.bittorrent.conformance.swarms import HERE as CLIENTS
from tests.peer.programs import SOON, Program, Share, events_so_far, leeching, running, seeding, wait_until
from tests.wiretap.layers.values import messages_of, raw_of, reassembled

pytestmark = pytest.mark.kernel

PIECE = 32 << 10
CONTENT = one_file("file", 7 * PIECE + 12_345, PIECE)
BLOCKS = {(piece, begin) for piece in range(8) for begin in (0, 16384) if (piece, begin) != (7, 16384)}
HEADERS = 14 + 40 + 12 + 96
"""Enough of a packet for Ethernet, IP, TCP with time stamps, and 96 bytes."""


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Capture two swarms at once in a sandbox: whole packets, and their headers."""
    if not sandbox.is_machine_root():
        pytest.skip("tcpdump cannot drop privileges in a user namespace")
    folder = tmp_path_factory.mktemp("captures")
    whole, headers = folder / "whole.pcap", folder / "headers.pcap"

    def body() -> None:
        # scapy reads 65,535 bytes of a frame, and loopback's can be longer.
        subprocess.run(["ip", "link", "set", "lo", "mtu", "60000", "up"], check=True)
        log = folder / "tracker.log"
        with capturing(whole, 262_144), capturing(headers, HEADERS), tracker(log) as place:
            share(folder / "http", f"http://{place}/announce", log, "ours")
            share(folder / "udp", f"udp://{place}/announce", log, "libtorrent")

    sandbox.run(body)
    return {"whole": whole, "headers": headers}


@contextmanager
def capturing(file: Path, snaplen: int) -> Iterator[None]:
    command = ["tcpdump", "-i", "lo", "-w", str(file), "-s", str(snaplen), "-B", "16384", "-U", "-Z", "root", "-n"]
    with subprocess.Popen([*command, "--immediate-mode"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "listening on" in process.stderr.readline()
        yield
        process.send_signal(signal.SIGINT)
        assert "\n0 packets dropped by kernel" in process.communicate(timeout=SOON)[1]


@contextmanager
def tracker(log: Path) -> Iterator[str]:
    with running("tracker", "--bind", "127.0.0.1", "--port", 6969, "--log", log) as program:
        yield program.ready().address


def share(folder: Path, url: str, log: Path, seed: str) -> None:
    """Have a seed give the file to one of our leeches and to a libtorrent that knows only a magnet link."""
    shared = Share(folder / "file.torrent", folder / "seed" / CONTENT.name)
    shared.data.parent.mkdir(parents=True)
    CONTENT.write_torrent(shared.torrent, url)
    CONTENT.write_into(shared.data.parent)
    before = len(events_so_far(log))
    seeder = seeding(shared) if seed == "ours" else libtorrent("seed", shared.torrent, shared.data.parent)
    with seeder as source:
        # Who announces before the seed does learns of it half an hour later.
        wait_until(lambda: len(events_so_far(log)) > before)
        with leeching(shared.torrent, "--to", folder / "ours") as ours:
            with libtorrent("leech", CONTENT.magnet(url), folder / "libtorrent") as theirs:
                assert [ours.line(), theirs.line()] == ["completed", "completed"]
                assert theirs.end() == 0
            assert ours.end() == 0
        assert source.end() == 0


@contextmanager
def libtorrent(role: str, torrent: object, folder: Path) -> Iterator[Program]:
    """Run libtorrent. It is killed at the end of the block, or when the test hangs."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, CLIENTS / "libtorrent_client.py", role, torrent, folder, "--bind", "127.0.0.1"]
    port = "6882" if role == "seed" else "6883"
    with subprocess.Popen([*map(str, command), "--port", port], stdout=subprocess.PIPE, text=True) as process:
        watchdog = threading.Timer(6 * SOON, process.kill)
        watchdog.start()
        try:
            yield Program(process).ready()
        finally:
            watchdog.cancel()
            process.kill()


@pytest.fixture(scope="module")
def whole(captures: dict[str, Path]) -> Sequence[Packet]:
    return reassembled(captures["whole"])


def directions(packets: Sequence[Packet]) -> dict[tuple[int, int], list[Packet]]:
    """Return the messages of the peer wire by ports."""
    found: dict[tuple[int, int], list[Packet]] = {}
    for packet in packets:
        if PeerWire in packet:
            found.setdefault((packet[TCP].sport, packet[TCP].dport), []).extend(packet[PeerWire].messages)
    return found


def test_each_connection_begins_with_one_handshake_each_way(whole: Sequence[Packet]) -> None:
    for messages in directions(whole).values():
        assert [isinstance(message, Handshake) for message in messages] == [True, *[False] * (len(messages) - 1)]
        assert messages[0].info_hash == CONTENT.info.info_hash


def test_every_block_went_over_the_wire_and_was_requested(whole: Sequence[Packet]) -> None:
    by_ports = directions(whole)
    received: Counter[tuple[int, int]] = Counter()
    for (sport, dport), messages in by_ports.items():
        blocks = [(message.index, message.begin) for message in messages if isinstance(message, Piece)]
        asked = {(m.index, m.begin) for m in by_ports.get((dport, sport), []) if isinstance(m, Request)}
        assert set(blocks) <= asked
        received.update(blocks)
    assert set(received) == BLOCKS
    assert min(received.values()) >= 4


def test_blocks_have_the_bytes_of_the_file(whole: Sequence[Packet]) -> None:
    file = CONTENT.files[""]
    for piece in (message for message in messages_of(whole) if isinstance(message, Piece)):
        start = piece.index * PIECE + piece.begin
        assert piece.block == file[start : start + piece.length]


def test_nothing_of_a_peer_wire_is_unreadable(whole: Sequence[Packet]) -> None:
    wire = [packet for packet in whole if TCP in packet and (packet[TCP].sport, packet[TCP].dport) in directions(whole)]
    assert wire
    assert raw_of(wire) == b""


def test_libtorrent_got_the_info_dictionary_and_all_named_their_extensions(whole: Sequence[Packet]) -> None:
    data = [message for message in messages_of(whole) if MetadataData in message]
    assert {bytes(message[Raw].load) for message in data} == {CONTENT.info.raw}
    versions = {message[ExtensionHandshake].v for message in messages_of(whole) if ExtensionHandshake in message}
    assert {version.split(b"/")[0].split(b" ")[0].lower() for version in versions} == {b"testbed", b"libtorrent"}


def test_announcements_and_answers_are_read(whole: Sequence[Packet]) -> None:
    announces = [message for message in messages_of(whole) if isinstance(message, HttpAnnounce)]
    assert {message.info_hash for message in announces} == {CONTENT.info.info_hash}
    assert {b"started", b"completed", b"stopped"} <= {message.event for message in announces}
    assert any(message[AnnounceAnswer].addresses for message in messages_of(whole) if AnnounceAnswer in message)
    datagrams = [packet for packet in whole if UdpAnnounce in packet]
    assert {packet[UdpAnnounce].info_hash for packet in datagrams} == {CONTENT.info.info_hash}
    answers = [packet[UdpAnnounceAnswer] for packet in whole if UdpAnnounceAnswer in packet]
    assert answers
    assert {host for answer in answers for host, _ in answer.peers} == {"127.0.0.1"}
    assert any(UdpConnectAnswer in packet for packet in whole)


def test_headers_alone_show_the_same_messages(whole: Sequence[Packet], captures: dict[str, Path]) -> None:
    cut, full = directions(reassembled(captures["headers"])), directions(whole)
    for ports, messages in full.items():
        assert bytes(cut[ports][0]) == bytes(messages[0])
        assert ids(cut[ports]) <= ids(messages)
    assert sum(map(len, cut.values())) > sum(map(len, full.values())) / 2


def ids(messages: Sequence[Packet]) -> Counter[int | None]:
    """Count messages by id: one of which a part is cut off has no other field for sure."""
    return Counter(getattr(message, "id", None) for message in messages)


def test_packet_by_packet_shows_handshakes_and_announcements(captures: dict[str, Path]) -> None:
    packets = rdpcap(str(captures["whole"]))
    assert any(Handshake in packet for packet in packets)
    assert any(HttpAnnounce in packet for packet in packets)
    assert all(bytes(packet[IP]) == bytes(IP(packet[IP].original)) for packet in packets if IP in packet)
