"""HTTP heads: what a request is for, which bytes answer it, and what is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.net.http import (
    MOST_HEAD,
    Answer,
    Entity,
    HttpError,
    answer,
    body_of,
    parse_request,
    parse_response,
    refusal,
    request_head,
    take_head,
)

FILE = Entity("/a%20file.bin", 1000, "v1")


def ask(*lines: str) -> Answer:
    return answer(parse_request("\r\n".join(lines)), FILE)


def get(*headers: str, path: str = "/") -> Answer:
    return ask(f"GET {path} HTTP/1.1", *headers)


def headers_of(told: Answer) -> dict[str, str]:
    head = take_head(bytearray(told.head))
    assert head is not None
    return dict(parse_response(head).headers)


def status_of(told: Answer) -> int:
    return int(told.head.split()[1])


@pytest.mark.parametrize("path", ["/", "/a%20file.bin", "/a%20file.bin?x=1", "/?x"])
def test_the_file_is_at_its_name_and_at_the_root(path: str) -> None:
    told = get(path=path)
    assert (status_of(told), told.body, told.is_last) == (200, range(1000), False)
    assert headers_of(told)["content-length"] == "1000"


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
    told = get(f"Range: {asked}")
    assert (status_of(told), told.body) == (206, body)
    assert headers_of(told)["content-range"] == f"bytes {body.start}-{body.stop - 1}/1000"
    assert headers_of(told)["content-length"] == str(len(body))


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "bytes=9-3", "bytes=-", "bytes=a-", "lines=1-2", "bytes=" + "9" * 30]
)
def test_a_range_that_is_not_understood_is_disregarded(asked: str) -> None:
    assert status_of(get(f"Range: {asked}")) == 200


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused_with_the_length(asked: str) -> None:
    with pytest.raises(HttpError) as refused:
        get(f"Range: {asked}")
    assert b"416" in refusal(refused.value, FILE)
    assert b"Content-Range: bytes */1000\r\n" in refusal(refused.value, FILE)


@pytest.mark.parametrize(("version", "status"), [('"v1"', 206), ('"v0"', 200), ("Sat, 1 Jan 2022 00:00:00 GMT", 200)])
def test_a_range_of_another_version_is_answered_by_the_whole_file(version: str, status: int) -> None:
    assert status_of(get("Range: bytes=5-", f"If-Range: {version}")) == status


def test_head_is_answered_like_get_without_the_file() -> None:
    told, same = ask("HEAD / HTTP/1.1", "Range: bytes=5-"), get("Range: bytes=5-")
    assert (told.head, told.body) == (same.head, range(0))


@pytest.mark.parametrize(
    ("lines", "is_last"),
    [
        (["GET / HTTP/1.1"], False),
        (["GET / HTTP/1.1", "Connection: close"], True),
        (["GET / HTTP/1.0"], True),
        (["GET / HTTP/1.0", "Connection: Keep-Alive"], False),
    ],
)
def test_a_connection_is_kept_as_the_client_wishes(lines: list[str], is_last: bool) -> None:
    assert ask(*lines).is_last is is_last


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["GET /other HTTP/1.1"], 404),
        (["POST / HTTP/1.1"], 405),
        (["GET / HTTP/2.0"], 400),
        (["GET  / HTTP/1.1"], 400),
        (["get / HTTP/1.1"], 400),
        (["GET / HTTP/1.1", "no colon"], 400),
        (["GET / HTTP/1.1", " folded: line"], 400),
        (["GET / HTTP/1.1", "Content-Length: 1"], 400),
        (["GET / HTTP/1.1", "Content-Length: 5", "Content-Length: 0"], 400),
        (["GET / HTTP/1.1", "Transfer-Encoding: chunked"], 400),
    ],
)
def test_what_is_not_served_is_refused_by_a_status(lines: list[str], status: int) -> None:
    with pytest.raises(HttpError) as refused:
        ask(*lines)
    assert refused.value.status == status
    assert refusal(refused.value, FILE).startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Connection: close" in refusal(refused.value, FILE)


def test_a_head_is_taken_when_it_is_whole_and_what_follows_stays() -> None:
    buffer = bytearray(b"GET / HTTP/1.1\r\n")
    assert take_head(buffer) is None
    buffer += b"\r\nGET"
    assert take_head(buffer) == "GET / HTTP/1.1"
    assert buffer == b"GET"


def test_a_head_without_end_is_refused_at_the_limit() -> None:
    assert take_head(bytearray(MOST_HEAD - 1)) is None
    with pytest.raises(HttpError, match="8192") as refused:
        take_head(bytearray(MOST_HEAD))
    assert refused.value.status == 431


@given(offset=st.integers(0, FILE.length - 1), version=st.sampled_from([None, FILE.tag]))
def test_a_client_asks_for_the_rest_and_understands_the_answer(offset: int, version: str | None) -> None:
    asked = take_head(bytearray(request_head("/", "h:1", offset, version)))
    assert asked is not None
    told = take_head(bytearray(answer(parse_request(asked), FILE).head))
    assert told is not None
    assert body_of(parse_response(told)) == (range(offset, 1000), 1000)


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
def test_an_answer_that_does_not_say_what_follows_is_refused(head: str) -> None:
    with pytest.raises(HttpError):
        body_of(parse_response(head))


@given(st.text(st.characters(max_codepoint=255)))
def test_no_head_breaks_the_parsers(text: str) -> None:
    for parse in (lambda: answer(parse_request(text), FILE), lambda: body_of(parse_response(text))):
        with suppress(HttpError):
            parse()
