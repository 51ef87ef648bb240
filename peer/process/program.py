"""How every program runs: an event loop, and an error as one line and an exit status."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from peer.net.address import Address
from peer.net.sockets import bound_socket, explain
from peer.process.exit_status import ExitStatus, ProgramError
from peer.process.signals import EndSignals


def run(main: Callable[[EndSignals], Coroutine[Any, Any, ExitStatus]]) -> ExitStatus:
    """Run a program to its end; raises ProgramError."""

    async def with_signals() -> ExitStatus:
        return await main(EndSignals())

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(with_signals())


def bind(address: Address, what: str, advice: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """Return a socket at an address of this host, not listening yet; raises ProgramError, which says `what` failed."""
    try:
        return bound_socket(address, kind)
    except OSError as error:
        raise ProgramError(ExitStatus.NO_ADDRESS, f"{what} {address}: {explain(error)}; {advice}") from error


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's factory where uvloop is installed; None is asyncio's own loop."""
    try:
        import uvloop  # noqa: PLC0415  It is optional.
    except ImportError:
        return None
    return uvloop.new_event_loop
