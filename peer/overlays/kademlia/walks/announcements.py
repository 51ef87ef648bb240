"""Announcing: the address of a peer is stored at the k nodes closest to its key, at the start and again and again."""

from collections import deque
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any, Final

from peer.net.address import Address
from peer.overlays.kademlia.core import Core
from peer.overlays.kademlia.walks.backlog import Backlog
from peer.overlays.kademlia.walks.lookup import Candidate
from peer.overlays.kademlia.walks.walk import OnPeers, Walk, Walker
from peer.overlays.kademlia.wire.messages import AnnouncePeer, Answer


def nobody(_found: list[Address], _hops: int) -> None:
    """Take peers that nobody asked for."""


class Announcements:
    """Announces once on demand, and what is shared periodically."""

    def __init__(self, core: Core, walker: Walker, backlog: Backlog) -> None:
        self._core: Final = core
        self._walker: Final = walker
        self._backlog: Final = backlog
        self._due: Final[deque[tuple[float, int, int | None]]] = deque()
        """When to announce what with which port; the first is the next, as all have the same period."""

    @property
    def deadline(self) -> float:
        """When the next announcement is due."""
        return self._due[0][0] if self._due else inf

    def share(self, key: int, port: int | None, now: float) -> None:
        """Announce a key now and periodically."""
        self._due.appendleft((now, key, port))

    def tick(self, now: float) -> None:
        """Announce what is due."""
        while self._due and self._due[0][0] <= now:
            _, key, port = self._due.popleft()
            self._due.append((now + self._core.parameters.announce_period, key, port))
            self._backlog.add(partial(self._announce_in_turn, key, port))

    def stop(self) -> None:
        """Announce nothing more."""
        self._due.clear()

    def announce(self, key: int, port: int | None, on_end: Callable[[Walk], None], on_peers: OnPeers = nobody) -> None:
        """Look for the nodes closest to a key, and store our address there; without a port, the one we send from."""

        def store_and_end(walk: Walk) -> None:
            for candidate in walk.lookup.closest():
                self._store_at(candidate, key, port)
            on_end(walk)

        self._walker.get_peers(key, on_peers, store_and_end, self._core.outbox.now)

    def answered(self, about: Any, answer: Answer) -> None:
        """A node has stored us."""

    def is_slow(self, about: Any) -> None:
        """Nothing waits for it."""

    def failed(self, about: Any) -> None:
        """A node has not stored us, which others make good."""

    def _announce_in_turn(self, key: int, port: int | None, done: Callable[[], None]) -> None:
        self.announce(key, port, lambda _: done())

    def _store_at(self, candidate: Candidate, key: int, port: int | None) -> None:
        token = candidate.token
        if token is None:
            return
        own, is_read_only = self._core.table.own, self._core.parameters.is_read_only
        message = partial(
            AnnouncePeer,
            id=own.id,
            info_hash=key,
            port=port or own.address.port,
            token=token,
            has_implied_port=port is None,
            is_read_only=is_read_only,
        )
        self._core.transactions.ask(candidate.address, candidate.id, message, asker=self, about=None)
