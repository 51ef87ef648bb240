"""Walking: a lookup whose questions are asked, and whose answers are taken."""

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from contract.overlay_events import UPKEEP
from peer.net.address import Address
from peer.overlays.kademlia.core import Core
from peer.overlays.kademlia.walks.lookup import Candidate, Lookup
from peer.overlays.kademlia.wire.messages import Answer, FindNode, GetPeers, NodeInfo

OnPeers: TypeAlias = Callable[[list[Address], int], None]
"""Takes peers that were not known before, and after how many hops they were found."""


class Walk:
    """One lookup under way. It ends once, when `is_over`, with a call of `on_end`."""

    def __init__(
        self,
        walker: "Walker",
        lookup: Lookup,
        on_end: "Callable[[Walk], None]",
        on_peers: OnPeers | None = None,
        search: str = UPKEEP,
    ) -> None:
        self._walker: Final = walker
        self.lookup: Final = lookup
        self._on_end: Final = on_end
        self._on_peers: Final = on_peers
        self._search: Final = search
        self._peers: Final[set[Address]] = set()
        self.is_over = False

    def step(self) -> None:
        """Ask whoever is to be asked now, or end."""
        for candidate in self.lookup.due():
            if not self._ask(candidate):
                self.lookup.failed(candidate)
        if self.lookup.is_over:
            self.end()

    def end(self) -> None:
        """End, if it has not ended: no answer counts from now on."""
        if not self.is_over:
            self.is_over = True
            self._walker.walks.discard(self)
            self._on_end(self)

    def give_up(self) -> None:
        """End without telling anybody."""
        self.is_over = True
        self._walker.walks.discard(self)

    def answered(self, about: Candidate, answer: Answer) -> None:
        """A candidate answered."""
        if self.is_over:
            return
        if about.id not in {None, answer.id}:
            self.failed(about)
            return
        about.token = answer.token
        # A node may name as many as it likes; those closest to the target are among the first.
        self.lookup.answered(about, answer.id, self._walker.named(answer))
        if answer.values and self._on_peers is not None and self.lookup.trusts(about):
            self._take(answer.values, about.depth)
        if not self.is_over:
            self.step()

    def is_slow(self, about: Candidate) -> None:
        if not self.is_over:
            self.lookup.is_slow(about)
            self.step()

    def failed(self, about: Candidate) -> None:
        if not self.is_over:
            self.lookup.failed(about)
            self.step()

    def _ask(self, candidate: Candidate) -> bool:
        return self._walker.ask(self, candidate, is_for_peers=self._on_peers is not None, search=self._search)

    def _take(self, values: Iterable[Address], hops: int) -> None:
        most = self._walker.parameters.most_found - len(self._peers)
        new = [each for each in dict.fromkeys(values) if each not in self._peers][: max(most, 0)]
        self._peers.update(new)
        if new and self._on_peers is not None:
            self._on_peers(new, hops)
            if self._walker.parameters.ends_at_values:
                self.end()


class Walker:
    """Begins walks from the routing table."""

    def __init__(self, core: Core, routers: Iterable[Address]) -> None:
        self.parameters: Final = core.parameters
        self._core: Final = core
        self.routers: Final = list(routers)
        """Nodes of which we know only the address: whom to ask as long as we know nobody else."""
        self.walks: Final[set[Walk]] = set()
        """Those under way."""

    def find_node(self, target: int, on_end: Callable[[Walk], None], now: float) -> Walk:
        """Look for the nodes closest to an id."""
        return self._begin(Walk(self, self._lookup(target, now), on_end))

    def get_peers(
        self, key: int, on_peers: OnPeers, on_end: Callable[[Walk], None], now: float, search: str = UPKEEP
    ) -> Walk:
        """Look for the peers that are stored for a key, and the nodes that are closest to it."""
        return self._begin(Walk(self, self._lookup(key, now), on_end, on_peers, search))

    def ask(self, walk: Walk, candidate: Candidate, *, is_for_peers: bool, search: str) -> bool:
        """Send the question of a walk to a candidate; false if that is not possible."""
        target, own, is_read_only = walk.lookup.target, self._core.own_id, self.parameters.is_read_only
        kind = GetPeers if is_for_peers else FindNode
        return self._core.transactions.ask(
            candidate.address,
            candidate.id,
            lambda t: kind(t, own, target, is_read_only),
            asker=walk,
            about=candidate,
            search=search,
        )

    def named(self, answer: Answer) -> tuple[NodeInfo, ...]:
        """Return the nodes that an answer names, a limited number of them."""
        return (answer.nodes or ())[: self.parameters.most_candidates]

    def _begin(self, walk: Walk) -> Walk:
        self.walks.add(walk)
        walk.step()
        return walk

    def _lookup(self, target: int, now: float) -> Lookup:
        known = self._core.table.closest(target, self.parameters.k, now, only_good=False)
        routers = self.routers if len(known) < self.parameters.alpha else ()
        return Lookup(target, self.parameters, self._core.table.is_legal, known, routers)
