"""A torrent on a disk resumes, holds only verified pieces, and names the file in each error."""

import os
import re
import resource
import socket
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from peer.bittorrent.client.storage import Disk, StorageError
from peer.bittorrent.wire.metainfo.metainfo import File, Info
from tests.conftest import in_namespaces
from tests.peer.bittorrent.client.permissions import as_stranger, public_folder
from tests.peer.bittorrent.client.torrents import (
    BLOCK,
    file_torrent,
    folder_torrent,
    keep,
    piece_of,
    random_bytes,
    read,
    receive,
)

PIECE = 4 * BLOCK
DATA = random_bytes(6 * PIECE + 5000)
INFO = file_torrent(DATA, PIECE)

FILES = [
    File(("one",), 1000),
    File(("empty",), 0),
    File(("deep", "er", "two"), 3 * PIECE),
    File((".pad", "1"), PIECE - 1000, is_padding=True),
    File(("deep", "three"), BLOCK + 1),
    File(("last",), 0),
]
FOLDER_DATA = random_bytes(1000 + 3 * PIECE) + bytes(PIECE - 1000) + random_bytes(BLOCK + 1, seed=2)
FOLDER = folder_torrent(FILES, FOLDER_DATA, PIECE)


def keep_all(disk: Disk, info: Info, data: bytes) -> None:
    for index in range(info.piece_count):
        keep(disk, index, piece_of(info, data, index))


def test_whole_file_is_stored(tmp_path: Path) -> None:
    with Disk(tmp_path / "file", INFO) as disk:
        keep_all(disk, INFO, DATA)
    assert (tmp_path / "file").read_bytes() == DATA


def test_pieces_span_files_without_padding(tmp_path: Path) -> None:
    with Disk(tmp_path / "folder", FOLDER) as disk:
        keep_all(disk, FOLDER, FOLDER_DATA)
        assert b"".join(read(disk, FOLDER, index) for index in range(FOLDER.piece_count)) == FOLDER_DATA
        assert disk.recheck().is_full
    found = sorted(path.relative_to(tmp_path / "folder") for path in tmp_path.rglob("*") if path.is_file())
    assert found == sorted(Path(*file.path) for file in FILES if not file.is_padding)
    assert (tmp_path / "folder/one").read_bytes() == FOLDER_DATA[:1000]
    assert (tmp_path / "folder/deep/er/two").read_bytes() == FOLDER_DATA[1000 : 1000 + 3 * PIECE]
    assert (tmp_path / "folder/deep/three").read_bytes() == FOLDER_DATA[-BLOCK - 1 :]


def test_more_files_than_descriptors(tmp_path: Path) -> None:
    data = random_bytes(300 * 100)
    info = folder_torrent([File((f"{number}",), 100) for number in range(300)], data, BLOCK)
    before = _open_descriptors()
    with Disk(tmp_path / "folder", info) as disk:
        keep_all(disk, info, data)
        assert _open_descriptors() - before < 200
        assert disk.recheck().is_full
    assert _open_descriptors() == before
    assert b"".join((tmp_path / f"folder/{number}").read_bytes() for number in range(300)) == data


def test_verified_pieces_survive_crash(tmp_path: Path) -> None:
    interrupted = Disk(tmp_path / "file", INFO)
    keep(interrupted, 5, piece_of(INFO, DATA, 5))
    receive(interrupted, 0, piece_of(INFO, DATA, 0))
    with Disk(tmp_path / "file", INFO) as disk:
        assert list(disk.recheck()) == [5]
    interrupted.close()


def test_new_file_is_sparse(tmp_path: Path) -> None:
    with Disk(tmp_path / "file", INFO) as disk:
        assert (tmp_path / "file").stat().st_size == len(DATA)
        assert (tmp_path / "file").stat().st_blocks == 0
        assert disk.recheck().count == 0


def test_zero_pieces_are_found_in_holes(tmp_path: Path) -> None:
    data = bytes(2 * PIECE) + DATA[:PIECE] + bytes(100)
    with Disk(tmp_path / "file", file_torrent(data, PIECE)) as disk:
        assert list(disk.recheck()) == [0, 1, 3]


def test_damaged_piece_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA[: PIECE + 7] + b"?" + DATA[PIECE + 8 :])
    with Disk(tmp_path / "file", INFO) as disk:
        assert list(disk.recheck()) == [0, 2, 3, 4, 5, 6]


def test_shorter_file_is_extended(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA[: 2 * PIECE + 50])
    with Disk(tmp_path / "file", INFO) as disk:
        assert list(disk.recheck()) == [0, 1]
        keep(disk, 6, piece_of(INFO, DATA, 6))
        assert list(disk.recheck()) == [0, 1, 6]


def test_longer_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA + b"more")
    problem = f"{tmp_path}/file: expected at most {len(DATA)} bytes, found {len(DATA) + 4}; move it away"
    with pytest.raises(StorageError, match=re.escape(problem)):
        Disk(tmp_path / "file", INFO)
    assert (tmp_path / "file").read_bytes() == DATA + b"more"


def test_seed_needs_no_write_permission() -> None:
    with public_folder() as folder:
        (folder / "file").write_bytes(DATA)
        (folder / "file").chmod(0o444)
        with as_stranger(), Disk(folder / "file", INFO, is_read_only=True) as disk:
            assert disk.recheck().is_full
            assert read(disk, INFO, 3) == piece_of(INFO, DATA, 3)


def test_seed_reads_folder_in_place(tmp_path: Path) -> None:
    with Disk(tmp_path / "folder", FOLDER) as disk:
        keep_all(disk, FOLDER, FOLDER_DATA)
    with Disk(tmp_path / "folder", FOLDER, is_read_only=True) as seed:
        assert seed.recheck().is_full


def test_seed_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="file: No such file or directory"):
        Disk(tmp_path / "file", INFO, is_read_only=True)
    (tmp_path / "file").write_bytes(DATA[:10])
    with pytest.raises(StorageError, match=f"expected {len(DATA)} bytes, found 10; is it the torrent's file"):
        Disk(tmp_path / "file", INFO, is_read_only=True)
    assert (tmp_path / "file").stat().st_size == 10


def test_folder_instead_of_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(StorageError, match="/file: Is a directory; expected a file, found a folder: move it away"):
        Disk(tmp_path / "file", INFO)
    with pytest.raises(StorageError, match="/file: expected a file, found a folder or a device"):
        Disk(tmp_path / "file", INFO, is_read_only=True)


def test_file_instead_of_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").write_bytes(b"")
    with pytest.raises(StorageError, match="expected a folder, found a file: move it away"):
        Disk(tmp_path / "folder", FOLDER)


@pytest.mark.parametrize("is_read_only", [True, False])
def test_pipe_is_refused_at_once(tmp_path: Path, is_read_only: bool) -> None:
    os.mkfifo(tmp_path / "file")
    with pytest.raises(StorageError, match="/file: expected a file, found a folder or a device"):
        Disk(tmp_path / "file", INFO, is_read_only=is_read_only)


def test_refused_file_leaves_no_descriptor(tmp_path: Path) -> None:
    before = _open_descriptors()
    (tmp_path / "last").write_bytes(b"longer")
    with pytest.raises(StorageError):
        Disk(tmp_path, FOLDER)
    assert _open_descriptors() == before


@pytest.mark.parametrize(("mode", "is_read_only"), [(0o000, True), (0o444, False), (0o000, False)])
def test_forbidden_file_is_named(mode: int, is_read_only: bool) -> None:
    with public_folder() as folder:
        (folder / "file").write_bytes(DATA)
        (folder / "file").chmod(mode)
        problem = "/file: Permission denied; change its permissions, or name another place"
        with as_stranger(), pytest.raises(StorageError, match=problem):
            Disk(folder / "file", INFO, is_read_only=is_read_only)


def test_full_disk_keeps_earlier_pieces(tmp_path: Path) -> None:
    """A limit on file sizes simulates a full disk: the kernel refuses the same call."""
    with Disk(tmp_path / "file", INFO) as disk:
        keep(disk, 0, piece_of(INFO, DATA, 0))
        receive(disk, 3, piece_of(INFO, DATA, 3))
        with _largest_file(3 * PIECE + 100), pytest.raises(StorageError, match=r"^disk full: cannot write .*/file: "):
            disk.keep(3)
        assert list(disk.recheck()) == [0]


@pytest.mark.kernel
def test_full_file_system_raises_no_signal() -> None:
    script = f"""
        import sys; sys.path[:0] = {sys.path!r}
        from pathlib import Path
        from peer.bittorrent.client.storage import Disk, StorageError
        from tests.peer.bittorrent.client.torrents import *
        data = random_bytes(2 << 20)
        info = file_torrent(data, 1 << 18)
        disk = Disk(Path("/mnt/file"), info)
        try:
            for index in range(info.piece_count): keep(disk, index, piece_of(info, data, index))
        except StorageError as error: print(index, error)
        print(list(disk.recheck()))
    """
    mounted = 'mount -t tmpfs -o size=1m none /mnt && exec "$@"'
    told = in_namespaces("--mount", "sh", "-c", mounted, "sh", sys.executable, "-c", textwrap.dedent(script))
    full = "4 disk full: cannot write /mnt/file: no space left; make room, and start again"
    assert told.stdout.splitlines() == [full, "[0, 1, 2, 3]"], told.stderr


def test_truncated_file_raises_no_signal(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with Disk(tmp_path / "file", INFO) as disk, ours, theirs:
        keep_all(disk, INFO, DATA)
        block = disk.read(3, 0, BLOCK)
        os.truncate(tmp_path / "file", PIECE)
        with pytest.raises(OSError, match="Bad address"):
            ours.send(block)
        assert list(disk.recheck()) == [0]


def _open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@contextmanager
def _largest_file(length: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
