"""HTTP heads: what is taken from a buffer, what is refused, and what clients tolerate."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.net.http import (
    MOST_HEAD,
    HttpError,
    encode_request,
    encode_response,
    parse_request,
    parse_response,
    parse_status_line,
    take_head,
)


def test_request_line_is_split_into_path_and_query() -> None:
    request = parse_request("GET http://h:1/announce?info_hash=%01\xe9?&x HTTP/1.1\r\nHost: h\r\nX-Y:  a  b \t")
    assert (request.method, request.path, request.query) == ("GET", "/announce", "info_hash=%01\xe9?&x")
    assert request.headers == {"host": "h", "x-y": "a  b"}
    assert parse_request("GET / HTTP/1.1").query == ""


@pytest.mark.parametrize(
    ("lines", "is_last"),
    [
        (["GET / HTTP/1.1"], False),
        (["GET / HTTP/1.1", "Connection: close"], True),
        (["GET / HTTP/1.0"], True),
        (["GET / HTTP/1.0", "Connection: Keep-Alive"], False),
    ],
)
def test_connection_persists_as_client_asks(lines: list[str], is_last: bool) -> None:
    assert parse_request("\r\n".join(lines)).is_last is is_last


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["POST / HTTP/1.1"], 405),
        (["GET / HTTP/2.0"], 400),
        (["GET  / HTTP/1.1"], 400),
        (["get / HTTP/1.1"], 400),
        (["GET announce HTTP/1.1"], 400),
        (["GET / HTTP/1.1", "no colon"], 400),
        (["GET / HTTP/1.1", " folded: line"], 400),
        (["GET / HTTP/1.1", "name : value"], 400),
        (["GET / HTTP/1.1", "Content-Length: 1"], 400),
        (["GET / HTTP/1.1", "Content-Length: 5", "Content-Length: 0"], 400),
        (["GET / HTTP/1.1", "Transfer-Encoding: chunked"], 400),
    ],
)
def test_malformed_request_is_refused(lines: list[str], status: int) -> None:
    with pytest.raises(HttpError) as refused:
        parse_request("\r\n".join(lines))
    assert refused.value.status == status


def test_whole_head_is_taken_and_rest_stays() -> None:
    buffer = bytearray(b"GET / HTTP/1.1\r\n")
    assert take_head(buffer) is None
    buffer += b"\r\nGET"
    assert take_head(buffer) == "GET / HTTP/1.1"
    assert buffer == b"GET"


def test_endless_head_is_refused_at_limit() -> None:
    assert take_head(bytearray(MOST_HEAD - 1)) is None
    with pytest.raises(HttpError, match="8192") as refused:
        take_head(bytearray(MOST_HEAD))
    assert refused.value.status == 431


@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"])
def test_long_request_line_is_refused_at_limit(end: bytes) -> None:
    take_head(bytearray(b"a" * 99 + b"\r\n"), 100)
    with pytest.raises(HttpError, match="less than 100 bytes") as refused:
        take_head(bytearray(b"a" * 100 + end), 100)
    assert refused.value.status == 414


def test_answer_is_read_leniently() -> None:
    response = parse_response("HTTP/1.0 404\nno colon\nA: 1\r\n folded\na:2\n")
    assert response == (404, "", {"a": "1, 2"})


@pytest.mark.parametrize("line", ["ICY 200 OK", "HTTP/2 200", "HTTP/1.1 99 No", ""])
def test_other_status_line_is_refused(line: str) -> None:
    with pytest.raises(HttpError, match="expected an HTTP answer, found"):
        parse_status_line(line)


def test_written_heads_are_read_back() -> None:
    head = take_head(bytearray(encode_request("/a?b", {"Host": "h", "Range": "bytes=1-"})))
    assert head is not None
    assert parse_request(head) == ("GET", "/a", "b", {"host": "h", "range": "bytes=1-"}, False)
    head = take_head(bytearray(encode_response(503, {"Content-Length": 0}, is_last=True)))
    assert head is not None
    fields = {"content-length": "0", "connection": "close"}
    assert parse_response(head) == (503, "Service Unavailable", fields)


@given(st.text(st.characters(max_codepoint=255)))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for parse in (parse_request, parse_response):
        with suppress(HttpError):
            parse(text)
