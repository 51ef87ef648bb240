"""HTTP/1.x message heads: bytes to values and back; pure.

    server   take_head, parse_request   ->  encode_response
    client   encode_request             ->  take_head, parse_response

A request is read strictly: what is malformed is refused, and so is a body, which would be read as the next request. An
answer is read leniently: lines may end in a bare line feed, and header lines that make no sense are skipped.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from peer.errors import WireError

MOST_HEAD: Final = 8 << 10

_HEAD_END: Final = b"\r\n\r\n"
_REQUEST_LINE: Final = re.compile(
    r"([A-Z]{1,16}) (?:http://[^/?\s]*)?(/[^\x00-\x20?\x7f]*)(?:\?([^\x00-\x20\x7f]*))? HTTP/1\.([01])", re.ASCII
)
_STATUS_LINE: Final = re.compile(r"HTTP/1\.([01]) ([1-5][0-9]{2})(?: (.*))?", re.ASCII)
_FIELD_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_REASONS: Final = {
    200: "OK",
    206: "Partial Content",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


class HttpError(WireError):
    """A message that is malformed or not supported; a server answers with the status and closes the connection."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


class Request(NamedTuple):
    """What a client asks for; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    is_last: bool
    """Whether the connection is to be closed after the answer."""


class Response(NamedTuple):
    """What a server answers; header names are in lower case."""

    status: int
    reason: str
    headers: Mapping[str, str]


def take_head(buffer: bytearray, most_line: int | None = None) -> str | None:
    """Remove the first head from `buffer` and return it; None if it is incomplete. Raises HttpError.

    A head must have less than MOST_HEAD bytes, its first line less than `most_line`.
    """
    if most_line is not None and len(buffer) >= most_line and buffer.find(b"\r\n", 0, most_line + 1) < 0:
        raise HttpError(414, f"expected a request line of less than {most_line} bytes")
    end = buffer.find(_HEAD_END, 0, MOST_HEAD)
    if end < 0:
        if len(buffer) >= MOST_HEAD:
            raise HttpError(431, f"expected a head of less than {MOST_HEAD} bytes")
        return None
    head = buffer[:end].decode("latin-1")
    del buffer[: end + len(_HEAD_END)]
    return head


def parse_request(head: str, methods: tuple[str, ...] = ("GET",)) -> Request:
    """Read the head of a request without a body; raises HttpError."""
    line, *rest = head.split("\r\n")
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise HttpError(400, "expected a request line GET /path HTTP/1.1")
    method, path, query, version = match.groups()
    if method not in methods:
        raise HttpError(405, f"expected {' or '.join(methods)}")
    headers = _parse_fields(rest, is_strict=True)
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        raise HttpError(400, "expected a request without a body")
    wish = headers.get("connection", "").lower()
    is_last = "close" in wish if version == "1" else "keep-alive" not in wish
    return Request(method, path, query or "", headers, is_last)


def parse_response(head: str) -> Response:
    """Read the head of an answer; raises HttpError."""
    line, *rest = head.replace("\r\n", "\n").split("\n")
    status, reason = parse_status_line(line)
    return Response(status, reason, _parse_fields(rest, is_strict=False))


def parse_status_line(line: str) -> tuple[int, str]:
    """Read the first line of an answer: the status, and what the server calls it."""
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise HttpError(400, f"expected an HTTP answer, found {line[:32]!r}")
    return int(match[2]), match[3] or ""


def encode_request(target: str, headers: Mapping[str, object]) -> bytes:
    """Write the head of a GET request."""
    return f"GET {target} HTTP/1.1\r\n{_fields(headers)}\r\n".encode("latin-1")


def encode_response(status: int, headers: Mapping[str, object], *, is_last: bool) -> bytes:
    """Write the head of an answer; `Connection` says whether it is the last one."""
    connection = "close" if is_last else "keep-alive"
    head = f"HTTP/1.1 {status} {_REASONS[status]}\r\n{_fields(headers)}Connection: {connection}\r\n\r\n"
    return head.encode("latin-1")


def _parse_fields(lines: Iterable[str], *, is_strict: bool) -> dict[str, str]:
    """Read header lines; the values of a name that occurs twice are joined by a comma."""
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or _FIELD_NAME.fullmatch(name) is None or "\n" in value:
            if is_strict:
                raise HttpError(400, "expected header lines name: value")
            continue
        name, value = name.lower(), value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _fields(headers: Mapping[str, object]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
