"""A network for nodes of overlays: each message arrives after a latency, whatever its size.

Overlays send little and seldom. What counts is how many messages there are, how long their way is, and who is gone;
links with rates are for those who distribute files (../links.py). A node that was killed gets nothing more: datagrams
to it are lost, connections with it end one latency later, and a dial to it fails.
"""

from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from contract.events import TraceEvent
from peer.net.address import Address
from peer.overlays.node import Charge, DatagramNode, Dial, Fetch, HangUp, Node, Send, SendTo, StreamNode
from peer.simulation.agenda import Agenda
from peer.simulation.overlays.ledger import Ledger

Latency: TypeAlias = Callable[[str, str], float]
"""Seconds from one host to another."""
Size: TypeAlias = Callable[[Any], int]
"""The length of a message in bytes, as the overlay's wire writes it."""
AnyNode = TypeVar("AnyNode", bound=Node)
CALLER_PORT: Final = 40_000


class Place(Generic[AnyNode]):
    """A node at its address. Make it first, give its `record` to the node, and then `Network.add` both."""

    def __init__(self, address: Address) -> None:
        self.address: Final = address
        self.node: AnyNode
        self.is_here = True
        self.events: Final[list[tuple[float, TraceEvent]]] = []
        """Its trace."""
        self.wakes_at = inf
        self.links: Final[dict[int, tuple[Place[AnyNode], int]]] = {}
        """Its connections: the other end, and that end's number for the connection."""
        self.last_link = 0
        self.last_size = 0
        """Of the message that it got last."""

    def record(self, event: TraceEvent, now: float) -> None:
        self.events.append((now, event))


class Performer(Protocol):
    """Does one action of a node."""

    def __call__(self, place: Place[Any], action: Any) -> None: ...


class OverlayNetwork(Generic[AnyNode]):
    """Carries the messages of nodes, and wakes them when they ask for it."""

    def __init__(self, size: Size, latency: Latency, agenda: Agenda | None = None) -> None:
        self.agenda: Final = agenda or Agenda()
        self.ledger: Final = Ledger()
        self.fetches: Final[list[tuple[Address, Fetch]]] = []
        """What nodes wanted to get from each other."""
        self.places: Final[dict[Address, Place[AnyNode]]] = {}
        self._size: Final = size
        self._latency: Final = latency
        self._performers: Final[dict[type, Performer]] = {
            SendTo: self._send_datagram,
            Send: self._send,
            Dial: self._dial,
            HangUp: self._hang_up,
            Charge: lambda place, action: self.ledger.charge(action.search, place.last_size),
            Fetch: lambda place, action: self.fetches.append((place.address, action)),
        }

    def add(self, place: Place[AnyNode], node: AnyNode) -> Place[AnyNode]:
        """Put a node at its place; `input_to` makes it begin."""
        place.node = node
        self.places[place.address] = place
        return place

    def input_to(self, place: Place[AnyNode], give: Callable[[AnyNode, float], None]) -> None:
        """Give a node an input, such as `lambda node, now: node.start(now)`, and do what it asks for."""
        give(place.node, self.agenda.now)
        self._act(place)

    def kill(self, place: Place[AnyNode]) -> None:
        """Let a node end without a word."""
        place.is_here = False
        for link in list(place.links):
            self._end_link(place, link, "the other end is gone")

    def leave(self, place: Place[AnyNode]) -> None:
        """Let a node leave, and tell others as its protocol has it."""
        self.input_to(place, lambda node, now: node.leave(now, by_word=True))
        self.kill(place)

    def run(self, until: float) -> None:
        """Let time pass."""
        self.agenda.run(until)

    def _act(self, place: Place[AnyNode]) -> None:
        for action in place.node.take_actions():
            self._performers[type(action)](place, action)
        self._set_timer(place)

    def _set_timer(self, place: Place[AnyNode]) -> None:
        when = max(place.node.next_deadline(), self.agenda.now)
        if when < place.wakes_at:
            place.wakes_at = when
            self.agenda.call_at(when, partial(self._wake, place, when))

    def _wake(self, place: Place[AnyNode], when: float) -> None:
        """Wake a node, unless its timer was set to an earlier time after this."""
        if place.wakes_at == when:
            place.wakes_at = inf
            if place.is_here:
                place.node.tick(self.agenda.now)
                self._act(place)

    def _after(self, source: Address, to: Address, do: Callable[[], None]) -> None:
        self.agenda.call_at(self.agenda.now + self._latency(source.host, to.host), do)

    def _send_datagram(self, place: "Place[DatagramNode]", action: SendTo) -> None:
        size = self._size(action.message)
        self.ledger.count_sent(place.address.host, action.search, size)
        self._after(place.address, action.to, partial(self._deliver_datagram, place.address, action, size))

    def _deliver_datagram(self, source: Address, action: SendTo, size: int) -> None:
        far: Any = self.places.get(action.to)
        if far is not None and far.is_here:
            self.ledger.count_received(far.address.host, size)
            far.last_size = size
            far.node.received(source, action.message, self.agenda.now)
            self._act(far)

    def _send(self, place: "Place[StreamNode]", action: Send) -> None:
        end = place.links.get(action.link)
        if end is None:
            return
        far, far_link = end
        size = self._size(action.message)
        self.ledger.count_sent(place.address.host, action.search, size)
        self._after(place.address, far.address, partial(self._deliver, far, far_link, action.message, size))

    def _deliver(self, far: "Place[StreamNode]", link: int, message: Any, size: int) -> None:
        if far.is_here and link in far.links:
            self.ledger.count_received(far.address.host, size)
            far.last_size = size
            far.node.received(link, message, self.agenda.now)
            self._act(far)  # type: ignore[arg-type]  # a network of streams has nodes with streams

    def _dial(self, place: "Place[StreamNode]", action: Dial) -> None:
        self._after(place.address, action.address, partial(self._arrive_at, place, action.address))

    def _arrive_at(self, place: Any, address: Address) -> None:
        far: Any = self.places.get(address)
        if far is None or not far.is_here or not place.is_here:
            self._after(address, place.address, partial(self._fail, place, address))
            return
        link, far_link = _number(place), _number(far)
        far.links[far_link], place.links[link] = (place, link), (far, far_link)
        # First, so that what the other end sends at once comes after it.
        self._after(address, place.address, partial(self._connected, place, link, address))
        far.node.accepted(far_link, Address(place.address.host, CALLER_PORT), self.agenda.now)
        self._act(far)

    def _connected(self, place: Any, link: int, address: Address) -> None:
        if place.is_here and link in place.links:
            place.node.connected(link, address, self.agenda.now)
            self._act(place)

    def _fail(self, place: Any, address: Address) -> None:
        if place.is_here:
            place.node.dial_failed(address, "refused", self.agenda.now)
            self._act(place)

    def _hang_up(self, place: Place[AnyNode], action: HangUp) -> None:
        if action.link in place.links:
            self._end_link(place, action.link, action.reason)

    def _end_link(self, place: Place[AnyNode], link: int, reason: str) -> None:
        far, far_link = place.links.pop(link)
        self._after(place.address, far.address, partial(self._notice, far, far_link, reason))

    def _notice(self, far: Any, link: int, reason: str) -> None:
        if far.links.pop(link, None) is not None and far.is_here:
            far.node.disconnected(link, reason, self.agenda.now)
            self._act(far)


def _number(place: Place[Any]) -> int:
    place.last_link += 1
    return place.last_link
