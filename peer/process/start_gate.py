"""A program that is held: it gets everything ready, and begins when it is told. So many can begin at one moment."""

import asyncio
import signal

from peer.net.address import Address


async def told_to_begin(address: Address) -> None:
    """Say `waiting HOST:PORT` on standard output, and return when SIGUSR1 has come."""
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, told.set)
    print(f"waiting {address}", flush=True)
    await told.wait()
