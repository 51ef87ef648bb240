"""A lookup: whom to ask next, on the way to the k nodes that are closest to an id.

A lookup keeps all nodes that it hears of, sorted by distance, and asks the closest that it has not asked, up to alpha
at the same time. It is over when the k closest of those that did not fail have answered. A node that is slow leaves its
place among the alpha to another, as in libtorrent; but if it is one of the k closest, the lookup waits for it.
"""

from bisect import insort
from collections.abc import Callable, Iterable, Iterator
from enum import Enum, auto
from itertools import islice
from typing import Final

from peer.net.address import Address
from peer.overlays.kademlia.parameters import Parameters
from peer.overlays.kademlia.wire.messages import NodeInfo


class State(Enum):
    """What became of a candidate; it goes from one to a later one."""

    FRESH = auto()
    ASKED = auto()
    SLOW = auto()
    ANSWERED = auto()
    FAILED = auto()


class Candidate:
    """A node that a lookup heard of."""

    __slots__ = ("address", "depth", "id", "state", "token")

    def __init__(self, address: Address, node_id: int | None, depth: int) -> None:
        self.address: Final = address
        self.id = node_id
        """None for one that we know by its address alone, until it answers."""
        self.depth: Final = depth
        """Questions from us to it: 1 for one that we knew, 2 for one that such a node named."""
        self.state = State.FRESH
        self.token: bytes | None = None
        """Its permission to announce a peer to it."""


class Lookup:
    """The candidates of one lookup."""

    def __init__(
        self,
        target: int,
        parameters: Parameters,
        is_legal: Callable[[NodeInfo], bool],
        known: Iterable[NodeInfo],
        routers: Iterable[Address] = (),
    ) -> None:
        self.target: Final = target
        self._parameters: Final = parameters
        self._is_legal: Final = is_legal
        self._sorted: Final[list[Candidate]] = []
        """The closest first."""
        self._ids: Final[set[int]] = set()
        self._hosts: Final[set[str]] = set()
        self._asked = 0
        self._in_flight = 0
        """Those that are asked and not slow."""
        self.answered_count = 0
        self.timeouts = 0
        self._add(known, 1)
        named = {each.address for each in self._sorted}
        self._routers: Final = [Candidate(address, None, 1) for address in routers if address not in named]
        """Known by address alone: asked if there is nobody better."""

    def due(self) -> list[Candidate]:
        """Return whom to ask now; they count as asked."""
        room = min(self._parameters.alpha - self._in_flight, self._parameters.most_asked - self._asked)
        fresh = (each for each in self._leaders() if each.state is State.FRESH)
        chosen = list(islice(fresh, max(room, 0)))
        for each in chosen:
            each.state = State.ASKED
        self._asked += len(chosen)
        self._in_flight += len(chosen)
        return chosen

    @property
    def is_over(self) -> bool:
        """Whether the k closest have answered, or nobody is left."""
        if self._asked >= self._parameters.most_asked:
            return not any(self._is_awaited(each) for each in self._leaders())
        return all(each.state is State.ANSWERED for each in self._leaders())

    def answered(self, candidate: Candidate, node_id: int, nodes: Iterable[NodeInfo]) -> None:
        """A candidate answered, and named these nodes."""
        self._settle(candidate, State.ANSWERED)
        self.answered_count += 1
        if candidate.id is None:
            self._name(candidate, node_id)
        self._add(nodes, candidate.depth + 1)

    def trusts(self, candidate: Candidate) -> bool:
        """Whether one that answered may have its id, which we did not know of one that we knew by its address alone.

        Whoever may not have it names nodes, so that we can join by it; it gives no peers and keeps none.
        """
        return candidate.id is not None and self._is_legal(NodeInfo(candidate.id, candidate.address))

    def is_slow(self, candidate: Candidate) -> None:
        """A candidate has not answered for a while."""
        self._settle(candidate, State.SLOW)

    def failed(self, candidate: Candidate) -> None:
        """A candidate did not answer, or refused, or is another than we thought."""
        self._settle(candidate, State.FAILED)
        self.timeouts += 1

    def closest(self) -> list[Candidate]:
        """Return the k closest that answered, the closest first."""
        return list(islice((each for each in self._sorted if each.state is State.ANSWERED), self._parameters.k))

    def _leaders(self) -> Iterator[Candidate]:
        """The k closest that did not fail; where there are fewer, those too whose ids are not known."""
        count = 0
        for each in self._sorted:
            if each.state is not State.FAILED:
                yield each
                count += 1
                if count == self._parameters.k:
                    return
        yield from (each for each in self._routers if each.id is None and each.state is not State.FAILED)

    def _is_awaited(self, candidate: Candidate) -> bool:
        return candidate.state in {State.ASKED, State.SLOW}

    def _settle(self, candidate: Candidate, state: State) -> None:
        self._in_flight -= candidate.state is State.ASKED
        candidate.state = state

    def _add(self, nodes: Iterable[NodeInfo], depth: int) -> None:
        for info in nodes:
            if info.id not in self._ids and self._is_legal(info) and self._is_new_host(info.address.host):
                self._ids.add(info.id)
                self._insert(Candidate(info.address, info.id, depth))

    def _is_new_host(self, host: str) -> bool:
        if not self._parameters.one_per_host:
            return True
        is_new = host not in self._hosts
        self._hosts.add(host)
        return is_new

    def _name(self, router: Candidate, node_id: int) -> None:
        """A router told its id: it takes its place among the others, or that of itself if it has been named before."""
        router.id = node_id
        if not self.trusts(router):
            return
        if node_id not in self._ids:
            self._ids.add(node_id)
            self._insert(router)
        for each in self._sorted:
            if each.id == node_id and each.state is State.FRESH and each.address == router.address:
                each.state, each.token = State.ANSWERED, router.token

    def _insert(self, candidate: Candidate) -> None:
        insort(self._sorted, candidate, key=self._distance)
        if len(self._sorted) > self._parameters.most_candidates:
            self._drop_farthest()

    def _drop_farthest(self) -> None:
        """Forget the farthest; its answer, if one comes, changes nothing."""
        dropped = self._sorted.pop()
        self._in_flight -= dropped.state is State.ASKED
        if dropped.state is State.ASKED:
            dropped.state = State.SLOW

    def _distance(self, candidate: Candidate) -> int:
        return (candidate.id or 0) ^ self.target
