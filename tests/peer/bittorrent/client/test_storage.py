"""Every storage accepts blocks in any order, returns what was kept, and uses little memory."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.client.storage import (
    Disk,
    Memory,
    Shared,
    Storage,
    StorageError,
)
from peer.bittorrent.client.storage.buffers import PieceBuffers
from peer.bittorrent.client.storage.layout import Layout
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.metainfo.metainfo import Info
from tests.peer.bittorrent.client.torrents import (
    BLOCK,
    digest,
    file_torrent,
    keep,
    piece_of,
    random_bytes,
    read,
    receive,
)

PIECE = 3 * BLOCK
DATA = random_bytes(4 * PIECE + BLOCK + 100)
INFO = file_torrent(DATA, PIECE)
MAKERS: dict[str, Callable[[Path, Info], Storage]] = {
    "memory": lambda _, info: Memory(info),
    "disk": lambda folder, info: Disk(folder / "new" / "file", info),
    "shared": lambda folder, info: Shared(folder / "original", info),
}


@pytest.fixture(params=MAKERS)
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    (tmp_path / "original").write_bytes(DATA)
    with MAKERS[request.param](tmp_path, INFO) as made:
        yield made


def test_kept_pieces_are_read(storage: Storage) -> None:
    order = list(range(INFO.piece_count))
    Random(3).shuffle(order)
    for index in order:
        receive(storage, index, piece_of(INFO, DATA, index))
        assert digest(storage.piece(index)) == INFO.piece_hash(index)
        storage.keep(index)
    assert b"".join(read(storage, INFO, index) for index in range(INFO.piece_count)) == DATA
    assert storage.recheck().is_full


def test_blocks_of_any_size_are_read(storage: Storage) -> None:
    keep(storage, 1, piece_of(INFO, DATA, 1))
    assert storage.read(1, 1000, 2000) == DATA[PIECE + 1000 : PIECE + 3000]


def test_only_kept_pieces_count(storage: Storage) -> None:
    assert list(storage.recheck()) == []
    keep(storage, 4, piece_of(INFO, DATA, 4))
    receive(storage, 0, piece_of(INFO, DATA, 0))
    storage.drop(0)
    receive(storage, 2, piece_of(INFO, DATA, 2))
    assert list(storage.recheck()) == [4]


def test_dropped_piece_can_arrive_again(storage: Storage) -> None:
    receive(storage, 0, bytes(PIECE))
    assert storage.piece(0) == bytes(PIECE)
    storage.drop(0)
    keep(storage, 0, piece_of(INFO, DATA, 0))
    assert read(storage, INFO, 0) == DATA[:PIECE]


def test_received_bytes_are_hashed(storage: Storage) -> None:
    receive(storage, 1, b"\xff" * PIECE)
    assert storage.piece(1) == b"\xff" * PIECE


def test_recheck_returns_copy(storage: Storage) -> None:
    storage.recheck().add(0)
    assert list(storage.recheck()) == []


def test_views_outlive_storage(storage: Storage) -> None:
    keep(storage, 0, piece_of(INFO, DATA, 0))
    block = storage.read(0, 0, BLOCK)
    storage.close()
    assert block == DATA[:BLOCK]


def test_excessive_memory_is_refused() -> None:
    info = file_torrent(b"x", BLOCK)
    huge = Info(info.name, 1 << 50, info.pieces, info.files, info.is_folder, info.is_private, b"", b"", 1 << 50)
    with pytest.raises(StorageError, match=r"no memory for 1125899906842624 bytes .*; store the torrent on a disk"):
        Memory(huge)


def test_buffer_is_reused_without_views() -> None:
    buffers = PieceBuffers(BLOCK)
    buffers.space(0, 0, BLOCK)[:] = b"0" * BLOCK
    buffers.release(0)
    assert bytes(buffers.space(1, 0, 4)) == b"0000"


@pytest.mark.parametrize("piece_length", [BLOCK, 1 << 20])
def test_two_buffers_suffice_with_late_views(piece_length: int) -> None:
    buffers = PieceBuffers(piece_length)
    seen = set()
    for index in range(20):
        last_view = buffers.space(index, 0, piece_length)
        seen.add(id(last_view.obj))
        buffers.release(index)
    assert len(seen) == 2


def test_late_writer_damages_no_other_piece() -> None:
    buffers = PieceBuffers(BLOCK)
    late = buffers.space(0, 0, BLOCK)
    buffers.release(0)
    other = buffers.space(1, 0, BLOCK)
    other[:] = b"1" * BLOCK
    late[:] = b"0" * BLOCK
    assert other == b"1" * BLOCK


def test_few_spare_buffers_are_kept() -> None:
    buffers = PieceBuffers(1 << 20)
    for index in range(40):
        buffers.space(index, 0, 1 << 20)[:] = b"x" * (1 << 20)
    before = _memory("Private_Dirty")
    for index in range(40):
        buffers.release(index)
    assert before - _memory("Private_Dirty") > 35 << 20


def test_shared_original_costs_its_size_once(tmp_path: Path) -> None:
    length, piece_length = 32 << 20, 256 << 10
    data = random_bytes(length)
    (tmp_path / "original").write_bytes(data)
    info = file_torrent(data, piece_length)
    before = _memory("Pss")
    peers = [Shared(tmp_path / "original", info) for _ in range(20)]
    for index in range(info.piece_count):
        for peer in peers:
            peer.space(index, 0, piece_length)[:] = piece_of(info, data, index)
            peer.keep(index)
            assert peer.read(index, 0, piece_length) == piece_of(info, data, index)
    assert all(peer.recheck().is_full for peer in peers)
    grown = _memory("Pss") - before
    for peer in peers:
        peer.close()
    assert length // 2 < grown < length + 20 * (1 << 20)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=8), st.data())
def test_spans_cover_files_in_order(lengths: list[int], data: st.DataObject) -> None:
    files = [bytes([number]) * length for number, length in enumerate(lengths)]
    whole = b"".join(files)
    start = data.draw(st.integers(0, len(whole)))
    length = data.draw(st.integers(0, len(whole) - start))
    spans = list(Layout(lengths).spans(start, length))
    assert all(span.length for span in spans)
    parts = [files[span.file][span.offset : span.offset + span.length] for span in spans]
    assert b"".join(parts) == whole[start : start + length]


def test_initial_pieces_come_from_original(tmp_path: Path) -> None:
    (tmp_path / "original").write_bytes(DATA)
    have = Bitfield(INFO.piece_count)
    have.add(2)
    with Shared(tmp_path / "original", INFO, have) as peer:
        keep(peer, 0, piece_of(INFO, DATA, 0))
        assert list(peer.recheck()) == [0, 2]
        assert read(peer, INFO, 2) == piece_of(INFO, DATA, 2)
    assert list(have) == [2]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file or directory"),
        (DATA[:-1], f"expected {len(DATA)} bytes, found {len(DATA) - 1}"),
        (b"x" + DATA[1:], "is not the original of 'file': piece 0 has another hash"),
        (DATA[:-1] + b"x", "is not the original of 'file': piece 4 has another hash"),
    ],
)
def test_wrong_original_is_refused(content: bytes | None, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "original"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StorageError, match=f"{re.escape(str(path))}: {re.escape(problem)}"):
        Shared(path, INFO)


def _memory(kind: str) -> int:
    """Return one of this process's counts, in bytes."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) << 10
    raise LookupError(kind)
