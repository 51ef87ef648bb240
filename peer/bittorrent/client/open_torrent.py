"""A torrent whose info is known: where it is stored, and which pieces are there when the client starts."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, TypeAlias

from contract.wording import counted, one_or_many
from peer.bittorrent.client.hashing import Hasher
from peer.bittorrent.client.storage import (
    Disk,
    Memory,
    Shared,
    Storage,
    StorageError,
)
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.metainfo.metainfo import Info

StorageOpener: TypeAlias = Callable[[Info], tuple[Storage, Bitfield]]
"""Creates or opens the storage of a torrent, and finds out what is in it; raises StorageError. It may take long."""


class OpenTorrent:
    """A known torrent, with its storage and what verifies its pieces."""

    def __init__(self, info: Info, storage: Storage, block_length: int) -> None:
        self.info: Final = info
        self.storage: Final = storage
        self.hasher: Final = Hasher(info, storage, block_length)

    def close(self) -> None:
        self.hasher.close()
        self.storage.close()


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Below a folder, under the torrent's own name; pieces that are there already are found."""

    folder: Path

    def __call__(self, info: Info) -> tuple[Storage, Bitfield]:
        storage = Disk(self.folder / info.name, info)
        return storage, storage.recheck()


@dataclass(frozen=True, slots=True)
class InMemory:
    """In memory only."""

    def __call__(self, info: Info) -> tuple[Storage, Bitfield]:
        return Memory(info), Bitfield(info.piece_count)


@dataclass(frozen=True, slots=True)
class FromOriginal:
    """Served from an original; the client may start with a share of the pieces."""

    original: Path
    share: float
    rng: Random
    """Draws the pieces."""

    def __call__(self, info: Info) -> tuple[Storage, Bitfield]:
        have = Bitfield.drawn(info.piece_count, self.share, self.rng)
        return Shared(self.original, info, have), have


@dataclass(frozen=True, slots=True)
class CompleteData:
    """The data of a seed: every piece must be there and right."""

    data: Path
    in_memory: bool = False
    """Serve a copy in memory instead of the files."""

    def __call__(self, info: Info) -> tuple[Storage, Bitfield]:
        storage = Disk(self._place(info), info, is_read_only=True)
        have = storage.recheck()
        if not have.is_full:
            wrong = info.piece_count - have.count
            storage.close()
            raise StorageError(
                f"{self.data}: {wrong} of {counted(info.piece_count, 'piece')}"
                f" {one_or_many(wrong, 'differs', 'differ')} from those of {info.name!r}; "
                "name the data that the torrent was made from, or use `leech` to complete it"
            )
        return (_copied(storage, info) if self.in_memory else storage), have

    def _place(self, info: Info) -> Path:
        """A single file may also be named by its folder."""
        return self.data / info.name if self.data.is_dir() and not info.is_folder else self.data


def _copied(source: Storage, info: Info) -> Storage:
    memory = Memory(info)
    with source:
        for index in range(info.piece_count):
            size = info.piece_size(index)
            memory.space(index, 0, size)[:] = source.read(index, 0, size)
            memory.keep(index)
    return memory
