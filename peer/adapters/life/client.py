"""The life of a client: prepared, started, watched once a second, and ended.

    python -m peer client  ->  client  ->  process (the client)
                                  |   adapter: what to start, how to ask
                                  v
                               account  ->  trace

The client's files are in a folder of its own, which is removed at the end. What it completed is compared with the
original when it has ended, so that the comparison takes no time from the measurement.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from peer.adapters.adapter import Adapter, Place, State
from peer.adapters.life.account import Account
from peer.adapters.life.files import check_copy, private_folder, put_copy
from peer.adapters.life.process import ClientProcess
from peer.adapters.program import AdapterError
from peer.adapters.registry import adapter_named
from peer.bittorrent.engine.strategy import Departure, ProgressView
from peer.bittorrent.strategies.parts.departures import Stay
from peer.bittorrent.wire.metainfo.metainfo import Info
from peer.net.address import Address
from peer.process.exit_status import ExitStatus, ProgramError
from peer.process.signals import EndSignals, first_of, until_asked_to_end, wait_for_start
from peer.process.ticker import ticks
from peer.trace.file import TraceError, TraceFile
from peer.trace.recorder import TraceRecorder

START_SECONDS: Final = 50.0
"""How long a client may take until it can be asked, and a seed until its tracker knows it."""
_LOOK_SECONDS: Final = 1.0
_SOON_SECONDS: Final = 0.02
_SOON_LOOKS: Final = 50
"""A client that says that it is complete may need a moment until its state says so too."""
_DEPARTURE_SECONDS: Final = 0.1
_SILENCE: Final = (OSError, ValueError, LookupError)
"""What an adapter raises when its client cannot tell its state now."""


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    adapter: str
    is_seed: bool
    torrent: Path
    info: Info
    original: Path
    folder: Path
    bind: str
    port: int
    upload_limit: int | None
    departure: Departure
    trace: Path | None
    waits_for_start: bool
    dht: tuple[Address, ...] | None = None
    """The nodes by which to join the DHT; None is without it."""
    encryption: str | None = None
    """None leaves it to the adapter."""
    has_tracker: bool = True
    """Whether a seed is ready only when a tracker has answered it."""


async def run_client(options: Options, signals: EndSignals) -> ExitStatus:
    """Run a client from its preparation to its end; raises ProgramError."""
    try:
        kind = adapter_named(options.adapter)
        if options.dht is not None and not kind.can_use_dht:
            problem = f"{options.adapter} cannot be told to use the DHT: leave out --dht, or take another client"
            raise ProgramError(ExitStatus.USAGE, problem)
        if options.encryption is not None and options.encryption not in kind.encryptions:
            words = f", or take {' or '.join(kind.encryptions)}" if kind.encryptions else ""
            problem = f"{options.adapter} cannot be told --encryption {options.encryption}: leave it out{words}"
            raise ProgramError(ExitStatus.USAGE, problem)
        header = {"program": kind.identity(), "adapter": options.adapter, "untold": list(kind.untold)}
        with TraceFile(options.trace, header) as trace, _place(options) as place:
            life = Life(kind(place), options, TraceRecorder(trace), signals)
            return await life.run()
    except AdapterError as error:
        raise ProgramError(ExitStatus.CLIENT_FAILED, str(error)) from error
    except TraceError as error:
        raise ProgramError(ExitStatus.NO_TRACE, str(error)) from error


@contextmanager
def _place(options: Options) -> Iterator[Place]:
    """Make the folder of a client, with the file of a seed; it is removed with all that the client put there."""
    with private_folder(options.folder) as folder:
        downloads, wake = folder / "downloads", folder / "wake"
        downloads.mkdir()
        wake.write_text(f"#!/bin/sh\nkill -USR2 {os.getpid()}\n")
        wake.chmod(0o755)
        if options.is_seed:
            put_copy(options.original, downloads / options.info.name)
        yield Place(
            is_seed=options.is_seed,
            torrent=options.torrent.absolute(),
            name=options.info.name,
            length=options.info.length,
            folder=folder,
            downloads=downloads,
            host=options.bind,
            port=options.port,
            upload_limit=options.upload_limit,
            wake=wake,
            dht=options.dht,
            encryption=options.encryption,
        )


class Life:
    """One client, from its start to its end."""

    def __init__(self, adapter: Adapter, options: Options, recorder: TraceRecorder, signals: EndSignals) -> None:
        self._adapter: Final = adapter
        self._options: Final = options
        self._recorder: Final = recorder
        self._signals: Final = signals
        self._account: Final = Account(options.info, recorder, counts_go_on=adapter.counts_go_on)
        self._awake: Final = asyncio.Event()
        self._soon = 0
        """How many looks are to follow each other at once."""
        self._process: ClientProcess | None = None
        self._joined_at = 0.0
        self._completed_at: float | None = None
        self._leaves = ""

    async def run(self) -> ExitStatus:
        """Run it, and record why it ended."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, self._wake)
        ticking = asyncio.ensure_future(self._tick())
        try:
            is_done = await until_asked_to_end(self._live(), self._signals)
            await self._end()
            self._check()
        except ProgramError as error:
            await self._end()
            if error.status is not ExitStatus.OK:
                self._recorder.failed(str(error))
                self._recorder.left("failed", self._account.have_count)
            raise
        finally:
            ticking.cancel()
        self._recorder.left(self._leaves if is_done else self._signals.name, self._account.have_count)
        return ExitStatus.OK

    async def _live(self) -> None:
        """Prepare, join when it is time, and watch the client until it is to leave."""
        options, address = self._options, Address(self._options.bind, self._options.port)
        if not self._adapter.starts_at_join:
            await self._start()
        if options.waits_for_start:
            await wait_for_start(address, self._signals)
        await self._join()
        if options.is_seed:
            await self._until(self._is_seeding, "is no seed that its tracker knows")
        if not options.waits_for_start:
            print(f"ready {address}", flush=True)
        await self._watch()

    async def _start(self) -> None:
        self._process = await ClientProcess.start(self._adapter, self._awake.set)
        await self._until(self._adapter.is_up, "cannot be asked")

    async def _join(self) -> None:
        """Give the client its torrent. The trace has the time before it, since a client may connect at once."""
        self._account.joined(self._adapter.name(), self._options.port, is_seed=self._options.is_seed)
        self._joined_at = monotonic()
        if self._process is None:
            await self._start()
        try:
            await asyncio.to_thread(self._adapter.join)
        except _SILENCE as error:
            if self._process is not None and self._process.has_ended:
                raise self._process.early_end() from error
            raise ProgramError(
                ExitStatus.CLIENT_FAILED, f"{self._adapter.program} takes no torrent: {error}"
            ) from error

    async def _until(self, is_so: Callable[[], bool], otherwise: str) -> None:
        """Wait until a question to the client is answered with yes."""
        deadline = monotonic() + START_SECONDS
        while True:
            self._refuse_early_end()
            try:
                if await asyncio.to_thread(is_so):
                    return
            except _SILENCE:
                pass
            if monotonic() > deadline:
                problem = f"{self._adapter.program} {otherwise} after {START_SECONDS:g} s"
                raise ProgramError(ExitStatus.CLIENT_FAILED, problem)
            await asyncio.sleep(_SOON_SECONDS)

    def _is_seeding(self) -> bool:
        state = self._adapter.state()
        return state.is_complete and (state.is_announced or not self._options.has_tracker)

    def _refuse_early_end(self) -> None:
        if self._process is not None and self._process.has_ended:
            raise self._process.early_end()

    async def _watch(self) -> None:
        while not self._is_leaving():
            self._refuse_early_end()
            if self._awake.is_set():
                self._awake.clear()
                await self._look()
            await self._pause()

    async def _pause(self) -> None:
        """Wait for what may change anything: a call by the client, its end, the next second."""
        waits = [self._awake.wait()] if self._process is None else [self._awake.wait(), self._process.ended]
        if self._soon and not self._account.has_completed:
            self._soon -= 1
            await first_of(*waits, asyncio.sleep(_SOON_SECONDS))
            self._awake.set()
        elif not isinstance(self._options.departure, Stay):
            await first_of(*waits, asyncio.sleep(_DEPARTURE_SECONDS))
        else:
            await first_of(*waits)

    async def _look(self) -> None:
        """Ask the client for its state, and record it."""
        try:
            state = await asyncio.to_thread(self._adapter.state)
        except _SILENCE as error:
            self._refuse_early_end()
            self._recorder.failed(f"{self._adapter.program} does not tell its state: {error}")
            return
        self._take(state)

    def _take(self, state: State) -> None:
        if state.problem:
            raise ProgramError(ExitStatus.CLIENT_FAILED, f"{self._adapter.program}: {state.problem}")
        self._account.take(state)
        if self._account.has_completed and self._completed_at is None:
            self._completed_at = monotonic()

    def _is_leaving(self) -> bool:
        leave = self._options.departure.decide(
            ProgressView(
                now=monotonic(),
                joined_at=self._joined_at,
                completed_at=self._completed_at,
                have_count=self._account.have_count,
                piece_count=self._account.piece_count,
                length=self._options.info.length,
                received=self._recorder.received,
                sent=self._recorder.sent,
                neighbour_count=0,
            )
        )
        self._leaves = leave.reason if leave else ""
        return leave is not None

    async def _end(self) -> None:
        """Take the last counts, and end the client."""
        if self._process is None:
            return
        has_joined = bool(self._joined_at)
        if has_joined and not self._process.has_ended:
            await first_of(asyncio.sleep(self._adapter.staleness), self._process.ended, self._signals.insisted.wait())
            await self._look_once_more()
        if not await self._process.end(self._signals.insisted):
            self._recorder.failed(f"{self._adapter.program} did not end when it was asked to, and was killed")
        if has_joined and self._adapter.is_heard:  # it has said its last word when it was asked to end
            await self._look_once_more()

    async def _look_once_more(self) -> None:
        with suppress(ProgramError):
            await self._look()

    def _check(self) -> None:
        """Compare what a leech completed with the original."""
        place = self._adapter.place
        if self._account.has_completed and not place.is_seed:
            check_copy(place.downloads / place.name, self._options.original, self._adapter.program)

    def _wake(self) -> None:
        self._soon = _SOON_LOOKS
        self._awake.set()

    async def _tick(self) -> None:
        """Look once a second, and write out what is recorded."""
        async for _ in ticks(_LOOK_SECONDS, self._recorder.record):
            self._recorder.flush()
            self._awake.set()
