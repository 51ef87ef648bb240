"""Ctrl-C during a trial: the first asks to stop after it, the second stops now."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class Interrupt:
    """Whether the run was asked to stop after this trial."""

    is_asked: bool = False


@contextmanager
def first_interrupt_waits() -> Iterator[Interrupt]:
    """Record the first SIGINT; the second raises KeyboardInterrupt."""
    interrupt = Interrupt()

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        if interrupt.is_asked:
            raise KeyboardInterrupt
        interrupt.is_asked = True

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
