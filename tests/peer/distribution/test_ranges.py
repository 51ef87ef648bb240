"""One file over HTTP: which bytes answer a request, and what is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.distribution.client_server.ranges import (
    METHODS,
    Answer,
    Entity,
    answer,
    body_of,
    refusal,
    request_from,
)
from peer.net.http import HttpError, parse_request, parse_response, take_head

FILE = Entity("/a%20file.bin", 1000, "v1")


def ask(*lines: str) -> Answer:
    return answer(parse_request("\r\n".join(lines), METHODS), FILE)


def get(*headers: str, path: str = "/") -> Answer:
    return ask(f"GET {path} HTTP/1.1", *headers)


def headers_of(given: Answer) -> dict[str, str]:
    head = take_head(bytearray(given.head))
    assert head is not None
    return dict(parse_response(head).headers)


def status_of(given: Answer) -> int:
    return int(given.head.split()[1])


@pytest.mark.parametrize("path", ["/", "/a%20file.bin", "/a%20file.bin?x=1", "/?x"])
def test_file_is_at_its_name_and_at_root(path: str) -> None:
    given = get(path=path)
    assert (status_of(given), given.body, given.is_last) == (200, range(1000), False)
    assert headers_of(given)["content-length"] == "1000"


@pytest.mark.parametrize(
    ("asked", "body"),
    [
        ("bytes=0-99", range(100)),
        ("bytes=999-", range(999, 1000)),
        ("bytes=100-5000", range(100, 1000)),
        ("bytes=-10", range(990, 1000)),
        ("bytes=-5000", range(1000)),
        ("Bytes=5-5", range(5, 6)),
    ],
)
def test_one_range_is_answered_by_it(asked: str, body: range) -> None:
    given = get(f"Range: {asked}")
    assert (status_of(given), given.body) == (206, body)
    assert headers_of(given)["content-range"] == f"bytes {body.start}-{body.stop - 1}/1000"
    assert headers_of(given)["content-length"] == str(len(body))


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "bytes=9-3", "bytes=-", "bytes=a-", "lines=1-2", "bytes=" + "9" * 30]
)
def test_unsupported_range_is_ignored(asked: str) -> None:
    assert status_of(get(f"Range: {asked}")) == 200


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=5000-6000", "bytes=-0"])
def test_range_beyond_end_is_refused_with_length(asked: str) -> None:
    with pytest.raises(HttpError) as refused:
        get(f"Range: {asked}")
    assert b"416" in refusal(refused.value, FILE)
    assert b"Content-Range: bytes */1000\r\n" in refusal(refused.value, FILE)


@pytest.mark.parametrize(("version", "status"), [('"v1"', 206), ('"v0"', 200), ("Sat, 1 Jan 2022 00:00:00 GMT", 200)])
def test_range_of_other_version_gets_whole_file(version: str, status: int) -> None:
    assert status_of(get("Range: bytes=5-", f"If-Range: {version}")) == status


def test_head_is_answered_like_get_without_body() -> None:
    given, same = ask("HEAD / HTTP/1.1", "Range: bytes=5-"), get("Range: bytes=5-")
    assert (given.head, given.body) == (same.head, range(0))


def test_answer_ends_connection_when_client_asks() -> None:
    assert get("Connection: close").is_last
    assert headers_of(get("Connection: close"))["connection"] == "close"


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["GET /other HTTP/1.1"], 404),
        (["POST / HTTP/1.1"], 405),
        (["GET / HTTP/2.0"], 400),
    ],
)
def test_refusal_has_status_and_close(lines: list[str], status: int) -> None:
    with pytest.raises(HttpError) as refused:
        ask(*lines)
    assert refused.value.status == status
    assert refusal(refused.value, FILE).startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Connection: close" in refusal(refused.value, FILE)
    assert (b"Allow: GET, HEAD" in refusal(refused.value, FILE)) is (status == 405)


@given(offset=st.integers(0, FILE.length - 1), tag=st.sampled_from([None, FILE.tag]))
def test_client_asks_for_rest_and_reads_answer(offset: int, tag: str | None) -> None:
    asked = take_head(bytearray(request_from("/", "h:1", offset, tag)))
    assert asked is not None
    head = take_head(bytearray(answer(parse_request(asked), FILE).head))
    assert head is not None
    assert body_of(parse_response(head)) == (range(offset, 1000), 1000)


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.1 200 OK",
        "HTTP/1.1 200 OK\r\nContent-Length: x",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        "HTTP/1.1 206 Partial Content\r\nContent-Length: 5",
        "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nContent-Range: bytes 0-5/10",
        "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nContent-Range: bytes 0-4/*",
        "ICY 200 OK",
    ],
)
def test_answer_without_clear_body_is_refused(head: str) -> None:
    with pytest.raises(HttpError):
        body_of(parse_response(head))


@given(st.text(st.characters(max_codepoint=255)))
def test_any_head_is_answered_or_refused(text: str) -> None:
    for parse in (lambda: answer(parse_request(text), FILE), lambda: body_of(parse_response(text))):
        with suppress(HttpError):
            parse()
