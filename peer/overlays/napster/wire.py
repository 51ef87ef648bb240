"""Frames of a length, a type (16 bits each, little-endian) and a text.

A frame whose text cannot be read is `Malformed`: its end is known, so the connection goes on. Types that we do not know
are `Unknown`, as there were some 100 types, of chats, hot lists and administrators.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from peer.errors import WireError
from peer.overlays.napster.messages import (
    DownloadFrom,
    DownloadRefused,
    DownloadRequest,
    EndOfResults,
    Login,
    LoginAccepted,
    Refusal,
    Result,
    Said,
    Search,
    Share,
)
from peer.overlays.napster.text import as_bytes, as_text

_HEAD: Final = struct.Struct("<HH")
MOST_BYTES: Final = 0xFFFF
"""Of a text: what its length can say. A decoder keeps no more than one frame and what it was fed."""
_TYPES: Final[dict[int, type[Said]]] = {
    each.kind: each
    for each in (
        Refusal,
        Login,
        LoginAccepted,
        Share,
        Search,
        Result,
        EndOfResults,
        DownloadRequest,
        DownloadFrom,
        DownloadRefused,
    )
}


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a type that is not one of ours."""

    kind: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """A message whose text is not what its type asks for."""

    kind: int
    why: str


Message: TypeAlias = Said | Unknown | Malformed


def encode(message: Said) -> bytes:
    text = as_bytes(message.text())
    if len(text) > MOST_BYTES:
        raise WireError(f"a message of {len(text)} bytes: expected at most {MOST_BYTES}")
    return _HEAD.pack(len(text), message.kind) + text


def size(message: Said) -> int:
    return _HEAD.size + len(as_bytes(message.text()))


class Decoder:
    """The receiving half of one connection."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[Message]:
        """Yield the messages that are complete with these bytes; consume to the end."""
        self._buffer += data
        begin = 0
        while len(self._buffer) - begin >= _HEAD.size:
            length, kind = _HEAD.unpack_from(self._buffer, begin)
            end = begin + _HEAD.size + length
            if end > len(self._buffer):
                break
            yield read(kind, bytes(self._buffer[begin + _HEAD.size : end]))
            begin = end
        del self._buffer[:begin]


def read(kind: int, text: bytes) -> Message:
    if kind not in _TYPES:
        return Unknown(kind)
    try:
        return _TYPES[kind].read(as_text(text))
    except WireError as error:
        return Malformed(kind, str(error))
