"""A piece is right or wrong by its hash, and a wrong one is reported with the hashes of its blocks."""

import asyncio
import threading

import pytest

from peer.bittorrent.client.hashing import LEAST_FOR_THREAD, Hasher, verify
from peer.bittorrent.client.storage import Memory
from peer.bittorrent.wire.metainfo.metainfo import Info
from tests.peer.bittorrent.client.torrents import (
    BLOCK,
    digest,
    file_torrent,
    piece_of,
    random_bytes,
    receive,
)

SMALL = 3 * BLOCK
SMALL_DATA = random_bytes(2 * SMALL + 10)
LARGE_DATA = random_bytes(2 * LEAST_FOR_THREAD + 10)


def blocks(piece: bytes) -> tuple[bytes, ...]:
    return tuple(digest(piece[begin : begin + BLOCK]) for begin in range(0, len(piece), BLOCK))


async def check(info: Info, index: int, piece: bytes, *, with_digests: bool = False) -> tuple[bool, tuple[bytes, ...]]:
    told: asyncio.Future[tuple[bool, tuple[bytes, ...]]] = asyncio.get_running_loop().create_future()

    def done(is_good: bool, digests: tuple[bytes, ...]) -> None:
        assert threading.current_thread() is threading.main_thread()
        told.set_result((is_good, digests))

    with Memory(info) as storage:
        receive(storage, index, piece)
        hasher = Hasher(info, storage, BLOCK)
        hasher.check(index, done, with_digests=with_digests)
        try:
            return await asyncio.wait_for(told, 10)
        finally:
            hasher.close()


@pytest.mark.parametrize(("data", "piece_length"), [(SMALL_DATA, SMALL), (LARGE_DATA, LEAST_FOR_THREAD)])
@pytest.mark.parametrize("index", [0, 2])
def test_pieces_are_told_right_from_wrong(data: bytes, piece_length: int, index: int) -> None:
    info = file_torrent(data, piece_length)
    good = piece_of(info, data, index)
    bad = good[:-1] + bytes([good[-1] ^ 1])
    assert asyncio.run(check(info, index, good)) == (True, ())
    assert asyncio.run(check(info, index, bad)) == (False, blocks(bad))
    assert asyncio.run(check(info, index, good, with_digests=True)) == (True, blocks(good))


def test_usual_pieces_are_checked_at_once() -> None:
    info = file_torrent(SMALL_DATA, SMALL)
    told: list[bool] = []
    with Memory(info) as storage:
        receive(storage, 0, SMALL_DATA[:SMALL])
        Hasher(info, storage, BLOCK).check(0, lambda is_good, _: told.append(is_good))
    assert told == [True]


def test_large_pieces_are_reported_later_unless_closed() -> None:
    info = file_torrent(LARGE_DATA, LEAST_FOR_THREAD)
    told: list[bool] = []

    async def check_and_close() -> None:
        with Memory(info) as storage:
            hasher = Hasher(info, storage, BLOCK)
            for index in range(2):
                receive(storage, index, piece_of(info, LARGE_DATA, index))
                hasher.check(index, lambda is_good, _: told.append(is_good))
            hasher.close()
            await asyncio.sleep(0)

    asyncio.run(check_and_close())
    assert told == []


def test_only_the_blocks_that_differ_have_another_digest() -> None:
    piece = bytearray(SMALL_DATA[:SMALL])
    before = verify(memoryview(piece), bytes(20), BLOCK)
    piece[BLOCK] ^= 1
    after = verify(memoryview(piece), bytes(20), BLOCK)
    assert [was == now for was, now in zip(before.digests, after.digests, strict=True)] == [True, False, True]
