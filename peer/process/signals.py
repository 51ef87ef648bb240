"""The signals that a program obeys: SIGTERM and SIGINT end it, SIGUSR1 starts it.

After the first SIGTERM or SIGINT a program ends in an orderly way, after the second one at once.
"""

import asyncio
import signal
from collections.abc import Awaitable, Coroutine
from typing import Any

from contract.programs import WAITING
from peer.net.address import Address
from peer.process.exit_status import ExitStatus, ProgramError


class EndSignals:
    """The signals to end that have arrived since the program started."""

    def __init__(self) -> None:
        self.name = ""
        """The last signal's name."""
        self.asked = asyncio.Event()
        self.insisted = asyncio.Event()
        """A second signal has arrived."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._arrived, number)

    def _arrived(self, number: signal.Signals) -> None:
        if self.asked.is_set():
            self.insisted.set()
        self.name = number.name
        self.asked.set()


async def until_asked_to_end(work: Coroutine[Any, Any, None], signals: EndSignals) -> bool:
    """Do the work until it is done or a signal asks the program to end; returns whether it is done."""
    task = asyncio.ensure_future(work)
    await first_of(task, signals.asked.wait())
    if signals.asked.is_set():
        task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        if not signals.asked.is_set():
            raise
        return False
    return True


async def wait_for_start(address: Address, signals: EndSignals) -> None:
    """The start gate: print `waiting HOST:PORT`, and return at SIGUSR1. Many programs can so start at one moment."""
    started = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, started.set)
    print(f"{WAITING} {address}", flush=True)
    await first_of(started.wait(), signals.asked.wait())
    if signals.asked.is_set():
        raise ProgramError(ExitStatus.OK, "ended before it was told to start")


async def first_of(*awaitables: Awaitable[object]) -> None:
    """Wait until one of them is done. Coroutines that are not are cancelled; futures and tasks belong to others."""
    waiting = [asyncio.ensure_future(each) for each in awaitables]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for each, given in zip(waiting, awaitables, strict=True):
        if each is not given:
            each.cancel()
