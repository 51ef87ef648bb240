"""Swarms in virtual time: real minds, a real tracker's registry, and links that are arithmetic.

An uplink sends one block at a time, its neighbours taking turns, at the peer's upload rate; a downlink takes what
arrives at its download rate; everything is late by one latency. Control messages take no bandwidth. Nothing waits for
a clock, so an hour of a swarm takes as long as its events.
"""

import heapq
import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from hashlib import sha1
from itertools import count
from math import inf
from random import Random
from typing import Any

from contract.events import Level, TraceEvent
from peer.bittorrent.engine import actions
from peer.bittorrent.engine.actions import Action
from peer.bittorrent.engine.connections.identities import Identity
from peer.bittorrent.engine.download.placement import Placement
from peer.bittorrent.engine.profile import PROFILES, Profile
from peer.bittorrent.engine.session import Session
from peer.bittorrent.engine.strategy import Departure, Strategy
from peer.bittorrent.engine.upload.upload import Shipment
from peer.bittorrent.strategies.registry import make_strategy
from peer.bittorrent.tracker.registry import Policy, Registry
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.handshake import Handshake, decode_handshake
from peer.bittorrent.wire.messages import Message, PieceHeader, Request
from peer.bittorrent.wire.metainfo.metainfo import Info, make_info
from peer.bittorrent.wire.peer_id import make_peer_id
from peer.bittorrent.wire.tracker.messages import AnnounceResponse
from peer.net.address import Address, pack_host

PORT = 6881
TRACKER = "http://198.18.0.1/announce"
GOOD = sha1(b"good", usedforsecurity=False).digest()


def a_torrent(pieces: int, piece_length: int = 16 << 10) -> Info:
    """A torrent whose content nobody looks at."""
    return make_info("virtual", pieces * piece_length, piece_length, [bytes(20)] * pieces)


@dataclass(eq=False)
class Pipe:
    """One end of a connection, as its owner sees it."""

    far: "VirtualPeer"
    far_key: int = 0
    limit: float | None = None
    free_at: float = 0.0
    wakes_at: float = 0.0
    """For which `free_at` an alarm is set already."""
    waits: bool = False
    life: Session | None = None
    """The session at the far end: what was on its way to one that is over does not reach the next one."""
    on_the_way: deque[tuple[PieceHeader, bool]] = field(default_factory=deque)
    """Blocks that have begun to be sent, and whether they are wrong; the first one begins to arrive."""
    placement: Placement = Placement.NOWHERE


@dataclass(eq=False)
class VirtualPeer:
    """A mind, and the arithmetic of its access link; rates in bytes/s, None is no limit."""

    name: str
    address: Address
    up: float | None
    down: float | None
    session: Session
    make_session: Callable[[Bitfield | None], Session]
    """For each life, with what it begins with."""
    corrupts: bool = False
    """Every block that it sends is wrong."""
    is_here: bool = True
    pipes: dict[int, Pipe] = field(default_factory=dict)
    waiting: deque[int] = field(default_factory=deque)
    """The neighbours with requests, in turn."""
    is_sending: bool = False
    down_free_at: float = 0.0
    blocks: dict[tuple[int, int], bytes] = field(default_factory=dict)
    """Digests of blocks of pieces that are not verified yet."""
    facts: list[tuple[float, TraceEvent]] = field(default_factory=list)
    completed_at: float | None = None
    alarm_at: float = inf

    @property
    def have_count(self) -> int:
        """How many pieces it has."""
        return 0 if self.session.have is None else self.session.have.count

    def has(self, index: int) -> bool:
        """Whether it has a piece."""
        return self.session.have is not None and index in self.session.have

    def told(self, kind: type[TraceEvent]) -> Iterator[TraceEvent]:
        """The facts of one kind."""
        return (fact for _, fact in self.facts if isinstance(fact, kind))

    def trace(self) -> bytes:
        """All facts as lines."""
        return b"".join(json.dumps([now, fact.event, asdict(fact)]).encode() + b"\n" for now, fact in self.facts)


class VirtualSwarm:
    """Peers that know each other by a tracker."""

    def __init__(
        self,
        info: Info,
        *,
        seed: int = 1,
        latency: float = 0.01,
        profile: Profile | str = "course",
        numwant: int = 50,
        level: Level = Level.PIECES,
    ) -> None:
        self.info = info
        self.now = 0.0
        self.peers: dict[str, VirtualPeer] = {}
        self._seed = seed
        self._latency = latency
        self._profile = PROFILES[profile] if isinstance(profile, str) else profile
        self._level = level
        self._registry = Registry(Policy(default_numwant=numwant, most_numwant=numwant), Random(seed))
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._completions = 0
        self._at: dict[str, VirtualPeer] = {}
        self._hands: dict[type[Action], Callable[[VirtualPeer, Any], None]] = {
            actions.Greet: self._greet,
            actions.Upload: lambda peer, action: self._queue(peer, action.neighbour),
            actions.LimitUpload: self._limit,
            actions.Divert: lambda *_: None,
            actions.Verify: lambda peer, action: self._later(self.now, partial(self._verify, peer, action.index)),
            actions.Dial: lambda peer, action: self._soon(partial(self._dial, peer, action.address, action.face)),
            actions.Close: lambda peer, action: self._close(peer, action.neighbour),
            actions.Announce: self._announce,
            actions.Leave: self._leave,
        }

    def add(
        self,
        name: str,
        *,
        up: float | None = None,
        down: float | None = None,
        have: Bitfield | None = None,
        is_seed: bool = False,
        strategy: Strategy | str = "tit-for-tat",
        profile: Profile | None = None,
        at: float = 0.0,
        corrupts: bool = False,
        **parameters: object,
    ) -> VirtualPeer:
        """Let a peer join at a time."""
        profile = profile or self._profile
        rng = Random(f"{self._seed} {name}")
        address = Address(f"198.18.{len(self._at) // 250}.{len(self._at) % 250 + 2}", PORT)
        facts: list[tuple[float, TraceEvent]] = []
        departures: list[Departure] = []

        def make_session(have: Bitfield | None) -> Session:
            made = make_strategy(strategy, profile, rng, parameters) if isinstance(strategy, str) else strategy
            departures.append(made.departure)
            return Session(
                info_hash=self.info.info_hash,
                identities=[Identity(make_peer_id(rng), PORT + face) for face in range(made.identities)],
                profile=profile,
                strategy=replace(made, departure=departures[0]),
                rng=rng,
                now=max(at, self.now),
                tell=lambda fact, now: facts.append((now, fact)),
                level=self._level,
                trackers=((TRACKER,),),
                capacity=up,
                info=self.info,
                have=have,
            )

        session = make_session(Bitfield.full(self.info.piece_count) if is_seed else have)
        peer = VirtualPeer(name, address, up, down, session, make_session, corrupts, facts=facts)
        self.peers[name] = peer
        self._at[address.host] = peer
        self._later(at, lambda: self._start(peer))
        return peer

    def run(self, until: float, *, stop: Callable[[], bool] | None = None) -> float:
        """Let time pass, to a time or until something is so; returns when that was."""
        while self._agenda and self._agenda[0][0] <= until:
            self.now, _, happens = heapq.heappop(self._agenda)
            happens()
            if stop is not None and stop():
                return self.now
        self.now = until
        return until

    def run_until_all_complete(self, limit: float = 10_000) -> float:
        """Let time pass until everybody who is here has everything."""
        while self._agenda and self.now <= limit:
            self.run(limit, stop=partial(self._has_completed_more_than, self._completions))
            if all(peer.session.is_complete for peer in self.peers.values() if peer.is_here):
                break
        return self.now

    def _has_completed_more_than(self, before: int) -> bool:
        return self._completions > before

    def leave(self, name: str) -> None:
        """Take a peer out, politely."""
        peer = self.peers[name]
        peer.session.leave("asked to", self.now)
        self._act(peer)

    def vanish(self, name: str) -> None:
        """Cut a peer off without a word; its neighbours hear that the connection is gone."""
        self._go(self.peers[name], "reset")

    def call_at(self, when: float, do: Callable[[], None]) -> None:
        """Do something at a time."""
        self._later(when, do)

    def _soon(self, happens: Callable[[], None]) -> None:
        self._later(self.now + self._latency, happens)

    def _later(self, when: float, happens: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (when, next(self._order), happens))

    def _start(self, peer: VirtualPeer) -> None:
        peer.session.start(self.now)
        self._act(peer)

    def _wake(self, peer: VirtualPeer, when: float) -> None:
        """Wake a mind, unless it was to be woken earlier by now."""
        if peer.alarm_at == when:
            peer.alarm_at = inf
            peer.session.tick(self.now)
            self._act(peer)

    def _set_alarm(self, peer: VirtualPeer) -> None:
        when = max(peer.session.next_deadline(), self.now)
        if when < peer.alarm_at:
            peer.alarm_at = when
            self._later(when, lambda: self._wake(peer, when))

    def _act(self, peer: VirtualPeer) -> None:
        """Do what a mind asks for; messages that follow each other arrive together, one latency later."""
        mail: list[tuple[VirtualPeer, int, Handshake | Message]] = []
        for action in peer.session.take_actions():
            if isinstance(action, actions.Send):
                pipe = peer.pipes.get(action.neighbour)
                if pipe is not None:
                    mail.append((pipe.far, pipe.far_key, action.message))
            else:
                self._deliver(mail)
                mail = []
                self._hands[type(action)](peer, action)
        self._deliver(mail)
        self._set_alarm(peer)

    def _greet(self, peer: VirtualPeer, action: actions.Greet) -> None:
        pipe = peer.pipes.get(action.neighbour)
        if pipe is not None:
            self._deliver([(pipe.far, pipe.far_key, decode_handshake(action.handshake))])

    def _limit(self, peer: VirtualPeer, action: actions.LimitUpload) -> None:
        if action.neighbour in peer.pipes:
            peer.pipes[action.neighbour].limit = action.rate

    def _deliver(self, mail: list[tuple[VirtualPeer, int, Handshake | Message]]) -> None:
        if mail:
            self._soon(lambda: self._arrive(mail))

    def _arrive(self, mail: list[tuple[VirtualPeer, int, Handshake | Message]]) -> None:
        for far, key, message in mail:
            if key in far.pipes:
                far.session.received(key, message, self.now)
                self._act(far)

    def _dial(self, peer: VirtualPeer, address: Address, face: int) -> None:
        if not peer.is_here:
            return
        far = self._at.get(address.host)
        far_key = None
        if far is not None and far.is_here:
            caller = Address(peer.address.host, 40_000)
            far_key = far.session.connected(caller, self.now, is_outgoing=False, face=address.port - PORT)
        if far is None or far_key is None:
            peer.session.dial_failed(address, "refused", self.now, face)
        else:
            far.pipes[far_key] = Pipe(peer, life=peer.session)
            key = peer.session.connected(address, self.now, is_outgoing=True, face=face)
            if key is None:
                del far.pipes[far_key]
                far.session.disconnected(far_key, "closed", self.now)
            else:
                peer.pipes[key] = Pipe(far, far_key, life=far.session)
                far.pipes[far_key].far_key = key
            self._act(far)
        self._act(peer)

    def _close(self, peer: VirtualPeer, key: int, reason: str = "closed") -> None:
        pipe = peer.pipes.pop(key, None)
        if pipe is not None:
            self._soon(lambda: self._hang_up(pipe.far, pipe.far_key, reason))

    def _hang_up(self, peer: VirtualPeer, key: int, reason: str) -> None:
        if peer.pipes.pop(key, None) is not None:
            peer.session.disconnected(key, reason, self.now)
            self._act(peer)

    def _leave(self, peer: VirtualPeer, action: actions.Leave) -> None:
        self._go(peer, "closed")
        if action.back_after is not None:
            have = None if action.forgets else peer.session.have
            # What is on its way to the first life must not reach the second one.
            self._later(self.now + max(action.back_after, 2 * self._latency), partial(self._come_back, peer, have))

    def _come_back(self, peer: VirtualPeer, have: Bitfield | None) -> None:
        peer.session = peer.make_session(have)
        peer.is_here, peer.is_sending = True, False
        peer.waiting.clear()
        self._start(peer)

    def _go(self, peer: VirtualPeer, reason: str) -> None:
        peer.is_here = False
        for key in list(peer.pipes):
            self._close(peer, key, reason)

    def _announce(self, peer: VirtualPeer, action: actions.Announce) -> None:
        answer = self._registry.announce(action.request, pack_host(peer.address.host), self.now)
        if not isinstance(answer, AnnounceResponse):
            raise TypeError(f"the tracker refused a peer of its own swarm: {answer}")
        self._soon(lambda: self._answer(peer, action, answer))

    def _answer(self, peer: VirtualPeer, action: actions.Announce, answer: AnnounceResponse) -> None:
        if peer.is_here:
            peer.session.tracker_answered(action.url, answer, self.now, action.face)
            self._act(peer)

    def _queue(self, peer: VirtualPeer, key: int) -> None:
        pipe = peer.pipes.get(key)
        if pipe is not None and not pipe.waits:
            pipe.waits = True
            peer.waiting.append(key)
            self._send_next(peer)

    def _send_next(self, peer: VirtualPeer) -> None:
        """Give the uplink its next block, of the first neighbour in turn that may be sent one."""
        if peer.is_sending:
            return
        for _ in range(len(peer.waiting)):
            key = peer.waiting.popleft()
            pipe = peer.pipes.get(key)
            if pipe is None:
                continue
            if pipe.free_at > self.now:
                peer.waiting.append(key)
                if pipe.wakes_at != pipe.free_at:
                    pipe.wakes_at = pipe.free_at
                    self._later(pipe.free_at, lambda: self._send_next(peer))
                continue
            shipment = peer.session.next_upload(key, self.now)
            if shipment is None:
                pipe.waits = False
                continue
            peer.waiting.append(key)
            self._send(peer, key, pipe, shipment)
            return

    def _send(self, peer: VirtualPeer, key: int, pipe: Pipe, shipment: Shipment) -> None:
        request = shipment.request
        peer.is_sending = True
        if pipe.limit is not None:
            takes = request.length / max(pipe.limit, 1)
            pipe.free_at = max(pipe.free_at, self.now - takes) + takes  # who waited for a turn may catch up by a block
        took = 0.0 if peer.up is None else request.length / peer.up
        header = PieceHeader(request.index, request.begin, request.length)
        pipe.on_the_way.append((header, shipment.is_garbage or peer.corrupts))
        if len(pipe.on_the_way) == 1:
            self._begin_to_arrive(pipe)
        self._later(self.now + took, lambda: self._sent(peer, key, pipe, request))

    def _sent(self, peer: VirtualPeer, key: int, pipe: Pipe, request: Request) -> None:
        peer.is_sending = False
        if peer.pipes.get(key) is pipe:
            peer.session.block_sent(key, request, self.now)
            far = pipe.far
            took = 0.0 if far.down is None else request.length / far.down
            far.down_free_at = max(self.now + self._latency, far.down_free_at) + took
            self._later(far.down_free_at, lambda: self._block(peer, pipe))
        self._act(peer)
        self._send_next(peer)

    def _begin_to_arrive(self, pipe: Pipe) -> None:
        pipe.placement = pipe.far.session.placement(pipe.far_key, pipe.on_the_way[0][0], self.now)
        self._act(pipe.far)

    def _block(self, peer: VirtualPeer, pipe: Pipe) -> None:
        far, (header, is_garbage) = pipe.far, pipe.on_the_way.popleft()
        if pipe.far_key not in far.pipes or pipe.life is not far.session:
            return
        is_needed = far.session.block_arrived(pipe.far_key, header, self.now)
        if is_needed:
            digest = sha1(peer.name.encode(), usedforsecurity=False).digest() if is_garbage else GOOD
            far.blocks[header.index, header.begin] = digest
        self._act(far)
        if pipe.on_the_way:
            self._begin_to_arrive(pipe)

    def _verify(self, peer: VirtualPeer, index: int) -> None:
        begins = range(0, self.info.piece_size(index), 16 << 10)
        digests = tuple(peer.blocks.pop((index, begin)) for begin in begins)
        is_good = all(digest == GOOD for digest in digests)
        peer.session.piece_checked(index, is_good, self.now, digests)
        if peer.session.is_complete and peer.completed_at is None:
            peer.completed_at = self.now
            self._completions += 1
        self._act(peer)
