"""What a program does once a second, and how late its event loop comes to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from time import monotonic
from typing import Final

from contract.events import Lagged

LEAST_TOLD: Final = 0.005
"""Less than this many seconds are not worth a line."""


async def turns(period: float, tell: Callable[[Lagged], None]) -> AsyncIterator[None]:
    """Yield each time so many seconds have passed; that the loop came late to it is told."""
    while True:
        due = monotonic() + period
        await asyncio.sleep(period)
        lateness = monotonic() - due
        if lateness >= LEAST_TOLD:
            tell(Lagged(round(lateness, 6)))
        yield
