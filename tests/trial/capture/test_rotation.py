"""Files of one capture: the first packets in one, or the newest in several; what is lacking is counted."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.trial.capture.rotation import RotatedFiles

HEAD, TAIL = b"HH", b"T"


def files(folder: Path, limit: int | None, count: int) -> RotatedFiles:
    return RotatedFiles(folder / "p1", HEAD, lambda packets: b"%c" % packets, limit, count)


def test_without_a_limit_everything_is_in_one_file(tmp_path: Path) -> None:
    with files(tmp_path, None, 1) as written:
        for data in (b"abc", b"defg"):
            written.write(data, len(data))
    assert (written.names, written.packets) == (["p1.pcapng"], 7)
    assert (tmp_path / "p1.pcapng").read_bytes() == HEAD + b"abcdefg" + b"\x07"


def test_full_file_has_the_first_packets_without_a_gap(tmp_path: Path) -> None:
    with files(tmp_path, 8, 1) as written:
        for data in (b"abc", b"defg", b"h", b""):
            written.write(data, len(data))
    assert (tmp_path / "p1.pcapng").read_bytes() == HEAD + b"abc" + b"\x03"
    assert (written.packets, written.beyond_limit, written.removed) == (3, 5, 0)


def test_newest_files_are_kept(tmp_path: Path) -> None:
    with files(tmp_path, 5, 2) as written:
        for data in (b"abc", b"de", b"f", b"ghi", b"j"):
            written.write(data, len(data))
    assert written.names == ["p1.0003.pcapng", "p1.0004.pcapng"]
    assert sorted(file.name for file in tmp_path.iterdir()) == written.names
    assert [(tmp_path / name).read_bytes() for name in written.names] == [b"HHghi\x03", b"HHj\x01"]
    assert (written.packets, written.removed, written.beyond_limit) == (4, 6, 0)


@given(st.lists(st.binary(max_size=9)), st.none() | st.integers(12, 40), st.integers(1, 4))
def test_every_packet_is_written_or_counted(
    tmp_path_factory: pytest.TempPathFactory, packets: list[bytes], limit: int | None, count: int
) -> None:
    folder = tmp_path_factory.mktemp("drawn")
    with files(folder, limit, count) as written:
        for data in packets:
            written.write(data, 1)
    assert written.packets + written.beyond_limit + written.removed == len(packets)
    assert len(written.names) <= count
    kept = b"".join((folder / name).read_bytes()[len(HEAD) : -1] for name in written.names)
    whole = b"".join(packets)
    assert whole.startswith(kept) if count == 1 else whole.endswith(kept)
    assert all((folder / name).stat().st_size <= (limit or 1 << 30) + 1 for name in written.names)
