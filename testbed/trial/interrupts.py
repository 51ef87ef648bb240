"""Ctrl-C in the middle of a trial: the first asks to stop after it, the second stops now."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class Interrupt:
    """Whether somebody has asked to stop."""

    is_asked: bool = False


@contextmanager
def first_interrupt_waits() -> Iterator[Interrupt]:
    """Take note of the first SIGINT; the second raises KeyboardInterrupt."""
    interrupt = Interrupt()

    def asked(_number: int, _frame: FrameType | None) -> None:
        if interrupt.is_asked:
            raise KeyboardInterrupt
        interrupt.is_asked = True

    before = signal.signal(signal.SIGINT, asked)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
