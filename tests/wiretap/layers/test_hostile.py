"""Whatever bytes arrive, dissecting them ends soon and raises nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.config import conf
from scapy.layers.inet import IP, TCP, UDP
from scapy.packet import Packet, Raw

from testbed.wiretap.layers import Extended, Handshake, HttpAnswer, PeerWire, PeerWireMessage
from tests.wiretap.layers.test_trackers import ANNOUNCES, BODIES, DATAGRAMS_FROM, DATAGRAMS_TO
from tests.wiretap.layers.values import HANDSHAKES, MESSAGES, captured, names_of, reassembled, segment

VALID = st.one_of(
    st.lists(MESSAGES | HANDSHAKES, min_size=1, max_size=5).map(lambda messages: PeerWire(messages=messages)),
    ANNOUNCES,
    BODIES.map(lambda body: HttpAnswer() / body),
    DATAGRAMS_TO,
    DATAGRAMS_FROM,
).map(bytes)
PORTS = [(40_000, 6881), (6881, 40_000), (40_000, 6969), (6969, 40_000), (1, 2)]
TIMES = 20_000


@pytest.fixture(autouse=True)
def _strict_scapy() -> Iterator[None]:
    """Usually scapy makes Raw of what raises an exception; here it passes on."""
    conf.debug_dissector = True
    yield
    conf.debug_dissector = False


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Draw valid bytes with some changed, removed or added."""
    data = bytearray(draw(VALID))
    for _ in range(draw(st.integers(0, 4))):
        begin = draw(st.integers(0, len(data)))
        end = draw(st.integers(begin, min(len(data), begin + 9)))
        data[begin:end] = draw(st.binary(max_size=9))
    return bytes(data)


@settings(max_examples=300)
@given(damaged() | st.binary(max_size=200), st.sampled_from(PORTS), st.sampled_from([TCP, UDP]))
def test_any_bytes_are_dissected_and_built_again_unchanged(
    data: bytes, ports: tuple[int, int], transport: type[Packet]
) -> None:
    head = IP(src="198.18.0.2", dst="198.18.0.3") / transport(sport=ports[0], dport=ports[1])
    read = IP(bytes(head / Raw(data)))
    read.show(dump=True)
    assert read.summary()
    assert bytes(read) == bytes(head / Raw(data))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 900), damaged()), max_size=8), st.sampled_from(PORTS), st.booleans())
def test_any_segments_are_reassembled(
    tmp_path: Path, segments: list[tuple[int, bytes]], ports: tuple[int, int], is_shaken: bool
) -> None:
    sport, dport = ports
    front = [segment(0, bytes(Handshake()), sport=sport, dport=dport)] if is_shaken else []
    packets = [segment(at, data, sport=sport, dport=dport) for at, data in segments]
    end = segment(2000, b"", sport=sport, dport=dport, flags="FA")
    for packet in reassembled(captured(tmp_path / "c.pcap", [*front, *packets, end])):
        packet.show(dump=True)
        assert bytes(packet)


@pytest.mark.parametrize("front", [b"l", b"d1:a", b"d1:md1:a", b"d8:msg_typel"])
def test_lists_in_lists_in_lists_are_left_as_bytes(front: bytes) -> None:
    read = PeerWireMessage(bytes(Extended() / Raw(front * 100_000)))
    assert isinstance(read.payload, Raw)


@pytest.mark.parametrize(
    "stream",
    [
        bytes(4 * TIMES),
        bytes.fromhex("0000000102") * TIMES,
        bytes.fromhex("0000000000000000010200000000") * TIMES,
        b"GET /a HTTP/1.1\r\n\r\n" * TIMES,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nde" * TIMES,
        b"GET /" + b"a?&" * TIMES,
        b"\0\1\0\0\7" + b"x" * TIMES,
    ],
    ids=["keep-alives", "interested", "mixed", "requests", "answers", "endless head", "zeros"],
)
@pytest.mark.parametrize("dport", [6881, 6969])
def test_very_many_messages_are_no_trouble(tmp_path: Path, stream: bytes, dport: int) -> None:
    front = bytes(Handshake()) if dport == 6881 else b""
    data = (front + stream)[:300_000]
    segments = [segment(at, data[at : at + 60_000], dport=dport) for at in range(0, len(data), 60_000)]
    read = reassembled(captured(tmp_path / "c.pcap", segments))
    assert sum(len(packet[TCP].payload) for packet in read) <= len(data)
    for packet in segments:
        IP(bytes(packet))


def test_segments_all_over_the_sequence_space_are_no_trouble(tmp_path: Path) -> None:
    segments = [segment(n * 7_654_321, b"\0\0\0\1\2", isn=9) for n in range(500)]
    assert len(names_of(reassembled(captured(tmp_path / "c.pcap", segments)))) == 500
