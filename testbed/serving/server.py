"""The server: a socket, the address that people open, and a quiet end."""

import asyncio
import errno
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final
from urllib.parse import quote

from uvicorn import Config, Server

from testbed.errors import ExplainedError
from testbed.serving.app import app_of
from testbed.serving.guard import TOKEN, Guard
from testbed.serving.reader.answering import KINDS
from testbed.serving.watching import Site
from testbed.serving.worker import Worker

_PATIENCE_S: Final = 0.5
"""How long the last answers may take once the server is to end."""
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104


@dataclass(frozen=True)
class Served:
    """What is served, and where."""

    runs: Path
    named: Path | None
    address: str
    port: int


def serve(served: Served, ready: Callable[[str], object]) -> None:
    """Serve until SIGINT, which is a good end. `ready` is told the address to open as soon as it is answered."""
    with _listening(served.address, served.port) as listener, suppress(KeyboardInterrupt):
        guard = Guard.of(served.address, listener.getsockname()[1])
        asyncio.run(_serve(served, guard, listener, ready))


async def _serve(served: Served, guard: Guard, listener: socket.socket, ready: Callable[[str], object]) -> None:
    site = Site(*(Worker(kind, served.runs, served.named) for kind in KINDS))
    config = Config(
        app_of(site, guard),
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    ready(address_of(guard, served.named))
    try:
        await _QuietServer(config, site).serve([listener])
    finally:
        site.close()


class _QuietServer(Server):
    """Ends what has no end of its own when it is told to stop: the events, and browsers that take nothing."""

    def __init__(self, config: Config, site: Site) -> None:
        super().__init__(config)
        self._site = site
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop after a signal."""
        super().handle_exit(signal.Signals(sig), frame)
        self._loop.call_soon_threadsafe(self._site.close)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let answers end, and cut off those that do not."""
        cutting = self._loop.call_later(_PATIENCE_S, self._cut)
        await super().shutdown(sockets)
        cutting.cancel()

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def address_of(guard: Guard, named: Path | None) -> str:
    """Return what to open in a browser: the page of the run that was named, or the list of all."""
    host = socket.gethostname() if guard.address in _EVERYWHERE else guard.address
    host = f"[{host}]" if ":" in host else host
    path = "" if named is None else f"run/{quote(named.name)}/"
    token = f"?{TOKEN}={guard.token}" if guard.token else ""
    return f"http://{host}:{guard.port}/{path}{token}"


def _listening(address: str, port: int) -> socket.socket:
    """Return a socket that listens; an ExplainedError says why there can be none."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family, backlog=128)
    except OSError as error:
        raise ExplainedError(_why_not(error, address, port)) from error


def _why_not(error: OSError, address: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {address} is in use, maybe by another `testbed serve`: choose one with --port"
    if error.errno == errno.EACCES:
        return f"port {port} is for root alone: choose one above 1023 with --port"
    return f"{address} is no address of this machine ({error.strerror or error}): name one with --bind"
