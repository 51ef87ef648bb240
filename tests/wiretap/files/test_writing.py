"""Blocks of pcapng files: what is written is what another program reads."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.utils import RawPcapNgReader

from testbed.wiretap.files import writing
from testbed.wiretap.files.writing import Interface, Statistics

PACKETS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 2**63),
        st.binary(max_size=200),
        st.integers(0, 70_000),
    ),
    max_size=20,
)
NAMES = {"198.18.0.1": "server", "198.18.0.2": "p1", "2001:db8::1": "p2"}


def written(file: Path, packets: list[tuple[int, int, bytes, int]], comment: str = "trial x; host p1") -> Path:
    counts = Statistics(began=1, ended=2**62, received=5, missed=2, written=3)
    blocks = [
        writing.section(comment, "testbed 0.1.0", "Linux"),
        writing.interface(Interface("s1-eth1", "from p1", 192, "tcp port 6881")),
        writing.interface(Interface("s1-eth2")),
        writing.names(NAMES),
        *(writing.packet(number, time, data, len(data) + more) for number, time, data, more in packets),
        writing.statistics(0, counts, "of all interfaces"),
    ]
    file.write_bytes(b"".join(blocks))
    return file


@given(PACKETS)
def test_scapy_reads_the_packets_that_were_written(
    tmp_path_factory: pytest.TempPathFactory, packets: list[tuple[int, int, bytes, int]]
) -> None:
    file = written(tmp_path_factory.getbasetemp() / "drawn.pcapng", packets)
    with RawPcapNgReader(str(file)) as reader:
        found = [(data, meta.tshigh << 32 | meta.tslow, meta.wirelen, meta.tsresol) for data, meta in reader]
    assert found == [(data, time, len(data) + more, 10**9) for _, time, data, more in packets]


def test_wireshark_reads_everything_that_was_written(tmp_path: Path) -> None:
    if shutil.which("capinfos") is None:
        pytest.skip("no capinfos")
    now = 1_800_000_000_123_456_789
    file = written(tmp_path / "x.pcapng", [(0, now, bytes(60), 0), (1, now + 1, bytes(61), 1000)])
    said = subprocess.run(["capinfos", file], capture_output=True, text=True, check=True).stdout
    lines = [line.strip() for line in said.splitlines()]
    assert "Capture comment:     trial x; host p1" in lines
    assert "Capture application: testbed 0.1.0" in lines
    assert "Capture oper-sys:    Linux" in lines
    assert lines.count("Number of packets = 1") == 2
    assert "Name = s1-eth1" in lines
    assert "Description = from p1" in lines
    assert "Capture length = 192" in lines
    assert "Number of resolved IPv4 addresses in file: 2" in lines
    assert "Number of resolved IPv6 addresses in file: 1" in lines
    assert not [line for line in lines if "truncated" in line.lower() or "damaged" in line.lower()]


def test_long_comment_is_cut_and_not_wrapped_around(tmp_path: Path) -> None:
    file = written(tmp_path / "x.pcapng", [(0, 7, b"abc", 0)], comment="ä" * 40_000)
    with RawPcapNgReader(str(file)) as reader:
        assert [data for data, _ in reader] == [b"abc"]
