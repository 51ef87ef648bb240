"""Requests tell which blocks must come next, as long as none of them was missed."""

from testbed.wiretap.protocols.reader import Allowance
from testbed.wiretap.protocols.requests import Requests

A, B, C, D = ((index, 0, 16384) for index in range(4))


def asked(*blocks: tuple[int, int, int], memory: int = 10_000) -> Requests:
    requests = Requests(Allowance(memory))
    for block in blocks:
        requests.add(block)
    return requests


def test_blocks_before_one_are_those_that_were_asked_for_before_it() -> None:
    requests = asked(A, B, C, D)
    assert requests.are_of_one_run(C)
    assert requests.pop_older(C) == [A, B]
    assert A not in requests
    assert C in requests


def test_what_is_asked_for_again_is_the_newest() -> None:
    assert asked(A, B, A, C).pop_older(C) == [B, A]


def test_requests_around_a_missed_one_are_not_of_one_run() -> None:
    requests = asked(A)
    requests.break_run()
    requests.add(B)
    assert requests.are_of_one_run(A)
    assert not requests.are_of_one_run(B)


def test_an_answer_out_of_order_breaks_the_run() -> None:
    requests = asked(A, B, C)
    requests.answer(B)
    requests.add(D)
    assert A not in requests
    assert not requests.are_of_one_run(D)


def test_an_answer_to_what_nobody_asked_for_shows_that_a_request_was_missed() -> None:
    requests = asked(A)
    requests.answer(B)
    requests.add(C)
    assert not requests.are_of_one_run(C)


def test_without_memory_requests_are_missed() -> None:
    requests = asked(A, B, C, memory=700)
    assert C not in requests
    requests.answer(A)
    requests.add(D)
    assert not requests.are_of_one_run(D)


def test_runs_stay_apart_when_requests_are_given_to_another() -> None:
    requests, others = asked(A), asked()
    requests.break_run()
    requests.add(B)
    requests.add(C)
    requests.break_run()
    requests.move_to(others)
    others.add(D)
    assert not others.are_of_one_run(B)
    assert others.pop_older(B) == [A]
    assert others.are_of_one_run(C)
    assert not others.are_of_one_run(D)
