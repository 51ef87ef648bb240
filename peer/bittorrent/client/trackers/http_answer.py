"""An HTTP answer, as far as trackers need it (RFC 9112): a head of limited length, a body of limited length.

    HTTP/1.1 200 OK                        the body's length is known by, in this order:
    Content-Length: 91                       Transfer-Encoding: chunked
    Content-Encoding: gzip                   Content-Length
                                             the end of the connection
    ...

Whatever the tracker claims, no more than MOST_BODY bytes are read, and no more come out of its compression.
"""

import asyncio
import re
import zlib
from dataclasses import dataclass
from typing import Final

from peer.bittorrent.client.trackers.failure import TrackerFailure

MOST_HEAD: Final = 16 << 10
MOST_BODY: Final = 2 << 20

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: ([^\r\n]*))?\r?\n")
_CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\n]*)?\r?\n")
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_LENGTH: Final = re.compile(r"[0-9]{1,10}")
_GZIP: Final = 16 + zlib.MAX_WBITS
_PORTION: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and what came with it."""

    status: int
    reason: str
    location: str | None
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the server did what was asked."""
        return 200 <= self.status < 300

    @property
    def new_place(self) -> str | None:
        """Where the answer is to be found instead, if this is a redirect."""
        return self.location if self.status in _REDIRECTS else None


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """Read an answer to a request that asked for the connection to be closed."""
    head = _Head(reader)
    status, reason = await head.status_line()
    while status < 200:  # It is only a hint that the answer will come.
        await head.fields()
        status, reason = await head.status_line()
    fields = await head.fields()
    body = _decompressed(await _body(reader, fields), fields.get("content-encoding", "identity"))
    return Answer(status, reason, fields.get("location"), body)


class _Head:
    """Reads lines, of all heads together MOST_HEAD bytes."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._left = MOST_HEAD

    async def status_line(self) -> tuple[int, str]:
        line = await self._line()
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            raise TrackerFailure(f"expected an HTTP answer, found {line[:32]!r}")
        return int(match[1]), (match[2] or b"").decode("latin-1")

    async def fields(self) -> dict[str, str]:
        """Read the header fields, up to the empty line."""
        fields = {}
        while line := (await self._line()).strip():
            name, _, value = line.decode("latin-1").partition(":")
            fields[name.lower()] = value.strip()
        return fields

    async def _line(self) -> bytes:
        line = await _line(self._reader, "an HTTP head")
        self._left -= len(line)
        if self._left < 0:
            raise TrackerFailure(f"expected an HTTP head of at most {MOST_HEAD} bytes, found a longer one")
        return line


async def _line(reader: asyncio.StreamReader, what: str) -> bytes:
    """Read a line; its length is limited by the reader's own buffer, which the request made MOST_HEAD bytes."""
    try:
        return await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError as error:
        raise TrackerFailure(f"{what}: expected lines of at most {MOST_HEAD} bytes, found a longer one") from error
    except asyncio.IncompleteReadError as error:
        raise TrackerFailure(f"the connection ended inside {what}") from error


async def _body(reader: asyncio.StreamReader, fields: dict[str, str]) -> bytes:
    encoding = fields.get("transfer-encoding", "identity").lower()
    if encoding == "chunked":
        return await _chunked(reader)
    if encoding != "identity":
        raise TrackerFailure(f"expected the transfer encoding chunked or none, found {encoding[:32]!r}")
    stated = fields.get("content-length")
    return await _until_end(reader) if stated is None else await _exactly(reader, _stated_length(stated))


def _stated_length(stated: str) -> int:
    if not _LENGTH.fullmatch(stated):
        raise TrackerFailure(f"Content-Length: expected a number, found {stated[:32]!r}")
    return int(stated)


async def _exactly(reader: asyncio.StreamReader, length: int) -> bytes:
    _check_length(length)
    try:
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        found = len(error.partial)
        raise TrackerFailure(f"the connection ended after {found} of {length} bytes of the answer") from error


async def _until_end(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while portion := await reader.read(_PORTION):
        body += portion
        _check_length(len(body))
    return bytes(body)


async def _chunked(reader: asyncio.StreamReader) -> bytes:
    """Read chunks up to the empty one. What may follow it, nobody needs."""
    body = bytearray()
    while length := await _chunk_length(reader):
        _check_length(len(body) + length)
        body += await _exactly(reader, length)
        if (await _line(reader, "a chunked answer")).strip():
            raise TrackerFailure("a chunked answer: expected a line end behind a chunk, found more bytes")
    return bytes(body)


async def _chunk_length(reader: asyncio.StreamReader) -> int:
    line = await _line(reader, "a chunked answer")
    match = _CHUNK_LINE.fullmatch(line)
    if match is None:
        raise TrackerFailure(f"a chunked answer: expected a length in hex digits, found {line[:32]!r}")
    return int(match[1], 16)


def _decompressed(body: bytes, encoding: str) -> bytes:
    match encoding.lower():
        case "identity" | "":
            return body
        case "gzip" | "x-gzip":
            return _gunzipped(body)
        case _:
            raise TrackerFailure(f"expected the content encoding gzip or none, found {encoding[:32]!r}")


def _gunzipped(body: bytes) -> bytes:
    decompressor = zlib.decompressobj(_GZIP)
    try:
        plain = decompressor.decompress(body, MOST_BODY + 1)
    except zlib.error as error:
        raise TrackerFailure(f"the answer is not gzip, as its head says: {error}") from error
    _check_length(len(plain))
    if not decompressor.eof:
        raise TrackerFailure("the answer's gzip ends too early")
    return plain


def _check_length(length: int) -> None:
    if length > MOST_BODY:
        raise TrackerFailure(f"expected an answer of at most {MOST_BODY} bytes, found {length} or more")
