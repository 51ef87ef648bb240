"""A peer as one process: start-up, signals, its lives in the swarm, and a polite end.

    trace, address, storage           each can fail, and then nobody has heard of us
    listen; print `ready HOST:PORT`
    a life: one session, one client   until the mind leaves, or SIGTERM or SIGINT asks it to
    perhaps another life              after an absence, with what was had, a new peer id, and perhaps a new address

A life begins a new header in the trace, and counts its neighbours from one.
"""

import asyncio
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, Final

from contract.events import Level
from peer.bittorrent.client.client import Client
from peer.bittorrent.client.open_torrent import OpensStorage, Stock
from peer.bittorrent.client.storage import StorageError
from peer.bittorrent.client.trackers import TrackerClient
from peer.bittorrent.engine.actions import Leave
from peer.bittorrent.engine.context import Context, Identity, Outbox
from peer.bittorrent.engine.profile import PROFILES, Profile
from peer.bittorrent.engine.session import Session
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.strategies.registry import StrategyError, make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.metainfo.metainfo import Info
from peer.bittorrent.wire.peer_id import OUR_VERSION, make_peer_id
from peer.net.address import Address
from peer.net.listener import Dialler, Listener, bound_socket
from peer.net.rate_limiter import Throttle
from peer.process.event_loop import loop_factory
from peer.process.exit_status import EndError, ExitCode
from peer.process.start_gate import told_to_begin
from peer.process.ticker import turns
from peer.trace.file import TraceError, TraceFile

FLUSH_PERIOD: Final = 1.0
_ANY: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104  They are compared with, not bound to.


@dataclass(frozen=True, slots=True)
class Torrent:
    """What to share, and whom to ask; without `info`, it comes from the swarm."""

    info_hash: bytes
    info: Info | None = None
    trackers: tuple[tuple[str, ...], ...] = ()
    peers: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run a peer."""

    torrent: Torrent
    opens_storage: OpensStorage
    bind: str = "0.0.0.0"  # noqa: S104  Peers come from outside.
    port: int = 6881
    return_bind: str | None = None
    """Where to be after an absence; None is the same address."""
    profile: Profile = PROFILES["course"]
    time_scale: float = 1.0
    """What the profile's times were divided by, for the trace."""
    strategy: str = "tit-for-tat"
    parameters: dict[str, object] = field(default_factory=dict)
    upload_limit: float | None = None
    """In bytes/s."""
    trace: Path | None = None
    level: Level = Level.SUMMARY
    seed: int | None = None
    is_held: bool = False
    """Whether to wait for SIGUSR1, with everything ready."""


def run(options: Options) -> int:
    """Share until the strategy leaves, or SIGTERM or SIGINT; returns the exit status."""
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(_Program(options).run())
    except EndError as error:
        print(f"peer: {error}", file=sys.stderr)
        return error.code


class _Program:
    """What outlasts a life."""

    def __init__(self, options: Options) -> None:
        self._options: Final = options
        self._seed: Final = secrets.randbits(32) if options.seed is None else options.seed
        source = Random(self._seed)
        self._identities: Final = Random(source.getrandbits(64))
        self._decisions: Final = Random(source.getrandbits(64))
        self._strategy = self._make_strategy()
        self._stock: Stock | None = None
        self._have: Bitfield | None = None
        self._is_held = options.is_held
        self._asked_to_end: Final = asyncio.Event()
        self._told_twice: Final = asyncio.Event()
        self._signal_name = ""
        self._bug: BaseException | None = None

    async def run(self) -> ExitCode:
        """Live, perhaps more than once."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._broke)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, number)
        try:
            await self._live_on()
        finally:
            if self._stock is not None:
                self._stock.close()
        return ExitCode.CUT_SHORT if self._told_twice.is_set() else ExitCode.OK

    async def _live_on(self) -> None:
        host = self._options.bind
        while (absence := await self._live(host)) is not None:
            if await self._is_asked_within(absence):
                return
            host = self._options.return_bind or host
            self._strategy = replace(self._make_strategy(), departure=self._strategy.departure)

    async def _live(self, host: str) -> float | None:
        """Be in the swarm once; returns for how long to be away, None if for good."""
        with self._open_trace() as trace, ExitStack() as undo:
            doors = [undo.enter_context(bound) for bound in _bind_all(host, self._ports())]
            addresses = [Address(*bound.getsockname()[:2]) for bound in doors]
            await self._find_stock()
            await self._wait_if_held(addresses[0])
            client = self._make_client([address.port for address in addresses], host, trace)
            listeners = [
                Listener(bound, asyncio.get_running_loop(), partial(client.accepted, face))
                for face, bound in enumerate(doors)
            ]
            print(f"ready {addresses[0]}", flush=True)
            async with _flushed(trace):
                leave = await self._be_there(client, listeners)
        self._stock, self._have = client.stock, None if leave.forgets else client.have
        if client.failure is not None:
            raise EndError(ExitCode.NO_DATA, client.failure)
        return leave.back_after

    async def _wait_if_held(self, address: Address) -> None:
        """Begin when we are told to, the first time; one that is asked to end before that has never been there."""
        if self._is_held:
            await _first(told_to_begin(address), self._asked_to_end.wait())
            self._is_held = False
            if self._asked_to_end.is_set():
                raise EndError(ExitCode.OK, "ended before it was told to begin")

    def _ports(self) -> list[int]:
        """Return the ports to listen on, one after the other, one for each identity; 0 is any free one."""
        first = self._options.port
        return [first and first + face for face in range(self._strategy.identities)]

    async def _be_there(self, client: Client, listeners: Sequence[Listener]) -> Leave:
        client.start()
        await _first(client.left, self._asked_to_end.wait())
        if not client.left.done() and self._bug is None:
            client.leave(self._signal_name)
        for listener in listeners:
            listener.close()
        await _first(client.end(), self._told_twice.wait())
        client.cut()
        if self._bug is not None:
            raise self._bug
        return client.left.result()

    def _make_client(self, ports: Iterable[int], host: str, trace: TraceFile) -> Client:
        options, now = self._options, monotonic()
        loop = asyncio.get_running_loop()
        context = Context(
            info_hash=options.torrent.info_hash,
            identities=[Identity(make_peer_id(self._identities), port) for port in ports],
            profile=options.profile,
            strategy=self._strategy,
            rng=self._decisions,
            outbox=Outbox(trace.tell, options.level, now),
            capacity=options.upload_limit,
        )
        session = Session(
            context,
            trackers=options.torrent.trackers,
            known=options.torrent.peers,
            info=None if self._stock is None else self._stock.info,
            have=self._have,
        )
        return Client(
            session,
            dialler=Dialler(host, options.profile.connect_timeout, loop),
            trackers=TrackerClient(None if host in _ANY else host),
            throttle=Throttle(options.upload_limit, now),
            stock=self._stock,
            open_stock=lambda info: loop.run_in_executor(None, self._open_stock, info),
            on_complete=partial(_say_complete, trace),
        )

    async def _find_stock(self) -> None:
        """Open the storage of a torrent that is known from the start; a signal may end the wait."""
        info = self._options.torrent.info
        if info is None or self._stock is not None:
            return
        opening = asyncio.get_running_loop().run_in_executor(None, self._open_stock, info)
        try:
            self._stock, self._have = await opening
        except StorageError as error:
            raise EndError(ExitCode.NO_DATA, str(error)) from error

    def _open_stock(self, info: Info) -> tuple[Stock, Bitfield]:
        storage, have = self._options.opens_storage(info)
        return Stock(info, storage, self._options.profile.block_length), have

    def _make_strategy(self) -> Strategy:
        options = self._options
        try:
            return make_strategy(options.strategy, options.profile, self._decisions, options.parameters)
        except StrategyError as error:
            raise EndError(ExitCode.USAGE, str(error)) from error

    def _open_trace(self) -> TraceFile:
        options = self._options
        header = describe_setup(
            profile=options.profile,
            strategy=options.strategy,
            parameters=options.parameters,
            seed=self._seed,
            program=OUR_VERSION,
            time_scale=options.time_scale,
        )
        try:
            return TraceFile(options.trace, header)
        except TraceError as error:
            raise EndError(ExitCode.NO_TRACE, str(error)) from error

    async def _is_asked_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._asked_to_end.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _broke(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """End with the traceback of what a callback raised: a peer with half a mind would spoil a measurement."""
        self._bug = self._bug or context.get("exception") or RuntimeError(context["message"])
        self._told_twice.set()
        self._asked_to_end.set()

    def _signalled(self, number: signal.Signals) -> None:
        if self._asked_to_end.is_set():
            self._told_twice.set()
        self._signal_name = number.name
        self._asked_to_end.set()


def describe_setup(
    *,
    profile: Profile,
    strategy: str,
    parameters: Mapping[str, object],
    seed: int,
    program: str,
    time_scale: float,
) -> dict[str, object]:
    """Say in a header how a client was set up; the profile's constants are those in use, already scaled."""
    return {
        "program": program,
        "strategy": strategy,
        "parameters": dict(parameters),
        "seed": seed,
        "time_scale": time_scale,
        "profile": asdict(profile),
    }


def _say_complete(trace: TraceFile) -> None:
    """Say it after the trace does: who waits for this line may read that next."""
    trace.flush()
    print("completed", flush=True)


def _bind_all(host: str, ports: Iterable[int]) -> Iterator[socket.socket]:
    for port in ports:
        yield _bind(Address(host, port))


def _bind(address: Address) -> socket.socket:
    try:
        return bound_socket(address)
    except OSError as error:
        problem = f"cannot listen on {address}: {os.strerror(error.errno or 0)}; choose another --bind or --port"
        raise EndError(ExitCode.NO_ADDRESS, problem) from error


@asynccontextmanager
async def _flushed(trace: TraceFile) -> AsyncIterator[None]:
    """Write the trace out regularly, so that it can be followed, and a killed peer leaves what it knew."""

    async def flush() -> None:
        async for _ in turns(FLUSH_PERIOD, lambda lagged: trace.tell(lagged, monotonic())):
            trace.flush()

    flushing = asyncio.create_task(flush())
    try:
        yield
    finally:
        flushing.cancel()


async def _first(*awaitables: Awaitable[object]) -> None:
    """Wait until one of them is done; the others are of no use then, except for a future that others hold."""
    waiting = [asyncio.ensure_future(each) for each in awaitables]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        if isinstance(each, asyncio.Task):
            each.cancel()
