"""Wakeup latency: an idle program sleeps for 2 ms at a time, and wakes as late as any program of the machine would.

    python -m testbed.trial.monitoring.wakeup_latency FILE

Once a second it appends a line to the file: the time (CLOCK_MONOTONIC), and of that second's sleeps the 99th percentile
and the maximum of the lateness in milliseconds.
"""

import sys
import time
from typing import Final, TextIO

NAP: Final = 0.002
WINDOW: Final = 1.0


def main() -> None:
    """Measure until killed."""
    with open(sys.argv[1], "a", buffering=1) as file:  # noqa: PTH123  As little as possible is imported.
        measure(file)


def measure(file: TextIO) -> None:
    """Write a line every second."""
    end = time.monotonic() + WINDOW
    late: list[float] = []
    while True:
        before = time.monotonic()
        time.sleep(NAP)
        now = time.monotonic()
        late.append(now - before - NAP)
        if now >= end:
            file.write(summary(now, late))
            end, late = now + WINDOW, []


def summary(now: float, late: list[float]) -> str:
    """Return the line for one second."""
    ordered = sorted(late)
    ninety_ninth = ordered[int(0.99 * (len(ordered) - 1) + 0.5)]
    return f"{now:.6f} {1000 * ninety_ninth:.3f} {1000 * ordered[-1]:.3f}\n"


if __name__ == "__main__":
    main()
