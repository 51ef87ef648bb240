"""Which packets the filter takes for pure acknowledgements, and which shapers split super-packets.

The filter is classic BPF; here a small interpreter runs it on packets built by hand.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.network.kernel.netlink import Message
from testbed.network.links.shape import Impairment, Shape
from testbed.network.links.shaping import Egress, _pure_ack_program, shaping_messages

FIN, SYN, RST, PSH, ACK, URG, ECE = 1, 2, 4, 8, 16, 32, 64
UDP, TCP = 17, 6
TIMESTAMPS: Final = b"\x01\x01\x08\x0a" + bytes(8)
SACK_1, SACK_2, SACK_3 = (b"\x01\x01\x05" + bytes([2 + 8 * n]) + bytes(8 * n) for n in (1, 2, 3))


@dataclass(frozen=True)
class Packet:
    """An Ethernet frame with an IPv4 packet; by default a pure acknowledgement."""

    flags: int = ACK
    payload: bytes = b""
    options: bytes = b""
    ip_options: bytes = b""
    protocol: int = TCP
    fragment: int = 0  # the IP header's field: three flags, and an offset in units of 8 bytes
    least_frame: int = 0

    def __bytes__(self) -> bytes:
        tcp = struct.pack(">HHIIBBHHH", 5001, 40000, 1, 1, (20 + len(self.options)) << 2, self.flags, 512, 0, 0)
        segment = tcp + self.options + self.payload
        header_words = (20 + len(self.ip_options)) // 4
        total = 4 * header_words + len(segment)
        addresses = bytes([198, 18, 0, 1, 198, 18, 0, 2])
        ip = struct.pack(">BBHHHBBH", 0x40 | header_words, 0, total, 7, self.fragment, 64, self.protocol, 0)
        frame = bytes(12) + b"\x08\x00" + ip + addresses + self.ip_options + segment
        return frame.ljust(self.least_frame, bytes(1))


@dataclass
class Machine:
    """The registers of classic BPF, and the instructions that the filter may use."""

    frame: bytes
    a: int = 0
    x: int = 0
    memory: dict[int, int] = field(default_factory=dict)

    def run(self, program: bytes) -> int:
        """Return the program's result; a load beyond the frame makes it 0, as in the kernel."""
        instructions = list(struct.iter_unpack("=HBBI", program))
        here = 0
        while True:
            code, if_true, if_false, k = instructions[here]
            if code == 0x06:
                return int(k)
            try:
                jumps = self.step(code, k)
            except IndexError:
                return 0
            here += 1 if jumps is None else 1 + (if_true if jumps else if_false)

    def step(self, code: int, k: int) -> bool | None:
        if code in self.tests(k):
            return self.tests(k)[code]
        self.execute(code, k)
        return None

    def tests(self, k: int) -> Mapping[int, bool]:
        return {0x15: self.a == k, 0x1D: self.a == self.x, 0x45: bool(self.a & k)}

    def execute(self, code: int, k: int) -> None:
        match code:
            case 0x28:
                self.a = self.load(k, 2)
            case 0x30:
                self.a = self.load(k, 1)
            case 0x50:
                self.a = self.load(self.x + k, 1)
            case 0xB1:
                self.x = 4 * (self.load(k, 1) & 0xF)
            case 0x54:
                self.a &= k
            case 0x74:
                self.a >>= k
            case 0x0C:
                self.a += self.x
            case 0x02:
                self.memory[k] = self.a
            case 0x61:
                self.x = self.memory[k]
            case _:
                raise AssertionError(f"no such instruction: {code:#x}")

    def load(self, offset: int, size: int) -> int:
        if offset + size > len(self.frame):
            raise IndexError
        return int.from_bytes(self.frame[offset : offset + size])


def matches(frame: Packet | bytes) -> bool:
    verdict = Machine(bytes(frame)).run(_pure_ack_program())
    assert verdict in {0, 0xFFFF_FFFF}
    return verdict != 0


@pytest.mark.parametrize(
    "packet",
    [
        Packet(),
        Packet(options=TIMESTAMPS),
        Packet(options=TIMESTAMPS + SACK_1),
        Packet(options=TIMESTAMPS + SACK_2),
        Packet(options=TIMESTAMPS + SACK_3),
        Packet(options=bytes(40)),
        Packet(ip_options=bytes(4)),
        Packet(ip_options=bytes(40), options=TIMESTAMPS),
        Packet(flags=ACK | PSH),
        Packet(flags=ACK | ECE),
        Packet(fragment=0x4000),
        Packet(least_frame=60),
    ],
)
def test_pure_ack_matches_with_any_options(packet: Packet) -> None:
    assert matches(packet)


@pytest.mark.parametrize(
    "packet",
    [
        Packet(payload=b"x"),
        Packet(payload=b"x", options=TIMESTAMPS),
        Packet(payload=b"x", ip_options=bytes(8)),
        Packet(payload=bytes(1448), options=TIMESTAMPS),
        Packet(payload=bytes(5), flags=ACK | PSH),
        Packet(payload=b"x", flags=ACK | URG),
    ],
)
def test_packet_with_data_does_not_match(packet: Packet) -> None:
    assert not matches(packet)


@pytest.mark.parametrize("flags", [SYN, SYN | ACK, FIN | ACK, RST, RST | ACK, FIN, 0, PSH])
def test_syn_fin_and_rst_do_not_match(flags: int) -> None:
    assert not matches(Packet(flags=flags))
    assert not matches(Packet(flags=flags, options=TIMESTAMPS))


def test_other_protocols_do_not_match() -> None:
    assert not matches(Packet(protocol=UDP))
    assert not matches(Packet(protocol=1))


def test_later_fragment_does_not_match() -> None:
    assert not matches(Packet(fragment=1))
    assert not matches(Packet(fragment=0x2000 | 185))


def test_truncated_frame_does_not_match() -> None:
    whole = bytes(Packet())
    assert [length for length in range(len(whole)) if matches(whole[:length])] == list(range(14 + 20 + 14, len(whole)))


@given(
    st.builds(
        Packet,
        flags=st.integers(0, 255),
        payload=st.binary(max_size=20),
        options=st.binary(max_size=10).map(lambda option: option * 4),
        ip_options=st.binary(max_size=10).map(lambda option: option * 4),
        protocol=st.sampled_from([TCP, TCP, TCP, UDP]),
        fragment=st.sampled_from([0, 0x4000, 0x2000, 5]),
        least_frame=st.sampled_from([0, 60]),
    )
)
def test_filter_agrees_with_definition_of_pure_ack(packet: Packet) -> None:
    starts_segment = packet.protocol == TCP and not packet.fragment & 0x1FFF
    only_acknowledges = packet.flags & (ACK | SYN | FIN | RST) == ACK and not packet.payload
    assert matches(packet) == (starts_segment and only_acknowledges)


@pytest.mark.parametrize(
    ("rate", "arriving", "must_split"),
    [
        (8_000_000, 1, False),
        (8_000_000, 2, True),
        (8_000_000, None, True),
        (1_000_000_000, 41, False),
        (1_000_000_000, 42, True),
        (None, None, False),
        (None, 1, False),
    ],
)
def test_link_splits_larger_super_packets(rate: int | None, arriving: int | None, must_split: bool) -> None:
    assert Egress(Shape(rate=rate), arriving, netem=False).must_split is must_split


@pytest.mark.parametrize(
    ("egress", "built"),
    [
        (Egress(Shape(), None, netem=True), []),
        (Egress(Shape(impairment=Impairment(delay_us=1)), 1, netem=False), []),
        (Egress(Shape(impairment=Impairment(delay_us=1)), 1, netem=True), ["netem 2:0"]),
        (Egress(Shape(rate=8_000_000, acks="shared"), 1, netem=True), ["htb 1:0", "htb 1:1", "bfifo 11:0"]),
        (Egress(Shape(rate=8_000_000, acks="shared"), None, netem=True), ["htb 1:0", "htb 1:1", "tbf 11:0"]),
        (
            Egress(Shape(rate=8_000_000, impairment=Impairment(loss=0.5)), 1, netem=True),
            ["netem 2:0", "htb 1:0", "htb 1:1", "bfifo 11:0", "htb 1:2", "bfifo 12:0", "bpf 0:0"],
        ),
    ],
)
def test_unneeded_qdiscs_are_left_out(egress: Egress, built: list[str]) -> None:
    assert list(names(shaping_messages(egress, 7))) == [f"add {name}" for name in built]


def test_same_shapes_differ_only_in_interface() -> None:
    egress = Egress(Shape(rate=8_000_000, queue_bytes=50_000), 1, netem=False)
    first, second = shaping_messages(egress, 7), shaping_messages(replace(egress), 1001)
    for one, other in zip(first, second, strict=True):
        assert one.what == other.what
        assert (one.data[20:24], other.data[20:24]) == (struct.pack("=i", 7), struct.pack("=i", 1001))
        assert one.data[:20] + one.data[24:] == other.data[:20] + other.data[24:]


def names(messages: list[Message]) -> Iterator[str]:
    return (message.what for message in messages)
