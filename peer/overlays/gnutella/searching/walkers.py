"""Random walkers, the third way to search: a question goes from one servent to one other, chosen by chance.

All walkers of a search start at once. Every fourth step a walker asks the querier, over a connection of its own,
whether to go on; the call and its answer are a handshake that ends with it. A servent gives walkers of one search to
neighbours that have had none, while there are some: the state keeping of the paper. Answers go back as after a flood.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final

from contract.overlay_events import UPKEEP
from peer.overlays.gnutella.links import Link
from peer.overlays.gnutella.neighbours.greeting import CHECK, call, no, yes
from peer.overlays.gnutella.neighbours.keeping import Dialling
from peer.overlays.gnutella.routing.memory import OURS
from peer.overlays.gnutella.routing.queries import Queries
from peer.overlays.gnutella.searching.searches import Search, Searches, question_of
from peer.overlays.gnutella.servent import Servent
from peer.overlays.gnutella.wire.handshake import code_of
from peer.overlays.gnutella.wire.messages import Handshake, Walk
from peer.overlays.node import HangUp, Send

_NAME: Final = re.compile("[0-9a-f]{32}")
_MOST_STATES: Final = 1_000
"""Searches of which is remembered who has had a walker."""


@dataclass(slots=True)
class Check:
    """A walker that waits for the querier's word."""

    walk: Walk
    source: int
    """The link on which it came."""
    until: float


class Walkers:
    """The walkers that pass through this servent, and those of its own searches."""

    def __init__(self, servent: Servent, queries: Queries, searches: Searches, dialling: Dialling) -> None:
        self._servent: Final = servent
        self._queries: Final = queries
        self._searches: Final = searches
        self._dialling: Final = dialling
        self._used: Final[dict[bytes, set[int]]] = {}
        """By search, the links that have had one of its walkers."""
        self._checks: Final[dict[int, Check]] = {}
        """By the link over which the querier is asked."""
        self._calls = 0
        """Checks whose connections are awaited."""
        self.deadline = inf
        self.may_go: Callable[[], bool] = lambda: True
        """Whether walkers may come here: not to a leaf."""

    def __len__(self) -> int:
        return len(self._used) + len(self._checks)

    def start(self, search: Search) -> None:
        """Send the walkers off, spread over the neighbours."""
        rules = self._servent.parameters.walk
        self._queries.memory.add(search.guid, OURS, self._servent.now)
        first = Walk(search.guid, 1, 0, self._servent.address, 1, rules.steps - 1, question_of(search.wanted))
        for _ in range(rules.walkers):
            self._move(first, None)

    def got(self, link: Link, walk: Walk) -> None:
        """Answer a walker that is here for the first time, and let it go on."""
        if not self._servent.parameters.walk.knows or not self.may_go():
            return
        if self._queries.memory.get(walk.guid) is None:
            self._queries.memory.add(walk.guid, link.number, self._servent.now)
            self._queries.answer(link, walk.guid, walk.text, walk.steps)
        if walk.left > 0:
            self._go_on(walk, link.number)

    def _go_on(self, walk: Walk, source: int) -> None:
        is_due = walk.steps % self._servent.parameters.walk.check_every == 0
        if walk.querier == self._servent.address:
            if self._wants_more(walk.guid):
                self._step(walk, source)
        elif is_due:
            self._check(walk, source)
        else:
            self._step(walk, source)

    def _step(self, walk: Walk, source: int) -> None:
        steps = min(walk.steps + 1, 0xFFFF)
        moved = Walk(walk.guid, 1, 0, walk.querier, steps, walk.left - 1, walk.text)
        self._move(moved, source)

    def _move(self, walk: Walk, source: int | None) -> None:
        """Send a walker to a neighbour that had none, else to any, and back only if there is no other."""
        peers = self._servent.links.peers
        if not peers:
            return
        used = self._state(walk.guid)
        others = [link for link in peers if link.number != source] or peers
        fresh = [link for link in others if link.number not in used]
        if not fresh:
            used.difference_update(link.number for link in others)
        link = self._servent.rng.choice(fresh or others)
        used.add(link.number)
        self._servent.send(link, walk, walk.guid.hex())

    def _state(self, guid: bytes) -> set[int]:
        used = self._used.get(guid)
        if used is None:
            if len(self._used) >= _MOST_STATES:
                del self._used[next(iter(self._used))]
            used = self._used[guid] = set()
        return used

    def _check(self, walk: Walk, source: int) -> None:
        if self._calls + len(self._checks) < self._servent.parameters.walk.checks:
            self._calls += 1
            self._dialling.dial(walk.querier, lambda link: self._called(walk, source, link))

    def _called(self, walk: Walk, source: int, link: int | None) -> None:
        """Ask the querier; a walker whose querier cannot be reached ends."""
        self._calls -= 1
        if link is None:
            return
        until = self._servent.now + self._servent.parameters.neighbours.patience
        self._checks[link] = Check(walk, source, until)
        self.deadline = min(self.deadline, until)
        self._servent.out.do(Send(link, call(((CHECK, walk.guid.hex()),)), walk.guid.hex()))

    def answered(self, link: int, handshake: Handshake) -> None:
        """The querier says whether to go on."""
        check = self._forget(link)
        if check is not None:
            self._servent.out.do(HangUp(link, "asked"))
            if code_of(handshake) == 200:
                self._step(check.walk, check.source)

    def lost(self, link: int) -> None:
        self._forget(link)

    def _forget(self, link: int) -> Check | None:
        check = self._checks.pop(link, None)
        self.deadline = min((each.until for each in self._checks.values()), default=inf)
        return check

    def end_late(self) -> None:
        for link, check in list(self._checks.items()):
            if check.until <= self._servent.now:
                self._forget(link)
                self._servent.out.do(HangUp(link, "no answer"))

    def asked(self, link: Link, handshake: Handshake) -> None:
        """A walker of ours asks, perhaps, whether to go on."""
        name = handshake.get(CHECK).lower()
        search = self._searches.alive(_guid(name))
        if search is not None and self._wants_more(search.guid):
            search.heard = self._servent.now
            self._servent.send(link, yes(), search.name)
        else:
            self._servent.send(link, no(204, "Enough"), _guid(name).hex() or UPKEEP)
        self._servent.hang_up(link, "told")

    def _wants_more(self, guid: bytes) -> bool:
        search = self._searches.alive(guid)
        return search is not None and len(search.answers) < self._servent.parameters.walk.wanted


def _guid(name: str) -> bytes:
    return bytes.fromhex(name) if _NAME.fullmatch(name) else b""
