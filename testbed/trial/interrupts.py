"""Ctrl-C during a trial: before it begins, it stops at once; later, the first asks to stop after it, the second stops.

While a network is built and programs start, nothing has been measured yet, so there is nothing to wait for. To stop
is to leave the sandbox: the kernel removes in an instant what would take seconds to stop in order.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from testbed.network import sandbox


class BuildingInterruptedError(KeyboardInterrupt):
    """The run was interrupted before the trial began."""


@dataclass
class Interrupt:
    """Whether the run was asked to stop after this trial."""

    is_asked: bool = False
    has_begun: bool = False
    """Whether the trial has begun: its participants may join."""


@contextmanager
def interrupts_of_trial() -> Iterator[Interrupt]:
    """Leave the sandbox at the first SIGINT before the trial begins, and at the second one after; else record it."""
    interrupt = Interrupt()

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        if not interrupt.has_begun:
            sandbox.leave(BuildingInterruptedError())
        if interrupt.is_asked:
            sandbox.leave(KeyboardInterrupt())
        interrupt.is_asked = True

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
