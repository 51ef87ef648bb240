"""The content that these tests share: one file, or a folder of files, and its torrent."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha1
from pathlib import Path
from random import Random

from peer.bittorrent.wire.metainfo.magnet import Magnet
from peer.bittorrent.wire.metainfo.metainfo import (
    File,
    Info,
    Metainfo,
    make_info,
)


@dataclass(frozen=True)
class Content:
    """Files by their path below a folder `name`, or one file `name` under the empty path."""

    name: str
    files: Mapping[str, bytes]
    piece_length: int

    @cached_property
    def info(self) -> Info:
        whole = b"".join(self.files.values())
        pieces = (whole[k : k + self.piece_length] for k in range(0, len(whole), self.piece_length))
        hashes = [sha1(piece, usedforsecurity=False).digest() for piece in pieces]
        files = [File(tuple(path.split("/")), len(data)) for path, data in self.files.items()]
        return make_info(self.name, len(whole) if "" in self.files else files, self.piece_length, hashes)

    def write_torrent(self, path: Path, tracker: str | None) -> None:
        path.write_bytes(Metainfo(self.info, tracker).encode())

    def magnet(self, tracker: str | None) -> str:
        """Return a link without the info dictionary."""
        return Magnet(self.info.info_hash, self.name, (tracker,) if tracker else ()).encode()

    def write_into(self, folder: Path) -> None:
        """Write the files below a folder, as a client would."""
        for path, data in self._placed(folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def differing(self, folder: Path) -> list[str]:
        """Return the files below a folder that are missing, or differ in any byte."""
        return [str(path) for path, data in self._placed(folder) if not path.is_file() or path.read_bytes() != data]

    def _placed(self, folder: Path) -> list[tuple[Path, bytes]]:
        return [(folder / self.name / path if path else folder / self.name, data) for path, data in self.files.items()]


def one_file(name: str, length: int, piece_length: int) -> Content:
    """Make one file of random bytes; its last piece and block are short unless `length` is a multiple."""
    return Content(name, {"": Random(name).randbytes(length)}, piece_length)


def folder(name: str, lengths: Mapping[str, int], piece_length: int) -> Content:
    """Make several files of random bytes; pieces cross their borders."""
    noise = Random(name)
    return Content(name, {path: noise.randbytes(length) for path, length in lengths.items()}, piece_length)
