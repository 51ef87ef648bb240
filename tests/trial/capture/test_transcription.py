"""From blocks as the kernel writes them to blocks of a file."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from testbed.trial.capture.transcription import Transcriber
from testbed.wiretap.files import writing

PACKETS = st.lists(
    st.tuples(
        st.sampled_from([1000, 1001, 500]),
        st.integers(0, 2**32 - 1),
        st.integers(0, 999_999_999),
        st.binary(max_size=70),
        st.integers(0, 70_000),
    ),
    max_size=30,
)


def block(packets: list[tuple[int, int, int, bytes, int]]) -> bytes:
    """Lay out a block as in <linux/if_packet.h>: a tpacket_block_desc, then a tpacket3_hdr and a sockaddr_ll each."""
    begin = 82
    bodies = []
    for index, seconds, nanoseconds, data, length in packets:
        size = begin + len(data) + -(begin + len(data)) % 16
        head = struct.pack("=6I2H3I8x", size, seconds, nanoseconds, len(data), length, 1, begin, begin + 14, 0, 0, 0)
        address = struct.pack("=HHiHBB8s", 17, 8, index, 1, 0, 6, b"")
        bodies.append((head + address).ljust(begin, b"\x00") + data.ljust(size - begin, b"\xee"))
    first = 48
    return struct.pack("=2I4IQ4I", 3, 0, 1, len(packets), first, 0, 7, 0, 0, 0, 0).ljust(first, b"\x00") + b"".join(
        bodies
    )


@given(PACKETS, st.sampled_from([0, 4096]))
def test_packets_of_known_interfaces_are_written_down(
    packets: list[tuple[int, int, int, bytes, int]], start: int
) -> None:
    memory = memoryview(bytes(start) + block(packets))
    numbers = {1000: 0, 1001: 1}
    found = Transcriber(numbers).transcribed(memory, start)
    expected = [
        writing.packet(numbers[index], seconds * 10**9 + nanoseconds, data, length)
        for index, seconds, nanoseconds, data, length in packets
        if index in numbers
    ]
    assert found == (b"".join(expected), len(expected))
