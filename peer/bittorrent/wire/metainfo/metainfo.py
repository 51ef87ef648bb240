"""Torrents, version 1 (BEP 3; nodes BEP 5, announce-list BEP 12, private BEP 27, padding BEP 47).

    d 8:announce     url
      13:announce-list  l l url url e l url e e      tiers; if present, `announce` is not used
      4:info  d 6:length n                           one file: its length
                5:files  l d 6:length n 4:path l name name e e ... e       or several, in this order
                4:name   of the file, or of the folder
                12:piece length n                    bytes of each piece but the last
                6:pieces 20k:SHA-1 of each piece     pieces span file boundaries
                7:private i1e                        peers from the tracker only
              e                                      the info-hash is the SHA-1 of these bytes, d to e
      5:nodes   l l host port e l host port e e      nodes of the DHT, for torrents without a tracker
      ... e

The info dictionary is kept as the received bytes, so that entries which are not read here still count in the hash.
Names become file paths: a name that would leave the folder, or be the folder itself, is refused.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Final

from peer.bencode.codec import (
    Encodable,
    Raw,
    Value,
    decode,
    decode_whole,
    encode,
)
from peer.bencode.fields import Fields
from peer.bittorrent.wire.errors import MetainfoError
from peer.net.address import Address

HASH_LENGTH: Final = 20
_MOST_PIECES: Final = 1 << 22
_MOST_BYTES: Final = 1 << 50


@dataclass(frozen=True, slots=True)
class File:
    """One file: its path below the torrent's folder (for a single file, its name) and its length."""

    path: tuple[str, ...]
    length: int
    is_padding: bool = False
    """Zeros that align the next file with a piece; they are not stored."""


@dataclass(frozen=True, slots=True)
class Info:
    """What the swarm shares; `raw` is the dictionary as its bytes."""

    name: str
    piece_length: int
    pieces: bytes = field(repr=False)
    files: tuple[File, ...]
    is_folder: bool
    """Whether the torrent has several files below a folder `name`, or is one file `name`."""
    is_private: bool
    raw: bytes = field(repr=False)
    info_hash: bytes
    length: int

    @property
    def piece_count(self) -> int:
        return len(self.pieces) // HASH_LENGTH

    def piece_size(self, index: int) -> int:
        """Return the size of one piece; the last one may be shorter."""
        return min(self.piece_length, self.length - index * self.piece_length)

    def piece_hash(self, index: int) -> bytes:
        """Return the expected SHA-1 of one piece."""
        return self.pieces[index * HASH_LENGTH : (index + 1) * HASH_LENGTH]


@dataclass(frozen=True, slots=True)
class Metainfo:
    """A torrent: what is shared, and where to ask for peers."""

    info: Info
    announce: str | None = None
    announce_list: tuple[tuple[str, ...], ...] = ()
    comment: str | None = None
    created_by: str | None = None
    creation_date: int | None = None
    nodes: tuple[Address, ...] = ()
    """Nodes of the DHT to join by."""

    @property
    def tiers(self) -> tuple[tuple[str, ...], ...]:
        """The trackers to use: announce-list if present, else announce."""
        if self.announce_list:
            return self.announce_list
        return () if self.announce is None else ((self.announce,),)

    def encode(self) -> bytes:
        """Write the torrent; its info dictionary stays unchanged."""
        entries: dict[bytes, Encodable | None] = {
            b"announce": _bytes_or_none(self.announce),
            b"announce-list": [[url.encode() for url in tier] for tier in self.announce_list] or None,
            b"comment": _bytes_or_none(self.comment),
            b"created by": _bytes_or_none(self.created_by),
            b"creation date": self.creation_date,
            b"info": Raw(self.info.raw),
            b"nodes": [[node.host.encode(), node.port] for node in self.nodes] or None,
        }
        return encode({key: value for key, value in entries.items() if value is not None})


def decode_metainfo(data: bytes) -> Metainfo:
    """Read a torrent file; raises BencodeError or MetainfoError."""
    value, _, spans = decode_whole(data)
    fields = Fields(value, "torrent", MetainfoError)
    info = _read_info(fields.value(b"info"), data[spans[b"info"]])
    return Metainfo(
        info,
        fields.optional_text(b"announce"),
        tuple(_tiers(fields)),
        fields.optional_text(b"comment"),
        fields.optional_text(b"created by"),
        fields.optional_integer(b"creation date"),
        tuple(_nodes(value)),
    )


def decode_info(raw: bytes) -> Info:
    """Read an info dictionary by itself, as peers send it to clients with a magnet link."""
    return _read_info(decode(raw), raw)


def make_info(
    name: str,
    files: int | Iterable[File],
    piece_length: int,
    hashes: Iterable[bytes],
    *,
    is_private: bool = False,
) -> Info:
    """Describe a single file by its length, or the files of a folder, by the SHA-1 of each piece in order."""
    entries: dict[bytes, Encodable] = {
        b"name": name.encode(),
        b"piece length": piece_length,
        b"pieces": b"".join(hashes),
    }
    if isinstance(files, int):
        entries[b"length"] = files
    else:
        entries[b"files"] = [_file_entry(file) for file in files]
    if is_private:
        entries[b"private"] = 1
    return decode_info(encode(entries))


def usual_piece_length(length: int) -> int:
    """Choose a piece length for `length` bytes: a power of two from 16 KiB to 16 MiB, for 750 to 1,500 pieces."""
    return min(16 << 20, max(16 << 10, 1 << (length // 1500).bit_length()))


def _read_info(value: Value, raw: bytes) -> Info:
    fields = Fields(value, "torrent, info", MetainfoError)
    if b"pieces" not in fields and b"file tree" in fields:
        raise MetainfoError("torrent, info: expected 'pieces'; a torrent of version 2 alone is not supported")
    name = _component(fields, b"name", fields.value(b"name"))
    files = tuple(_files(fields, name))
    info = Info(
        name=name,
        piece_length=fields.integer(b"piece length", low=1, high=1 << 31),
        pieces=fields.string(b"pieces"),
        files=files,
        is_folder=b"files" in fields,
        is_private=fields.optional_integer(b"private") == 1,
        raw=raw,
        info_hash=sha1(raw, usedforsecurity=False).digest(),
        length=sum(file.length for file in files),
    )
    _check_pieces(info, fields)
    return info


def _check_pieces(info: Info, fields: Fields) -> None:
    if not 0 < info.length <= _MOST_BYTES:
        raise MetainfoError(f"torrent, info: expected 1 to {_MOST_BYTES} bytes of files, found {info.length}")
    expected = -(-info.length // info.piece_length)
    if expected > _MOST_PIECES:
        raise fields.wrong(b"piece length", f"expected at most {_MOST_PIECES} pieces, found {expected}")
    if len(info.pieces) != expected * HASH_LENGTH:
        wanted = f"{expected} hashes, {expected * HASH_LENGTH} bytes, for {info.length} bytes of files"
        raise fields.wrong(b"pieces", f"expected {wanted}; found {len(info.pieces)} bytes")


def _files(fields: Fields, name: str) -> Iterator[File]:
    if b"files" not in fields:
        yield File((name,), fields.integer(b"length", high=_MOST_BYTES))
        return
    if b"length" in fields:
        raise MetainfoError("torrent, info: expected one of 'length' and 'files', found both")
    tree = _Tree(fields)
    for number, entry in enumerate(fields.items(b"files")):
        file = _file(Fields(entry, f"torrent, info, file {number}", MetainfoError))
        tree.add(file.path)
        yield file


def _file(fields: Fields) -> File:
    path = tuple(_component(fields, b"path", part) for part in fields.items(b"path"))
    if not path:
        raise fields.wrong(b"path", "expected at least one name, found none")
    is_padding = b"p" in (fields.optional_string(b"attr") or b"")
    return File(path, fields.integer(b"length", high=_MOST_BYTES), is_padding)


def _component(fields: Fields, key: bytes, value: Value) -> str:
    """Read a name that will be part of a path."""
    name = fields.as_text(key, value)
    if name in {"", ".", ".."} or "/" in name or "\\" in name or "\0" in name:
        raise fields.wrong(key, f"expected a plain file name, found {name[:64]!r}")
    return name


class _Tree:
    """The paths so far, to find duplicate paths, and files where another path needs a folder."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._files: set[tuple[str, ...]] = set()
        self._folders: set[tuple[str, ...]] = set()

    def add(self, path: tuple[str, ...]) -> None:
        folders = [path[:depth] for depth in range(1, len(path))]
        if path in self._files or path in self._folders or not self._files.isdisjoint(folders):
            raise self._fields.wrong(b"files", f"two files need the path {'/'.join(path)[:128]!r}")
        self._files.add(path)
        self._folders.update(folders)


def _tiers(fields: Fields) -> Iterator[tuple[str, ...]]:
    if b"announce-list" not in fields:
        return
    for tier in fields.items(b"announce-list"):
        if not isinstance(tier, list):
            raise fields.wrong(b"announce-list", "expected a list of lists of URLs")
        if tier:
            yield tuple(fields.as_text(b"announce-list", url) for url in tier)


def _nodes(torrent: Value) -> Iterator[Address]:
    """Yield what can be used of the nodes: they are mere hints, and a torrent is good without them."""
    entries = torrent.get(b"nodes") if isinstance(torrent, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        match entry:
            case [bytes(host), int(port)] if 0 < port < 1 << 16 and re.fullmatch(rb"[0-9A-Za-z.:_-]{1,253}", host):
                yield Address(host.decode(), port)


def _file_entry(file: File) -> dict[bytes, Encodable]:
    entry: dict[bytes, Encodable] = {b"length": file.length, b"path": [part.encode() for part in file.path]}
    if file.is_padding:
        entry[b"attr"] = b"p"
    return entry


def _bytes_or_none(text: str | None) -> bytes | None:
    return None if text is None else text.encode()
