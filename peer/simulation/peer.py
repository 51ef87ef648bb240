"""A peer in virtual time: a real session, and a client that does its actions by arithmetic."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from math import inf
from typing import Any, Final, TypeVar

from contract.events import TraceEvent
from peer.bittorrent.engine import actions
from peer.bittorrent.engine.actions import Action
from peer.bittorrent.engine.session import Session
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.handshake import decode_handshake
from peer.bittorrent.wire.metainfo.metainfo import Info
from peer.bittorrent.wire.tracker.messages import AnnounceResponse
from peer.net.address import Address, pack_host
from peer.simulation.links import GOOD, AccessLink, ConnectionEnd, Downlink, Uplink
from peer.simulation.network import Letter, Network

PORT: Final = 6881
CALLER_PORT: Final = 40_000
BLOCK: Final = 16 << 10
SomeEvent = TypeVar("SomeEvent", bound=TraceEvent)


@dataclass(frozen=True)
class Place:
    """Where a peer is in the network."""

    address: Address
    link: AccessLink
    return_address: Address | None = None
    """Where it is after an absence; None is the same address."""


class VirtualPeer:
    """A client with an access link."""

    def __init__(
        self,
        name: str,
        place: Place,
        network: "Network[VirtualPeer]",
        info: Info,
        *,
        is_corrupt: bool,
        on_complete: Callable[[], None],
    ) -> None:
        """`is_corrupt` if every block that it sends is wrong. `begin` follows before anything happens to it."""
        self.name: Final = name
        self.address = place.address
        self.delay: Final = place.link.delay
        self.downlink: Final = Downlink(place.link.down)
        self.is_corrupt: Final = is_corrupt
        self.is_here = True
        self.has_left = False
        """Whether it is gone for good."""
        self.connections: Final[dict[int, ConnectionEnd]] = {}
        self.digests: Final[dict[tuple[int, int], bytes]] = {}
        """Of the blocks of pieces that are not verified yet, by piece and first byte."""
        self.events: Final[list[tuple[float, TraceEvent]]] = []
        """The trace."""
        self.completed_at: float | None = None
        self._return_address: Final = place.return_address or place.address
        self._network: Final = network
        self._agenda: Final = network.agenda
        self._info: Final = info
        self._on_complete: Final = on_complete
        self._uplink: Final = Uplink(self, place.link.up, network.agenda, network.latency)
        self._wakes_at = inf
        self._performers: Final = self._make_performers()

    def _make_performers(self) -> dict[type[Action], Callable[[Any], None]]:
        return {
            actions.Greet: self._greet,
            actions.OfferBlocks: lambda action: self._uplink.offer(action.neighbour),
            actions.LimitUpload: self._limit,
            actions.Divert: lambda _: None,
            actions.Verify: self._verify,
            actions.Dial: self._dial,
            actions.Close: lambda action: self._close(action.neighbour, "closed"),
            actions.Announce: self._announce,
            actions.Leave: self._leave,
        }

    def begin(self, make_session: Callable[[Bitfield | None], Session], have: Bitfield | None) -> None:
        """Make the first session, with the pieces that it has at its start; `start` lets it join."""
        self._make_session = make_session
        self.session = make_session(have)

    @property
    def have_count(self) -> int:
        return 0 if self.session.have is None else self.session.have.count

    def has(self, index: int) -> bool:
        return self.session.have is not None and index in self.session.have

    def events_of(self, kind: type[SomeEvent]) -> Iterator[SomeEvent]:
        """Yield the events of one class."""
        return (event for _, event in self.events if isinstance(event, kind))

    def record(self, event: TraceEvent, now: float) -> None:
        self.events.append((now, event))

    def trace(self) -> bytes:
        """Return all events as lines."""
        return b"".join(json.dumps([now, event.event, asdict(event)]).encode() + b"\n" for now, event in self.events)

    def start(self) -> None:
        """Join the swarm."""
        self.session.start(self._agenda.now)
        self.act()

    def act(self) -> None:
        """Do the actions of the session; messages that follow each other arrive together."""
        letters: list[Letter] = []
        for action in self.session.take_actions():
            if isinstance(action, actions.Send):
                end = self.connections.get(action.neighbour)
                if end is not None:
                    letters.append((end.far, end.far_key, action.message))
            else:
                self._network.deliver(letters, self.delay)
                letters = []
                self._performers[type(action)](action)
        self._network.deliver(letters, self.delay)
        self._set_timer()

    def set_upload(self, rate: float | None) -> None:
        """Change the rate of the uplink, from the next block on; its client does not learn of it."""
        self._uplink.rate = rate

    def vanish(self, reason: str) -> None:
        """End without a word; its neighbours notice one latency later that the connections are gone."""
        self.is_here, self.has_left = False, True
        for key in list(self.connections):
            self._close(key, reason)

    def _set_timer(self) -> None:
        when = max(self.session.next_deadline(), self._agenda.now)
        if when < self._wakes_at:
            self._wakes_at = when
            self._agenda.call_at(when, partial(self._wake, when))

    def _wake(self, when: float) -> None:
        """Wake the session, unless the timer was set to an earlier time after this."""
        if self._wakes_at == when:
            self._wakes_at = inf
            self.session.tick(self._agenda.now)
            self.act()

    def _greet(self, action: actions.Greet) -> None:
        end = self.connections.get(action.neighbour)
        if end is not None:
            self._network.deliver([(end.far, end.far_key, decode_handshake(action.handshake))], self.delay)

    def _limit(self, action: actions.LimitUpload) -> None:
        if action.neighbour in self.connections:
            self.connections[action.neighbour].limit = action.rate

    def _verify(self, action: actions.Verify) -> None:
        self._agenda.call_at(self._agenda.now, partial(self._check, action.index))

    def _check(self, index: int) -> None:
        begins = range(0, self._info.piece_size(index), BLOCK)
        digests = tuple(self.digests.pop((index, begin)) for begin in begins)
        is_good = all(digest == GOOD for digest in digests)
        self.session.piece_checked(index, is_good, self._agenda.now, digests)
        if self.session.is_complete and self.completed_at is None:
            self.completed_at = self._agenda.now
            self._on_complete()
        self.act()

    def _dial(self, action: actions.Dial) -> None:
        far = self._network.peers_by_host.get(action.address.host)
        delay = self.delay + (far.delay if far is not None else 0.0)
        self._network.after_latency(delay, partial(self._connect, action.address, action.identity))

    def _connect(self, address: Address, identity: int) -> None:
        if not self.is_here:
            return
        now, far, far_key = self._agenda.now, self._network.peers_by_host.get(address.host), None
        if far is not None and far.is_here and far.address.host == address.host:
            caller = Address(self.address.host, CALLER_PORT)
            far_key = far.session.connected(caller, now, is_outgoing=False, identity=address.port - PORT)
        if far is None or far_key is None:
            self.session.dial_failed(address, "refused", now, identity)
        else:
            far.connections[far_key] = ConnectionEnd(self, far_session=self.session)
            key = self.session.connected(address, now, is_outgoing=True, identity=identity)
            if key is None:
                del far.connections[far_key]
                far.session.disconnected(far_key, "closed", now)
            else:
                self.connections[key] = ConnectionEnd(far, far_key, far.session)
                far.connections[far_key].far_key = key
            far.act()
        self.act()

    def _close(self, key: int, reason: str) -> None:
        end = self.connections.pop(key, None)
        if end is not None:
            self._network.after_latency(self.delay + end.far.delay, lambda: end.far.hang_up(end.far_key, reason))

    def hang_up(self, key: int, reason: str) -> None:
        """The other end of a connection closed it."""
        if self.connections.pop(key, None) is not None:
            self.session.disconnected(key, reason, self._agenda.now)
            self.act()

    def _announce(self, action: actions.Announce) -> None:
        answer = self._network.registry.announce(action.request, pack_host(self.address.host), self._agenda.now)
        if not isinstance(answer, AnnounceResponse):
            raise TypeError(f"the tracker refused a peer of its own swarm: {answer}")
        self._network.after_latency(self.delay, lambda: self._take_answer(action, answer))

    def _take_answer(self, action: actions.Announce, answer: AnnounceResponse) -> None:
        if self.is_here:
            self.session.tracker_answered(action.url, answer, self._agenda.now, action.identity)
            self.act()

    def _leave(self, action: actions.Leave) -> None:
        self.vanish("closed")
        if action.back_after is not None:
            have = None if action.forgets else self.session.have
            # What is on its way to this session must not reach the next one.
            absence = max(action.back_after, 2 * (self._network.latency + self._longest_delay()))
            self.has_left = False
            self._agenda.call_at(self._agenda.now + absence, partial(self._come_back, have))

    def _longest_delay(self) -> float:
        """Return the longest delay of a way from or to this peer."""
        return self.delay + max(peer.delay for peer in self._network.peers_by_host.values())

    def _come_back(self, have: Bitfield | None) -> None:
        self.address = self._return_address
        self.session = self._make_session(have)
        self.is_here = True
        self._uplink.reset()
        self.start()
