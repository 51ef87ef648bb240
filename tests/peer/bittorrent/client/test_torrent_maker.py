"""Making torrents: hashes, reproducibility, and explained refusals."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from peer.bittorrent.client.storage import Disk
from peer.bittorrent.client.torrent_maker import (
    CreateError,
    Order,
    create,
    make_metainfo,
)
from peer.bittorrent.wire.metainfo.metainfo import decode_metainfo
from tests.peer.bittorrent.client.permissions import as_stranger, public_folder
from tests.peer.bittorrent.client.torrents import digest, hashes, random_bytes

PIECE = 16 << 10
DATA = random_bytes(20 * PIECE + 77)
CONTENT = {"b/z": DATA[: PIECE + 1], "a": b"", "b.c": DATA[:5], "b/y/x": DATA[: 3 * PIECE], "é": b"last"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in CONTENT.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "folder"


def test_file_becomes_torrent(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA)
    made = create(Order(source=tmp_path / "file", piece_length=PIECE), tmp_path / "out.torrent")
    assert decode_metainfo((tmp_path / "out.torrent").read_bytes()) == made
    assert (made.info.name, made.info.length, made.info.is_folder) == ("file", len(DATA), False)
    assert made.info.pieces == b"".join(hashes(DATA, PIECE))
    assert (made.announce, made.announce_list, made.creation_date, made.info.is_private) == (None, (), None, False)


def test_large_file_is_hashed_in_order(tmp_path: Path) -> None:
    data = random_bytes((40 << 20) + 3)
    (tmp_path / "file").write_bytes(data)
    info = make_metainfo(Order(source=tmp_path / "file")).info
    assert info.piece_length == 32 << 10
    assert info.pieces == b"".join(hashes(data, 32 << 10))


def test_folder_becomes_sorted_files(folder: Path) -> None:
    info = make_metainfo(Order(source=folder)).info
    names = ["a", "b/y/x", "b/z", "b.c", "é"]
    assert ["/".join(file.path) for file in info.files] == names
    assert [file.length for file in info.files] == [len(CONTENT[name]) for name in names]
    assert info.pieces == b"".join(hashes(b"".join(CONTENT[name] for name in names), info.piece_length))
    assert info.is_folder


def test_torrent_of_folder_can_be_seeded(folder: Path) -> None:
    with Disk(folder, make_metainfo(Order(source=folder)).info, is_read_only=True) as disk:
        assert disk.recheck().is_full


def test_same_files_make_same_torrent(folder: Path, tmp_path: Path) -> None:
    first = make_metainfo(Order(source=folder)).encode()
    (tmp_path / "else").mkdir()
    moved = tmp_path / "else" / "folder"
    folder.rename(moved)
    for path in moved.rglob("*"):
        os.utime(path, (0, 0))
    assert make_metainfo(Order(source=moved)).encode() == first


def test_relative_path_gives_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert make_metainfo(Order(source=Path())).info.name == "folder"


def test_trackers_comment_and_privacy_are_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    tiers = (("http://a:1/announce", "udp://b:2"), ("https://c/announce",))
    order = Order(
        source=tmp_path / "file", tiers=tiers, is_private=True, comment="é", created_by="us", creation_date=12
    )
    made = make_metainfo(order)
    assert (made.announce, made.tiers) == ("http://a:1/announce", tiers)
    assert (made.info.is_private, made.comment, made.created_by, made.creation_date) == (True, "é", "us", 12)


def test_single_tracker_needs_no_list(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    made = make_metainfo(Order(source=tmp_path / "file", tiers=(("udp://b:2",),)))
    assert (made.announce, made.announce_list) == ("udp://b:2", ())


@pytest.mark.parametrize("url", ["a", "ftp://a/b", "udp://a", "http://", "http://a:99999/announce", "http://[::1"])
def test_bad_tracker_url_is_refused(url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(CreateError, match=r"tracker .*: expected http://host:port/announce or udp://host:port"):
        make_metainfo(Order(source=tmp_path / "file", tiers=((url,),)))


@pytest.mark.parametrize("length", [0, -1, 8 << 10, 3 * PIECE, 128 << 20])
def test_bad_piece_length_is_refused(length: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(CreateError, match="piece length: expected a power of 2 from 16384 to 67108864, found"):
        make_metainfo(Order(source=tmp_path / "file", piece_length=length))


def test_existing_torrent_needs_force(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    out = tmp_path / "out.torrent"
    out.write_bytes(b"mine")
    with pytest.raises(CreateError, match="already exists; name another file, or use --force"):
        create(Order(source=tmp_path / "file"), out)
    assert out.read_bytes() == b"mine"
    made = create(Order(source=tmp_path / "file"), out, is_forced=True)
    assert out.read_bytes() == made.encode()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "out.torrent"]


def test_torrent_inside_shared_folder_is_refused(folder: Path) -> None:
    with pytest.raises(CreateError, match="is in the folder to be shared; name a file elsewhere"):
        create(Order(source=folder), folder / "b" / "out.torrent")


def test_unwritable_torrent_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(CreateError, match=r"cannot write .*/no/out: No such file or directory"):
        create(Order(source=tmp_path / "file"), tmp_path / "no" / "out")


def test_empty_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "file").write_bytes(b"")
    for source in (tmp_path / "empty", tmp_path / "empty" / "file"):
        with pytest.raises(CreateError, match="expected some data to share, found none"):
            make_metainfo(Order(source=source))


def test_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(CreateError, match="/file: No such file or directory"):
        make_metainfo(Order(source=tmp_path / "file"))


def test_links_are_followed(folder: Path) -> None:
    (folder / "link").symlink_to("b.c")
    info = make_metainfo(Order(source=folder)).info
    assert [file.length for file in info.files if file.path == ("link",)] == [5]


def test_circular_links_are_refused(folder: Path) -> None:
    (folder / "b" / "y" / "up").symlink_to("../..")
    with pytest.raises(CreateError, match="/b/y/up: is a link to a folder that contains it; remove the link"):
        make_metainfo(Order(source=folder))


@pytest.mark.parametrize("target", ["nowhere", "link"])
def test_dangling_links_are_refused(folder: Path, target: str) -> None:
    (folder / "link").symlink_to(target)
    with pytest.raises(CreateError, match="/link: is a broken link"):
        make_metainfo(Order(source=folder))


def test_sockets_and_pipes_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")
        with pytest.raises(CreateError, match="/socket: expected a file or a folder, found a socket, a pipe"):
            make_metainfo(Order(source=folder))
    Path("socket").unlink()
    os.mkfifo("pipe")
    with pytest.raises(CreateError, match="/pipe: expected a file or a folder"):
        make_metainfo(Order(source=folder))


def test_unportable_names_are_refused(folder: Path) -> None:
    odd = folder / os.fsdecode(b"\xff")
    odd.write_bytes(b"x")
    with pytest.raises(CreateError, match=r"the name b'\\xff' is not UTF-8; rename it"):
        make_metainfo(Order(source=folder))
    odd.rename(folder / "a\\b")
    with pytest.raises(CreateError, match=r"expected a plain file name, found 'a\\\\b'"):
        make_metainfo(Order(source=folder))


@pytest.mark.parametrize("name", ["file", "inner"])
def test_unreadable_file_is_named(name: str) -> None:
    with public_folder() as folder:
        (folder / "inner").mkdir()
        (folder / "file").write_bytes(b"x")
        (folder / name).chmod(0)
        with as_stranger(), pytest.raises(CreateError, match=f"/{name}: Permission denied"):
            make_metainfo(Order(source=folder))


@pytest.mark.parametrize("meddle", [lambda path: os.truncate(path, 1), lambda path: os.utime(path, (0, 0))])
def test_changing_file_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, meddle: Callable[[Path], None]
) -> None:
    opened = Path.open

    def open_and_meddle(path: Path, mode: str, buffering: int) -> IO[Any]:
        if path.name == "b.c":
            meddle(path)
        return opened(path, mode, buffering)

    monkeypatch.setattr(Path, "open", open_and_meddle)
    with pytest.raises(CreateError, match=r"b\.c: changed while being read; try again"):
        make_metainfo(Order(source=folder))


def test_info_dictionary_matches_reference(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    raw = b"d6:lengthi1e4:name4:file12:piece lengthi16384e6:pieces20:" + digest(b"x") + b"e"
    info = make_metainfo(Order(source=tmp_path / "file")).info
    assert (info.raw, info.info_hash) == (raw, digest(raw))
