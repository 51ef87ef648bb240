"""What a program does once a second, and how late its event loop gets to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from time import monotonic
from typing import Final

from contract.events import Lagged

_LEAST_LATENESS: Final = 0.005
"""Seconds below which lateness is not worth a line of the trace."""


async def ticks(period: float, record: Callable[[Lagged], None]) -> AsyncIterator[None]:
    """Yield every `period` seconds, and record when the loop got to it late."""
    while True:
        due = monotonic() + period
        await asyncio.sleep(period)
        lateness = monotonic() - due
        if lateness >= _LEAST_LATENESS:
            record(Lagged(round(lateness, 6)))
        yield
