"""Searches for exact names: the peers of a name's key, as events of the trace.

The question of a search is sent by its first node alone, so all that it sends has the search's name. Whoever answers
cannot know the name, since krpc does not carry it: the first node has each answer counted to its search (`Charge`).
"""

from typing import Final

from contract.overlay_events import AnswerCame, SearchBegan, SearchEnded
from peer.net.address import Address
from peer.overlays.content import Wanted, key_of
from peer.overlays.kademlia.serving.store import PeerStore
from peer.overlays.kademlia.walks.walk import Walk, Walker
from peer.overlays.node import Outbox


class Search:
    """What is known of one search."""

    def __init__(self, name: str, wanted: Wanted, outbox: Outbox) -> None:
        self._name: Final = name
        self._text: Final = wanted.text
        self._outbox: Final = outbox
        self._holders: Final[set[Address]] = set()
        self._hops: int | None = None

    def found(self, holders: list[Address], hops: int) -> None:
        """Peers are stored for the key."""
        if self._hops is None:
            self._hops = hops
        for holder in holders:
            if holder not in self._holders:
                self._holders.add(holder)
                self._outbox.record(AnswerCame(self._name, self._text, str(holder), hops))

    def end(self, outcome: str, timeouts: int) -> None:
        """No more answers are waited for."""
        self._outbox.record(SearchEnded(self._name, outcome, len(self._holders), self._hops, timeouts))

    def outcome(self, walk: Walk) -> str:
        """Return how a search ended whose walk is over."""
        if self._holders:
            return "found"
        return "not_found" if walk.lookup.answered_count else "failed"


class Searches:
    """The searches that are under way."""

    def __init__(self, walker: Walker, store: PeerStore, outbox: Outbox) -> None:
        self._walker: Final = walker
        self._store: Final = store
        self._outbox: Final = outbox
        self._running: Final[dict[str, Search]] = {}

    def begin(self, name: str, wanted: Wanted, now: float) -> None:
        """Look for the holders of an exact name; there is no other question that a hash table could answer."""
        self._outbox.record(SearchBegan(name, wanted.text))
        search = self._running[name] = Search(name, wanted, self._outbox)
        key = int.from_bytes(key_of(wanted.text), "big")
        own = self._store.peers(key, now)
        if own:
            search.found(own, 0)
            if self._walker.parameters.ends_at_values:
                self._running.pop(name).end("found", 0)
                return
        self._walker.get_peers(key, search.found, lambda walk: self._end(name, walk), now, name)

    def end_all(self) -> None:
        """End what is under way, as this node leaves."""
        for search in self._running.values():
            search.end("left", 0)
        self._running.clear()

    def _end(self, name: str, walk: Walk) -> None:
        search = self._running.pop(name)
        search.end(search.outcome(walk), walk.lookup.timeouts)
