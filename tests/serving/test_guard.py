"""Who is answered."""

from http import HTTPStatus

import pytest

from testbed.serving.guard import Guard, host_in, is_loopback

HERE = Guard.of("127.0.0.1", 8040)
ELSEWHERE = Guard.of("192.0.2.1", 8040)


def refused(
    guard: Guard, *, method: str = "GET", host: str = "127.0.0.1:8040", cookie: str = "", given: str = ""
) -> int:
    refusal = guard.refusal(method, host, {guard.cookie: cookie} if cookie else {}, given or None)
    return 0 if refusal is None else refusal.status


@pytest.mark.parametrize("host", ["127.0.0.1:8040", "localhost:8040", "LOCALHOST", "[::1]:9000", "127.0.0.2"])
def test_this_machine_is_answered_by_any_of_its_names(host: str) -> None:
    assert refused(HERE, host=host) == 0


@pytest.mark.parametrize(
    "host", ["", "example.org", "127.0.0.1.example.org:8040", "localhost.", "10.0.0.1", "[::2]:80", "["]
)
def test_other_names_that_lead_here_are_refused(host: str) -> None:
    assert refused(HERE, host=host) == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get"])
def test_nothing_can_be_changed(method: str) -> None:
    assert refused(HERE, method=method) == HTTPStatus.METHOD_NOT_ALLOWED
    assert refused(ELSEWHERE, method=method, given=ELSEWHERE.token) == HTTPStatus.METHOD_NOT_ALLOWED


def test_other_machines_need_the_token_in_the_address_or_the_cookie() -> None:
    assert refused(ELSEWHERE) == HTTPStatus.FORBIDDEN
    assert refused(ELSEWHERE, given=ELSEWHERE.token[:-1], cookie="é") == HTTPStatus.FORBIDDEN
    assert refused(ELSEWHERE, given=ELSEWHERE.token, host="lab.example.org") == 0
    assert refused(ELSEWHERE, cookie=ELSEWHERE.token, host="lab.example.org") == 0


def test_tokens_are_long_and_each_is_new() -> None:
    tokens = {Guard.of("::", 1).token for _ in range(20)}
    assert len(tokens) == 20
    assert min(map(len, tokens)) >= 32
    assert Guard.of("::1", 1).token == Guard.of("localhost", 1).token == ""


def test_host_without_its_port() -> None:
    assert [host_in(header) for header in ("a:1", "a", "[::1]:1", "[::1]")] == ["a", "a", "[::1]", "[::1]"]
    assert not is_loopback("")
