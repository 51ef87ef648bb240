"""Keeping as many neighbours as are wanted: whom to dial, and when."""

from collections import deque
from collections.abc import Callable
from math import inf
from typing import Final, TypeAlias

from peer.net.address import Address
from peer.overlays.gnutella.neighbours.hosts import HostCache
from peer.overlays.gnutella.neighbours.standing import Standing
from peer.overlays.gnutella.servent import Servent
from peer.overlays.node import Dial

Purpose: TypeAlias = Callable[[int | None], None]
"""Takes the link, or None if there is no connection."""

_LOOK_AGAIN: Final = 60.0
"""Seconds after which neighbours are asked for addresses again."""


class Dialling:
    """Calls that are under way. Those to one address are alike, so the first that is there serves the first."""

    def __init__(self, servent: Servent) -> None:
        self._servent: Final = servent
        self._calls: Final[dict[Address, deque[Purpose]]] = {}

    def dial(self, address: Address, purpose: Purpose) -> None:
        self._calls.setdefault(address, deque()).append(purpose)
        self._servent.out.do(Dial(address))

    def ended(self, address: Address, link: int | None) -> bool:
        """Give a call's result to whom it is for; false if nobody called."""
        calls = self._calls.get(address)
        if not calls:
            return False
        purpose = calls.popleft()
        if not calls:
            del self._calls[address]
        purpose(link)
        return True


class Keeping:
    """Dials until a servent has the neighbours that it wants."""

    def __init__(
        self,
        servent: Servent,
        standing: Standing,
        hosts: HostCache,
        dialling: Dialling,
        call: Callable[[int, Address], None],
    ) -> None:
        self._servent: Final = servent
        self._standing: Final = standing
        self._hosts: Final = hosts
        self._dialling: Final = dialling
        self._call: Final = call
        self._dialled: Final[set[Address]] = set()
        self.is_over = False
        self.deadline = inf
        self.ask_for_hosts: Callable[[], None] = lambda: None

    def fill(self) -> None:
        """Dial whom we may, if neighbours are missing."""
        missing = self._missing()
        if missing <= 0 or self.is_over:
            self.deadline = inf
            return
        avoid = self._dialled | {link.address for link in self._servent.links.all.values()}
        usable = self._hosts.usable(self._servent.now, avoid)
        for address in self._servent.rng.sample(usable, min(missing, len(usable))):
            self._dial(address)
        self.deadline = self._next_time(avoid) if len(usable) < missing else inf

    def _next_time(self, avoid: set[Address]) -> float:
        """Ask for more addresses, as there are too few; return when to look again."""
        self.ask_for_hosts()
        again = self._servent.now + _LOOK_AGAIN if self._servent.links.peers else inf
        return min(again, self._hosts.next_time(avoid | self._dialled))

    @property
    def is_short(self) -> bool:
        """Whether neighbours are missing."""
        return len(self._servent.links.peers) < self._standing.wanted

    def _missing(self) -> int:
        links, neighbours = self._servent.links, self._servent.parameters.neighbours
        under_way = len(self._dialled) + links.called()
        missing = self._standing.wanted - len(links.peers)
        return min(missing - under_way, neighbours.dials - under_way) if missing > 0 else 0

    def _dial(self, address: Address) -> None:
        self._dialled.add(address)
        self._dialling.dial(address, lambda link: self._ended(address, link))

    def _ended(self, address: Address, link: int | None) -> None:
        self._dialled.discard(address)
        if link is None:
            self._hosts.failed(address, self._servent.now)
            self.fill()
        else:
            self._call(link, address)
