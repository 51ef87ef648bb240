"""Other people's servers: a program that serves from its start to its end, and writes no trace of its own.

It is ready when its port accepts connections. Its trace has what TCP carried on the host's interface.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from contract.events import Joined, Opened
from contract.programs import TOGETHER, UNTOLD
from peer.adapters.life.files import private_folder
from peer.adapters.life.interface import carried
from peer.adapters.life.process import ClientProcess
from peer.adapters.program import AdapterError, Program
from peer.net.address import Address
from peer.process.exit_status import ExitStatus, ProgramError
from peer.process.signals import EndSignals, first_of, until_asked_to_end
from peer.process.ticker import ticks
from peer.trace.file import TraceError, TraceFile
from peer.trace.recorder import TraceRecorder

START_SECONDS: Final = 30.0
_LOOK_AGAIN_SECONDS: Final = 0.02


@dataclass(frozen=True)
class Site:
    """Where and for what a server is to run."""

    address: Address
    file: Path | None = None
    """What it serves, if that is a file."""
    info_hash: str = ""
    """The torrent that a tracker serves, in hex."""


class Service(Program):
    """How one server is run."""

    def __init__(self, folder: Path, site: Site) -> None:
        super().__init__(folder)
        self.site: Final = site


async def serve(kind: type[Service], site: Site, folder: Path, trace: Path | None, signals: EndSignals) -> ExitStatus:
    """Run a server until a signal; raises ProgramError."""
    try:
        header = {"program": kind.identity(), "distribution": "client-server", "untold": list(UNTOLD)}
        with private_folder(folder) as private, TraceFile(trace, header) as file:
            return await _Serving(kind(private, site), TraceRecorder(file), signals).run()
    except AdapterError as error:
        raise ProgramError(ExitStatus.CLIENT_FAILED, str(error)) from error
    except TraceError as error:
        raise ProgramError(ExitStatus.NO_TRACE, str(error)) from error


class _Serving:
    """One server, from its start to its end."""

    def __init__(self, service: Service, recorder: TraceRecorder, signals: EndSignals) -> None:
        self._service: Final = service
        self._recorder: Final = recorder
        self._signals: Final = signals
        self._before: Final = carried()

    async def run(self) -> ExitStatus:
        process = await ClientProcess.start(self._service, lambda: None)
        try:
            await until_asked_to_end(self._serve(process), self._signals)
        except ProgramError as error:
            self._recorder.failed(str(error))
            raise
        finally:
            await process.end(self._signals.insisted)
        self._count()
        self._recorder.left(self._signals.name, 1)
        return ExitStatus.OK

    async def _serve(self, process: ClientProcess) -> None:
        address = self._service.site.address
        deadline = monotonic() + START_SECONDS
        while not _accepts(address):
            if process.has_ended:
                raise process.early_end()
            if monotonic() > deadline:
                problem = f"{self._service.program} accepts no connections after {START_SECONDS:g} s"
                raise ProgramError(ExitStatus.CLIENT_FAILED, problem)
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        self._open(address)
        print(f"ready {address}", flush=True)
        await first_of(process.ended, self._tick(self._count))
        raise process.early_end()

    def _open(self, address: Address) -> None:
        """Record what is served. A whole file is one piece."""
        self._recorder.record(Joined(self._service.name(), self._service.site.info_hash, address.port))
        if (file := self._service.site.file) is not None:
            length = file.stat().st_size
            self._recorder.record(Opened(file.name, length, length, 1, 1))

    async def _tick(self, count: Callable[[], None]) -> None:
        async for _ in ticks(1.0, self._recorder.record):
            count()
            self._recorder.flush()

    def _count(self) -> None:
        now = carried()
        received = now.received - self._before.received - self._recorder.received
        sent = now.sent - self._before.sent - self._recorder.sent
        if received > 0 or sent > 0:
            self._recorder.moved(TOGETHER, received=max(0, received), sent=max(0, sent))


def _accepts(address: Address) -> bool:
    with suppress(OSError), socket.create_connection(address, timeout=1):
        return True
    return False
