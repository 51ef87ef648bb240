"""Small torrents of random bytes, and how they get into a storage."""

from collections.abc import Sequence
from hashlib import sha1
from random import Random

from peer.bittorrent.client.storage import Storage
from peer.bittorrent.wire.metainfo.metainfo import File, Info, make_info

BLOCK = 16 << 10


def random_bytes(length: int, seed: int = 1) -> bytes:
    return Random(seed).randbytes(length)


def digest(data: bytes | memoryview) -> bytes:
    return sha1(data, usedforsecurity=False).digest()


def hashes(data: bytes, piece_length: int) -> list[bytes]:
    return [digest(data[at : at + piece_length]) for at in range(0, len(data), piece_length)]


def file_torrent(data: bytes, piece_length: int) -> Info:
    return make_info("file", len(data), piece_length, hashes(data, piece_length))


def folder_torrent(files: Sequence[File], data: bytes, piece_length: int) -> Info:
    return make_info("folder", files, piece_length, hashes(data, piece_length))


def piece_of(info: Info, data: bytes, index: int) -> bytes:
    start = index * info.piece_length
    return data[start : start + info.piece_size(index)]


def receive(storage: Storage, index: int, piece: bytes, block: int = BLOCK) -> None:
    """Store a piece block by block, the last block first."""
    for begin in reversed(range(0, len(piece), block)):
        part = piece[begin : begin + block]
        storage.space(index, begin, len(part))[:] = part


def keep(storage: Storage, index: int, piece: bytes) -> None:
    receive(storage, index, piece)
    storage.keep(index)


def read(storage: Storage, info: Info, index: int, block: int = BLOCK) -> bytes:
    size = info.piece_size(index)
    return b"".join(storage.read(index, begin, min(block, size - begin)) for begin in range(0, size, block))
