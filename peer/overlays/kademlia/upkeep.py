"""What keeps the routing table right: joining, pings of nodes of which we only heard or know little, refreshes."""

from collections.abc import Callable
from functools import partial
from math import inf
from typing import Final

from contract.overlay_events import NodeErred
from peer.net.address import Address
from peer.overlays.kademlia.core import Core
from peer.overlays.kademlia.routing.bucket import Bucket
from peer.overlays.kademlia.walks.backlog import Backlog
from peer.overlays.kademlia.walks.walk import Walk, Walker
from peer.overlays.kademlia.wire.messages import Answer, NodeInfo, Ping


class Upkeep:
    """Joins, and looks after buckets. `has_joined` is true once another node answered, or if there is none to ask."""

    def __init__(self, core: Core, walker: Walker, backlog: Backlog) -> None:
        self._core: Final = core
        self._walker: Final = walker
        self._backlog: Final = backlog
        self._joins_at = inf
        self._join_wait = core.parameters.join_again_after
        self._refreshes_at = inf
        self._is_joining = False
        self.has_joined = False

    def join(self, now: float) -> None:
        """Look for the nodes closest to ourselves."""
        self._refreshes_at = min(self._refreshes_at, self._core.table.next_refresh)
        if not self._walker.routers and self._core.table.is_empty:
            self.has_joined = True
        elif not self._is_joining:
            self._is_joining = True
            self._walker.find_node(self._core.own_id, self._joined, now)

    def add(self, address: Address) -> None:
        """Ping a node of which we know the address alone; if it answers, it is a candidate for the table."""
        self._ping(address, None, None)

    def check(self, node_id: int) -> None:
        """Ping whom the bucket of an id wants to be pinged, if anybody."""
        bucket = self._core.table.bucket_of(node_id)
        contact = self._core.table.to_check(bucket, self._core.outbox.now)
        if contact is not None:
            bucket.is_checked = self._ping(contact.info.address, contact.info.id, (bucket, node_id))

    def heard_of(self, nodes: tuple[NodeInfo, ...]) -> None:
        """Somebody named nodes."""
        for info in nodes:
            if self._core.table.heard_of(info):
                self.check(info.id)

    @property
    def deadline(self) -> float:
        """When to join again or to refresh a bucket."""
        return min(self._joins_at, self._refreshes_at)

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self._joins_at <= now:
            self._joins_at = inf
            self.join(now)
        if self._refreshes_at <= now:
            targets = self._core.table.to_refresh(now, self._core.rng)
            self._refreshes_at = self._core.table.next_refresh
            if self._core.table.is_empty:
                self.join(now)
            else:
                self._refresh(targets)

    def answered(self, about: tuple[Bucket, int] | None, _answer: Answer) -> None:
        """A pinged node answered."""
        self._go_on(about)

    def is_slow(self, about: object) -> None:
        """Nothing waits for it."""

    def failed(self, about: tuple[Bucket, int] | None) -> None:
        """A pinged node did not answer."""
        self._go_on(about)

    def _go_on(self, about: tuple[Bucket, int] | None) -> None:
        if about is not None:
            bucket, node_id = about
            bucket.is_checked = False
            self.check(node_id)

    def _joined(self, walk: Walk) -> None:
        self._is_joining = False
        if not walk.lookup.answered_count:
            self._core.outbox.record(NodeErred("no known node answered", ""))
            self._joins_at = self._core.outbox.now + self._join_wait
            self._join_wait = min(2 * self._join_wait, self._core.parameters.refresh_after)
            return
        self.has_joined = True
        if self._core.parameters.refreshes_at_start:
            self._refresh(self._core.table.far_ids(self._core.rng))

    def _refresh(self, targets: list[int]) -> None:
        for target in targets:
            self._backlog.add(partial(self._find, target))

    def _find(self, target: int, done: Callable[[], None]) -> None:
        self._walker.find_node(target, lambda _: done(), self._core.outbox.now)

    def _ping(self, address: Address, node_id: int | None, about: tuple[Bucket, int] | None) -> bool:
        own, is_read_only = self._core.own_id, self._core.parameters.is_read_only
        return self._core.transactions.ask(
            address, node_id, lambda t: Ping(t, own, is_read_only), asker=self, about=about
        )
