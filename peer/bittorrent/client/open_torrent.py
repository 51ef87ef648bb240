"""A torrent that a client has or is to get: where it is kept, and what of it is there when the client starts."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, TypeAlias

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

OpensStorage: TypeAlias = Callable[[Info], tuple[Storage, Bitfield]]
"""Makes or finds the storage of a torrent, and tells what is in it; raises StorageError. It may take long."""


class Stock:
    """A torrent that is known: its storage, and who verifies its pieces."""

    def __init__(self, info: Info, storage: Storage, block_length: int) -> None:
        self.info: Final = info
        self.storage: Final = storage
        self.hasher: Final = Hasher(info, storage, block_length)

    def close(self) -> None:
        """Let go of everything."""
        self.hasher.close()
        self.storage.close()


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Below a folder, under the torrent's own name; what is there already is found out."""

    folder: Path

    def __call__(self, info: Info) -> tuple[Storage, Bitfield]:
        """Make the files that are not there."""
        storage = Disk(self.folder / info.name, info)
        return storage, storage.recheck()


@dataclass(frozen=True, slots=True)
class InMemory:
    """Nowhere else."""

    def __call__(self, info: Info) -> tuple[Storage, Bitfield]:
        """Begin with nothing."""
        return Memory(info), Bitfield(info.piece_count)


@dataclass(frozen=True, slots=True)
class OfOriginal:
    """Verified against an original, and served from it; the client may begin with a share of the pieces."""

    original: Path
    share: float
    rng: Random
    """Draws the pieces."""

    def __call__(self, info: Info) -> tuple[Storage, Bitfield]:
        """Open the original."""
        have = Bitfield(info.piece_count)
        for index in sorted(self.rng.sample(range(info.piece_count), round(self.share * info.piece_count))):
            have.add(index)
        return Shared(self.original, info, have), have


@dataclass(frozen=True, slots=True)
class Whole:
    """The data of a seed: every piece must be there, and be right."""

    data: Path
    in_memory: bool = False
    """Serve a copy in memory, not the files."""

    def __call__(self, info: Info) -> tuple[Storage, Bitfield]:
        """Check the data."""
        storage = Disk(self._place(info), info, is_read_only=True)
        have = storage.recheck()
        if not have.is_full:
            wrong = info.piece_count - have.count
            storage.close()
            raise StorageError(
                f"{self.data}: {wrong} of {info.piece_count} pieces are not those of {info.name!r}; "
                "name the data that the torrent was made of, or use `leech` to complete it"
            )
        return (_copied(storage, info) if self.in_memory else storage), have

    def _place(self, info: Info) -> Path:
        """A single file may be named by its folder too."""
        return self.data / info.name if self.data.is_dir() and not info.is_folder else self.data


def _copied(source: Storage, info: Info) -> Storage:
    """Copy a whole torrent to memory."""
    memory = Memory(info)
    with source:
        for index in range(info.piece_count):
            size = info.piece_size(index)
            memory.space(index, 0, size)[:] = source.read(index, 0, size)
            memory.kept(index)
    return memory
