"""Parameters of a user: valid values are returned, others are refused with a one-line message."""

from collections.abc import Callable

import pytest

from peer.bittorrent.strategies.parts.parameters import (
    number,
    one_of,
    whole_number,
    yes_or_no,
)


def test_valid_values_are_returned() -> None:
    assert whole_number("n", 3) == 3
    assert whole_number("n", 0, least=0) == 0
    assert number("x", 0.5) == 0.5
    assert number("x", 2) == 2
    assert yes_or_no("b", False) is False
    assert one_of("w", "red", ("red", "blue")) == "red"


@pytest.mark.parametrize(
    ("refuse", "said"),
    [
        (lambda: whole_number("n", 1, least=2), "n: expected a whole number, 2 or more, found 1"),
        (lambda: whole_number("n", 2.0), "n: expected a whole number, 1 or more, found 2.0"),
        (lambda: number("x", 0), "x: expected a number above 0, found 0"),
        (lambda: number("x", float("nan")), "x: expected a number above 0, found nan"),
        (lambda: number("x", True), "x: expected a number above 0, found True"),
        (lambda: yes_or_no("b", 1), "b: expected true or false, found 1"),
        (lambda: one_of("w", "green", ("red", "blue")), "w: expected red or blue, found 'green'"),
        (lambda: one_of("w", 3, ("red", "blue")), "w: expected red or blue, found 3"),
    ],
)
def test_invalid_values_are_refused(refuse: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match="expected") as error:
        refuse()
    assert str(error.value) == said
