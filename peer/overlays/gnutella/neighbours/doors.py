"""Handshakes: whom a servent takes as a neighbour, and who takes it."""

from collections.abc import Callable
from math import inf
from typing import Final

from peer.net.address import Address
from peer.overlays.gnutella.links import Link, Other, Stage
from peer.overlays.gnutella.neighbours.greeting import (
    Headers,
    addresses_in,
    call,
    elsewhere,
    introduction,
    is_true,
    learn,
    no,
    yes,
)
from peer.overlays.gnutella.neighbours.hosts import HostCache
from peer.overlays.gnutella.neighbours.standing import Standing
from peer.overlays.gnutella.servent import Servent
from peer.overlays.gnutella.wire.handshake import code_of
from peer.overlays.gnutella.wire.messages import Handshake

_MOST_STRANGERS: Final = 100
"""Who have connected, and not said enough to be neighbours."""
_NEEDED_HEADER: Final = "X-Ultrapeer-Needed"


class Doors:
    """The handshakes of one servent, from a connection to an open link."""

    def __init__(self, servent: Servent, standing: Standing, hosts: HostCache, opened: Callable[[Link], None]) -> None:
        self._servent: Final = servent
        self._standing: Final = standing
        self._hosts: Final = hosts
        self._opened: Final = opened
        self._pending: Final[dict[int, Link]] = {}
        """Links that are not open, the earliest first."""
        self.deadline = inf

    def call(self, number: int, address: Address) -> None:
        """Say who we are to a servent that we dialled."""
        link = self._begin(number, address, Stage.CALLED)
        self._servent.send(link, call(self._introduction()))

    def accepted(self, number: int, source: Address) -> None:
        link = self._begin(number, source, Stage.CALLING)
        if len(self._pending) > _MOST_STRANGERS:
            self._servent.hang_up(link, "too many strangers")
            self.forget(number)

    def _begin(self, number: int, address: Address, stage: Stage) -> Link:
        link = Link(number, address, stage, self._servent.now + self._servent.parameters.neighbours.patience)
        self._servent.links.add(link)
        self._pending[number] = link
        self.deadline = min(self.deadline, link.deadline)
        return link

    def forget(self, number: int) -> None:
        self._pending.pop(number, None)
        self.deadline = next((link.deadline for link in self._pending.values()), inf)

    def end_late(self) -> None:
        """Give up those whose time is over."""
        late = [link for link in self._pending.values() if link.deadline <= self._servent.now]
        for link in late:
            self._refuse_silently(link, "no handshake in time")

    def _refuse_silently(self, link: Link, reason: str) -> None:
        if link.stage is Stage.CALLED:
            self._hosts.failed(link.address, self._servent.now)
        self._servent.hang_up(link, reason)
        self.forget(link.number)

    def _introduction(self) -> Headers:
        servent = self._servent
        return introduction(servent.address, self._standing, servent.parameters, servent.participation.claimed)

    def got(self, link: Link, handshake: Handshake) -> None:
        """Go one step further."""
        match link.stage:
            case Stage.CALLING:
                self._answer(link, handshake)
            case Stage.CALLED:
                self._conclude(link, handshake)
            case Stage.ANSWERED if code_of(handshake) == 200:
                self._take_word(link, handshake)
            case _:
                self._refuse_silently(link, "refused")

    def _answer(self, link: Link, handshake: Handshake) -> None:
        learn(link, handshake)
        twin = self._servent.links.with_address(link.address)
        if twin is not None and not self._gives_way(twin):
            self._refuse(link, 503, "Already connected")
        elif self._standing.is_leaf:
            self._refuse(link, 503, "I am a shielded leaf node")
        elif self._is_too_low(link):
            self._refuse(link, 503, "Your level is too low for an ultrapeer")
        elif not self._has_place(link):
            self._refuse(link, 503, "No places left")
        else:
            link.stage = Stage.ANSWERED
            self._servent.send(link, yes((*self._introduction(), *self._guidance(link))))

    def _is_too_low(self, link: Link) -> bool:
        """Whether somebody wants to be an ultrapeer who may not; what is claimed is believed."""
        return link.other is Other.ULTRAPEER and link.level < self._servent.parameters.election.level

    def _gives_way(self, twin: Link) -> bool:
        """Whether our own call is given up for that of the other, as both called at once."""
        return twin.stage is Stage.CALLED and self._servent.address > twin.address

    def _has_place(self, link: Link) -> bool:
        links = self._servent.links
        if link.other is Other.LEAF:
            return self._standing.is_ultrapeer and links.taken(Other.LEAF) < self._servent.parameters.neighbours.leaves
        return self._peers_taken() < self._standing.most

    def has_room(self) -> bool:
        """Whether anybody would be taken, and should hear of us."""
        links, most_leaves = self._servent.links, self._servent.parameters.neighbours.leaves
        if self._standing.is_leaf:
            return False
        has_leaf_places = self._standing.is_ultrapeer and len(links.leaves) < most_leaves
        return has_leaf_places or len(links.peers) < self._standing.most

    def _guidance(self, link: Link) -> Headers:
        """Tell an ultrapeer whether it is needed: not while we have fewer than half of the leaves that we could."""
        if not (self._standing.is_ultrapeer and link.other is Other.ULTRAPEER):
            return ()
        needed = 2 * len(self._servent.links.leaves) >= self._servent.parameters.neighbours.leaves
        return ((_NEEDED_HEADER, str(needed)),)

    def _refuse(self, link: Link, code: int, reason: str) -> None:
        self._servent.send(link, no(code, reason, self._elsewhere()))
        self._servent.hang_up(link, reason)
        self.forget(link.number)

    def _elsewhere(self) -> Headers:
        peers = self._servent.links.peers
        ultrapeers = [peer.address for peer in peers if peer.other is Other.ULTRAPEER][:10]
        if ultrapeers:
            return elsewhere(ultrapeers, are_ultrapeers=True)
        return elsewhere(self._hosts.some(10), are_ultrapeers=False)

    def _conclude(self, link: Link, handshake: Handshake) -> None:
        """Take the answer to our call, and say the last word."""
        for address in addresses_in(handshake):
            self._hosts.add(address)
        if code_of(handshake) != 200:
            self._refuse_silently(link, "refused")
            return
        dialled = link.address
        learn(link, handshake)
        link.address = dialled
        problem = self._problem(link)
        if problem:
            self._servent.send(link, no(503, problem))
            self._refuse_silently(link, problem)
        else:
            self._hosts.succeeded(link.address)
            self._accept(link, handshake)

    def _problem(self, link: Link) -> str:
        if self._standing.is_leaf and link.other is not Other.ULTRAPEER:
            return "I am a leaf and look for ultrapeers"
        if link.other is Other.LEAF:
            return "A leaf cannot answer"
        if self._is_too_low(link):
            return "Your level is too low for an ultrapeer"
        return "No places left" if self._peers_taken() >= self._standing.most else ""

    def _peers_taken(self) -> int:
        return self._servent.links.taken(Other.PEER) + self._servent.links.taken(Other.ULTRAPEER)

    def _accept(self, link: Link, handshake: Handshake) -> None:
        is_not_needed = handshake.get(_NEEDED_HEADER).lower() == "false"
        becomes_leaf = is_not_needed and not self._servent.links.leaves and self._standing.demote()
        if becomes_leaf:
            for other in list(self._servent.links.peers):
                self._servent.hang_up(other, "I become a leaf")
        self._servent.send(link, yes((("X-Ultrapeer", "False"),) if becomes_leaf else ()))
        self._open(link)

    def _take_word(self, link: Link, handshake: Handshake) -> None:
        """Open a link that somebody began; whoever was told that it is not needed may say now that it is a leaf."""
        if link.other is Other.ULTRAPEER and handshake.get("X-Ultrapeer") and not is_true(handshake, "X-Ultrapeer"):
            link.other = Other.LEAF
        self._open(link)

    def _open(self, link: Link) -> None:
        self.forget(link.number)
        self._servent.links.open(link)
        self._opened(link)
