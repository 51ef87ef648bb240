"""Access links of arithmetic: when the blocks that peers send each other arrive.

An uplink sends one block at a time at the peer's upload rate, its neighbours taking turns. A downlink takes blocks at
the peer's download rate.
"""

from collections import deque
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha1
from typing import Final, Protocol

from peer.bittorrent.engine.download.block_reception import Placement
from peer.bittorrent.engine.session import Session
from peer.bittorrent.engine.upload.upload import QueuedBlock
from peer.bittorrent.wire.messages import PieceHeader, Request
from peer.simulation.agenda import Agenda

GOOD: Final = sha1(b"good", usedforsecurity=False).digest()
"""The digest of every block that is not corrupt."""


class LinkOwner(Protocol):
    """What links need of the peer that they belong to."""

    session: Session

    @property
    def name(self) -> str:
        """Corrupt blocks of one peer are all alike, and unlike those of others."""

    @property
    def delay(self) -> float:
        """Seconds that its link adds in each direction."""

    @property
    def is_corrupt(self) -> bool:
        """Whether every block that it sends is wrong."""

    @property
    def connections(self) -> "dict[int, ConnectionEnd]":
        """Its open connections, by the session's numbers."""

    @property
    def downlink(self) -> "Downlink":
        """Its receiving side."""

    @property
    def digests(self) -> dict[tuple[int, int], bytes]:
        """Of received blocks, by piece and first byte."""

    def act(self) -> None:
        """Do the actions of the session."""

    def hang_up(self, key: int, reason: str) -> None:
        """The other end of a connection closed it."""


@dataclass(frozen=True)
class AccessLink:
    """Bytes/s that a peer can send and receive, None for no limit; seconds that its link adds in each direction."""

    up: float | None = None
    down: float | None = None
    delay: float = 0.0


@dataclass(eq=False)
class ConnectionEnd:
    """One end of a connection, as its owner sees it."""

    far: "LinkOwner"
    far_key: int = 0
    """The far end's number for this connection."""
    far_session: Session | None = None
    """The session at the far end. What was on its way to one that is over does not reach the next one."""
    limit: float | None = None
    """Bytes/s that the owner sends at most."""
    free_at: float = 0.0
    """When the limit lets the next block be sent."""
    wakes_at: float = 0.0
    """The `free_at` at which the uplink will try again."""
    is_queued: bool = False
    """The owner's uplink takes turns with this one."""
    in_flight: deque[tuple[PieceHeader, bool]] = field(default_factory=deque)
    """Blocks that have begun to be sent, and whether they are corrupt; the far end has the header of the first."""
    placement: Placement = Placement.NOWHERE
    """Where the first of them belongs at the far end."""


class Uplink:
    """The sending side of a peer's access link; a rate in bytes/s, None is no limit."""

    def __init__(self, owner: LinkOwner, rate: float | None, agenda: Agenda, latency: float) -> None:
        self._owner: Final = owner
        self.rate = rate
        self._agenda: Final = agenda
        self._latency: Final = latency
        self._turns: Final[deque[int]] = deque()
        """The neighbours with requests."""
        self._is_sending = False

    def reset(self) -> None:
        """Begin again with another session."""
        self._turns.clear()
        self._is_sending = False

    def offer(self, key: int) -> None:
        """Let a neighbour that has requests take turns with the others."""
        end = self._owner.connections.get(key)
        if end is not None and not end.is_queued:
            end.is_queued = True
            self._turns.append(key)
            self._send_next()

    def _send_next(self) -> None:
        """Send the next block, to the first neighbour in turn that may be sent one."""
        if self._is_sending:
            return
        now = self._agenda.now
        for _ in range(len(self._turns)):
            key = self._turns.popleft()
            end = self._owner.connections.get(key)
            if end is None:
                continue
            if end.free_at > now:
                self._turns.append(key)
                self._try_again(end)
                continue
            queued = self._owner.session.next_block(key, now)
            if queued is None:
                end.is_queued = False
                continue
            self._turns.append(key)
            self._send(key, end, queued)
            return

    def _try_again(self, end: ConnectionEnd) -> None:
        if end.wakes_at != end.free_at:
            end.wakes_at = end.free_at
            self._agenda.call_at(end.free_at, self._send_next)

    def _send(self, key: int, end: ConnectionEnd, queued: QueuedBlock) -> None:
        request, now = queued.request, self._agenda.now
        self._is_sending = True
        if end.limit is not None:
            takes = request.length / max(end.limit, 1)
            end.free_at = max(end.free_at, now - takes) + takes  # one that waited for its turn may catch up by a block
        took = 0.0 if self.rate is None else request.length / self.rate
        header = PieceHeader(request.index, request.begin, request.length)
        end.in_flight.append((header, queued.is_garbage or self._owner.is_corrupt))
        if len(end.in_flight) == 1:
            self._begin_to_arrive(end)
        self._agenda.call_at(now + took, partial(self._sent, key, end, request))

    def _sent(self, key: int, end: ConnectionEnd, request: Request) -> None:
        owner, now = self._owner, self._agenda.now
        self._is_sending = False
        if owner.connections.get(key) is end:
            owner.session.block_sent(key, request, now)
            self._travel(end, request.length)
        owner.act()
        self._send_next()

    def _travel(self, end: ConnectionEnd, length: int) -> None:
        """Bring a block to the far downlink, which takes blocks in the order in which they come there."""
        delay = self._owner.delay + end.far.delay
        if delay:
            at = self._agenda.now + self._latency + delay
            self._agenda.call_at(at, lambda: self._enter_downlink(end, length, self._agenda.now))
        else:  # blocks without delays come in the order in which they were sent
            self._enter_downlink(end, length, self._agenda.now + self._latency)

    def _enter_downlink(self, end: ConnectionEnd, length: int, at: float) -> None:
        self._agenda.call_at(end.far.downlink.take(length, at), partial(self._arrived, end))

    def _begin_to_arrive(self, end: ConnectionEnd) -> None:
        end.placement = end.far.session.block_began(end.far_key, end.in_flight[0][0], self._agenda.now)
        end.far.act()

    def _arrived(self, end: ConnectionEnd) -> None:
        far, (header, is_corrupt) = end.far, end.in_flight.popleft()
        if end.far_key not in far.connections or end.far_session is not far.session:
            return
        if far.session.block_received(end.far_key, header, self._agenda.now):
            far.digests[header.index, header.begin] = self._corrupt_digest() if is_corrupt else GOOD
        far.act()
        if end.in_flight:
            self._begin_to_arrive(end)

    def _corrupt_digest(self) -> bytes:
        return sha1(self._owner.name.encode(), usedforsecurity=False).digest()


class Downlink:
    """The receiving side of a peer's access link; a rate in bytes/s, None is no limit."""

    def __init__(self, rate: float | None) -> None:
        self._rate: Final = rate
        self._free_at = 0.0

    def take(self, length: int, arrives_at: float) -> float:
        """Take a block whose last byte arrives at a time; returns when it is through."""
        took = 0.0 if self._rate is None else length / self._rate
        self._free_at = max(arrives_at, self._free_at) + took
        return self._free_at
