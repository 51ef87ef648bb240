"""HTTP/1.1 as far as one file needs it: heads to values and back, and which bytes a request is for; pure.

GET and HEAD, one range, kept connections. Several ranges in one request are answered by the whole file, as RFC 9110
allows.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MOST_HEAD: Final = 8 << 10

_HEAD_END: Final = b"\r\n\r\n"
_REQUEST_LINE: Final = re.compile(r"([A-Z]{1,16}) (?:http://[^/?\s]*)?(/[!-~]*) HTTP/1\.([01])")
_STATUS_LINE: Final = re.compile(r"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: .*)?")
_HEADER: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)")
_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)
_CONTENT_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", re.IGNORECASE)
_REASONS: Final = {
    200: "OK",
    206: "Partial Content",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    416: "Range Not Satisfiable",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


class HttpError(Exception):
    """What came is no HTTP that is understood here; a server answers with the status."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for; `is_last` if the connection is to be closed after the answer."""

    method: str
    path: str
    headers: Mapping[str, str]
    is_last: bool


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answers; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    is_last: bool


@dataclass(frozen=True, slots=True)
class Entity:
    """The one file that a server has: its path in URLs, its length, and a text that changes when the file does."""

    path: str
    length: int
    version: str

    @property
    def tag(self) -> str:
        """The version as HTTP writes it."""
        return f'"{self.version}"'


@dataclass(frozen=True, slots=True)
class Answer:
    """A head, and the bytes of the file that follow it; `is_last` if the connection ends then."""

    head: bytes
    body: range
    is_last: bool


def take_head(buffer: bytearray) -> str | None:
    """Take the first head out of `buffer`; None if it is not all there yet. Raises HttpError."""
    end = buffer.find(_HEAD_END, 0, MOST_HEAD)
    if end < 0:
        if len(buffer) >= MOST_HEAD:
            raise HttpError(431, f"expected a head of less than {MOST_HEAD} bytes")
        return None
    head = buffer[:end].decode("latin-1")
    del buffer[: end + len(_HEAD_END)]
    return head


def parse_request(head: str) -> Request:
    """Read a request's head; a body is refused, for it would be read as the next request. Raises HttpError."""
    line, *rest = head.split("\r\n")
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise HttpError(400, "expected a request line GET /path HTTP/1.1")
    headers = _headers(rest)
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        raise HttpError(400, "expected a request without a body")
    method, path, version = match.groups()
    return Request(method, path, headers, _is_last(version, headers))


def parse_response(head: str) -> Response:
    """Read an answer's head; raises HttpError."""
    line, *rest = head.split("\r\n")
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise HttpError(400, f"expected an HTTP/1.1 answer, found {line[:40]!r}")
    headers = _headers(rest)
    return Response(int(match[2]), headers, _is_last(match[1], headers))


def answer(request: Request, entity: Entity) -> Answer:
    """Answer a request for the file; raises HttpError."""
    if request.method not in {"GET", "HEAD"}:
        raise HttpError(405, "expected GET or HEAD")
    if request.path.partition("?")[0] not in {"/", entity.path}:
        raise HttpError(404, f"expected {entity.path}")
    part = _part(request.headers, entity)
    body = range(entity.length) if part is None else part
    headers = {"Content-Type": "application/octet-stream", "Content-Length": len(body), "ETag": entity.tag}
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{entity.length}"
    head = _head(200 if part is None else 206, headers, is_last=request.is_last)
    return Answer(head, range(0) if request.method == "HEAD" else body, request.is_last)


def refusal(error: HttpError, entity: Entity) -> bytes:
    """Answer a request by an error and the end of the connection."""
    text = f"{error}\n".encode()
    headers: dict[str, object] = {"Content-Type": "text/plain", "Content-Length": len(text)}
    if error.status == 405:
        headers["Allow"] = "GET, HEAD"
    if error.status == 416:
        headers["Content-Range"] = f"bytes */{entity.length}"
    return _head(error.status, headers, is_last=True) + text


def request_head(path: str, host: str, offset: int, version: str | None) -> bytes:
    """Ask for the file from `offset` on; with a version (an ETag), for all of it if it is another one by now."""
    headers: dict[str, object] = {"Host": host, "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if version is not None:
            headers["If-Range"] = version
    return _lines(f"GET {path} HTTP/1.1", headers)


def body_of(response: Response) -> tuple[range, int]:
    """Tell which bytes of the file follow an answer 200 or 206, and how long the file is; raises HttpError."""
    length = response.headers.get("content-length", "")
    if "transfer-encoding" in response.headers or not re.fullmatch("[0-9]{1,18}", length):
        raise HttpError(400, "expected an answer that says its Content-Length")
    if response.status == 200:
        return range(int(length)), int(length)
    match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    if match is None or int(match[2]) - int(match[1]) + 1 != int(length):
        raise HttpError(400, "expected an answer 206 whose Content-Range and Content-Length agree")
    return range(int(match[1]), int(match[2]) + 1), int(match[3])


def _part(headers: Mapping[str, str], entity: Entity) -> range | None:
    """Return the range asked for; None for the whole file, also where the request makes no sense."""
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


def _headers(lines: list[str]) -> dict[str, str]:
    """Read header lines; a name that is there twice has both values, as HTTP says."""
    headers: dict[str, str] = {}
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise HttpError(400, "expected header lines name: value")
        name, value = match[1].lower(), match[2].strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _is_last(version: str, headers: Mapping[str, str]) -> bool:
    wish = headers.get("connection", "").lower()
    return "close" in wish if version == "1" else "keep-alive" not in wish


def _head(status: int, headers: Mapping[str, object], *, is_last: bool) -> bytes:
    connection = "close" if is_last else "keep-alive"
    common = {"Accept-Ranges": "bytes", "Connection": connection}
    return _lines(f"HTTP/1.1 {status} {_REASONS[status]}", {**headers, **common})


def _lines(first: str, headers: Mapping[str, object]) -> bytes:
    return "\r\n".join([first, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode("latin-1")
