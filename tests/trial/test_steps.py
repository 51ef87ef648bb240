"""Steps before t = 0 are reported often enough to be followed, and no more often."""

import time

import pytest

from testbed.trial.events import Preparing
from testbed.trial.steps import Steps


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Preparing]:
    """Return what is reported in these tests, in which each look at the clock takes 0.2 s."""
    now = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: 0.2 * next(now))
    return []


def test_step_is_told_when_it_begins_and_twice_a_second(told: list[Preparing]) -> None:
    steps = Steps(told.append)
    for done in range(8):
        steps("creating hosts", done, 8)
    steps("preparing files")
    assert told == [
        *(Preparing("creating hosts", done, 8) for done in (0, 3, 6)),
        Preparing("preparing files", 0, 0),
    ]


def test_parts_that_are_done_are_counted(told: list[Preparing]) -> None:
    on_start = Steps(told.append).counting("starting programs", 5)
    for _ in range(4):
        on_start()
    assert told == [Preparing("starting programs", done, 5) for done in (1, 4)]
