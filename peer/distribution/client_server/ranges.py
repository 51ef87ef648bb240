"""One file over HTTP: which of its bytes a request is for, and which an answer brings; pure.

GET and HEAD, one range. Several ranges in one request are answered by the whole file, as RFC 9110 allows.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from peer.net.http import (
    HttpError,
    Request,
    Response,
    encode_request,
    encode_response,
)

METHODS: Final = ("GET", "HEAD")

_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)
_CONTENT_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entity:
    """The one file of a server."""

    path: str
    """Its path in URLs."""
    length: int
    version: str
    """A text that changes when the file does."""

    @property
    def tag(self) -> str:
        """The version as HTTP writes it."""
        return f'"{self.version}"'


@dataclass(frozen=True, slots=True)
class Answer:
    """A head, and the bytes of the file that follow it."""

    head: bytes
    body: range
    is_last: bool
    """Whether the connection ends then."""


def answer(request: Request, entity: Entity) -> Answer:
    """Answer a request for the file; raises HttpError."""
    if request.path not in {"/", entity.path}:
        raise HttpError(404, f"expected {entity.path}")
    part = _part(request.headers, entity)
    body = range(entity.length) if part is None else part
    headers = {"Content-Type": "application/octet-stream", "Content-Length": len(body), "ETag": entity.tag}
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{entity.length}"
    headers["Accept-Ranges"] = "bytes"
    head = encode_response(200 if part is None else 206, headers, is_last=request.is_last)
    return Answer(head, range(0) if request.method == "HEAD" else body, request.is_last)


def refusal(error: HttpError, entity: Entity) -> bytes:
    """Answer a request by an error and the end of the connection."""
    text = f"{error}\n".encode()
    headers: dict[str, object] = {"Content-Type": "text/plain", "Content-Length": len(text)}
    if error.status == 405:
        headers["Allow"] = ", ".join(METHODS)
    if error.status == 416:
        headers["Content-Range"] = f"bytes */{entity.length}"
    headers["Accept-Ranges"] = "bytes"
    return encode_response(error.status, headers, is_last=True) + text


def request_from(path: str, host: str, offset: int, tag: str | None) -> bytes:
    """Ask for the file from `offset` on; with an ETag, for all of it if the file has changed."""
    headers: dict[str, object] = {"Host": host, "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if tag is not None:
            headers["If-Range"] = tag
    return encode_request(path, headers)


def body_of(response: Response) -> tuple[range, int]:
    """Return which bytes of the file follow an answer 200 or 206, and how long the file is; raises HttpError."""
    length = response.headers.get("content-length", "")
    if "transfer-encoding" in response.headers or not re.fullmatch("[0-9]{1,18}", length):
        raise HttpError(400, "expected an answer that states its Content-Length")
    if response.status == 200:
        return range(int(length)), int(length)
    match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    if match is None or int(match[2]) - int(match[1]) + 1 != int(length):
        raise HttpError(400, "expected an answer 206 whose Content-Range and Content-Length agree")
    return range(int(match[1]), int(match[2]) + 1), int(match[3])


def _part(headers: Mapping[str, str], entity: Entity) -> range | None:
    """Return the range asked for; None for the whole file, also if the range makes no sense."""
    match = _RANGE.fullmatch(headers.get("range", ""))
    if match is None or headers.get("if-range", entity.tag) != entity.tag:
        return None
    first, last = match.groups()
    if not first:
        return _satisfiable(max(0, entity.length - int(last)), entity.length, entity) if last else None
    stop = min(int(last) + 1, entity.length) if last else entity.length
    return None if last and int(last) < int(first) else _satisfiable(int(first), stop, entity)


def _satisfiable(start: int, stop: int, entity: Entity) -> range:
    if start >= entity.length:
        raise HttpError(416, f"expected a range within {entity.length} bytes")
    return range(start, stop)
