"""Filters in words, as the kernel's instructions; a bad one is refused with libpcap's reason."""

import struct

import pytest

from testbed.trial.capture import filters
from testbed.trial.capture.filters import FilterError, compiled, libpcap_version
from testbed.trial.capture.instructions import everything, without_interfaces

ETHERNET_AND_IPV4 = bytes(12) + b"\x08\x00"


def verdict(program: bytes, packet: bytes, interface: int = 1) -> int:
    """Run instructions as the kernel does: those that these filters have."""
    code = list(struct.iter_unpack("=HBBI", program))
    accumulator = index = at = 0
    while True:
        operation, if_true, if_false, value = code[at]
        at += 1
        match operation:
            case 0x06:
                return value
            case 0x20:
                accumulator = interface if value == 0xFFFFF008 else int.from_bytes(packet[value : value + 4], "big")
            case 0x28:
                accumulator = int.from_bytes(packet[value : value + 2], "big")
            case 0x30:
                accumulator = packet[value]
            case 0x48:
                accumulator = int.from_bytes(packet[index + value : index + value + 2], "big")
            case 0xB1:
                index = 4 * (packet[value] & 0xF)
            case 0x15:
                at += if_true if accumulator == value else if_false
            case 0x45:
                at += if_true if accumulator & value else if_false
            case _:
                raise AssertionError(f"unknown instruction {operation:#x}")


def datagram(protocol: int, port: int) -> bytes:
    return (
        ETHERNET_AND_IPV4
        + bytes([0x45, *bytes(8), protocol, *bytes(10)])
        + struct.pack("!HH", 50_000, port)
        + bytes(20)
    )


def test_filter_accepts_its_packets_up_to_the_length() -> None:
    program = compiled("udp port 6969", 192)
    assert verdict(program, datagram(17, 6969)) == 192
    assert verdict(program, datagram(17, 6881)) == 0
    assert verdict(program, datagram(6, 6969)) == 0


def test_without_words_everything_is_accepted() -> None:
    assert compiled("", 128) == everything(128)
    assert verdict(everything(128), b"") == 128


@pytest.mark.parametrize("others", [[], [2], [2, 500, 100_001]])
def test_interfaces_are_left_out_before_the_filter_is_asked(others: list[int]) -> None:
    program = without_interfaces(compiled("udp port 6969", 192), others)
    assert verdict(program, datagram(17, 6969), interface=1) == 192
    assert verdict(program, datagram(17, 6881), interface=1) == 0
    assert [verdict(program, datagram(17, 6969), interface=index) for index in others] == [0] * len(others)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("tcp prot 80", "syntax error"),
        ("port 70000", "illegal port number 70000"),
        ("tcp and udp", "rejects all packets"),
        ("tcp\0", "a character that no filter can have"),
        (" or ".join(f"(tcp port {k} and ip[2:2] = {k})" for k in range(1, 1000)), "but the kernel runs 4000 at most"),
    ],
)
def test_bad_filter_is_refused_with_the_reason(words: str, says: str) -> None:
    with pytest.raises(FilterError, match=says):
        compiled(words, 192)


def test_missing_library_is_told_only_where_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "_NAMES", ("libno-such-library.so",))
    filters._libpcap.cache_clear()
    with pytest.raises(FilterError, match="needs libpcap, which is not installed: sudo apt-get install tcpdump"):
        compiled("tcp", 192)
    assert compiled("", 192) == everything(192)
    assert libpcap_version() is None
    filters._libpcap.cache_clear()
