"""A peer as one process: start-up, signals, its lives in the swarm, and an orderly end.

    trace, address, storage           each can fail, and then no other program has heard of us
    listen; print `ready HOST:PORT`
    a life: one session, one client   until the engine leaves, or SIGTERM or SIGINT asks it to
    perhaps another life              after an absence, with the same pieces, a new peer id, and perhaps a new address

A life begins with a new header in the trace, and numbers its neighbours from one.
"""

import asyncio
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, Final

from contract.events import Level
from contract.programs import COMPLETED, READY
from peer import OUR_VERSION
from peer.bittorrent.client.client import Client
from peer.bittorrent.client.connections.encryption import Encryption, negotiation
from peer.bittorrent.client.dht import Dht
from peer.bittorrent.client.open_torrent import OpenTorrent, StorageOpener
from peer.bittorrent.client.storage import StorageError
from peer.bittorrent.client.trackers import TrackerClient
from peer.bittorrent.engine.actions import Leave
from peer.bittorrent.engine.context import Context, DhtUse, Identity, Outbox
from peer.bittorrent.engine.profile import PROFILES, Profile
from peer.bittorrent.engine.session import Session
from peer.bittorrent.engine.strategy import Strategy
from peer.bittorrent.strategies.registry import StrategyError, make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.metainfo.metainfo import Info
from peer.bittorrent.wire.peer_id import make_peer_id
from peer.net.address import Address
from peer.net.dialler import Dialler
from peer.net.listener import Listener
from peer.net.rate_limiter import RateLimiter
from peer.process import program
from peer.process.exit_status import ExitStatus, ProgramError
from peer.process.signals import EndSignals, first_of, wait_for_start
from peer.process.ticker import ticks
from peer.trace.file import TraceError, TraceFile

DHT_PERIOD: Final = 15 * 60.0
"""Between two announcements to the DHT, as most clients have it."""
_FLUSH_PERIOD: Final = 1.0
_ANY: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104  They are compared with, not bound to.


@dataclass(frozen=True, slots=True)
class Torrent:
    """What to share, and where to find peers; without `info`, it comes from the swarm."""

    info_hash: bytes
    info: Info | None = None
    trackers: tuple[tuple[str, ...], ...] = ()
    peers: tuple[Address, ...] = ()
    nodes: tuple[Address, ...] = ()
    """Of the DHT, to join by."""
    warnings: tuple[str, ...] = ()
    """What to tell the user once everything else is in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run a peer."""

    torrent: Torrent
    open_storage: StorageOpener
    bind: str = "0.0.0.0"  # noqa: S104  Peers come from outside.
    port: int = 6881
    return_bind: str | None = None
    """The address after an absence; None is the same one."""
    profile: Profile = PROFILES["course"]
    time_scale: float = 1.0
    """What the profile's times were divided by, for the trace."""
    strategy: str = "tit-for-tat"
    parameters: dict[str, object] = field(default_factory=dict)
    upload_limit: float | None = None
    """In bytes/s."""
    encryption: Encryption = Encryption.ACCEPT
    uses_dht: bool = False
    trace: Path | None = None
    level: Level = Level.SUMMARY
    seed: int | None = None
    waits_for_start: bool = False
    """Whether to get everything ready and then wait for SIGUSR1."""


def run(options: Options) -> ExitStatus:
    """Share until the strategy leaves, or SIGTERM or SIGINT; raises ProgramError."""
    return program.run(lambda signals: _Program(options, signals).run())


class _Program:
    """What outlasts a life."""

    def __init__(self, options: Options, signals: EndSignals) -> None:
        self._options: Final = options
        self._signals: Final = signals
        self._seed: Final = secrets.randbits(32) if options.seed is None else options.seed
        source = Random(self._seed)
        self._identities: Final = Random(source.getrandbits(64))
        self._decisions: Final = Random(source.getrandbits(64))
        self._nodes: Final = Random(source.getrandbits(64))
        self._known_nodes = list(options.torrent.nodes)
        self._strategy = self._make_strategy()
        self._torrent: OpenTorrent | None = None
        self._have: Bitfield | None = None
        self._waits_for_start = options.waits_for_start
        self._warnings = options.torrent.warnings
        self._bug: BaseException | None = None

    async def run(self) -> ExitStatus:
        """Live once or more often."""
        asyncio.get_running_loop().set_exception_handler(self._broke)
        try:
            await self._live_on()
        finally:
            if self._torrent is not None:
                self._torrent.close()
        return ExitStatus.CUT_SHORT if self._signals.insisted.is_set() else ExitStatus.OK

    async def _live_on(self) -> None:
        host = self._options.bind
        while (absence := await self._live(host)) is not None:
            if await self._is_asked_within(absence):
                return
            host = self._options.return_bind or host
            self._strategy = replace(self._make_strategy(), departure=self._strategy.departure)

    async def _live(self, host: str) -> float | None:
        """Be in the swarm once; returns the seconds to be away, None if for good."""
        with self._open_trace() as trace, ExitStack() as undo:
            sockets = [undo.enter_context(_bind(Address(host, port))) for port in self._ports()]
            addresses = [Address(*bound.getsockname()[:2]) for bound in sockets]
            datagrams = undo.enter_context(_bind(addresses[0], socket.SOCK_DGRAM)) if self._options.uses_dht else None
            await self._open_known_torrent()
            self._warn()
            if self._waits_for_start:
                await wait_for_start(addresses[0], self._signals)
                self._waits_for_start = False
            dht = undo.enter_context(self._dht(datagrams, trace))
            client = self._make_client([address.port for address in addresses], host, trace, dht)
            listeners = [
                Listener(bound, asyncio.get_running_loop(), partial(client.accepted, identity))
                for identity, bound in enumerate(sockets)
            ]
            print(f"{READY} {addresses[0]}", flush=True)
            async with _flushed(trace):
                leave = await self._stay(client, listeners)
        self._torrent, self._have = client.torrent, None if leave.forgets else client.have
        if client.failure is not None:
            raise ProgramError(ExitStatus.NO_DATA, client.failure)
        return leave.back_after

    def _warn(self) -> None:
        warnings, self._warnings = self._warnings, ()
        for warning in warnings:
            print(f"peer: {warning}", file=sys.stderr, flush=True)

    def _ports(self) -> list[int]:
        """Return consecutive ports to listen on, one for each identity; 0 is any free one."""
        first = self._options.port
        return [first and first + identity for identity in range(self._strategy.identities)]

    async def _stay(self, client: Client, listeners: Sequence[Listener]) -> Leave:
        """Run a client until it leaves, or is asked to; a second signal cuts its departure short."""
        client.start()
        await first_of(client.left, self._signals.asked.wait())
        if not client.left.done() and self._bug is None:
            client.leave(self._signals.name)
        for listener in listeners:
            listener.close()
        await first_of(client.end(), self._signals.insisted.wait())
        client.cut()
        if self._bug is not None:
            raise self._bug
        return client.left.result()

    @contextmanager
    def _dht(self, bound: socket.socket | None, trace: TraceFile) -> Iterator[Dht | None]:
        """Run a node of the DHT, if there is to be one; the next life joins by the nodes that it knew."""
        if bound is None:
            yield None
            return
        dht = Dht(bound, self._options.torrent.info_hash, self._nodes, trace.record)
        dht.start(self._known_nodes)
        try:
            yield dht
        finally:
            self._known_nodes = list(dict.fromkeys([*self._options.torrent.nodes, *dht.neighbours]))
            dht.close()

    def _make_client(self, ports: Sequence[int], host: str, trace: TraceFile, dht: Dht | None) -> Client:
        options, now = self._options, monotonic()
        loop = asyncio.get_running_loop()
        context = Context(
            info_hash=options.torrent.info_hash,
            identities=[Identity(make_peer_id(self._identities), port) for port in ports],
            profile=options.profile,
            strategy=self._strategy,
            rng=self._decisions,
            outbox=Outbox(trace.record, options.level, now),
            capacity=options.upload_limit,
            dht=DhtUse(ports[0], DHT_PERIOD / options.time_scale) if dht else None,
        )
        session = Session(
            context,
            trackers=options.torrent.trackers,
            known=options.torrent.peers,
            info=None if self._torrent is None else self._torrent.info,
            have=self._have,
        )
        return Client(
            session,
            dialler=Dialler(host, options.profile.connect_timeout, loop),
            trackers=TrackerClient(None if host in _ANY else host),
            rate_limiter=RateLimiter(options.upload_limit, now),
            dht=dht,
            torrent=self._torrent,
            open_torrent=lambda info: loop.run_in_executor(None, self._open_torrent, info),
            on_complete=partial(_print_completed, trace),
            negotiation=lambda is_outgoing: negotiation(
                options.encryption, options.torrent.info_hash, is_outgoing=is_outgoing
            ),
            falls_back=options.encryption is Encryption.PREFER,
        )

    async def _open_known_torrent(self) -> None:
        """Open the storage of a torrent that is known from the start; a signal waits for that."""
        info = self._options.torrent.info
        if info is None or self._torrent is not None:
            return
        opening = asyncio.get_running_loop().run_in_executor(None, self._open_torrent, info)
        try:
            self._torrent, self._have = await opening
        except StorageError as error:
            raise ProgramError(ExitStatus.NO_DATA, str(error)) from error

    def _open_torrent(self, info: Info) -> tuple[OpenTorrent, Bitfield]:
        storage, have = self._options.open_storage(info)
        return OpenTorrent(info, storage, self._options.profile.block_length), have

    def _make_strategy(self) -> Strategy:
        options = self._options
        try:
            return make_strategy(options.strategy, options.profile, self._decisions, options.parameters)
        except StrategyError as error:
            raise ProgramError(ExitStatus.USAGE, str(error)) from error

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
            raise ProgramError(ExitStatus.NO_TRACE, str(error)) from error

    async def _is_asked_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._signals.asked.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _broke(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """End with the traceback of a callback's exception: a damaged peer would spoil a measurement."""
        self._bug = self._bug or context.get("exception") or RuntimeError(context["message"])
        self._signals.insisted.set()
        self._signals.asked.set()


def describe_setup(
    *,
    profile: Profile,
    strategy: str,
    parameters: Mapping[str, object],
    seed: int,
    program: str,
    time_scale: float,
) -> dict[str, object]:
    """Return the header of a trace; the profile's constants are those in use, already scaled."""
    return {
        "program": program,
        "strategy": strategy,
        "parameters": dict(parameters),
        "seed": seed,
        "time_scale": time_scale,
        "profile": asdict(profile),
    }


def _print_completed(trace: TraceFile) -> None:
    """Print the line after the trace is written: a reader of the line may read the trace next."""
    trace.flush()
    print(COMPLETED, flush=True)


def _bind(address: Address, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    what = "cannot listen on" if kind is socket.SOCK_STREAM else "the DHT cannot use UDP at"
    return program.bind(address, what, "choose another --bind or --port", kind)


@asynccontextmanager
async def _flushed(trace: TraceFile) -> AsyncIterator[None]:
    """Write the trace out regularly, so that it can be followed, and survives a kill."""

    async def flush() -> None:
        async for _ in ticks(_FLUSH_PERIOD, lambda lagged: trace.record(lagged, monotonic())):
            trace.flush()

    flushing = asyncio.create_task(flush())
    try:
        yield
    finally:
        flushing.cancel()
