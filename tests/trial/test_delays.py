"""Delay boxes that did not do what was asked of them make a trial suspect."""

from dataclasses import replace
from typing import cast

import pytest

from testbed.network.delaybox import DelayBox, DelayBoxError, DelayBoxStats, Lateness
from testbed.trial.monitoring.delays import delay_faults

GOOD = DelayBoxStats(
    forwarded=100,
    unknown=0,
    lost=3,
    no_memory=0,
    ignored=0,
    refused=0,
    device_dropped=0,
    held=0,
    memory_peak=1000,
    cpu_us=10,
    priority="fifo",
    late_max_ns=9_000_000,
    lateness=Lateness({1_000_000: 99, 9_000_000: 1}),
)


class Box:
    """A box with these counters; without them it has ended."""

    def __init__(self, stats: DelayBoxStats | None) -> None:
        self._stats = stats

    def stats(self) -> DelayBoxStats:
        if self._stats is None:
            raise DelayBoxError("the delay box has ended")
        return self._stats


def faults(stats: DelayBoxStats | None) -> list[str]:
    return delay_faults([cast(DelayBox, Box(stats))])


@pytest.mark.parametrize(
    ("stats", "says"),
    [
        (GOOD, []),
        (replace(GOOD, no_memory=2, device_dropped=3), ["a delay box lost 5 packets that no link was to lose"]),
        (
            replace(GOOD, lateness=Lateness({1_000_000: 90, 9_000_000: 10})),
            ["a delay box was 9.0 ms late for one packet in a hundred (limit: 4 ms)"],
        ),
        (None, ["a delay box did not last: the delay box has ended"]),
    ],
)
def test_faults_of_a_delay_box_are_told(stats: DelayBoxStats | None, says: list[str]) -> None:
    assert faults(stats) == says
