"""Making a torrent of a file or a folder. The same bytes under the same names always make the same torrent."""

import os
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from peer.bittorrent.client.storage.layout import Layout
from peer.bittorrent.wire.errors import MetainfoError
from peer.bittorrent.wire.metainfo.metainfo import (
    File,
    Info,
    Metainfo,
    make_info,
    usual_piece_length,
)
from peer.net.address import Address

LEAST_PIECE: Final = 16 << 10
MOST_PIECE: Final = 64 << 20
_RUN_BYTES: Final = 16 << 20
"""What a thread hashes in one go, but at least one piece."""


class CreateError(Exception):
    """The torrent cannot be made; the message is for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The torrent to be made."""

    source: Path
    piece_length: int | None = None
    """None: chosen by the length."""
    tiers: tuple[tuple[str, ...], ...] = ()
    nodes: tuple[Address, ...] = ()
    """Of the DHT."""
    is_private: bool = False
    comment: str | None = None
    created_by: str | None = None
    creation_date: int | None = None
    """In seconds since 1970; without it the torrent does not say when it was made."""


@dataclass(frozen=True, slots=True)
class _Source:
    """A file to hash, with its state when it was found."""

    path: Path
    name: tuple[str, ...]
    length: int
    modified: int


def create(order: Order, out: Path, *, is_forced: bool = False) -> Metainfo:
    """Hash the source and write the torrent to `out`, which must not exist unless forced."""
    _check_out(order, out, is_forced=is_forced)
    metainfo = make_metainfo(order)
    _write(metainfo.encode(), out, is_forced=is_forced)
    return metainfo


def make_metainfo(order: Order) -> Metainfo:
    """Hash the source; raises CreateError."""
    for url in (url for tier in order.tiers for url in tier):
        _check_url(url)
    if order.nodes and order.is_private:
        raise CreateError("a private torrent is for its trackers alone: leave out the nodes of the DHT, or --private")
    urls = [url for tier in order.tiers for url in tier]
    return Metainfo(
        _make_info(order),
        announce=urls[0] if urls else None,
        announce_list=order.tiers if len(urls) > 1 else (),
        comment=order.comment,
        created_by=order.created_by,
        creation_date=order.creation_date,
        nodes=order.nodes,
    )


def _make_info(order: Order) -> Info:
    source = Path(os.path.abspath(order.source))  # noqa: PTH100 - `resolve` would name the torrent after a link's target
    sources = _find(source)
    length = sum(each.length for each in sources)
    if not length:
        raise CreateError(f"{order.source}: expected some data to share, found none")
    piece_length = usual_piece_length(length) if order.piece_length is None else _checked(order.piece_length)
    hashes = _hash(sources, length, piece_length)
    files = [File(each.name, each.length) for each in sources] if source.is_dir() else length
    try:
        return make_info(source.name, files, piece_length, hashes, is_private=order.is_private)
    except MetainfoError as error:
        raise CreateError(f"{order.source}: {error}") from error


def _checked(piece_length: int) -> int:
    if not LEAST_PIECE <= piece_length <= MOST_PIECE or piece_length.bit_count() != 1:
        raise CreateError(
            f"piece length: expected a power of 2 from {LEAST_PIECE} to {MOST_PIECE}, found {piece_length}"
        )
    return piece_length


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in {"http", "https", "udp"} and parts.hostname and (parts.port or parts.scheme != "udp")
    except ValueError:
        is_good = False
    if not is_good:
        raise CreateError(f"tracker {url!r}: expected http://host:port/announce or udp://host:port")


def _find(source: Path) -> list[_Source]:
    """List the files to share, sorted by path; links are followed."""
    status = _status(source)
    if stat.S_ISDIR(status.st_mode):
        return sorted(_walk(source, (), (_identity(status),)), key=lambda each: each.name)
    return [_source(source, (source.name,), status)]


def _walk(folder: Path, name: tuple[str, ...], above: tuple[tuple[int, int], ...]) -> Iterator[_Source]:
    """Yield the files below a folder; `above` are the folder and its parents, to detect circular links."""
    try:
        entries = sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths, are wanted
    except OSError as error:
        raise CreateError(f"{folder}: {error.strerror}") from error
    for entry in entries:
        path, below = folder / entry, (*name, _checked_name(folder, entry))
        status = _status(path)
        if not stat.S_ISDIR(status.st_mode):
            yield _source(path, below, status)
        elif _identity(status) in above:
            raise CreateError(f"{path}: is a link to a folder that contains it; remove the link")
        else:
            yield from _walk(path, below, (*above, _identity(status)))


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        if path.is_symlink():
            raise CreateError(f"{path}: is a broken link ({error.strerror}); remove it") from error
        raise CreateError(f"{path}: {error.strerror}") from error


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _checked_name(folder: Path, name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise CreateError(f"{folder}: the name {os.fsencode(name)!r} is not UTF-8; rename it") from error
    return name


def _source(path: Path, name: tuple[str, ...], status: os.stat_result) -> _Source:
    if not stat.S_ISREG(status.st_mode):
        raise CreateError(f"{path}: expected a file or a folder, found a socket, a pipe or a device; remove it")
    return _Source(path, name, status.st_size, status.st_mtime_ns)


def _hash(sources: Sequence[_Source], length: int, piece_length: int) -> list[bytes]:
    """Hash runs of pieces, in one thread for each CPU of this process."""
    reader = _Reader(sources, length, piece_length)
    count, per_run = -(-length // piece_length), max(1, _RUN_BYTES // piece_length)
    runs = (range(at, min(at + per_run, count)) for at in range(0, count, per_run))
    pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)))
    try:
        hashes = list(pool.map(reader.hash_run, runs))
    finally:
        pool.shutdown(cancel_futures=True)
    for source in sources:
        _check_unchanged(source)
    return hashes


class _Reader:
    """Reads pieces across files, for several threads at once."""

    def __init__(self, sources: Sequence[_Source], length: int, piece_length: int) -> None:
        self._sources = sources
        self._layout = Layout(source.length for source in sources)
        self._length = length
        self._piece_length = piece_length

    def hash_run(self, run: range) -> bytes:
        """Return the SHA-1 of each piece, joined."""
        buffer = memoryview(bytearray(self._piece_length))
        return b"".join(self._hash_piece(index * self._piece_length, buffer) for index in run)

    def _hash_piece(self, start: int, buffer: memoryview) -> bytes:
        piece = buffer[: min(self._piece_length, self._length - start)]
        at = 0
        for span in self._layout.spans(start, len(piece)):
            _read_into(piece[at : at + span.length], self._sources[span.file], span.offset)
            at += span.length
        return sha1(piece, usedforsecurity=False).digest()


def _read_into(memory: memoryview, source: _Source, offset: int) -> None:
    try:
        with source.path.open("rb", buffering=0) as file:
            file.seek(offset)
            while memory:
                count = file.readinto(memory)
                if not count:
                    raise CreateError(_changed(source))
                memory = memory[count:]
    except OSError as error:
        raise CreateError(f"{source.path}: {error.strerror}") from error


def _check_unchanged(source: _Source) -> None:
    status = _status(source.path)
    if (status.st_size, status.st_mtime_ns) != (source.length, source.modified):
        raise CreateError(_changed(source))


def _changed(source: _Source) -> str:
    return f"{source.path}: changed while being read; try again when no program writes to it"


def _check_out(order: Order, out: Path, *, is_forced: bool) -> None:
    if out.exists() and not is_forced:
        raise CreateError(f"{out} already exists; name another file, or use --force")
    if order.source.is_dir() and out.resolve().is_relative_to(order.source.resolve()):
        raise CreateError(f"{out} is in the folder to be shared; name a file elsewhere")


def _write(torrent: bytes, out: Path, *, is_forced: bool) -> None:
    """When forced, write beside `out` and rename, so that an existing file stays whole until then."""
    target = out.with_name(f".{out.name}.{os.getpid()}") if is_forced else out
    try:
        with target.open("xb") as file, _removed_on_failure(target):
            file.write(torrent)
            file.flush()
            target.replace(out)
    except OSError as error:
        raise CreateError(f"cannot write {out}: {error.strerror}") from error


@contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise
