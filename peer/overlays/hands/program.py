"""A node of an overlay as one process: start-up, its lives in the overlay, its searches, and an orderly end.

    trace, addresses                      each can fail, and then no other program has heard of us
    `waiting HOST:PORT`, SIGUSR1          if there is a start gate; times count from here
    a life: one node, one socket          from the time to join to the time to leave, or SIGTERM or SIGINT
    perhaps another life                  with a new node, the same items, and perhaps a new address
    until SIGTERM or SIGINT

A life begins with a header in the trace.
"""

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, Final

from contract.events import TraceEvent
from contract.overlay_events import DownloadAsked, DownloadEnded, SearchEnded
from contract.programs import COMPLETED, READY, SEARCHED
from peer import OUR_VERSION
from peer.errors import WireError
from peer.net.address import Address
from peer.overlays.description import Description, Search, Session
from peer.overlays.hands.datagrams import DatagramHands
from peer.overlays.hands.hands import Hands
from peer.overlays.hands.streams import MOST_LINKS, StreamHands
from peer.overlays.node import Fetch
from peer.overlays.overlay import DatagramOverlay, Overlay, Setup
from peer.process import program
from peer.process.exit_status import ExitStatus, ProgramError
from peer.process.limits import allow_open_files
from peer.process.signals import EndSignals, first_of, wait_for_start
from peer.process.ticker import ticks
from peer.trace.file import TraceError, TraceFile

_FLUSH_PERIOD: Final = 1.0
_OTHER_FILES: Final = 100


@dataclass(frozen=True, slots=True)
class Options:
    """How to run a node."""

    description: Description
    overlay: Overlay
    parameters: Any
    """As the class of the role has them."""
    trace: Path | None = None
    waits_for_start: bool = False
    tells_searches: bool = False
    """Whether it prints a line when a search has ended."""


def run(options: Options) -> ExitStatus:
    """Run the node until SIGTERM or SIGINT; raises ProgramError."""
    allow_open_files(MOST_LINKS + _OTHER_FILES)
    return program.run(lambda signals: _Program(options, signals).run())


class _Program:
    """What outlasts a life."""

    def __init__(self, options: Options, signals: EndSignals) -> None:
        self._options: Final = options
        self._description: Final = options.description
        self._signals: Final = signals
        given = options.description.seed
        self._seed: Final = secrets.randbits(32) if given is None else given
        self._rng: Final = Random(f"{self._seed} {options.description.address}")
        """Nodes with one seed differ: those with one identity would take each other for themselves."""
        self._unended: Final = {search.name for search in options.description.searches}
        self._downloads: Final[set[str]] = set()
        """The searches whose downloads have not ended."""
        self._hands: Hands[Any] | None = None
        """Of the last life that began."""
        self._began = 0.0
        self._bug: BaseException | None = None

    async def run(self) -> ExitStatus:
        """Live as often as the description says, and then wait to be told to end."""
        asyncio.get_running_loop().set_exception_handler(self._broke)
        self._check_addresses()
        with self._open_trace() as trace:
            if self._options.waits_for_start:
                await wait_for_start(self._address_of(self._description.sessions[0]), self._signals)
            self._began = monotonic()
            await self._live_on(trace)
        await self._signals.asked.wait()
        if self._bug is not None:
            raise self._bug
        return ExitStatus.CUT_SHORT if self._signals.insisted.is_set() else ExitStatus.OK

    async def _live_on(self, trace: TraceFile) -> None:
        for number, session in enumerate(self._description.sessions):
            if await self._is_asked_before(session.join):
                return
            if number:
                trace.begin_life()
            await self._live(session, trace)

    async def _live(self, session: Session, trace: TraceFile) -> None:
        """Be in the overlay once."""
        is_first, hands = self._hands is None, self._make_hands(self._address_of(session), trace)
        self._hands = hands
        hands.input(lambda node, now: node.start(now))
        if is_first:
            self._tell_ready(session, trace)
        async with _flushed(trace), self._asking(session, hands):
            is_asked = await self._is_asked_before(session.end)
        if self._bug is None:
            hands.tell_state()
            by_word = is_asked or session.by_word
            hands.input(lambda node, now: node.leave(now, by_word=by_word))
            if by_word:
                await first_of(hands.end(), self._signals.insisted.wait())
            hands.tell()
        hands.cut()
        trace.flush()

    def _make_hands(self, address: Address, trace: TraceFile) -> Hands[Any]:
        described, overlay = self._description, self._options.overlay
        bound, record = _bind(address, overlay), partial(self._record, trace)
        setup = Setup(
            address,
            described.known,
            described.items,
            self._options.parameters,
            self._rng,
            record,
            described.attack,
            downloads=described.downloads,
        )
        followed = described.followed
        try:
            if isinstance(overlay, DatagramOverlay):
                speaker = overlay.roles[described.role].make(setup)
                return DatagramHands(speaker, bound, overlay, record, self._fetch, followed=followed)
            node = overlay.roles[described.role].make(setup)
            sharing = described.downloads
            return StreamHands(node, bound, overlay, record, self._fetch, followed=followed, transfers=sharing)
        except WireError as error:
            raise ProgramError(ExitStatus.USAGE, f"{described.overlay} has no such node: {error}") from error

    def _tell_ready(self, session: Session, trace: TraceFile) -> None:
        trace.flush()
        print(f"{READY} {self._address_of(session)}", flush=True)
        if not self._unended:
            print(COMPLETED, flush=True)

    @asynccontextmanager
    async def _asking(self, session: Session, hands: Hands[Any]) -> AsyncIterator[None]:
        """Ask the searches of this life, each at its time."""
        loop, elapsed = asyncio.get_running_loop(), monotonic() - self._began
        ours = filter(session.covers, self._description.searches)
        handles = [loop.call_later(max(0.0, each.at - elapsed), _ask, hands, each) for each in ours]
        try:
            yield
        finally:
            for handle in handles:
                handle.cancel()

    def _record(self, trace: TraceFile, event: TraceEvent, now: float) -> None:
        trace.record(event, now)
        match event:
            case DownloadAsked():
                self._downloads.add(event.search)
            case SearchEnded() if event.search in self._unended:
                if self._options.tells_searches:
                    print(SEARCHED, flush=True)
                self._end_one(self._unended, event.search, trace)
            case DownloadEnded() if event.search in self._downloads:
                self._end_one(self._downloads, event.search, trace)

    def _end_one(self, open_ones: set[str], search: str, trace: TraceFile) -> None:
        """Note that a search or a download ended; those of another life may follow, as there are searches left then."""
        open_ones.remove(search)
        if not self._unended and not self._downloads:
            asyncio.get_running_loop().call_soon(self._complete, trace)

    def _complete(self, trace: TraceFile) -> None:
        """Print the line after the trace is written: a reader of the line may read the trace next."""
        if self._hands is not None:
            self._hands.tell()
        trace.flush()
        print(COMPLETED, flush=True)

    def _fetch(self, action: Fetch) -> None:
        """Tell whoever started us, who gets the item by other means. The name may hold anything, such as a new line."""
        if self._description.fetch:
            print(f"fetch {action.holder} {json.dumps(action.item)}", flush=True)

    def _address_of(self, session: Session) -> Address:
        return session.address or self._description.address

    def _check_addresses(self) -> None:
        """Find out now whether each life can have its address."""
        for session in self._description.sessions:
            _bind(self._address_of(session), self._options.overlay).close()

    def _open_trace(self) -> TraceFile:
        described = self._description
        header = {
            "program": OUR_VERSION,
            "overlay": described.overlay,
            "role": described.role,
            "parameters": dict(described.parameters),
            "seed": self._seed,
        }
        try:
            return TraceFile(self._options.trace, header)
        except TraceError as error:
            raise ProgramError(ExitStatus.NO_TRACE, str(error)) from error

    async def _is_asked_before(self, when: float) -> bool:
        """Wait until so many seconds after the start, or until a signal asks us to end; returns whether it does."""
        seconds = None if when == inf else self._began + when - monotonic()
        try:
            await asyncio.wait_for(self._signals.asked.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _broke(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """End with the traceback of a callback's exception: a damaged node would spoil a measurement."""
        self._bug = self._bug or context.get("exception") or RuntimeError(context["message"])
        self._signals.insisted.set()
        self._signals.asked.set()


def _bind(address: Address, overlay: Overlay) -> socket.socket:
    kind = socket.SOCK_DGRAM if isinstance(overlay, DatagramOverlay) else socket.SOCK_STREAM
    return program.bind(address, "cannot use the address", "choose another one in the description", kind)


def _ask(hands: Hands[Any], search: Search) -> None:
    hands.input(lambda node, now: node.search(search.name, search.question, now))


@asynccontextmanager
async def _flushed(trace: TraceFile) -> AsyncIterator[None]:
    """Write the trace out once a second, so that it can be followed, and survives a kill."""

    async def flush() -> None:
        async for _ in ticks(_FLUSH_PERIOD, lambda lagged: trace.record(lagged, monotonic())):
            trace.flush()

    flushing = asyncio.create_task(flush())
    try:
        yield
    finally:
        flushing.cancel()
