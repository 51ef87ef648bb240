"""Reading an HTTP answer from a tracker (RFC 9112): a head of limited length, a body of limited length.

    HTTP/1.1 200 OK                        the body's length is given by, in this order:
    Content-Length: 91                       Transfer-Encoding: chunked
    Content-Encoding: gzip                   Content-Length
                                             the end of the connection
    ...

Whatever the tracker claims, at most MOST_BODY bytes are read, and at most as many are decompressed.
"""

import asyncio
import re
import zlib
from collections.abc import Mapping
from typing import Final, NamedTuple

from peer.bittorrent.client.trackers.limits import TrackerFailure
from peer.net.http import (
    HttpError,
    Response,
    parse_response,
    parse_status_line,
)

MOST_HEAD: Final = 16 << 10
MOST_BODY: Final = 2 << 20

_CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\n]*)?\r?\n")
_LENGTH: Final = re.compile(r"[0-9]{1,10}")
_GZIP: Final = 16 + zlib.MAX_WBITS
_PORTION: Final = 64 << 10


class Answer(NamedTuple):
    """A head, and its body without any encoding."""

    head: Response
    body: bytes


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """Read the answer to a request that asked for the connection to be closed; raises TrackerFailure."""
    try:
        head = await _read_final_head(reader)
    except HttpError as error:
        raise TrackerFailure(str(error)) from error
    body = await _read_body(reader, head.headers)
    return Answer(head, _decompressed(body, head.headers.get("content-encoding", "identity")))


async def _read_final_head(reader: asyncio.StreamReader) -> Response:
    """Skip heads below 200, which only announce the answer. All heads together may have MOST_HEAD bytes."""
    left = MOST_HEAD
    while True:
        head = await _read_head(reader, left)
        response = parse_response(head)
        if response.status >= 200:
            return response
        left -= len(head)


async def _read_head(reader: asyncio.StreamReader, most: int) -> str:
    head = ""
    while (line := (await _line(reader, "an HTTP head")).decode("latin-1")).strip() or not head:
        if not head:
            parse_status_line(line.rstrip("\r\n"))  # Do not wait for the end of what is no HTTP.
        head += line
        if len(head) > most:
            raise TrackerFailure(f"expected an HTTP head of at most {MOST_HEAD} bytes, found a longer one")
    return head


async def _line(reader: asyncio.StreamReader, what: str) -> bytes:
    """Read a line. The reader's own buffer, which `fetch` limits to MOST_HEAD bytes, limits its length."""
    try:
        return await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError as error:
        raise TrackerFailure(f"{what}: expected lines of at most {MOST_HEAD} bytes, found a longer one") from error
    except asyncio.IncompleteReadError as error:
        raise TrackerFailure(f"the connection ended inside {what}") from error


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    encoding = headers.get("transfer-encoding", "identity").lower()
    if encoding == "chunked":
        return await _chunked(reader)
    if encoding != "identity":
        raise TrackerFailure(f"expected the transfer encoding chunked or none, found {encoding[:32]!r}")
    stated = headers.get("content-length")
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
    """Read chunks up to the empty one; trailers that may follow are not read."""
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
